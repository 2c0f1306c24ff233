"""The operations of payouts over HTTP: what a request means, what it is answered, and what is told by webhook."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from coopwire.providers.paystack.simulator import payouts, reading
from coopwire.providers.paystack.simulator.counter import Counter, success
from coopwire.simulation.exchange import Answer, Call, Operation, json_answer
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Manner, Stage

TRANSFER: Final = "create_transfer"
BULK: Final = "bulk_transfer"
WRITES: Final = frozenset({TRANSFER, BULK, "create_recipient", "finalize_transfer", "resend_otp"})
READS: Final = frozenset(
    {"verify_transfer", "fetch_transfer", "list_transfers", "list_banks", "resolve_account", "read_balance"}
)
_REFERENCE: Final = re.compile(r"[a-z0-9_-]{16,50}\Z")
_STATUS_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}\Z")
_DIGITS: Final = re.compile(r"[0-9]{1,20}\Z")


class PayoutDesk:
    """One integration's payouts."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self.state = payouts.Payouts()
        self._stage = stage
        self._counter = counter
        self._settings = counter.settings
        does = (
            ("create_recipient", "POST", "/transferrecipient", self._recipient),
            ("verify_transfer", "GET", "/transfer/verify/{reference}", self._verify),
            ("list_transfers", "GET", "/transfer", self._list),
            (BULK, "POST", "/transfer/bulk", self._order_many),
            ("finalize_transfer", "POST", "/transfer/finalize_transfer", self._finalise),
            ("resend_otp", "POST", "/transfer/resend_otp", self._resend),
            (TRANSFER, "POST", "/transfer", self._order),
            ("fetch_transfer", "GET", "/transfer/{code}", self._fetch),
            ("list_banks", "GET", "/bank", self._banks),
            ("resolve_account", "GET", "/bank/resolve", self._resolve),
            ("read_balance", "GET", "/balance", self._balance),
        )
        self.operations: Sequence[Operation] = tuple(
            Operation(name, method, path, self._behind_the_key(answer)) for name, method, path, answer in does
        )
        self.controls: Mapping[str, Control] = {
            "transfer": self._control_transfer,
            "account": self._control_account,
        }
        self.manners: Mapping[str, Manner] = {
            "line_missing": Manner(self._line_missing, {}, frozenset({BULK})),
        }

    def reset(self) -> None:
        """Forget recipients, transfers and names."""
        self.state = payouts.Payouts()

    def _behind_the_key(self, answer: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        def answered(call: Call) -> Answer:
            self._counter.authorise(call)
            return answer(call)

        return answered

    # Orders

    def _recipient(self, call: Call) -> Answer:
        given = reading.fields(call)
        account, bank, name = (_text(given, member) for member in ("account_number", "bank_code", "name"))
        currency = str(given.get("currency") or self._settings().served_currencies[0])
        made = self.state.make_known(account, bank, name, currency, self._counter.now())
        told = payouts.as_recipient(made, self._settings().mode)
        return success("Transfer recipient created successfully", told, status=201)

    def _order(self, call: Call) -> Answer:
        given = reading.fields(call)
        (made,) = self._take([self._wanted(given, given.get("currency"))])
        words = (
            "Transfer requires OTP to continue" if made.status == payouts.OTP else "Transfer has been queued"
        )
        return success(words, payouts.as_ordered(made, self._settings().transfer_word))

    def _order_many(self, call: Call) -> Answer:
        return self._answered_many(call, slice(None))

    def _answered_many(self, call: Call, shown: slice) -> Answer:
        given = reading.fields(call)
        rows = given.get("transfers")
        if self._settings().otp or not isinstance(rows, list) or not rows:
            raise reading.refused("You cannot initiate bulk transfers while OTP is enabled", "invalid_params")
        made = self._take([self._wanted(row, given.get("currency")) for row in rows])
        lines = [payouts.as_line(one, self._settings().transfer_word) for one in made]
        return success(f"{len(made)} transfers queued.", lines[shown])

    def _line_missing(self, call: Call, rule: FaultRule) -> Answer:
        self._counter.authorise(call)
        return self._answered_many(call, slice(1, None))

    def _wanted(self, given: object, currency: object) -> payouts.Wanted:
        if not isinstance(given, dict):
            raise reading.refused("Invalid transfer", "invalid_params")
        reference = _text(given, "reference")
        if not _REFERENCE.match(reference):
            raise reading.refused("Invalid transfer reference", "invalid_params")
        served = self._settings().served_currencies
        code = str(currency or served[0])
        if code not in served:
            raise reading.refused("Currency not supported by merchant", "unsupported_currency")
        amount = reading.subunits(given.get("amount"))
        return payouts.Wanted(
            reference, _text(given, "recipient"), amount, code, str(given.get("reason") or "")
        )

    def _take(self, wanted: Sequence[payouts.Wanted]) -> list[payouts.Transfer]:
        made = self.state.order(
            wanted, self._settings(), self._counter.account().paid_minor(), self._counter.now()
        )
        for one in made:
            if one.status != payouts.OTP:
                self._begin(one)
        return made

    def _begin(self, transfer: payouts.Transfer) -> None:
        end = self._settings().transfer_ends
        if end != payouts.STAYS:
            self._stage.backstage.start(self._end_by_itself(transfer, end))

    async def _end_by_itself(self, transfer: payouts.Transfer, end: str) -> None:
        await self._stage.clock.sleep(self._settings().transfer_seconds)
        if transfer.status == "pending" and self.state.by_code.get(transfer.code) is transfer:
            if end == "reversed":
                self._move(transfer, payouts.SUCCESS, None)
                await self._stage.clock.sleep(self._settings().transfer_seconds)
            self._move(transfer, end, None)

    def _move(self, transfer: payouts.Transfer, status: str, failure: str | None) -> None:
        self.state.move(transfer, status, failure, self._counter.now())
        if status in payouts.EVENTS:
            event = f"transfer.{status}"
            self._counter.tell(event, payouts.as_read(transfer), f"{event} {transfer.code}")

    # The one-time password

    def _finalise(self, call: Call) -> Answer:
        given = reading.fields(call)
        transfer = self.state.by_code.get(_text(given, "transfer_code"))
        if transfer is None:
            raise reading.refused("Transfer code is invalid", "invalid_params")
        if transfer.status != payouts.OTP:
            raise reading.refused("Transfer is not currently awaiting OTP", "invalid_params")
        if given.get("otp") != self._settings().otp:
            raise reading.refused("OTP could not be verified", "invalid_params")
        self.state.move(transfer, "pending", None, self._counter.now())
        self._begin(transfer)
        return success(
            "Transfer has been queued", payouts.as_ordered(transfer, self._settings().transfer_word)
        )

    def _resend(self, call: Call) -> Answer:
        transfer = self.state.by_code.get(_text(reading.fields(call), "transfer_code"))
        if transfer is None or transfer.status != payouts.OTP:
            raise reading.refused("Transfer is not currently awaiting OTP", "invalid_params")
        return json_answer({"status": True, "message": "OTP has been resent"})

    # Reads

    def _verify(self, call: Call) -> Answer:
        return self._one(self.state.by_reference.get(call.place["reference"]))

    def _fetch(self, call: Call) -> Answer:
        return self._one(self.state.by_code.get(call.place["code"]))

    def _one(self, transfer: payouts.Transfer | None) -> Answer:
        if transfer is None:
            raise reading.refused("Transfer not found", "transfer_not_found", 404)
        return success("Transfer retrieved", payouts.as_read(transfer))

    def _list(self, call: Call) -> Answer:
        query = call.query
        rows = self.state.listed(reading.instant(query.get("from")), reading.instant(query.get("to")))
        return self._counter.listed(call, "Transfers retrieved", rows, payouts.as_read)

    def _banks(self, call: Call) -> Answer:
        size = reading.page_size(call.query, self._settings())
        first = reading.cursor_id(call.query["next"]) if call.query.get("next") else 0
        rows = payouts.BANKS[first : first + size]
        following = reading.cursor(first + size) if first + size < len(payouts.BANKS) else None
        meta = {"next": following, "previous": None, "perPage": size}
        return success("Banks retrieved", [_bank(*row) for row in rows], meta)

    def _resolve(self, call: Call) -> Answer:
        account, bank = call.query.get("account_number", ""), call.query.get("bank_code", "")
        known = any(code == bank for _, code, _ in payouts.BANKS) or (account, bank) in self.state.names
        holder = self.state.holder(account, bank, self._settings())
        if not known or not holder or not _DIGITS.match(account):
            words = "Could not resolve account name. Check parameters or try again."
            raise reading.refused(words, "invalid_bank_code", 422)
        return success(
            "Account number resolved", {"account_number": account, "account_name": holder, "bank_id": 9}
        )

    def _balance(self, call: Call) -> Answer:
        standing = self.state.balance(self._settings(), self._counter.account().paid_minor())
        return success("Balances retrieved", [{"currency": c, "balance": b} for c, b in standing.items()])

    # Controls

    def _control_transfer(self, given: Given) -> object:
        named = given.only(("reference", "code", "status", "reason"))
        transfer = self.state.by_reference.get(named.word("reference", "")) or self.state.by_code.get(
            named.word("code", "")
        )
        status = given.word("status", payouts.SUCCESS)
        if transfer is None or not _STATUS_WORD.match(status):
            raise ControlError(
                "name the reference or the code of a transfer, and a status word in lower case"
            )
        self._move(transfer, status, given.word_if_given("reason"))
        return {"transfer": payouts.as_truth(transfer)}

    def _control_account(self, given: Given) -> object:
        named = given.only(("account_number", "bank_code", "name"))
        place = (named.word("account_number"), named.word("bank_code"))
        self.state.names[place] = named.word("name")
        return {}


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise reading.refused(f"{name} is required", "missing_params")
    return value


def _bank(number: int, code: str, name: str) -> dict[str, object]:
    return {
        "name": name,
        "slug": name.lower().replace(" ", "-"),
        "code": code,
        "longcode": "",
        "gateway": None,
        "pay_with_bank": False,
        "active": True,
        "is_deleted": False,
        "country": "Nigeria",
        "currency": "NGN",
        "type": "nuban",
        "id": number,
    }
