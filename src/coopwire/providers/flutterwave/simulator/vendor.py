"""Flutterwave imitated: what its API answers, its webhooks in three forms, and how both fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from coopwire.domain.money import exponent
from coopwire.providers.flutterwave.simulator import (
    accounts,
    chargebacks,
    mandates,
    payouts,
    reading,
    refunds,
    settlements,
    telling,
    wallet,
)
from coopwire.providers.flutterwave.simulator.account import SUCCESSFUL, Account, Charge, Page, Try
from coopwire.providers.flutterwave.simulator.counter import Counter, exact, listed, success
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation import exact_json, hosted
from coopwire.simulation import settings as words
from coopwire.simulation.courier import Address, Message
from coopwire.simulation.exchange import (
    REFUSED,
    UNAUTHORISED,
    Answer,
    Call,
    Operation,
    TurnedAway,
    json_answer,
)
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Manner, Stage

_WEBHOOK: Final = "webhook"
_PAYMENT: Final = "create_payment"
_CREATE_REFUND: Final = "create_refund"
_READS: Final = frozenset({"verify_by_reference", "verify_transaction", "list_transactions"})
_READS_OF_REFUNDS: Final = frozenset({"list_refunds", "fetch_refund"})
_READS_OF_SETTLEMENTS: Final = frozenset({"list_settlements", "fetch_settlement"})
_STATUS_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}\Z")
_FORGERS_HASH: Final = "a hash that is not the account's"
_AMOUNTS: Final = ("amount", "charged_amount")
_PAY_FIELDS: Final = (
    *("reference", "outcome", "times", "amount", "charged", "currency"),
    *("channel", "mode", "reason"),
)


class Flutterwave:
    """The vendor: one account, and what it tells about it."""

    name = "flutterwave"
    messages: Sequence[str] = (_WEBHOOK,)
    secrets = frozenset({"authorization", "link", "verif-hash", "token", "account_number"})

    def __init__(self, settings: FlutterwaveSettings, stage: Stage) -> None:
        self.settings = settings
        self.account = Account(settings.first_id)
        self.refunds = refunds.Refunds()
        self.settlements = settlements.Settlements()
        self._stage = stage
        counter = Counter(
            settings=lambda: self.settings,
            account=lambda: self.account,
            authorise=self._authorise,
            now=stage.clock.now,
            tell=self._send,
            tell_charge=self._tell,
        )
        self.payouts = payouts.PayoutDesk(stage, counter)
        self.accounts = accounts.StaticAccounts(counter)
        self.mandates = mandates.Mandates(stage, counter)
        self.wallet = wallet.Wallet(counter, self.mandates)
        self.chargebacks = chargebacks.Chargebacks(counter)
        self.operations: Sequence[Operation] = (
            Operation(_PAYMENT, "POST", "/v3/payments", self._create_payment),
            Operation(
                "verify_by_reference", "GET", "/v3/transactions/verify_by_reference", self._verify_reference
            ),
            Operation("list_transactions", "GET", "/v3/transactions", self._list),
            Operation("verify_transaction", "GET", "/v3/transactions/{id}/verify", self._verify),
            Operation("resend_hook", "POST", "/v3/transactions/{id}/resend-hook", self._resend_hook),
            Operation(_CREATE_REFUND, "POST", "/v3/transactions/{id}/refund", self._create_refund),
            Operation("list_refunds", "GET", "/v3/refunds", self._list_refunds),
            Operation("fetch_refund", "GET", "/v3/refunds/{id}", self._fetch_refund),
            Operation("list_settlements", "GET", "/v3/settlements", self._list_settlements),
            Operation("fetch_settlement", "GET", "/v3/settlements/{id}", self._fetch_settlement),
            Operation("checkout_page", "GET", "/v3/hosted/pay/{code}", self._show_page),
            Operation("pay_page", "POST", "/v3/hosted/pay/{code}", self._use_page),
            *self.payouts.operations,
            *self.accounts.operations,
            *self.mandates.operations,
            *self.wallet.operations,
            *self.chargebacks.operations,
        )
        reads = _READS | _READS_OF_REFUNDS | _READS_OF_SETTLEMENTS | payouts.READS
        reads |= {accounts.FETCH, chargebacks.LIST, mandates.FETCH}
        writes = {_PAYMENT, _CREATE_REFUND, payouts.TRANSFER, wallet.CHARGE, mandates.START, mandates.CHANGE}
        api = reads | writes | {accounts.OPEN, accounts.CLOSE, chargebacks.ANSWER}
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"message": str, "status": int, "record": bool}, api),
            "token_expired": Manner(self._invalid_key, {}, api),
            "wrong_amount": Manner(self._wrong_amount, {"delta": int}, _READS),
        }
        self.controls: Mapping[str, Control] = {
            "pay": self._control_pay,
            "begin": self._control_begin,
            "resend": self._control_resend,
            "forge": self._control_forge,
            "notify": self._control_notify,
            "refund": self._control_refund,
            "dashboard_refund": self._control_dashboard_refund,
            **self.payouts.controls,
            **self.accounts.controls,
            **self.mandates.controls,
            **self.wallet.controls,
            **self.chargebacks.controls,
            "settle": self._control_settle,
            "settlement": self._control_settlement,
        }

    def pay(self, reference: str, attempt: Try | None = None) -> Charge:
        """A customer tries to pay on the newest page of `reference`. ControlError when there is no such page.

        A success sends a webhook, and so does a failure (contract 2.4).
        """
        return self._pay_on(self._page(reference), attempt or Try())

    def _pay_on(self, page: Page, attempt: Try) -> Charge:
        charge = self.account.use(page, attempt, self.settings, self._stage.clock.now())
        self._tell(charge)
        return charge

    # The API

    def _create_payment(self, call: Call) -> Answer:
        self._authorise(call)
        page = reading.new_page(call, self.settings)
        self.account.open(page)
        return success("Hosted Link", {"link": f"{call.base_url}/v3/hosted/pay/{page.code}"})

    def _verify_reference(self, call: Call) -> Answer:
        self._authorise(call)
        charges = self.account.of(call.query.get("tx_ref", ""))
        if not charges:
            raise reading.refused("No transaction was found for this id")
        paid = (charge for charge in charges if charge.status == SUCCESSFUL)
        chosen = {"latest": charges[-1], "first": charges[0], "successful": next(paid, charges[-1])}
        told = chosen[self.settings.reference_answers]
        return success("Transaction fetched successfully", telling.as_verified(told, self.settings))

    def _verify(self, call: Call) -> Answer:
        self._authorise(call)
        charge = self.account.by_id.get(reading.id_in(call.place["id"]))
        if charge is None:
            raise reading.refused("No transaction was found for this id")
        return success("Transaction fetched successfully", telling.as_verified(charge, self.settings))

    def _list(self, call: Call) -> Answer:
        self._authorise(call)
        query = call.query
        wanted = {"tx_ref": "tx_ref", "status": "status", "currency": "currency", "customer_email": "email"}
        rows = [
            charge
            for charge in self.account.created_on(
                reading.day(query.get("from")), reading.day(query.get("to"))
            )
            if all(query.get(name) in (None, "", getattr(charge, of)) for name, of in wanted.items())
        ]
        shown = [telling.as_listed(charge, self.settings) for charge in rows]
        return listed("Transactions fetched", shown, call, self.settings.page_size)

    def _resend_hook(self, call: Call) -> Answer:
        self._authorise(call)
        charge = self.account.by_id.get(reading.id_in(call.place["id"]))
        if charge is None or not self._tell(charge):
            raise reading.refused("no hook data found")
        return success("hook sent successfully", "hook sent")

    # Settlements

    def _list_settlements(self, call: Call) -> Answer:
        self._authorise(call)
        first, last = reading.day(call.query.get("from")), reading.day(call.query.get("to"))
        rows = [
            settlements.as_listed(one)
            for one in reversed(self.settlements.all)
            if (first is None or one.created_at.date() >= first)
            and (last is None or one.created_at.date() <= last)
        ]
        return listed("Settlements fetched", rows, call, self.settings.refund_page_size)

    def _fetch_settlement(self, call: Call) -> Answer:
        self._authorise(call)
        one = self.settlements.by_id(reading.id_in(call.place["id"]))
        if one is None:
            raise reading.refused("Settlement not found")
        return success("Settlement fetched", settlements.as_fetched(one))

    def _control_settle(self, given: Given) -> object:
        refunded = given.only(("refunds",)).whole("refunds", 0)
        made = self.settlements.settle(self.account.charges, refunded, self._stage.clock.now())
        return {"settlements": [settlements.as_truth(one) for one in made]}

    def _control_settlement(self, given: Given) -> object:
        one = self.settlements.by_id(given.only(("id", "status")).whole("id"))
        if one is None:
            raise ControlError("name the id of a settlement")
        one.status = given.word("status", "completed")
        return {"settlement": settlements.as_truth(one)}

    # Refunds

    def _create_refund(self, call: Call) -> Answer:
        self._authorise(call)
        charge = self.account.by_id.get(reading.id_in(call.place["id"]))
        if charge is None:
            raise reading.refused("Error: Cannot refund non-existent transaction", status=200)
        amount, comment = reading.refund_asked(call, charge.currency)
        return success("Transaction refund initiated", refunds.as_made(self._refund(charge, amount, comment)))

    def _refund(self, charge: Charge, amount: int | None, comment: str | None) -> refunds.Refund:
        begins = self.settings.refund_begins
        refund = self.refunds.make(charge, amount, comment, begins, self._stage.clock.now())
        if self.settings.refund_ends != refunds.STAYS:
            self._stage.backstage.start(self._end_by_itself(refund, self.settings.refund_ends))
        return refund

    async def _end_by_itself(self, refund: refunds.Refund, end: str) -> None:
        begun = refund.status
        await self._stage.clock.sleep(self.settings.refund_seconds)
        if refund.status == begun:
            refund.status = end

    def _list_refunds(self, call: Call) -> Answer:
        self._authorise(call)
        first, last = reading.day(call.query.get("from")), reading.day(call.query.get("to"))
        echo = self.settings.echo_comments
        shown = [refunds.as_listed(one, echo=echo) for one in self.refunds.created_on(first, last)]
        return listed("Refunds fetched", shown, call, self.settings.refund_page_size)

    def _fetch_refund(self, call: Call) -> Answer:
        self._authorise(call)
        refund = self.refunds.by_id.get(reading.id_in(call.place["id"]))
        if refund is None or not self.settings.refunds_by_id:
            raise reading.refused("Refund not found", status=404)
        return success("Refund fetched", refunds.as_listed(refund, echo=self.settings.echo_comments))

    # The hosted page

    def _show_page(self, call: Call) -> Answer:
        page = self.account.by_code.get(call.place["code"])
        return hosted.no_page() if page is None else telling.checkout(page)

    def _use_page(self, call: Call) -> Answer:
        page = self.account.by_code.get(call.place["code"])
        outcome = call.form.get("outcome", SUCCESSFUL)
        if page is None or not _STATUS_WORD.match(outcome):
            return hosted.no_page()
        charge = self._pay_on(page, Try(outcome))
        return hosted.after(outcome, page.redirect_url, telling.brought_back(page, charge))

    def _page(self, reference: str) -> Page:
        page = self.account.page_of(reference)
        if page is None:
            raise ControlError(f"no page was opened for reference {reference[:100]!r}")
        return page

    # Webhooks

    def _tell(self, charge: Charge) -> bool:
        told = telling.as_webhook(charge, self.settings, self._stage.clock.now())
        return self._send(told, f"charge.completed {charge.id}")

    def _send(self, told: Mapping[str, object], about: str) -> bool:
        return self._stage.courier.carry(self._message(told, about), self._address())

    def _message(self, told: Mapping[str, object], about: str) -> Message:
        body = exact_json.dumps(told).encode()
        kind, right = self.settings.webhook_signature, self.settings.secret_hash
        return Message(_WEBHOOK, about, body, _signed(kind, right, body), _signed(kind, _FORGERS_HASH, body))

    def _address(self) -> Address:
        one = self.settings
        return Address(one.webhook_url, one.webhook_retry_seconds, one.webhook_tries)

    # Refusals and faults

    def _authorise(self, call: Call) -> None:
        told = call.headers.get("Authorization", "")
        if not told:
            raise TurnedAway(self._key_refused("Authorization required"))
        if not hmac.compare_digest(told.encode(), f"Bearer {self.settings.secret_key}".encode()):
            raise TurnedAway(self._key_refused("Invalid authorization key"))

    def _key_refused(self, message: str) -> Answer:
        status = self.settings.invalid_key_status
        return json_answer(reading.problem(message), status=status, outcome=UNAUTHORISED)

    def _invalid_key(self, call: Call, rule: FaultRule) -> Answer:
        return self._key_refused("Invalid authorization key")

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        told = reading.problem(rule.text("message", "Declined"))
        if rule.flag("record"):
            told["data"] = {"id": self.settings.first_id, "status": "FAILED"}
        usual = 200 if call.operation.name == _CREATE_REFUND else 400
        return json_answer(told, status=rule.whole("status", usual), outcome=REFUSED)

    def _wrong_amount(self, call: Call, rule: FaultRule) -> Answer:
        answer = call.operation.does(call)
        told = json.loads(answer.body, parse_float=Decimal)
        for row in told["data"] if isinstance(told["data"], list) else [told["data"]]:
            for name in _AMOUNTS:
                row[name] += Decimal(rule.whole("delta", -100)).scaleb(-exponent(row["currency"]))
        return exact(told)

    def failure(self, status: int) -> Answer:
        """Their words for an HTTP error; a failure inside has an id alone."""
        if status == 500:
            return json_answer({"error_id": "simulated"}, status=status, outcome=REFUSED)
        message = {404: "Resource not found", 429: "Too many requests"}.get(status, "Service unavailable")
        return json_answer(reading.problem(message), status=status, outcome=REFUSED)

    # Controls and state

    def _control_pay(self, given: Given) -> object:
        reference = given.only(_PAY_FIELDS).word("reference")
        attempt = _try(given)
        charges = [self.pay(reference, attempt) for _ in range(given.whole("times", 1))]
        return {"charges": [telling.as_truth(charge) for charge in charges]}

    def _control_begin(self, given: Given) -> object:
        page = self._page(given.only(("reference",)).word("reference"))
        charge = self.account.take_up(page, self.settings, self._stage.clock.now())
        return {"charges": [telling.as_truth(charge)]}

    def _control_resend(self, given: Given) -> object:
        charge = self._charge(given.only(("reference", "id")))
        return {"sent": self._tell(charge)}

    def _control_forge(self, given: Given) -> object:
        reference = given.only(("reference", "amount")).word("reference")
        stranger = Page(reference, "", 100_000, self.settings.served_currencies[0], "nobody@example.com")
        page = self.account.page_of(reference) or stranger
        now = self._stage.clock.now()
        charge = self.account.invented(page, self.settings.mode, now)
        charge.status, charge.amount = SUCCESSFUL, given.whole("amount", page.amount)
        charge.charged = charge.amount
        message = self._message(telling.as_webhook(charge, self.settings, now), f"forged {charge.id}")
        return {"sent": self._stage.courier.forge(message, self._address())}

    def _control_notify(self, given: Given) -> object:
        event = given.only(("event", "data")).word("event")
        name = "type" if self.settings.webhook_form == "v4" else "event"
        return {"sent": self._send({name: event, "data": dict(given.mapping("data"))}, event[:60])}

    def _control_refund(self, given: Given) -> object:
        refund = self.refunds.by_id.get(given.only(("id", "status")).whole("id"))
        status = given.word("status", refunds.COMPLETED)
        if refund is None or not _STATUS_WORD.match(status):
            raise ControlError("name the id of a refund, and a status word")
        refund.status = status
        return {"refund": refunds.as_truth(refund)}

    def _control_dashboard_refund(self, given: Given) -> object:
        charge = self._charge(given.only(("reference", "id", "amount")))
        amount = given.whole_if_given("amount")
        if amount is not None and amount <= 0:
            raise ControlError("name a positive amount")
        try:
            refund = self._refund(charge, amount, None)
        except TurnedAway as refused:
            raise ControlError(json.loads(refused.answer.body)["message"]) from None
        return {"refund": refunds.as_truth(refund)}

    def _charge(self, given: Given) -> Charge:
        """The transaction of this id under the reference; without an id the one that was paid first."""
        charges = self.account.of(given.word("reference"))
        if "id" in given:
            charges = [one for one in charges if one.id == given.whole("id")]
        paid = [one for one in charges if one.status == SUCCESSFUL]
        if not charges:
            raise ControlError("this reference has no transaction of that id")
        return (paid or charges)[0]

    def truth(self) -> Mapping[str, object]:
        """Everything there is, and what was paid and given back per currency (minor units)."""
        return {
            "charges": [telling.as_truth(charge) for charge in self.account.charges],
            "pages": [
                {"reference": page.tx_ref, "amount_minor": page.amount, "currency": page.currency}
                for page in self.account.pages
            ],
            "paid_minor": self.account.paid_minor(),
            "refunds": [refunds.as_truth(refund) for refund in self.refunds.all],
            "refunded_minor": self.refunds.back_minor(),
            "transfers": [payouts.as_truth(one) for one in self.payouts.transfers],
            "settlements": [settlements.as_truth(one) for one in self.settlements.all],
            "accounts": [accounts.as_truth(one) for one in self.accounts.all],
            "chargebacks": [chargebacks.as_truth(one) for one in self.chargebacks.all],
            "mandates": [mandates.as_truth(one) for one in self.mandates.all],
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without secrets."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; transactions that exist keep what they were."""
        self.settings = words.changed(self.settings, changes)

    def reset(self) -> None:
        """Forget everything that happened."""
        self.account = Account(self.settings.first_id)
        self.refunds = refunds.Refunds()
        self.payouts.reset()
        self.settlements = settlements.Settlements()
        for part in (self.accounts, self.wallet, self.chargebacks, self.mandates):
            part.reset()


def _signed(kind: str, secret: str, body: bytes) -> Mapping[str, str]:
    """Contract 2.4: the hash itself, or base64 of the HMAC-SHA256 of the raw bytes under it."""
    mac = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    headers = {"verif-hash": secret, "flutterwave-signature": mac}
    chosen = headers if kind == "both" else {kind: headers[kind]}
    return {**chosen, "Content-Type": "application/json"}


def _try(given: Given) -> Try:
    outcome = given.word("outcome", SUCCESSFUL)
    if not _STATUS_WORD.match(outcome):
        raise ControlError("outcome must be a status word")
    return Try(
        outcome,
        amount=given.whole_if_given("amount"),
        charged=given.whole_if_given("charged"),
        currency=given.word_if_given("currency"),
        channel=given.word_if_given("channel"),
        mode=given.word_if_given("mode"),
        reason=given.word_if_given("reason"),
    )
