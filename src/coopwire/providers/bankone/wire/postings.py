"""Credits, debits, local transfers and the queries about them: tables first, then pure functions.

Source: banking contract §0, §3, traps 3, 4, 10; endpoints credit, debit, local_transfer, tsq_local, tsq_interbank.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, HubError, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.money import MAX_MINOR
from coopwire.ports.corebank import PostingOrder, PostingSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.bankone.wire.accounts import ACCOUNT_NUMBER
from coopwire.providers.bankone.wire.answers import code, flag, label, words
from coopwire.providers.bankone.wire.codes import NEVER_DONE, NOT_FOUND, Outcome, outcome
from coopwire.providers.bankone.wire.operations import Operation

CURRENCY = "NGN"
"""Their messages have no currency: kobo it is."""
NO_FEE = "0"
"""A repayment is credited in full; the gateway's fee is an affair of the books."""
REFERENCE_MAX = 12
NARRATION_MAX = 100
QUERY_EVERY_S = 60.0
"""Least distance of two status queries. Source: banking contract §3."""


class Kind(StrEnum):
    """What kind of posting a status query is about."""

    CREDIT = "credit"
    DEBIT = "debit"
    TRANSFER = "transfer"
    INTERBANK = "interbank"


CORE = "/thirdpartyapiservice/apiservice/CoreTransactions"

SENDS: Mapping[Kind, Operation] = {
    Kind.CREDIT: Operation("credit", f"{CORE}/Credit", "Token"),
    Kind.DEBIT: Operation("debit", f"{CORE}/Debit", "Token"),
    Kind.TRANSFER: Operation("local_transfer", f"{CORE}/LocalFundsTransfer", "AuthenticationKey"),
}

_LOCAL_QUERY = Operation("status_query", f"{CORE}/TransactionStatusQuery", "Token")
QUERIES: Mapping[Kind, Operation] = {
    Kind.CREDIT: _LOCAL_QUERY,
    Kind.DEBIT: _LOCAL_QUERY,
    Kind.TRANSFER: _LOCAL_QUERY,
    Kind.INTERBANK: Operation(
        "interbank_status_query",
        "/thirdpartyapiservice/apiservice/Transactions/TransactionStatusQuery",
        "Token",
    ),
}
"""Two endpoints of one name: the one of CoreTransactions knows no interbank transfer, and the other way."""

TYPE_WORDS: Mapping[Kind, str] = {
    Kind.CREDIT: "CREDIT",
    Kind.DEBIT: "DEBIT",
    Kind.TRANSFER: "LOCALFUNDTRANSFER",
    Kind.INTERBANK: "INTERBANKTRANSFER",
}
"""TransactionType; the vendor's pages spell it in several ways, so it is a setting."""

KIND_OF_SIDE: Mapping[Side, Kind] = {Side.CREDIT: Kind.CREDIT, Side.DEBIT: Kind.DEBIT}
"""Against a GL."""

STATUS_WORDS: Mapping[str, tuple[FindingWord, str]] = {
    "successful": (FindingWord.EXECUTED, ""),
    "successfulbutfeenottaken": (FindingWord.EXECUTED, "executed, their fee is still open"),
    "failed": (FindingWord.REFUSED, "failed"),
    "reversed": (FindingWord.REFUSED, "executed and reversed: the money is back"),
    "pending": (FindingWord.PENDING, "pending"),
}
"""Status of a status query in lower case; any other word is pending."""

GL_CODE = re.compile(r"[0-9A-Za-z]{1,20}\Z")
REFERENCE = re.compile(rf"[A-Z0-9]{{1,{REFERENCE_MAX}}}\Z")
REFERENCE_RULE = f"a reference is up to {REFERENCE_MAX} capitals and digits"
_FOLDS = str.maketrans({"₦": "N", "’": " ", "‘": " ", "“": " ", "”": " ", "–": "-", "—": "-"})
_UNSAFE = re.compile(r"[^A-Za-z0-9 .-]+")
_NOT_FOUND_WORDS = re.compile(r"not ?found|unable to locate|no record|does ?n[o']t exist", re.IGNORECASE)


def kind_of(order: PostingOrder) -> Kind:
    """A transfer when it comes from another account, else a credit or a debit against a GL."""
    return Kind.TRANSFER if order.from_account else KIND_OF_SIDE[order.side]


def body(order: PostingOrder, default_gl: str, nibss_code: str) -> dict[str, str]:
    """The message without its token. InvalidOrder for what they are known to refuse or to misunderstand."""
    _check(order)
    if kind_of(order) is Kind.TRANSFER:
        return _transfer(order)
    return _against_gl(order, default_gl, nibss_code)


def _check(order: PostingOrder) -> None:
    if not REFERENCE.match(order.reference):
        raise InvalidOrder(REFERENCE_RULE, field="reference")
    check_money(order.currency, order.amount_minor)
    if not ACCOUNT_NUMBER.match(order.account):
        raise InvalidOrder("an account number is 6 to 20 digits", field="account")


def check_money(currency: str, amount_minor: int) -> None:
    """InvalidOrder for an amount that they cannot post."""
    if currency != CURRENCY:
        raise InvalidOrder(f"BankOne keeps {CURRENCY} only", field="currency")
    if not 0 < amount_minor <= MAX_MINOR:
        raise InvalidOrder("the amount must be positive, in kobo", field="amount_minor")


def _against_gl(order: PostingOrder, default_gl: str, nibss_code: str) -> dict[str, str]:
    """Without a GLCode they silently take a default of their own, so there is always one."""
    gl = order.gl or default_gl
    if not GL_CODE.match(gl):
        raise InvalidOrder(
            "a posting needs the code of the GL on its other side (setting gl_code)", field="gl"
        )
    said = {"RetrievalReference": order.reference, "AccountNumber": order.account}
    if nibss_code:
        said["NibssCode"] = nibss_code
    return said | {
        "Amount": str(order.amount_minor),
        "Fee": NO_FEE,
        "Narration": narration(order),
        "GLCode": gl,
    }


def _transfer(order: PostingOrder) -> dict[str, str]:
    source = order.from_account or ""
    if order.side is not Side.CREDIT:
        raise InvalidOrder("a debit goes to a GL, never to an account", field="from_account")
    if order.gl:
        raise InvalidOrder("a posting comes from a GL or from an account, not both", field="gl")
    if not ACCOUNT_NUMBER.match(source) or source == order.account:
        raise InvalidOrder("a transfer needs another account that it comes from", field="from_account")
    return {
        "Amount": str(order.amount_minor),
        "Fee": NO_FEE,
        "FromAccountNumber": source,
        "ToAccountNumber": order.account,
        "RetrievalReference": order.reference,
        "Narration": narration(order),
    }


def narration(order: PostingOrder) -> str:
    """At most 100 plain characters, counted after accents and signs are folded; never empty."""
    plain = (
        unicodedata.normalize("NFKD", order.narration.translate(_FOLDS)).encode("ascii", "ignore").decode()
    )
    folded = " ".join(_UNSAFE.sub(" ", plain).split())[:NARRATION_MAX].strip()
    return folded or order.reference


def with_token(said: Mapping[str, object], token_key: str, token: str) -> bytes:
    """The message as it leaves the house."""
    return json.dumps({**said, token_key: token}, separators=(",", ":")).encode()


def status_question(reference: str, on: date, type_word: str, amount_minor: int) -> dict[str, str]:
    """The original posting's own words: the query finds nothing without any of them."""
    return {
        "RetrievalReference": reference,
        "TransactionDate": on.isoformat(),
        "TransactionType": type_word,
        "Amount": str(amount_minor),
    }


def outcome_of(told: Mapping[str, object], codes: Mapping[str, Outcome]) -> Outcome:
    """What became of a posting: the flag and the code must say the same, else nobody knows."""
    yes, said = flag(told, "issuccessful"), outcome(code(told), codes)
    if yes is None or yes != (said is Outcome.SUCCESS):
        return Outcome.UNKNOWN
    return said


def posted(
    reference: str, told: Mapping[str, object], codes: Mapping[str, Outcome], raw: bytes
) -> PostingSnapshot:
    """The transaction that an answer tells. Refused, OutcomeUnknown; ContractBroken without a reference."""
    result = outcome_of(told, codes)
    if result is not Outcome.SUCCESS:
        raise not_done(result, told)
    provider_ref = label(told, "reference")
    if not provider_ref:
        raise ContractBroken("BankOne: a posting was confirmed without a reference of theirs")
    return PostingSnapshot(provider_ref, reference, raw)


def not_done(result: Outcome, told: Mapping[str, object]) -> HubError:
    """The error behind an outcome that is no success: refused only where it is known to be final."""
    kind = Refused if result in NEVER_DONE else OutcomeUnknown
    return kind(f"BankOne: {words(told) or 'no words'} ({result})", code=code(told))


def finding(
    reference: str, told: Mapping[str, object], codes: Mapping[str, Outcome], raw: bytes
) -> Finding[PostingSnapshot]:
    """What a status query answers. TryLater when the query itself failed; ContractBroken without a flag.

    Only Successful with a success code is executed, only Failed and Reversed are not; a contradiction and
    any other word are pending.
    """
    if not status_is_known(told):
        return Finding(FindingWord.ABSENT, reason="they find no such transaction")
    word, reason = STATUS_WORDS.get(label(told, "status").lower(), (FindingWord.PENDING, "no known status"))
    if not code_agrees(word, code(told), codes):
        return Finding(FindingWord.PENDING, reason="status and response code contradict each other")
    if word is not FindingWord.EXECUTED:
        return Finding(word, reason=reason)
    return Finding(word, (PostingSnapshot(label(told, "reference") or reference, reference, raw),), reason)


def status_is_known(told: Mapping[str, object]) -> bool:
    """Whether the answer to a status query is about a posting that they have; False: they find none.

    TryLater when the query itself failed; ContractBroken without a flag.
    """
    yes = flag(told, "issuccessful")
    if yes is None:
        raise ContractBroken("BankOne: a status query says neither yes nor no")
    if _says_not_found(yes, told):
        return False
    if not yes:
        text = f"BankOne: the status query failed: {words(told) or 'no words'}"
        raise TryLater(text, retry_after=QUERY_EVERY_S, code=code(told))
    return True


def _says_not_found(yes: bool, told: Mapping[str, object]) -> bool:
    return code(told) == NOT_FOUND or (not yes and bool(_NOT_FOUND_WORDS.search(words(told))))


def code_agrees(word: FindingWord, said: str, codes: Mapping[str, Outcome]) -> bool:
    """Whether status and code of a query do not contradict each other.

    A refusal may carry the code of the query (00), of the failure, or none.
    """
    result = outcome(said, codes)
    if word is FindingWord.EXECUTED:
        return result is Outcome.SUCCESS
    if word is FindingWord.REFUSED:
        return not said or result is Outcome.SUCCESS or result in NEVER_DONE
    return True
