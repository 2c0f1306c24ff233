"""BankOne imitated: enquiry, postings, reversals, status queries and statements, and how they fail."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from coopwire.providers.bankone.simulator import reading, telling
from coopwire.providers.bankone.simulator.byhand import DEEDS, Deed
from coopwire.providers.bankone.simulator.core import (
    OPENING,
    Account,
    Ask,
    Core,
    Line,
    Moves,
    Posting,
    Refusal,
    Rejected,
    gl_ledger,
    opposite,
)
from coopwire.providers.bankone.simulator.settings import BankOneSettings
from coopwire.providers.bankone.simulator.telling import Told
from coopwire.simulation import exact_json
from coopwire.simulation import settings as words
from coopwire.simulation.exchange import (
    ACCEPTED,
    REFUSED,
    REPEATED,
    UNAUTHORISED,
    Answer,
    Call,
    Operation,
    TurnedAway,
)
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Manner, Stage

TOO_EARLY: Final = "too_early"
_CHANNELS: Final = "/thirdpartyapiservice/apiservice"
_CORE: Final = "/BankOneWebAPI/api"
_POSTINGS: Final = frozenset({"credit", "debit", "local_transfer"})
_CREDIT: Final = "CREDIT"
_DEBIT: Final = "DEBIT"
_TRANSFER: Final = "LOCALFUNDTRANSFER"
_EXAMPLE_ACCOUNTS: Final = ("1100000001", "1100000002", "1100000003")
_ACCOUNT_FIELDS: Final = (
    *("nuban", "number", "name", "status", "product_code", "tier", "bvn", "phone", "post_no_debit"),
    *("frozen", "lien_minor", "maximum_balance_minor", "opening_balance_minor"),
)

_Given = Mapping[str, object]
_Said = tuple[Told, str]
_Route = Callable[[_Given, Ask], Moves]


class BankOne:
    """The vendor: one institution's core behind its two services."""

    name = "bankone"
    messages: Sequence[str] = ()
    secrets = frozenset({"authenticationkey", "authenticationcode", "token", "authtoken"})

    def __init__(self, settings: BankOneSettings, stage: Stage) -> None:
        self.settings = settings
        self._stage = stage
        self.reset()
        self.operations: Sequence[Operation] = (
            self._channel("account_enquiry", "Account/AccountEnquiry", "AuthenticationCode", self._enquire),
            self._channel("credit", "CoreTransactions/Credit", "Token", self._credit),
            self._channel("debit", "CoreTransactions/Debit", "Token", self._debit),
            self._channel(
                "local_transfer", "CoreTransactions/LocalFundsTransfer", "AuthenticationKey", self._transfer
            ),
            self._channel("reversal", "CoreTransactions/Reversal", "Token", self._reverse),
            self._channel(
                "status_query_local", "CoreTransactions/TransactionStatusQuery", "Token", self._status
            ),
            self._channel(
                "status_query_interbank", "Transactions/TransactionStatusQuery", "Token", self._foreign_status
            ),
            self._core_operation("transactions", "Account/GetTransactions", self._statement),
            self._core_operation("business_date", "Account/GetOutStandingBalance", self._outstanding),
            self._core_operation("balance", "Account/GetAccountByAccountNumber", self._balance),
        )
        everything = frozenset(operation.name for operation in self.operations)
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"code": str, "message": str, "done": bool}, everything),
            "token_expired": Manner(self._token_refused, {}, everything),
            "wrong_amount": Manner(self._wrong_amount, {"delta": int}, _POSTINGS),
        }
        self.controls: Mapping[str, Control] = {
            "accounts": self._control_accounts,
            **{name: self._by_hand(deed) for name, deed in DEEDS.items()},
        }

    # Channels service

    def _enquire(self, given: _Given) -> _Said:
        try:
            return telling.enquiry(self.core.account(reading.text(given, "AccountNo"))), ACCEPTED
        except Refusal as refusal:
            return telling.no_account(refusal), REFUSED

    def _credit(self, given: _Given) -> _Said:
        return self._posted(_CREDIT, given, self._credit_moves)

    def _debit(self, given: _Given) -> _Said:
        return self._posted(_DEBIT, given, self._debit_moves)

    def _transfer(self, given: _Given) -> _Said:
        return self._posted(_TRANSFER, given, self._transfer_moves)

    def _posted(self, kind: str, given: _Given, route: _Route) -> _Said:
        try:
            ask = reading.ask(kind, given)
            first = self.core.first_under(ask.reference)
            if first is None or self.settings.duplicate_behaviour == "post_again":
                return telling.approved(self._post(ask, given, route)), ACCEPTED
            if self.settings.duplicate_behaviour == "first_response":
                return telling.approved(first), REPEATED
            raise Refusal(self.settings.duplicate_code, "Duplicate transaction reference")
        except Refusal as refusal:
            return telling.refused(refusal), REFUSED

    def _post(self, ask: Ask, given: _Given, route: _Route) -> Posting:
        now = self._stage.clock.now()
        on = self._business_date(now)
        try:
            moves = route(given, ask)
            self.core.check(moves)
        except Refusal as refusal:
            self.core.reject(ask, on, refusal)
            raise
        return self.core.post(ask, moves, on, now)

    def _credit_moves(self, given: _Given, ask: Ask) -> Moves:
        account = self.core.account(reading.text(given, "AccountNumber")).nuban
        return self._with_fee([(account, ask.amount), (self._gl(given), -ask.amount)], account, ask.fee)

    def _debit_moves(self, given: _Given, ask: Ask) -> Moves:
        account = self.core.account(reading.text(given, "AccountNumber")).nuban
        return self._with_fee([(account, -ask.amount), (self._gl(given), ask.amount)], account, ask.fee)

    def _transfer_moves(self, given: _Given, ask: Ask) -> Moves:
        source = self.core.account(reading.text(given, "FromAccountNumber")).nuban
        target = self.core.account(reading.text(given, "ToAccountNumber")).nuban
        if source == target:
            raise Refusal("57", "Both accounts are the same")
        return self._with_fee([(source, -ask.amount), (target, ask.amount)], source, ask.fee)

    def _with_fee(self, moves: list[tuple[str, int]], payer: str, fee: int) -> Moves:
        """The fee goes in the payer's own leg: a core books one amount per account and posting."""
        if not fee:
            return moves
        charged = [(ledger, amount - fee if ledger == payer else amount) for ledger, amount in moves]
        return [*charged, (gl_ledger(self.settings.fee_gl), fee)]

    def _gl(self, given: _Given) -> str:
        """The default GL is used silently when none is named (banking contract 3)."""
        return gl_ledger(reading.optional_text(given, "GLCode") or self.settings.default_gl)

    # Reversals

    def _reverse(self, given: _Given) -> _Said:
        try:
            found = self._found(given)
            if not isinstance(found, Posting):
                raise Refusal("25", "Unable to locate record")
            return telling.reversed_posting(self._reversed(found)), ACCEPTED
        except Refusal as refusal:
            return telling.not_reversed(refusal), REFUSED

    def _reversed(self, original: Posting) -> Posting:
        if self.core.is_reversed(original) and self.settings.second_reversal == "refuse":
            raise Refusal(self.settings.duplicate_code, "Transaction has already been reversed")
        self.core.check(opposite(original))
        now = self._stage.clock.now()
        return self.core.reverse(original, self._business_date(now), now)

    # Status queries

    def _status(self, given: _Given) -> _Said:
        return self._answered_query(given, self._found)

    def _foreign_status(self, given: _Given) -> _Said:
        """The interbank endpoint knows interbank transfers only, and this institution makes none."""
        return self._answered_query(given, lambda _: None)

    def _found(self, given: _Given) -> Posting | Rejected | None:
        return self.core.find(
            reading.text(given, "TransactionType").upper(),
            reading.reference(given),
            reading.kobo(given, "Amount"),
            reading.text(given, "TransactionDate"),
        )

    def _answered_query(self, given: _Given, find: Callable[[_Given], Posting | Rejected | None]) -> _Said:
        try:
            reference, found = reading.reference(given), find(given)
        except Refusal as refusal:
            return telling.query_failed(refusal), REFUSED
        return self._status_of(found), self._query_outcome(reference)

    def _status_of(self, found: Posting | Rejected | None) -> Told:
        if isinstance(found, Posting) and self.core.is_reversed(found):
            return telling.status("Reversed", "00", "Transaction has been reversed", found.id)
        if isinstance(found, Posting):
            return telling.status("Successful", "00", "Approved by Financial Institution", found.id)
        if isinstance(found, Rejected):
            return telling.status("Failed", found.refusal.code, found.refusal.message)
        match self.settings.unknown_reference:
            case "failed":
                return telling.status("Failed", "25", "Unable to locate record")
            case "query_failed":
                return telling.query_failed(Refusal("96", "Transaction was not found"))
            case _:
                return telling.status("NotFound", "25", "Unable to locate record")

    def _query_outcome(self, reference: str) -> str:
        now = self._stage.clock.elapsed()
        last = self._queried_at.get(reference)
        self._queried_at[reference] = now
        if last is None or now - last >= self.settings.status_interval_seconds:
            return ACCEPTED
        self._too_early[reference] += 1
        return TOO_EARLY

    # Core service

    def _statement(self, query: Mapping[str, str]) -> _Said:
        account = self.core.account(query.get("accountNumber", ""))
        lines = self.core.statement(account, reading.day(query, "fromDate"), reading.day(query, "toDate"))
        if self.settings.reversal_shown == "mark":
            lines = [line for line in lines if not line.posting.reverses]
        message = [self._row(line) for line in lines[: self._most(query)]]
        return {"IsSuccessful": True, "Message": message}, ACCEPTED

    def _most(self, query: Mapping[str, str]) -> int | None:
        """How many rows are told: no more than are asked for, or than fit into an answer of theirs."""
        asked, limit = query.get("numberOfItems", ""), self.settings.statement_rows
        most = [int(asked[:9])] if asked.isascii() and asked.isdecimal() else []
        return min([*most, *([limit] if limit else [])], default=None)

    def _row(self, line: Line) -> Told:
        undone = self.core.posting(line.posting.reverses)
        names = None
        if undone is not None:
            by_reference = self.settings.reversal_shown == "reference"
            names = (undone.ask.reference if by_reference else "") or undone.id
        return telling.row(line, names, self.settings)

    def _outstanding(self, query: Mapping[str, str]) -> _Said:
        account = self.core.account(query.get("accountNumber", ""))
        return {
            "AccountNumber": account.nuban,
            "AvailableBalance": telling.grouped(account.available),
            "FinancialDate": self._business_date(self._stage.clock.now()).isoformat(),
            "MfbCode": self.settings.institution_code,
        }, ACCEPTED

    def _balance(self, query: Mapping[str, str]) -> _Said:
        return telling.balance(self.core.account(query.get("accountNumber", ""))), ACCEPTED

    # Dispatch

    def _channel(self, name: str, path: str, token_field: str, does: Callable[[_Given], _Said]) -> Operation:
        """A call whose token stands in the body, under one of three names (banking contract 3)."""

        def answered(call: Call) -> Answer:
            self._check_online()
            try:
                given = reading.fields(call)
            except Refusal as refusal:
                return _answer(telling.refused(refusal), REFUSED)
            self._check_token(given.get(token_field))
            return _answer(*does(given))

        return Operation(name, "POST", f"{_CHANNELS}/{path}", answered)

    def _core_operation(self, name: str, path: str, does: Callable[[Mapping[str, str]], _Said]) -> Operation:
        """A call whose token stands in the query."""

        def answered(call: Call) -> Answer:
            self._check_online()
            self._check_token(call.query.get("authToken") or call.query.get("authtoken"))
            try:
                return _answer(*does(call.query))
            except Refusal as refusal:
                return _answer(telling.no_message(refusal), REFUSED)

        return Operation(name, "GET", f"{_CORE}/{path}/2", answered)

    def _check_online(self) -> None:
        if self.settings.offline or self._in_window():
            raise TurnedAway(self.failure(503))

    def _in_window(self) -> bool:
        window = self.settings.window()
        if window is None:
            return False
        start, end = window
        now = self._stage.clock.now().astimezone(self.settings.zone).time()
        return start <= now < end if start <= end else now >= start or now < end

    def _check_token(self, told: object) -> None:
        if not isinstance(told, str) or not hmac.compare_digest(told.encode(), self.settings.token.encode()):
            raise TurnedAway(_unauthorised())

    def _business_date(self, now: datetime) -> date:
        return self.settings.fixed_date() or now.astimezone(self.settings.zone).date()

    # Faults

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        """With `done` the posting is made and still answered with the code, as a 91 or 06 can be."""
        if rule.flag("done"):
            call.operation.does(call)
        refusal = Refusal(rule.text("code", "51"), rule.text("message", "Insufficient funds"))
        return _answer(telling.refused(refusal), ACCEPTED if rule.flag("done") else REFUSED)

    def _token_refused(self, call: Call, rule: FaultRule) -> Answer:
        return _unauthorised()

    def _wrong_amount(self, call: Call, rule: FaultRule) -> Answer:
        try:
            given = reading.fields(call)
            call.json = {**given, "Amount": str(reading.kobo(given, "Amount") + rule.whole("delta", 100))}
        except Refusal as refusal:
            return _answer(telling.refused(refusal), REFUSED)
        return call.operation.does(call)

    def failure(self, status: int) -> Answer:
        """Plain words for an HTTP error; 503 is the end-of-day work."""
        known = {503: "CBA is offline", 404: "Not found", 429: "Too many requests"}
        body = known.get(status, "An error occurred").encode()
        return Answer(status, body, "text/plain", outcome=REFUSED)

    # Controls and state

    def _control_accounts(self, given: Given) -> object:
        for row in given.only(("accounts",)).rows("accounts"):
            self._open(row.only(_ACCOUNT_FIELDS))
        return {"accounts": len(self.core.accounts)}

    def _open(self, row: Given) -> None:
        nuban = row.word("nuban")
        known = nuban in self.core.accounts
        account = Account(
            nuban=nuban,
            number=row.word("number", f"00{nuban}01"),
            name=row.word("name", "Member"),
            status=row.word("status", "Active"),
            product_code=row.word("product_code", "101"),
            tier=row.word("tier", "3"),
            bvn=row.word("bvn", ""),
            phone=row.word("phone", ""),
            post_no_debit=row.flag("post_no_debit"),
            frozen=row.flag("frozen"),
            lien=row.whole("lien_minor", 0),
            maximum_balance=row.whole("maximum_balance_minor", 0),
        )
        opening = row.whole("opening_balance_minor", 0)
        if opening < 0 or (known and opening):
            raise ControlError("an opening balance is at least 0, and given once")
        self.core.open_account(account)
        if opening:
            self._bring_in(account, opening)

    def _by_hand(self, deed: Deed) -> Control:
        def control(given: Given) -> object:
            now = self._stage.clock.now()
            return telling.posting_truth(deed(self.core, given, self._business_date(now), now))

        return control

    def _bring_in(self, account: Account, opening: int) -> None:
        moves = ((account.nuban, opening), (gl_ledger(self.settings.vault_gl), -opening))
        now = self._stage.clock.now()
        self.core.post(Ask(OPENING, "", opening, 0, "Opening balance"), moves, self._business_date(now), now)

    def truth(self) -> Mapping[str, object]:
        """Balances and every posting in kobo, credits positive; and status queries that came too early."""
        return {
            "accounts": [telling.account_truth(one) for one in self.core.accounts.values()],
            "gls": [{"code": code, "balance_minor": kobo} for code, kobo in self.core.gl_balances.items()],
            "postings": [telling.posting_truth(one) for one in self.core.postings],
            "totals": self.core.totals(),
            "too_early": dict(self._too_early),
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without the token."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; new GLs open empty."""
        self.settings = words.changed(self.settings, changes)
        for code in self.settings.gl_codes():
            self.core.gl_balances.setdefault(code, 0)

    def reset(self) -> None:
        """Forget accounts and postings; the example accounts are open and empty again."""
        self.core = Core(self.settings)
        self._queried_at: dict[str, float] = {}
        self._too_early: Counter[str] = Counter()
        for number, nuban in enumerate(_EXAMPLE_ACCOUNTS, start=1):
            self.core.open_account(Account(nuban, f"00{nuban}01", f"Example Member {number}"))


def _answer(told: Told, outcome: str) -> Answer:
    return Answer(200, exact_json.dumps(told).encode(), outcome=outcome)


def _unauthorised() -> Answer:
    told = {"IsSuccessful": False, "ResponseMessage": "Invalid authentication token", "ResponseCode": "401"}
    return Answer(401, exact_json.dumps(told).encode(), outcome=UNAUTHORISED)
