"""QuickBooks Online imitated: what the company's API and its OAuth server answer, and how they fail."""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from coopwire.domain.money import exponent
from coopwire.providers.quickbooks.simulator.books import Books, Entry
from coopwire.providers.quickbooks.simulator.chart import CLASSIFICATION, Account
from coopwire.providers.quickbooks.simulator.oauth import Denied, OAuth
from coopwire.providers.quickbooks.simulator.people import People
from coopwire.providers.quickbooks.simulator.query import parse
from coopwire.providers.quickbooks.simulator.settings import QuickBooksSettings
from coopwire.providers.quickbooks.simulator.telling import (
    THROTTLED,
    VALIDATION,
    Fault,
    Faulted,
    as_json,
    as_xml,
    forbidden,
    invalid,
    missing,
    system_failure,
    unauthenticated,
)
from coopwire.simulation import settings as words
from coopwire.simulation.clock import SimulatedClock
from coopwire.simulation.exchange import (
    ACCEPTED,
    REFUSED,
    REPEATED,
    UNAUTHORISED,
    Answer,
    Call,
    Operation,
    html_answer,
    json_answer,
    redirect_answer,
)
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Manner, Stage

_COMPANY: Final = "/v3/company/{realm}"
_READS: Final = ("query", "query_by_post", "read_account", "read_journal_entry", "read_preferences")
_CREATE: Final = "create_journal_entry"
_COMPANY_OPERATIONS: Final = frozenset({*_READS, _CREATE})
_EXCHANGE: Final = "exchange_token"
_THROTTLE_WINDOW: Final = 60.0

_Told = Mapping[str, Any]


class QuickBooks:
    """The vendor: one company with its books, one app with its tokens."""

    name = "quickbooks"
    messages: Sequence[str] = ()
    secrets = frozenset({"authorization", "code", "refresh_token", "access_token", "token", "client_secret"})

    def __init__(self, settings: QuickBooksSettings, stage: Stage) -> None:
        self.settings = settings
        self._stage = stage
        self._forget()
        self.operations: Sequence[Operation] = (
            Operation("authorize", "GET", "/connect/oauth2", self._authorize),
            Operation(_EXCHANGE, "POST", "/oauth2/v1/tokens/bearer", self._exchange_token),
            Operation("revoke_token", "POST", "/v2/oauth2/tokens/revoke", self._revoke_token),
            self._company_operation("query", "GET", "/query", self._query),
            self._company_operation("query_by_post", "POST", "/query", self._query_by_post),
            self._company_operation("read_account", "GET", "/account/{id}", self._read_account),
            self._company_operation("read_preferences", "GET", "/preferences", self._read_preferences),
            self._company_operation(_CREATE, "POST", "/journalentry", self._create_entry),
            self._company_operation("read_journal_entry", "GET", "/journalentry/{id}", self._read_entry),
        )
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(
                self._decline,
                {"code": str, "message": str, "detail": str, "type": str, "status": int},
                _COMPANY_OPERATIONS,
            ),
            "token_expired": Manner(self._token_expired, {}, _COMPANY_OPERATIONS | {_EXCHANGE}),
            "wrong_amount": Manner(self._wrong_amount, {"delta": int}, frozenset({_CREATE})),
        }
        self.controls: Mapping[str, Control] = {
            "tokens": self._control_tokens,
            "accounts": self._control_accounts,
            "expire_tokens": self._control_expire,
            "enter": lambda given: self.people.enter(given),
            "copy": lambda given: self.people.copy(given),
            "edit": lambda given: self.people.edit(given),
            "delete": lambda given: self.people.delete(given),
        }

    # The OAuth server

    def _authorize(self, call: Call) -> Answer:
        asked = call.query
        redirect_uri = asked.get("redirect_uri", "")
        known = asked.get("client_id") == self.settings.client_id and asked.get("response_type") == "code"
        if not known or urlsplit(redirect_uri).scheme not in ("http", "https"):
            text = html.escape("client_id, response_type=code and redirect_uri are needed")
            return html_answer(f"<h1>Sorry, but {text}</h1>", status=400, outcome=REFUSED)
        back = {
            "code": self.oauth.consent(redirect_uri),
            "state": asked.get("state", ""),
            "realmId": self.settings.realm_id,
        }
        mark = "&" if urlsplit(redirect_uri).query else "?"
        return redirect_answer(f"{redirect_uri}{mark}{urlencode(back)}")

    def _exchange_token(self, call: Call) -> Answer:
        if not self.oauth.knows(call.headers.get("Authorization", "")):
            return json_answer({"error": "invalid_client"}, status=401, outcome=UNAUTHORISED)
        try:
            return json_answer(self.oauth.exchange(call.form))
        except Denied as denied:
            return _denied(denied)

    def _revoke_token(self, call: Call) -> Answer:
        if not self.oauth.knows(call.headers.get("Authorization", "")):
            return json_answer({"error": "invalid_client"}, status=401, outcome=UNAUTHORISED)
        told = _json_object(call)
        if not self.oauth.revoke(str(told.get("token", ""))):
            return json_answer({"error": "invalid_request"}, status=400, outcome=REFUSED)
        return Answer(200, b"")

    # The company

    def _query(self, call: Call) -> tuple[_Told, str]:
        return self._selected(call.query.get("query", "")), ACCEPTED

    def _query_by_post(self, call: Call) -> tuple[_Told, str]:
        return self._selected(call.body.decode("utf-8", "replace")), ACCEPTED

    def _selected(self, statement: str) -> _Told:
        if not statement.strip():
            raise missing("query")
        query = parse(statement)
        rows = query.select(self.books.heads(query))
        if query.counts:
            return {"QueryResponse": {"totalCount": len(rows)}}
        shown = [query.cut(self.books.whole(query.entity, head)) for head in query.page(rows)]
        if not shown:
            return {"QueryResponse": {}}
        return {
            "QueryResponse": {query.entity: shown, "startPosition": query.start, "maxResults": len(shown)}
        }

    def _read_account(self, call: Call) -> tuple[_Told, str]:
        account = self.books.find_account(call.place["id"])
        return {"Account": account.told(self.settings.home_currency)}, ACCEPTED

    def _read_preferences(self, call: Call) -> tuple[_Told, str]:
        return {"Preferences": self.books.preferences()}, ACCEPTED

    def _create_entry(self, call: Call) -> tuple[_Told, str]:
        if call.query.get("operation"):
            raise invalid("operation", "Entries of this company cannot be changed or deleted")
        entry, repeated = self.books.post(_parsed(call), call.query.get("requestid", ""))
        return {"JournalEntry": entry.told}, REPEATED if repeated else ACCEPTED

    def _read_entry(self, call: Call) -> tuple[_Told, str]:
        return {"JournalEntry": self.books.find_entry(call.place["id"]).told}, ACCEPTED

    def _company_operation(
        self, name: str, method: str, path: str, does: Callable[[Call], tuple[_Told, str]]
    ) -> Operation:
        def answered(call: Call) -> Answer:
            try:
                self._admit(call)
                told, outcome = does(call)
                return self._enveloped(call, told, 200, outcome)
            except Faulted as faulted:
                outcome = UNAUTHORISED if faulted.fault.status in (401, 403) else REFUSED
                return self._enveloped(call, faulted.fault.envelope(), faulted.fault.status, outcome)

        return Operation(name, method, f"{_COMPANY}{path}", answered)

    def _admit(self, call: Call) -> None:
        if not self.oauth.admits(call.headers.get("Authorization", "")):
            raise unauthenticated("The access token is missing, unknown or expired")
        if call.place["realm"] != self.settings.realm_id:
            raise forbidden()
        if self._throttle.full(self.settings.requests_per_minute):
            raise Faulted(THROTTLED)
        version = call.query.get("minorversion", "")
        if not version.isdecimal() or int(version) < self.settings.minor_version:
            raise invalid("minorversion", f"minorversion must be at least {self.settings.minor_version}")

    def _enveloped(self, call: Call, told: _Told, status: int, outcome: str) -> Answer:
        now = self._stage.clock.now()
        tid = {"intuit_tid": f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}"}
        if "application/json" in call.headers.get("Accept", ""):
            return Answer(status, as_json(told, now), "application/json", tid, outcome)
        return Answer(status, as_xml(told, now), "application/xml", tid, outcome)

    # Faults

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        fault = Fault(
            rule.text("code", "6000"),
            rule.text("message", "A business validation error has occurred"),
            rule.text("detail", "Business Validation Error: declined on command"),
            rule.text("type", VALIDATION),
            rule.whole("status", 400),
        )
        return self._enveloped(call, fault.envelope(), fault.status, REFUSED)

    def _token_expired(self, call: Call, rule: FaultRule) -> Answer:
        if call.operation.name == _EXCHANGE:
            self.oauth.revoke(call.form.get("refresh_token", ""))
            return _denied(Denied("invalid_grant", "Incorrect or invalid refresh token"))
        self.oauth.expire(call.headers.get("Authorization", ""))
        fault = unauthenticated("The access token has expired").fault
        return self._enveloped(call, fault.envelope(), fault.status, UNAUTHORISED)

    def _wrong_amount(self, call: Call, rule: FaultRule) -> Answer:
        entry = _json_object(call)
        call.json = {**entry, "Line": _shifted(entry.get("Line"), rule.whole("delta", 100))}
        return call.operation.does(call)

    def failure(self, status: int) -> Answer:
        """A fault that has nothing to do with the request's content."""
        fault = THROTTLED if status == 429 else system_failure(status)
        body = as_json(fault.envelope(), self._stage.clock.now())
        return Answer(status, body, outcome=REFUSED)

    # Controls and state

    def _control_tokens(self, given: Given) -> object:
        given.only(())
        return {**self.oauth.issue(), "realmId": self.settings.realm_id}

    def _control_expire(self, given: Given) -> object:
        given.only(())
        return {"expired": self.oauth.expire_all()}

    def _control_accounts(self, given: Given) -> object:
        for row in given.only(("accounts",)).rows("accounts"):
            self._set_account(row.only(("id", "name", "type", "sub_type", "active")))
        return {"accounts": [_account_truth(one) for one in self.books.accounts.values()]}

    def _set_account(self, row: Given) -> None:
        key = row.word("id")
        created = Account(key, "", "Other Current Asset", "OtherCurrentAssets", True, self._stage.clock.now())
        account = self.books.accounts.get(key, created)
        kind = row.word("type", account.type)
        if kind not in CLASSIFICATION:
            raise ControlError(f"type must be one of {', '.join(CLASSIFICATION)}")
        account.name = row.word("name", account.name or None)
        account.type = kind
        account.sub_type = row.word("sub_type", account.sub_type)
        account.active = row.flag("active", account.active)
        self.books.accounts[key] = account

    def truth(self) -> Mapping[str, object]:
        """Every entry and every balance (minor units, debits positive), and what the OAuth server saw."""
        return {
            "journals": [_entry_truth(entry) for entry in self.books.entries.values()],
            "accounts": [_account_truth(one) for one in self.books.accounts.values()],
            "token_refreshes": self.oauth.refreshes,
            "token_denials": self.oauth.denials,
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without secrets."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; tokens that were issued keep their lives."""
        self.settings = words.changed(self.settings, changes)
        self.oauth.settings = self.settings

    def reset(self) -> None:
        """Forget entries and tokens; the chart and the first refresh token are as at the start."""
        self._forget()

    def _forget(self) -> None:
        self.books = Books(lambda: self.settings, self._stage.clock.now)
        self.people = People(self.books, lambda: self.settings.home_currency)
        self.oauth = OAuth(self.settings, self._stage.clock)
        self._throttle = _Throttle(self._stage.clock)


class _Throttle:
    """Counts requests in windows of one minute of the simulator's clock."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._began = clock.elapsed()
        self._count = 0

    def full(self, most: int) -> bool:
        """Count one request; whether it is beyond `most` in this minute (0: no limit)."""
        now = self._clock.elapsed()
        if now - self._began >= _THROTTLE_WINDOW:
            self._began, self._count = now, 0
        self._count += 1
        return 0 < most < self._count


def _parsed(call: Call) -> object:
    try:
        return call.json
    except ValueError:
        raise invalid("body", "The request cannot be parsed") from None


def _json_object(call: Call) -> Mapping[str, object]:
    try:
        given = call.json
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _denied(denied: Denied) -> Answer:
    told = {"error": denied.error, "error_description": denied.description}
    return json_answer(told, status=denied.status, outcome=REFUSED)


def _shifted(lines: object, delta_minor: int) -> object:
    """The first debit and the first credit line moved by the same amount, so that the entry balances."""
    if not isinstance(lines, list):
        return lines
    unmoved = {"Debit", "Credit"}
    return [_moved(line, delta_minor, unmoved) for line in lines]


def _moved(line: object, delta_minor: int, unmoved: set[str]) -> object:
    detail = line.get("JournalEntryLineDetail") if isinstance(line, dict) else None
    side = detail.get("PostingType") if isinstance(detail, dict) else None
    amount = line.get("Amount") if isinstance(line, dict) else None
    if side not in unmoved or not isinstance(line, dict) or not isinstance(amount, int | Decimal):
        return line
    unmoved.remove(side)
    return {**line, "Amount": amount + Decimal(delta_minor).scaleb(-2)}


def _entry_truth(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "doc_number": entry.head.get("DocNumber"),
        "date": entry.head["TxnDate"],
        "currency": entry.currency,
        "note": entry.head.get("PrivateNote"),
        "sync_token": entry.head["SyncToken"],
        "request_id": entry.request_id,
        "created_at": entry.created_at.isoformat(),
        "lines": [
            {"account": line.account.id, "amount_minor": int(line.signed.scaleb(exponent(entry.currency)))}
            for line in entry.lines
        ],
    }


def _account_truth(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "type": account.type,
        "active": account.active,
        "balance_minor": int(account.balance.scaleb(2)),
    }
