"""Account enquiries: what the hub needs to know before it credits, and nothing else of the person.

Source: banking contract §3, trap 14; endpoints account_enquiry. BVN and phone are dropped here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR

from coopwire.domain.errors import ContractBroken, InvalidOrder, TryLater
from coopwire.domain.money import MAX_MINOR
from coopwire.ports.corebank import AccountSnapshot
from coopwire.providers.bankone.wire.amounts import Unit, kobo
from coopwire.providers.bankone.wire.answers import code, flag, label, words
from coopwire.providers.bankone.wire.operations import Operation

ENQUIRY = Operation(
    "account_enquiry",
    "/thirdpartyapiservice/apiservice/Account/AccountEnquiry",
    "AuthenticationCode",
)
ACCOUNT_NUMBER = re.compile(r"[0-9]{6,20}\Z")

_ABSENT_CODES = frozenset({"14"})
_ABSENT_WORDS = re.compile(
    r"account.{0,20}\bnot?\b.{0,10}(found|exist|known)|account does ?n[o']t exist"
    r"|(no|no such|invalid|unknown) account",
    re.IGNORECASE,
)
_CREDITABLE = frozenset({"active", "active, no debit"})
_UNRESTRICTED = frozenset({"", "inactive"})
_RESTRICTIONS: Mapping[str, str] = {"pndstatus": "no debit", "freezestatus": "frozen"}


def question(number: str) -> dict[str, str]:
    """The body without its token. InvalidOrder when it can be no account number."""
    if not ACCOUNT_NUMBER.match(number):
        raise InvalidOrder("an account number is 6 to 20 digits", field="account")
    return {"AccountNo": number}


def account(number: str, told: Mapping[str, object], unit: Unit) -> AccountSnapshot | None:
    """The account asked for, None when they positively know no such one.

    Only the status Active lets us credit; "post no debit" stops debits alone. TryLater when they refuse to say;
    ContractBroken when it is another account, or not in the agreed shape.
    """
    said = [yes for yes in (flag(told, "issuccessful"), flag(told, "requeststatus")) if yes is not None]
    if not said:
        raise ContractBroken("BankOne: an account enquiry says neither yes nor no")
    if not all(said):
        if _is_absent(told):
            return None
        raise TryLater(f"BankOne: {words(told) or 'the enquiry failed'}", code=code(told))
    if number not in (label(told, "nuban"), label(told, "number")):
        raise ContractBroken("BankOne: the enquiry answered for another account")
    state = standing(told)
    return AccountSnapshot(
        number=number,
        name=label(told, "name"),
        status=state,
        can_credit=state in _CREDITABLE,
        available_minor=balance(told.get("availablebalance"), unit),
        ledger_minor=balance(told.get("ledgerbalance"), unit),
    )


def _is_absent(told: Mapping[str, object]) -> bool:
    """Whether a refusal says positively that there is no such account."""
    return code(told) in _ABSENT_CODES or bool(_ABSENT_WORDS.search(words(told)))


def standing(told: Mapping[str, object]) -> str:
    """Status and restrictions in lower case: "active", "active, frozen", "dormant", "unknown"."""
    restrictions = [
        restriction
        for name, restriction in _RESTRICTIONS.items()
        if label(told, name).lower() not in _UNRESTRICTED
    ]
    return ", ".join([label(told, "status").lower() or "unknown", *restrictions])


def balance(value: object, unit: Unit) -> int | None:
    """Kobo, parts of a kobo dropped so that it is never overstated; None when none is told."""
    if value is None or value == "":
        return None
    floored = kobo(value, unit, "a balance").to_integral_value(ROUND_FLOOR)
    if abs(floored) > MAX_MINOR:
        raise ContractBroken("BankOne: a balance is beyond what the hub can keep")
    return int(floored)
