"""Maps a transfer: our order to their body, their rows to where it stands; and names of accounts, fees, balances.

Source: payments contract 2.1 (transfer, transfer status, retry, fees, wallet, banks / resolve), 2.2 (words of
transfers), 2.3 (a 400 that made a record), traps 20 and 21.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import (
    AccountName,
    Balance,
    Bank,
    TransferOrder,
    TransferSnapshot,
    same_transfer,
)
from coopwire.providers.flutterwave.wire.amounts import exact_minor, to_major, to_minor
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.transport.reading import (
    at,
    currency,
    identifier,
    instant_at,
    label,
    needed,
    number,
    rounded,
    words,
)

STATES: Mapping[str, PayoutState] = {
    "NEW": PayoutState.PROCESSING,
    "PENDING": PayoutState.PROCESSING,
    "SUCCESSFUL": PayoutState.SUCCEEDED,
    "FAILED": PayoutState.FAILED,
}
"""Their words, in capitals; any other word is processing, because only an explicit word ends a transfer."""
COUNTRIES: Mapping[str, str] = {"NGN": "NG", "GHS": "GH", "KES": "KE", "UGX": "UG", "TZS": "TZ", "ZAR": "ZA"}
"""Whose banks take a currency: their list is by country."""
RETRY = re.compile(r"(?:_RETRY_[0-9]{1,3})+\Z")
"""What they put behind our reference when somebody has a failed transfer tried again (trap 20)."""
_REFERENCE = re.compile(r"[a-z0-9_-]{6,100}\Z")
_ACCOUNT = re.compile(r"[0-9A-Za-z]{4,34}\Z")
_BANK = re.compile(r"[0-9A-Za-z_-]{2,20}\Z")
_LONGEST_NARRATION = 100


def transfer_body(order: TransferOrder) -> bytes:
    """The body of POST /transfers; the amount is an exact number. InvalidOrder naming what they would refuse."""
    if not _REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has small letters and digits, - or _", field="reference")
    check_account(order.account, order.bank)
    if not 0 < len(order.narration) <= _LONGEST_NARRATION or not order.narration.isprintable():
        raise InvalidOrder(f"say what for, in 1 to {_LONGEST_NARRATION} characters", field="narration")
    amount = to_major(order.amount_minor, order.currency)
    others = {
        "account_bank": order.bank,
        "account_number": order.account,
        "beneficiary_name": order.name,
        "currency": order.currency,
        "debit_currency": order.currency,
        "narration": order.narration,
        "reference": order.reference,
    }
    told = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return f'{{"amount":{amount},{told[1:]}'.encode()


def check_account(account: str, bank: str) -> None:
    """InvalidOrder unless both are text that can name an account."""
    if not _ACCOUNT.match(account):
        raise InvalidOrder("an account number has 4 to 34 letters and digits", field="account")
    if not _BANK.match(bank):
        raise InvalidOrder("a bank's code has 2 to 20 letters and digits", field="bank")


def transfer_of(transfer: object, raw: bytes) -> TransferSnapshot:
    """The transfer; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(transfer, dict):
        raise ContractBroken("a transfer is not a JSON object")
    code = needed(currency(at(transfer, "currency")), "currency")
    word = needed(label(at(transfer, "status")), "status")
    fee = exact_minor(at(transfer, "fee"), code)
    reference = needed(label(at(transfer, "reference")), "reference")
    first = RETRY.sub("", reference)
    return TransferSnapshot(
        provider_ref=needed(identifier(at(transfer, "id")), "id"),
        reference=reference,
        amount_minor=needed(to_minor(at(transfer, "amount"), code), "amount"),
        currency=code,
        state=_state(transfer, word),
        created_at=instant_at(transfer, "created_at"),
        fee_minor=None if fee is None else rounded(fee),
        reason=_reason(transfer, word),
        retry_of=first if first != reference else "",
        raw=raw,
    )


def _state(transfer: object, word: str) -> PayoutState:
    state = STATES.get(word.upper(), PayoutState.PROCESSING)
    waits = at(transfer, "requires_approval") == 1 and at(transfer, "is_approved") != 1
    return PayoutState.AWAITING_APPROVAL if waits and state is PayoutState.PROCESSING else state


def _reason(transfer: object, word: str) -> str:
    if word.upper() not in STATES:
        return f"status word never seen before: {word}"
    if STATES[word.upper()] is not PayoutState.FAILED:
        return ""
    return words(at(transfer, "complete_message")) or f"the gateway says {word}"


def accepted(order: TransferOrder, told: Said, raw: bytes) -> TransferSnapshot:
    """What they took on. ContractBroken when their yes is about another reference or other money."""
    transfer = transfer_of(told.data, raw)
    if not same_transfer(order, transfer):
        raise ContractBroken("the answer to a transfer is about another reference or amount")
    if transfer.state is PayoutState.AWAITING_APPROVAL:
        return transfer
    # Whatever word the answer has, only a later look says how it ended (trap 30).
    return replace(transfer, state=PayoutState.PROCESSING, reason="")


def best_of(family: Sequence[TransferSnapshot]) -> TransferSnapshot:
    """The one of a transfer and its retries that says most: one that arrived, one on its way, else the first.

    A retry that somebody asked for in their dashboard may pay what the first one could not.
    """
    order = (PayoutState.SUCCEEDED, PayoutState.PROCESSING, PayoutState.AWAITING_APPROVAL)
    for state in order:
        for one in family:
            if one.state is state:
                return one
    return family[0]


def fee_of(told: Said, code: str) -> int:
    """What a transfer is going to cost, in minor units: thousandths are rounded up, for the float must bear it."""
    rows = told.data if isinstance(told.data, list) else [told.data]
    fees = [at(row, "fee") for row in rows if at(row, "currency") == code]
    exact = exact_minor(fees[0] if len(fees) == 1 else None, code)
    return int(needed(exact, "fee").to_integral_value(ROUND_CEILING))


def name_of(account: str, told: Said) -> AccountName:
    """Who holds the account. ContractBroken when they speak of another one, or name nobody."""
    theirs = at(told.data, "account_number")
    if theirs is not None and theirs != account:
        raise ContractBroken("the name told is of another account")
    return AccountName(needed(label(at(told.data, "account_name")), "account_name"))


def banks_of(told: Said, code: str) -> tuple[Bank, ...]:
    """The banks of a country, all in one answer; they say nothing of whether one is active."""
    if not isinstance(told.data, list):
        raise ContractBroken("a list came without its rows")
    return tuple(
        Bank(
            provider_ref=needed(identifier(at(row, "id")), "id"),
            code=needed(label(at(row, "code")), "code"),
            name=needed(label(at(row, "name")), "name"),
            currency=code,
            active=True,
        )
        for row in told.data
    )


def balances_of(told: Said) -> tuple[Balance, ...]:
    """What is available in each currency, in whole minor units: what is left of one cannot be paid out."""
    if not isinstance(told.data, list):
        raise ContractBroken("balances came without their rows")
    return tuple(_balance(row) for row in told.data)


def _balance(row: object) -> Balance:
    code = needed(currency(at(row, "currency")), "currency")
    available = needed(number(at(row, "available_balance")), "available_balance")
    exact = needed(exact_minor(abs(available), code), "available_balance").copy_sign(available)
    return Balance(code, int(exact.to_integral_value(ROUND_FLOOR)))
