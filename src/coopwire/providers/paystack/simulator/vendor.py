"""Paystack imitated: what its API answers, its signed webhooks, and how both fail."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator import (
    accounts,
    branch,
    disputes,
    mandate_desk,
    mandates,
    payout_desk,
    reading,
    refunds,
    settlements,
    telling,
    wallet,
)
from coopwire.providers.paystack.simulator.account import SUCCESS, Account, Charge, Page, Try
from coopwire.providers.paystack.simulator.counter import Counter
from coopwire.providers.paystack.simulator.counter import numbered as _numbered
from coopwire.providers.paystack.simulator.counter import success as _success
from coopwire.providers.paystack.simulator.payouts import Payouts
from coopwire.providers.paystack.simulator.payouts import as_truth as as_transfer
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.simulation import hosted
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
_INITIALIZE: Final = "initialize_transaction"
_CREATE_REFUND: Final = "create_refund"
_READS: Final = frozenset(
    {"verify_transaction", "fetch_transaction", "list_transactions", "fetch_refund", "list_refunds"}
)
_SLASH: Final = "{slash:/?}"
"""Clients that others wrote for the real one end these paths with a slash."""
_STATUS_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}\Z")
_FORGERS_KEY: Final = "a key that is not the integration's"
_PAY_FIELDS: Final = (
    *("reference", "outcome", "times", "amount", "requested_amount", "currency"),
    *("channel", "domain", "reason", "paid_at", "extra_fee"),
)


class Paystack:
    """The vendor: one integration's account, and what it tells about it."""

    name = "paystack"
    messages: Sequence[str] = (_WEBHOOK,)
    secrets = frozenset(
        {
            "authorization",
            "authorization_code",
            "access_code",
            "authorization_url",
            "redirect_url",
            "bvn",
            "account_number",
            "otp",
        }
    )

    def __init__(self, settings: PaystackSettings, stage: Stage) -> None:
        self.settings = settings
        self.account = Account(settings.first_id)
        self.refunds = refunds.Refunds()
        self._stage = stage
        counter = Counter(
            settings=lambda: self.settings,
            account=lambda: self.account,
            authorise=self._authorise,
            now=stage.clock.now,
            tell=self._send_event,
            tell_success=self._send_success,
        )
        self.settlements = settlements.Settlements(counter)
        self.disputes = disputes.Disputes(counter)
        self._payouts = payout_desk.PayoutDesk(stage, counter)
        self.branch = branch.Branch(stage, counter)
        self.mandates = mandate_desk.MandateDesk(stage, counter)
        self.wallet = wallet.Wallet(stage, counter, self.mandates)
        self.operations: Sequence[Operation] = (
            Operation(_INITIALIZE, "POST", "/transaction/initialize", self._initialize),
            Operation("verify_transaction", "GET", "/transaction/verify/{reference}", self._verify),
            Operation("list_transactions", "GET", f"/transaction{_SLASH}", self._list),
            Operation("fetch_transaction", "GET", f"/transaction/{{id}}{_SLASH}", self._fetch),
            Operation(_CREATE_REFUND, "POST", "/refund", self._create_refund),
            Operation("list_refunds", "GET", "/refund", self._list_refunds),
            Operation("fetch_refund", "GET", "/refund/{id}", self._fetch_refund),
            *self.settlements.operations,
            *self.disputes.operations,
            *self.branch.operations,
            *self.wallet.operations,
            *self.mandates.operations,
            Operation("checkout_page", "GET", "/checkout/{access_code}", self._show_page),
            Operation("pay_page", "POST", "/checkout/{access_code}", self._use_page),
            *self._payouts.operations,
        )
        reads = (
            _READS
            | branch.READS
            | settlements.READS
            | disputes.READS
            | payout_desk.READS
            | mandate_desk.READS
        )
        writes = {_INITIALIZE, _CREATE_REFUND, disputes.RESOLVE, branch.ASSIGN, branch.CLOSE}
        api = reads | writes | payout_desk.WRITES | wallet.WRITES | mandate_desk.WRITES
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"message": str, "code": str, "status": int}, api),
            "token_expired": Manner(self._invalid_key, {}, api),
            "wrong_amount": Manner(
                self._wrong_amount, {"delta": int}, _READS | {"verify_transfer", "fetch_transfer"}
            ),
            **self._payouts.manners,
        }
        self.controls: Mapping[str, Control] = {
            "pay": self._control_pay,
            "resend": self._control_resend,
            "forge": self._control_forge,
            "notify": self._control_notify,
            "refund": self._control_refund,
            "dashboard_refund": self._control_dashboard_refund,
            **self.settlements.controls,
            **self.disputes.controls,
            **self._payouts.controls,
            **self.branch.controls,
            **self.wallet.controls,
            **self.mandates.controls,
        }

    @property
    def payouts(self) -> Payouts:
        """Recipients, transfers and the names of accounts."""
        return self._payouts.state

    def pay(self, reference: str, attempt: Try | None = None) -> Charge:
        """A customer tries to pay on the page of `reference`. ControlError when there is no such page.

        Only a success sends a webhook (contract 1.4).
        """
        page = self._page(reference)
        charge = self.account.use(page, attempt or Try(), self.settings, self._stage.clock.now())
        if charge.status == SUCCESS:
            self._send_success(charge)
        return charge

    # The API

    def _initialize(self, call: Call) -> Answer:
        self._authorise(call)
        page = reading.new_page(call, self.settings)
        if page.reference in self.account.pages:
            raise reading.refused("Duplicate Transaction Reference", "duplicate_reference")
        self.account.open(page, self.settings, self._stage.clock.now())
        return _success(
            "Authorization URL created",
            {
                "authorization_url": f"{call.base_url}/checkout/{page.access_code}",
                "access_code": page.access_code,
                "reference": page.reference,
            },
        )

    def _verify(self, call: Call) -> Answer:
        self._authorise(call)
        page = self.account.pages.get(call.place["reference"])
        if page is None:
            raise reading.refused("Transaction reference not found", "transaction_not_found")
        return _success("Verification successful", telling.as_verified(page.told, self.settings))

    def _fetch(self, call: Call) -> Answer:
        self._authorise(call)
        wanted = call.place["id"]
        charge = self.account.by_id.get(int(wanted[:19])) if wanted.isdecimal() else None
        if charge is None:
            raise reading.refused("Transaction ID is invalid", "transaction_not_found")
        return _success("Transaction retrieved", telling.as_fetched(charge, self.settings))

    def _list(self, call: Call) -> Answer:
        self._authorise(call)
        query = call.query
        start, end = reading.instant(query.get("from")), reading.instant(query.get("to"))
        status = query.get("status")
        rows = [one for one in self.account.created_between(start, end) if status in (None, "", one.status)]
        size = reading.page_size(query, self.settings)
        if query.get("use_cursor") == "true":
            return self._cursor_page(rows, size, query.get("next", ""))
        return self._numbered_page(rows, size, reading.positive(query.get("page", "1"), "page"))

    def _numbered_page(self, rows: Sequence[Charge], size: int, page: int) -> Answer:
        meta = {
            "total_volume": sum(charge.amount for charge in rows),
            **_numbered(len(rows), size, page),
        }
        return self._listed(rows[(page - 1) * size : page * size], meta)

    def _cursor_page(self, rows: Sequence[Charge], size: int, mark: str) -> Answer:
        if mark:
            below = reading.cursor_id(mark)
            rows = [charge for charge in rows if charge.id < below]
        end = None if self.settings.cursor_end == "null" else "null"
        following = reading.cursor(rows[size - 1].id) if len(rows) > size else end
        return self._listed(rows[:size], {"next": following, "previous": end, "perPage": size})

    def _listed(self, rows: Sequence[Charge], meta: Mapping[str, object]) -> Answer:
        shown = [telling.as_listed(charge, self.settings) for charge in rows]
        return _success("Transactions retrieved", shown, meta)

    # Refunds

    def _create_refund(self, call: Call) -> Answer:
        self._authorise(call)
        wanted, amount, currency, customer_note, merchant_note = reading.refund_asked(call)
        if not self.settings.echo_notes:
            customer_note = merchant_note = None
        ask = refunds.Ask(amount, currency, customer_note, merchant_note)
        refund = self._queue(self._refundable(wanted), ask)
        return _success("Refund has been queued for processing", refunds.as_queued(refund))

    def _refundable(self, wanted: str) -> Charge:
        charge = self.account.by_id.get(int(wanted[:19])) if wanted.isdecimal() else None
        page = self.account.pages.get(wanted)
        if charge is None and page is not None:
            charge = page.told
        if charge is None:
            raise reading.refused("Transaction not found", "transaction_not_found")
        return charge

    def _queue(self, charge: Charge, ask: refunds.Ask) -> refunds.Refund:
        refund = self.refunds.queue(charge, ask, self._stage.clock.now())
        self._tell(refund)
        if self.settings.refund_ends != refunds.STAYS:
            self._stage.backstage.start(self._end_by_itself(refund, self.settings.refund_ends))
        return refund

    async def _end_by_itself(self, refund: refunds.Refund, end: str) -> None:
        await self._stage.clock.sleep(self.settings.refund_seconds)
        if refund.status == refunds.PENDING and self.refunds.by_id.get(refund.id) is refund:
            self._move(refund, end, None)

    def _move(self, refund: refunds.Refund, status: str, reason: str | None) -> None:
        self.refunds.move(refund, status, reason, self._stage.clock.now())
        self._tell(refund)

    def _tell(self, refund: refunds.Refund) -> None:
        if refund.status in refunds.EVENTS:
            event = f"refund.{refund.status}"
            told = refunds.as_webhook(refund)
            self._send(_message(event, told, f"{event} {refund.id}", self.settings.secret_key))

    def _list_refunds(self, call: Call) -> Answer:
        self._authorise(call)
        query = call.query
        start, end = reading.instant(query.get("from")), reading.instant(query.get("to"))
        rows = self.refunds.listed(query.get("transaction") or None, start, end)
        size = reading.page_size(query, self.settings)
        page = reading.positive(query.get("page", "1"), "page")
        shown = [refunds.as_read(refund) for refund in rows[(page - 1) * size : page * size]]
        return _success("Refunds retrieved", shown, _numbered(len(rows), size, page))

    def _fetch_refund(self, call: Call) -> Answer:
        self._authorise(call)
        wanted = call.place["id"]
        refund = self.refunds.by_id.get(int(wanted[:19])) if wanted.isdecimal() else None
        if refund is None:
            raise reading.refused("Refund not found", "refund_not_found")
        return _success("Refund retrieved", refunds.as_read(refund))

    # The hosted page

    def _show_page(self, call: Call) -> Answer:
        page = self.account.by_code.get(call.place["access_code"])
        return hosted.no_page() if page is None else telling.checkout(page)

    def _use_page(self, call: Call) -> Answer:
        page = self.account.by_code.get(call.place["access_code"])
        outcome = call.form.get("outcome", SUCCESS)
        if page is None or not _STATUS_WORD.match(outcome):
            return hosted.no_page()
        self.pay(page.reference, Try(outcome))
        return hosted.after(outcome, page.callback_url, telling.brought_back(page))

    def _page(self, reference: str) -> Page:
        page = self.account.pages.get(reference)
        if page is None:
            raise ControlError(f"no page was opened for reference {reference[:100]!r}")
        return page

    # Webhooks

    def _send_success(self, charge: Charge) -> None:
        told = telling.as_webhook(charge, self.settings)
        self._send(_message("charge.success", told, f"charge.success {charge.id}", self.settings.secret_key))

    def _send_event(self, event: str, data: object, about: str) -> bool:
        return self._send(_message(event, data, about, self.settings.secret_key))

    def _send(self, message: Message) -> bool:
        return self._stage.courier.carry(message, self._address())

    def _address(self) -> Address:
        one = self.settings
        return Address(one.webhook_url, one.webhook_retry_seconds, one.webhook_tries)

    # Refusals and faults

    def _authorise(self, call: Call) -> None:
        told = call.headers.get("Authorization", "")
        if not hmac.compare_digest(told.encode(), f"Bearer {self.settings.secret_key}".encode()):
            raise TurnedAway(self._key_refused())

    def _key_refused(self) -> Answer:
        step = "Ensure that you provide the correct authorization key for the request"
        told = reading.problem("Invalid key", "invalid_Key", step)
        return json_answer(told, status=self.settings.invalid_key_status, outcome=UNAUTHORISED)

    def _invalid_key(self, call: Call, rule: FaultRule) -> Answer:
        return self._key_refused()

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        told = reading.problem(
            rule.text("message", "Declined"), rule.text("code", "unknown"), "Try again later"
        )
        return json_answer(told, status=rule.whole("status", 400), outcome=REFUSED)

    def _wrong_amount(self, call: Call, rule: FaultRule) -> Answer:
        answer = call.operation.does(call)
        told = json.loads(answer.body)
        for row in told["data"] if isinstance(told["data"], list) else [told["data"]]:
            for name in ("amount", "requested_amount"):
                if row.get(name) is not None:
                    row[name] += rule.whole("delta", -100)
        return json_answer(told, status=answer.status)

    def failure(self, status: int) -> Answer:
        """Their short envelope for an HTTP error."""
        usual = "An error occurred while processing your request"
        message = {404: "The endpoint does not exist", 429: "Too many requests"}.get(status, usual)
        return json_answer({"status": False, "message": message}, status=status, outcome=REFUSED)

    # Controls and state

    def _control_pay(self, given: Given) -> object:
        reference = given.only(_PAY_FIELDS).word("reference")
        attempt = _try(given)
        charges = [self.pay(reference, attempt) for _ in range(given.whole("times", 1))]
        return {"charges": [telling.as_truth(charge) for charge in charges]}

    def _control_resend(self, given: Given) -> object:
        page = self._page(given.only(("reference", "id")).word("reference"))
        wanted = given.whole("id", page.told.id)
        charge = next((one for one in page.charges if one.id == wanted and one.status == SUCCESS), None)
        if charge is None:
            raise ControlError("this reference has no paid charge of that id")
        self._send_success(charge)
        return {"sent": bool(self.settings.webhook_url)}

    def _control_forge(self, given: Given) -> object:
        reference = given.only(("reference", "amount")).word("reference")
        stranger = Page(reference, "", 100_000, self.settings.served_currencies[0], "nobody@example.com")
        page = self.account.pages.get(reference, stranger)
        amount = given.whole("amount", page.amount)
        charge = self.account.invented(page, amount, self.settings.mode, self._stage.clock.now())
        told = telling.as_webhook(charge, self.settings)
        message = _message("charge.success", told, f"forged {charge.id}", _FORGERS_KEY)
        return {"sent": self._stage.courier.forge(message, self._address())}

    def _control_notify(self, given: Given) -> object:
        event = given.only(("event", "data")).word("event")
        return {
            "sent": self._send(_message(event, given.mapping("data"), event[:60], self.settings.secret_key))
        }

    def _control_refund(self, given: Given) -> object:
        refund = self.refunds.by_id.get(given.only(("id", "status", "reason")).whole("id"))
        status = given.word("status", refunds.PROCESSED)
        if refund is None or not _STATUS_WORD.match(status):
            raise ControlError("name the id of a refund, and a status word in lower case")
        self._move(refund, status, given.word_if_given("reason"))
        return {"refund": refunds.as_truth(refund)}

    def _control_dashboard_refund(self, given: Given) -> object:
        page = self._page(given.only(("reference", "id", "amount")).word("reference"))
        wanted = given.whole("id", page.told.id)
        charge = next((one for one in page.charges if one.id == wanted), None)
        amount = given.whole_if_given("amount")
        if charge is None or (amount is not None and amount <= 0):
            raise ControlError("name a charge of this reference, and a positive amount")
        try:
            refund = self._queue(charge, refunds.Ask(amount, None))
        except TurnedAway as refused:
            raise ControlError(json.loads(refused.answer.body)["message"]) from None
        return {"refund": refunds.as_truth(refund)}

    def truth(self) -> Mapping[str, object]:
        """Every page, charge, refund, account, mandate, settlement, dispute and transfer, and what was paid, given back
        and paid out (subunits)."""
        return {
            "charges": [telling.as_truth(charge) for charge in self.account.charges],
            "pages": [
                {"reference": page.reference, "amount_minor": page.amount, "currency": page.currency}
                for page in self.account.pages.values()
                if not (page.credited or page.saved)
            ],
            "paid_minor": self.account.paid_minor(),
            "accounts": [accounts.as_truth(one) for one in self.branch.accounts.by_id.values()],
            "mandates": [mandates.as_truth(one) for one in self.mandates.book.all],
            "refunds": [refunds.as_truth(refund) for refund in self.refunds.all],
            "refunded_minor": self.refunds.back_minor(),
            "settlements": self.settlements.truth(),
            "disputes": self.disputes.truth(),
            "recipients": len(self.payouts.recipients),
            "transfers": [as_transfer(one) for one in self.payouts.transfers],
            "paid_out_minor": self.payouts.paid_out_minor(),
            "balance_minor": self.payouts.balance(self.settings, self.account.paid_minor()),
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without the key."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; charges that exist keep what they were."""
        self.settings = words.changed(self.settings, changes)

    def reset(self) -> None:
        """Forget pages, charges and everything that came after them."""
        self.account = Account(self.settings.first_id)
        self.refunds = refunds.Refunds()
        self.settlements.clear()
        self.disputes.clear()
        self._payouts.reset()
        self.branch.reset()
        self.wallet.reset()
        self.mandates.reset()


def _message(event: str, data: object, about: str, key: str) -> Message:
    body = json.dumps({"event": event, "data": data}, separators=(",", ":")).encode()
    return Message(_WEBHOOK, about, body, _signed(key, body), _signed(_FORGERS_KEY, body))


def _signed(key: str, body: bytes) -> Mapping[str, str]:
    """Contract 1.4: lower-case hex HMAC-SHA512 of the raw bytes."""
    signature = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
    return {"x-paystack-signature": signature, "Content-Type": "application/json"}


def _try(given: Given) -> Try:
    outcome = given.word("outcome", SUCCESS)
    if not _STATUS_WORD.match(outcome):
        raise ControlError("outcome must be a status word in lower case")
    return Try(
        outcome,
        amount=given.whole_if_given("amount"),
        requested_amount=given.whole_if_given("requested_amount"),
        currency=given.word_if_given("currency"),
        channel=given.word_if_given("channel"),
        domain=given.word_if_given("domain"),
        reason=given.word_if_given("reason"),
        paid_at=_paid_at(given.word("paid_at", "")),
        extra_fee=given.whole("extra_fee", 0),
    )


def _paid_at(word: str) -> datetime | None:
    if not word:
        return None
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ControlError("paid_at must be an ISO time stamp with its zone")
    return at
