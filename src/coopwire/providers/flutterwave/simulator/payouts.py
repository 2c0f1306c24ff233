"""Transfers of the simulated account, names of accounts, and the wallet.

Source: payments contract 2.1 (transfer, transfer status, retry, fees, wallet, banks / resolve), 2.2, 2.4.
"""

from __future__ import annotations

import collections
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from coopwire.domain.money import exponent
from coopwire.providers.flutterwave.simulator import reading
from coopwire.providers.flutterwave.simulator.counter import Counter, listed, success
from coopwire.providers.flutterwave.simulator.telling import stamp
from coopwire.simulation import exact_json
from coopwire.simulation.exchange import REFUSED, Answer, Call, Operation, TurnedAway
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Stage

TRANSFER: Final = "create_transfer"
READS: Final = frozenset(
    {"list_transfers", "fetch_transfer", "transfer_fee", "list_banks", "resolve_account", "read_balances"}
)
FAILED: Final = "FAILED"
SUCCESSFUL: Final = "SUCCESSFUL"
_STAYS: Final = "stays"
_BLACKLISTED: Final = ("0690000036", "044")
"""An account with which creating fails, and a record is made nevertheless (contract 2.3, test mode)."""
_FIRST_ID: Final = 396_432
_PAGE: Final = 10
_STATUS_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}\Z")
BANKS: Final = (
    (137, "011", "First Bank of Nigeria"),
    (132, "560", "Page MFBank"),
    (191, "044", "Access Bank"),
)


@dataclass(slots=True)
class Transfer:
    """One transfer; the amount in minor units."""

    id: int
    reference: str
    account: str
    bank: str
    name: str
    amount: int
    currency: str
    narration: str
    created_at: datetime
    status: str
    words: str = ""
    approved: bool = True


class PayoutDesk:
    """One account's payouts."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self._stage = stage
        self._counter = counter
        self._settings = counter.settings
        self.reset()
        does = (
            (TRANSFER, "POST", "/v3/transfers", self._order),
            ("transfer_fee", "GET", "/v3/transfers/fee", self._fee),
            ("list_transfers", "GET", "/v3/transfers", self._list),
            ("fetch_transfer", "GET", "/v3/transfers/{id}", self._fetch),
            ("list_banks", "GET", "/v3/banks/{country}", self._banks),
            ("resolve_account", "POST", "/v3/accounts/resolve", self._resolve),
            ("read_balances", "GET", "/v3/balances", self._balances),
        )
        self.operations: Sequence[Operation] = tuple(
            Operation(name, method, path, counter.behind_the_key(answer))
            for name, method, path, answer in does
        )
        self.controls: Mapping[str, Control] = {
            "transfer": self._control_transfer,
            "retry": self._control_retry,
            "account": self._control_account,
        }

    def reset(self) -> None:
        """Forget transfers and names."""
        self._ids = itertools.count(_FIRST_ID)
        self.transfers: list[Transfer] = []
        self.names: dict[tuple[str, str], str] = {}

    # Orders

    def _order(self, call: Call) -> Answer:
        given = reading.fields(call)
        reference, account, bank = (
            reading.text(given, name) for name in ("reference", "account_number", "account_bank")
        )
        currency = str(given.get("currency") or self._settings().served_currencies[0])
        amount = reading.minor_of(given.get("amount"), currency)
        if any(one.reference == reference for one in self.transfers):
            raise reading.refused("Transfer with this reference already exists")
        blacklisted = (account, bank) == _BLACKLISTED
        cost = Decimal(amount).scaleb(-exponent(currency)) + self._settings().transfer_fee
        if not blacklisted and cost > self.available().get(currency, 0):
            raise reading.refused("Insufficient funds in customer wallet")
        name = str(given.get("beneficiary_name") or self._holder(account, bank) or "N/A")
        made = self._made(reference, account, bank, name, amount, currency, str(given.get("narration") or ""))
        if blacklisted:
            made.status, made.words = FAILED, "Account resolve failed"
            told = {**reading.problem("Transfer creation failed"), "data": self._told(made)}
            raise TurnedAway(Answer(400, exact_json.dumps(told).encode(), outcome=REFUSED))
        self._begin(made)
        word = self._settings().transfer_word
        return success("Transfer Queued Successfully", {**self._told(made), "status": word})

    def _made(
        self, reference: str, account: str, bank: str, name: str, amount: int, currency: str, narration: str
    ) -> Transfer:
        made = Transfer(
            id=next(self._ids),
            reference=reference,
            account=account,
            bank=bank,
            name=name,
            amount=amount,
            currency=currency,
            narration=narration,
            created_at=self._stage.clock.now(),
            status="NEW",
            approved=not self._settings().approval,
        )
        self.transfers.append(made)
        return made

    def _begin(self, transfer: Transfer) -> None:
        end = self._settings().transfer_ends
        if end != _STAYS:
            self._stage.backstage.start(self._end_by_itself(transfer, end))

    async def _end_by_itself(self, transfer: Transfer, end: str) -> None:
        await self._stage.clock.sleep(self._settings().transfer_seconds)
        if transfer.status == "NEW" and transfer.approved and transfer in self.transfers:
            self._move(transfer, end, "")

    def _move(self, transfer: Transfer, status: str, said: str) -> None:
        transfer.status, transfer.words = status, said or ("Successful" if status == SUCCESSFUL else "")
        if status in (SUCCESSFUL, FAILED):
            told = {**self._told(transfer), "fullname": transfer.name}
            body = {"event": "transfer.completed", "event.type": "Transfer", "data": told}
            self._counter.tell(body, f"transfer.completed {transfer.id}")

    # Reads

    def _fetch(self, call: Call) -> Answer:
        wanted = reading.id_in(call.place["id"])
        found = next((one for one in self.transfers if one.id == wanted), None)
        if found is None:
            raise reading.refused("Transfer not found", status=404)
        return success("Transfer fetched", self._told(found))

    def _list(self, call: Call) -> Answer:
        query = call.query
        first, last = reading.day(query.get("from")), reading.day(query.get("to"))
        rows = [
            one
            for one in reversed(self.transfers)
            if query.get("reference") in (None, "", one.reference)
            and query.get("status") in (None, "", one.status)
            and (first is None or one.created_at.date() >= first)
            and (last is None or one.created_at.date() <= last)
        ]
        size = min(_PAGE, self._settings().page_size)
        return listed("Transfers fetched", [self._told(one) for one in rows], call, size)

    def _fee(self, call: Call) -> Answer:
        currency = call.query.get("currency", "")
        if not currency:
            raise reading.refused("currency is required")
        fee = {"currency": currency, "fee_type": "value", "fee": self._settings().transfer_fee}
        return success("Transfer fee fetched", [fee])

    def _banks(self, call: Call) -> Answer:
        if call.place["country"] != "NG":
            raise reading.refused("No banks found for country code", status=404)
        rows = [{"id": number, "code": code, "name": name} for number, code, name in BANKS]
        return success("Banks fetched successfully", rows)

    def _resolve(self, call: Call) -> Answer:
        given = reading.fields(call)
        account, bank = reading.text(given, "account_number"), reading.text(given, "account_bank")
        holder = self._holder(account, bank)
        if not holder:
            raise reading.refused("invalid account")
        return success("Account details fetched", {"account_number": account, "account_name": holder})

    def _holder(self, account: str, bank: str) -> str:
        known = any(code == bank for _, code, _ in BANKS)
        return self.names.get((account, bank), self._settings().holder if known else "")

    def _balances(self, call: Call) -> Answer:
        rows = [
            {"currency": code, "available_balance": amount, "ledger_balance": amount}
            for code, amount in self.available().items()
        ]
        return success("Wallet balances fetched", rows)

    def available(self) -> dict[str, Decimal]:
        """What can be paid out, in major units of each currency."""
        taken: collections.Counter[str] = collections.Counter()
        fees: collections.Counter[str] = collections.Counter()
        for one in self.transfers:
            if one.status != FAILED:
                taken[one.currency] += one.amount
                fees[one.currency] += 1
        return {
            code: self._settings().wallet
            + Decimal(self._counter.account().paid_minor().get(code, 0) - taken[code]).scaleb(-exponent(code))
            - fees[code] * self._settings().transfer_fee
            for code in self._settings().served_currencies
        }

    def _told(self, transfer: Transfer) -> dict[str, object]:
        return {
            "id": transfer.id,
            "account_number": transfer.account,
            "bank_code": transfer.bank,
            "full_name": transfer.name,
            "created_at": stamp(transfer.created_at),
            "currency": transfer.currency,
            "debit_currency": transfer.currency,
            "amount": Decimal(transfer.amount).scaleb(-exponent(transfer.currency)),
            "fee": self._settings().transfer_fee,
            "status": transfer.status,
            "reference": transfer.reference,
            "meta": None,
            "narration": transfer.narration,
            "complete_message": transfer.words,
            "requires_approval": 0 if transfer.approved else 1,
            "is_approved": 1 if transfer.approved else 0,
            "bank_name": "SIMULATED BANK",
        }

    # Controls

    def _control_transfer(self, given: Given) -> object:
        transfer = self._named(given.only(("reference", "id", "status", "reason")))
        status = given.word("status", SUCCESSFUL)
        if not _STATUS_WORD.match(status):
            raise ControlError("status must be a status word")
        transfer.approved = True
        self._move(transfer, status, given.word("reason", ""))
        return {"transfer": as_truth(transfer)}

    def _control_retry(self, given: Given) -> object:
        """Somebody has a failed transfer tried again: a new one, whose reference ends in _RETRY_n."""
        failed = self._named(given.only(("reference", "id")))
        if failed.status != FAILED:
            raise ControlError("only a failed transfer can be retried")
        number = sum(one.reference.startswith(f"{failed.reference}_RETRY_") for one in self.transfers) + 1
        again = self._made(
            f"{failed.reference}_RETRY_{number}",
            failed.account,
            failed.bank,
            failed.name,
            failed.amount,
            failed.currency,
            failed.narration,
        )
        self._begin(again)
        return {"transfer": as_truth(again)}

    def _control_account(self, given: Given) -> object:
        named = given.only(("account_number", "bank_code", "name"))
        self.names[named.word("account_number"), named.word("bank_code")] = named.word("name")
        return {}

    def _named(self, given: Given) -> Transfer:
        wanted = given.whole("id", 0) or given.word("reference", "")
        found = next((one for one in self.transfers if wanted in (one.id, one.reference)), None)
        if found is None:
            raise ControlError("name the reference or the id of a transfer")
        return found


def as_truth(transfer: Transfer) -> dict[str, object]:
    """The transfer for a checker; the amount in minor units."""
    return {
        "id": transfer.id,
        "reference": transfer.reference,
        "account_number": transfer.account,
        "bank_code": transfer.bank,
        "status": transfer.status,
        "amount_minor": transfer.amount,
        "currency": transfer.currency,
        "created_at": stamp(transfer.created_at),
    }
