"""No secret and no personal datum in logs, errors, rows, events, answers or on the command line.

Canaries are planted wherever a member, a partner or an enemy can put one, a whole journey with every failure is
made, and then everything that the hub said and kept in plain text is searched for them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
import structlog
from rigs.canaries import Canaries, Leak
from rigs.collector import Collector, collector
from rigs.deployment import SEALING_KEY
from rigs.elsewhere import csv_file, line, xlsx_file
from rigs.served import ONLOOKER, Answer, Served, once, served

from coopwire.monitoring import logs
from coopwire.providers.paystack.simulator import telling
from coopwire.simulation import kernel
from coopwire.storage.sealing import Sealer, parse_keys

NAME, SURNAME = "Zuwaira", "Canarywing"
PHONE, EMAIL = "+2348099912345", "zuwaira.canary.mail@coop.example"
ACCOUNT, BVN = "9155500123", "22155500987"
CARD = "4084084084084081"
WHOLE = f"{NAME} {SURNAME} <{EMAIL}>, phone {PHONE}, account {ACCOUNT}, BVN {BVN}"
"""What a partner says who does not care whom he tells what."""
SECRETS: Mapping[str, Mapping[str, str]] = {
    "paystack": {"secret_key": "sk_test_canary-8b1f0c2e", "webhook_retry_seconds": "0.2"},
    "quickbooks": {
        "client_secret": "CanaryOfBooks7f3e",
        "refresh_token": "",
        "refresh_rotation_seconds": "0",
    },
    "bankone": {"token": "51d0a7c2-9e0f-4c55-8f0e-6a1bcana7b4d", "status_interval_seconds": "1"},
    "lms": {"secret": "whsec_Y2FuYXJ5IG9mIHRoZSBsZW5kZXIncyBzZWNyZXQ="},
}
KEPT_SEALED = {
    *("name", "surname", "phone", "e-mail", "account number", "authorization of a mandate"),
    *("number of an account", "code of a mandate"),
}
"""What the hub must keep: found where it is sealed, so that the journey is known to have carried it in."""
_SEALED = "sealed"
_ANSWERS_A_QUESTION = "/v1/fees/quote?amount_minor=100&currency=NGN&channel=card"
_READ_LIVE = "/v1/settlements/live"
_OPEN_PAGE, _POST_ENTRY = "initialize_transaction", "create_journal_entry"


@dataclass
class Payment:
    """A payment that was asked for; its amount stands in every call about it, so that one call can fail."""

    amount_minor: int
    reference: str
    attempt: str


@dataclass
class Journey:
    """A served hub and what is planted in it."""

    hub: Served
    canaries: Canaries
    spans: Collector
    amounts: Iterator[int] = field(default_factory=lambda: itertools.count(1_000_001))

    async def ask(self, amount_minor: int | None = None) -> Payment:
        """A member is asked to pay. 202 where a gate or a failure stands between: the page comes later."""
        amount = amount_minor or next(self.amounts)
        answer = await self.hub.call("POST", "/v1/payments", json=self.body(amount), headers=once())
        assert answer.status in (201, 202), answer
        return Payment(amount, answer.told["payment"]["reference"], answer.told["attempt"])

    def body(self, amount_minor: int, **changes: object) -> dict[str, object]:
        """A request that can be accepted."""
        as_of = datetime.now(UTC) - timedelta(minutes=1)
        due = {"id": "D1", "component": "interest", "amount_minor": 500_000, "due_on": "2026-11-20"}
        return {
            "kind": "loan_repayment",
            "amount_minor": amount_minor,
            "currency": "NGN",
            "payer": {"member": "M-1029", "name": f"{NAME} {SURNAME}", "phone": PHONE, "email": EMAIL},
            "loan": f"LN-{amount_minor}",
            "dues": {"as_of": as_of.isoformat(), "version": "7", "lines": [due]},
            "return_url": "https://members.example/paid",
            "metadata": {"branch_officer": "B-17"},
            "save_authorization": True,
            **changes,
        }

    async def pay(self, payment: Payment, **how: object) -> None:
        """The member pays on the page, as soon as there is one."""
        there = "SELECT page_sealed IS NOT NULL FROM attempts WHERE reference = $1"
        await self.hub.until(there, payment.attempt)
        await self.hub.outside.control("paystack", "pay", reference=payment.attempt, **how)

    async def paid(self, *faults: tuple[str, str, str, Mapping[str, object]]) -> Payment:
        """A payment that is asked for and paid, while these calls about it fail once."""
        amount = next(self.amounts)
        for provider, operation, kind, params in faults:
            await self.fault(amount, provider, operation, kind, **params)
        payment = await self.ask(amount)
        await self.pay(payment)
        return payment

    async def fault(self, about: int, provider: str, operation: str, kind: str, **params: object) -> None:
        """The next call of this operation about the payment of this amount fails."""
        await self.hub.outside.fault(provider, operation, kind, match=str(about), params=params)

    async def effect(self, kind: str, payment: Payment, state: str) -> str:
        """Wait until such an effect of the payment is in this state; its id."""
        which = "FROM effects WHERE kind = $1 AND payment = $2 AND state = $3"
        await self.hub.until(f"SELECT count(*) > 0 {which}", kind, payment.reference, state)
        return str(await self.hub.rows.fetchval(f"SELECT id {which}", kind, payment.reference, state))

    async def resumed(self, effect: str) -> None:
        """An operator lets it go on, and it is done."""
        body = {"reason": "looked at, go on"}
        assert (await self.hub.call("POST", f"/v1/effects/{effect}/resume", json=body)).status == 200
        await self.hub.until("SELECT state FROM effects WHERE id = $1", effect, expected="done")

    async def reopen(self, connection: str) -> None:
        """Wait for the credentials gate to close, then open it."""
        closed = (
            "SELECT count(*) > 0 FROM gates WHERE connection = $1 AND kind = 'credentials' AND until IS NULL"
        )
        await self.hub.until(closed, connection)
        body = {
            "connection": connection,
            "kind": "credentials",
            "traffic": ["read", "write"],
            "reason": "mended",
        }
        assert (await self.hub.call("POST", "/v1/gates/open", json=body)).status == 200

    async def signed(self, body: object, key: str = SECRETS["paystack"]["secret_key"]) -> int:
        """A webhook at the door, signed with this key; the status of its answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = hmac.new(key.encode(), raw, hashlib.sha512).hexdigest()
        headers = {"x-paystack-signature": signature, "content-type": "application/json"}
        return (await self.hub.call("POST", "/webhooks/paystack", data=raw, headers=headers)).status

    def plant_what_was_issued(self) -> None:
        """Every token, page and authorization that the outside gave out so far."""
        for number, token in enumerate(self.hub.outside.made["quickbooks"].vendor.oauth.issued):
            self.canaries.plant(f"OAuth token {number}", token)
        gateway = self.hub.outside.made["paystack"].vendor
        for code, page in gateway.account.by_code.items():
            self.canaries.plant(f"access code of {page.reference}", code)
        for charge in gateway.account.charges:
            told: Any = telling.as_webhook(charge, gateway.settings)
            for name in ("authorization_code", "signature"):
                if told["authorization"].get(name) is None:
                    continue
                self.canaries.plant(f"{name} of charge {charge.id}", told["authorization"][name])


def _personal_canaries() -> Canaries:
    canaries = Canaries()
    parts = {"name": NAME, "surname": SURNAME, "phone": PHONE[-10:], "e-mail": EMAIL.split("@")[0]}
    numbers = {"account number": ACCOUNT, "BVN": BVN, "card number": CARD}
    for name, value in {**parts, **numbers}.items():
        canaries.plant(name, value)
    canaries.plant("key of the gateway", SECRETS["paystack"]["secret_key"].removeprefix("sk_test_"))
    canaries.plant("secret of the books' app", SECRETS["quickbooks"]["client_secret"])
    canaries.plant("token of the bank", SECRETS["bankone"]["token"])
    canaries.plant("secret of the loan system", SECRETS["lms"]["secret"].removeprefix("whsec_"))
    canaries.plant("sealing key", SEALING_KEY)
    return canaries


@asynccontextmanager
async def _journey(dsn: str, folder: Path) -> AsyncIterator[Journey]:
    async with (
        collector() as heard,
        served(dsn, folder, SECRETS, allocation="lms", environment=heard.environment) as hub,
    ):
        journey = Journey(hub, _personal_canaries(), heard)
        journey.canaries.plant("API key", hub.key)
        await _know_the_member(journey)
        yield journey


async def _know_the_member(journey: Journey) -> None:
    person = {"nuban": ACCOUNT, "name": f"{NAME} {SURNAME}", "bvn": BVN, "phone": PHONE}
    await journey.hub.outside.control("bankone", "accounts", accounts=[person])
    lines = {"lines": [{"member": "M-1029", "number": ACCOUNT}]}
    assert (await journey.hub.call("PUT", "/v1/core-accounts", json=lines)).status == 200


# -- the journey -------------------------------------------------------------------------------------------


async def _all_goes_well(journey: Journey) -> None:
    payment = await journey.paid()
    for kind in ("journal", "posting", "callback"):
        await journey.effect(kind, payment, "done")
    headers, body = once(), journey.body(next(journey.amounts))
    for _ in range(2):
        assert (await journey.hub.call("POST", "/v1/payments", json=body, headers=headers)).status in (
            201,
            202,
        )
    other = {**body, "currency": "USD"}
    assert (await journey.hub.call("POST", "/v1/payments", json=other, headers=headers)).status == 422


async def _the_gateway_fails(journey: Journey) -> None:
    key = SECRETS["paystack"]["secret_key"]
    for message in (WHOLE, f"no key {key}", f"your page is https://checkout.example/{secrets.token_hex(8)}"):
        amount = next(journey.amounts)
        await journey.fault(amount, "paystack", _OPEN_PAGE, "decline", message=message, code="declined")
        body = journey.body(amount)
        assert (await journey.hub.call("POST", "/v1/payments", json=body, headers=once())).status == 422
    for kind in ("drop_after", "html", "http_500", "truncated"):
        amount = next(journey.amounts)
        await journey.fault(amount, "paystack", _OPEN_PAGE, kind)
        await journey.ask(amount)
    amount = next(journey.amounts)
    await journey.fault(amount, "paystack", _OPEN_PAGE, "token_expired")
    await journey.ask(amount)
    await journey.reopen("paystack")


async def _the_member_fails_first(journey: Journey) -> None:
    failed = await journey.ask()
    await journey.pay(failed, outcome="failed", reason=f"Declined: {WHOLE}")
    payment = await journey.ask()
    for kind, params in (("http_500", {}), ("html", {}), ("decline", {"message": WHOLE})):
        about = {"match": payment.attempt, "params": params}
        await journey.hub.outside.fault("paystack", "verify_transaction", kind, **about)
    await journey.pay(payment, outcome="failed", reason=f"Declined: {WHOLE}")
    await journey.pay(payment)
    await journey.effect("posting", payment, "done")
    await journey.hub.until(
        "SELECT state FROM payments WHERE reference = $1", failed.reference, expected="failed"
    )


async def _money_in_doubt(journey: Journey) -> None:
    await journey.pay(await journey.ask(), times=2)
    await journey.pay(await journey.ask(), amount=1_234_567)
    await journey.hub.until("SELECT count(DISTINCT type) >= 2 FROM breaks WHERE receipt IS NOT NULL")


async def _the_books_fail(journey: Journey) -> None:
    failing = [("http_500", {"done": True}), ("http_429", {}), ("token_expired", {}), ("drop_after", {})]
    payments = [await journey.paid(("quickbooks", _POST_ENTRY, kind, params)) for kind, params in failing]
    journey.plant_what_was_issued()
    token = journey.hub.outside.made["quickbooks"].vendor.oauth.issued[-1]
    told = {"message": f"the token {token} of {WHOLE}", "detail": f"Token expired: {token}, for {WHOLE}"}
    held = await journey.paid(("quickbooks", _POST_ENTRY, "decline", {"code": "6210", **told}))
    refused = await journey.paid(("quickbooks", _POST_ENTRY, "decline", {"code": "2010", **told}))
    for payment in payments:
        await journey.effect("journal", payment, "done")
    await journey.resumed(await journey.effect("journal", held, "held"))
    await journey.effect("journal", refused, "refused")


async def _the_bank_fails(journey: Journey) -> None:
    told = {"code": "57", "message": f"{WHOLE}, by token {SECRETS['bankone']['token']}"}
    refused = await journey.paid(("bankone", "credit", "decline", told))
    silent = await journey.paid(
        ("bankone", "credit", "drop_after", {}),
        ("bankone", "status_query_local", "decline", {**told, "code": "96"}),
    )
    vague = await journey.paid(("bankone", "credit", "decline", {**told, "code": "91", "done": True}))
    await journey.effect("posting", refused, "refused")
    await journey.effect("posting", silent, "done")
    await journey.effect("posting", vague, "done")
    locked_out = await journey.paid(("bankone", "credit", "token_expired", {}))
    await journey.reopen("bankone")
    await journey.effect("posting", locked_out, "done")


async def _the_loan_system_fails(journey: Journey) -> None:
    kinds = ("http_500", "html", "unsigned", "missigned", "wrong_amount", "drop_after")
    payments = [await journey.paid(("lms", "callback", kind, {})) for kind in kinds]
    gone = await journey.paid(("lms", "callback", "decline", {"status": 410}))
    for payment in payments:
        await journey.effect("callback", payment, "done")
    await journey.effect("callback", gone, "refused")


async def _the_bank_is_away(journey: Journey) -> None:
    outside = journey.hub.outside
    port = int(outside.running["bankone"].url.rsplit(":", 1)[1])
    await outside.running["bankone"].stop()
    payment = await journey.paid()
    tried = "SELECT tries > 0 FROM effects WHERE kind = 'posting' AND payment = $1"
    await journey.hub.until(tried, payment.reference)
    outside.running["bankone"] = await kernel.start(outside.made["bankone"], port=port)
    await journey.effect("posting", payment, "done")


async def _webhooks_of_all_kinds(journey: Journey) -> None:
    hub = journey.hub
    payment = await journey.paid()
    await hub.outside.control("paystack", "forge", reference=payment.attempt)
    await hub.outside.control("paystack", "resend", reference=payment.attempt)
    person = {"email": EMAIL, "phone": PHONE, "first_name": NAME, "last_name": SURNAME}
    account = {"account_number": ACCOUNT, "account_name": f"{NAME} {SURNAME}", "bvn": BVN}
    events: Mapping[str, Mapping[str, object]] = {
        "customeridentification.failed": {"customer": person, "identification": account, "reason": WHOLE},
        "dedicatedaccount.assign.failed": {"customer": person, "dedicated_account": account},
        "transfer.failed": {"reference": "p-1", "recipient": {"details": account}, "gateway_response": WHOLE},
        "charge.dispute.create": {"customer": person, "message": WHOLE},
        "direct_debit.authorization.active": {"customer": person, "authorization_code": "AUTH_canary9"},
        "never.seen.before": {"customer": person, "message": WHOLE},
    }
    journey.canaries.plant("authorization of a mandate", "AUTH_canary9")
    for event, data in events.items():
        assert await journey.signed({"event": event, "data": data}) == 200
    stranger = {"id": 99, "reference": "never-opened", "status": "success", "customer": person}
    assert await journey.signed({"event": "charge.success", "data": stranger}) == 200
    for unreadable in (
        f'{{"event": "{WHOLE}'.encode(),
        b"\xff\xfe" + ACCOUNT.encode(),
        [WHOLE],
        {"event": WHOLE * 9},
    ):
        assert await journey.signed(unreadable) == 200
    assert await journey.signed({"event": "charge.success", "data": stranger}, key="another") == 401
    for path in (
        f"/webhooks/{quote(EMAIL)}",
        "/webhooks/lms",
        f"/webhooks/{SECRETS['paystack']['secret_key']}",
    ):
        assert (await hub.call("POST", path, json={"data": person})).status == 404
    await hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0)
    await hub.until("SELECT count(*) >= 4 FROM breaks WHERE type = 'notice_unreadable'")


async def _a_member_has_an_account(journey: Journey) -> None:
    """One that the bank assigns, one that it refuses in a person's own words, and a transfer to the first."""
    hub = journey.hub
    body = {
        "kind": "savings",
        "currency": "NGN",
        "holder": journey.body(1)["payer"],
        "account": "SA-1",
        "bank": "test-bank",
        "identity": {"bvn": BVN, "account_number": ACCOUNT, "bank_code": "058"},
    }
    wrong: list[dict[str, object]] = [
        {"identity": {"bvn": WHOLE, "account_number": ACCOUNT, "bank_code": "058"}},
        {"identity": {"nin": WHOLE}},
        {"holder": WHOLE},
        {"bank": EMAIL},
    ]
    for changes in wrong:
        answer = await hub.call("POST", "/v1/virtual-accounts", json={**body, **changes}, headers=once())
        assert answer.status == 422, changes
    await hub.outside.fault("paystack", "assign_account", "decline", params={"message": WHOLE})
    assert (await hub.call("POST", "/v1/virtual-accounts", json=body, headers=once())).status == 202
    await hub.until("SELECT count(*) FROM virtual_accounts WHERE state = 'failed'", expected=1)
    await hub.outside.fault("paystack", "assign_account", "drop_after")
    assert (await hub.call("POST", "/v1/virtual-accounts", json=body, headers=once())).status == 202
    await hub.until("SELECT count(*) FROM virtual_accounts WHERE state = 'active'", expected=1)
    [account] = hub.outside.made["paystack"].vendor.branch.accounts.by_id.values()
    journey.canaries.plant("number of an account", account.number)
    for number in (account.number, "9930099999"):
        await hub.outside.control("paystack", "deposit", number=number, amount=77_700)
    await hub.outside.control("paystack", "reject", number=account.number, amount=1, why=WHOLE)
    await hub.until("SELECT count(*) FROM receipts WHERE channel = 'dedicated_nuban'", expected=2)


async def _a_member_gives_a_mandate(journey: Journey) -> None:
    """One that the gateway refuses in a person's own words, and one whose answer is lost, approved and debited."""
    hub = journey.hub
    body = {
        "currency": "NGN",
        "payer": journey.body(1)["payer"],
        "account": {"number": ACCOUNT, "bank": "058"},
        "address": {"street": f"{NAME} {SURNAME}", "city": "Ikeja", "state": "Lagos"},
    }
    wrong: list[dict[str, object]] = [
        {"account": {"number": WHOLE, "bank": "058"}},
        {"address": WHOLE},
        {"customer": EMAIL},
        {"purpose": f"card {CARD}"},
    ]
    for changes in wrong:
        answer = await hub.call("POST", "/v1/mandates", json={**body, **changes}, headers=once())
        assert answer.status == 422, changes
    await hub.outside.fault("paystack", "start_mandate", "decline", params={"message": WHOLE})
    assert (await hub.call("POST", "/v1/mandates", json=body, headers=once())).status == 202
    await hub.until("SELECT count(*) FROM mandates WHERE state = 'failed'", expected=1)
    await hub.outside.fault("paystack", "start_mandate", "drop_after")
    asked = await hub.call("POST", "/v1/mandates", json=body, headers=once())
    mandate = asked.told["mandate"]["id"]
    await hub.until("SELECT state FROM mandates WHERE id = $1", mandate, expected="pending")
    reference = await hub.rows.fetchval("SELECT provider_ref FROM mandates WHERE id = $1", mandate)
    await hub.outside.control("paystack", "approve_mandate", reference=reference)
    await hub.until("SELECT state FROM mandates WHERE id = $1", mandate, expected="active")
    [code] = [one.code for one in hub.outside.made["paystack"].vendor.mandates.book.all if one.code]
    journey.canaries.plant("code of a mandate", code)
    paid = await journey.hub.call(
        "POST",
        "/v1/payments",
        json=journey.body(next(journey.amounts), authorization=mandate, save_authorization=False),
        headers=once(),
    )
    assert paid.status == 202
    await hub.until("SELECT count(*) FROM receipts WHERE channel = 'direct_debit'", expected=1)


async def _hostile_requests(journey: Journey) -> None:
    hub, body = journey.hub, journey.body(next(journey.amounts))
    payer: Any = body["payer"]
    wrong: list[dict[str, object]] = [
        {"payer": {**payer, "phone": f"call {PHONE}"}},
        {"payer": {**payer, "email": f"{EMAIL} or else"}},
        {"payer": {**payer, "name": f"{NAME}\n{SURNAME}"}},
        {"payer": {**payer, EMAIL: PHONE}},
        {"payer": WHOLE},
        {ACCOUNT: BVN},
        {"loan": f"{NAME} {SURNAME} " * 9},
        {"metadata": {"card": CARD}},
        {"metadata": {CARD: "x"}},
        {"callback_url": f"https://evil.example/?token={BVN}"},
        {"callback_url": f"http://{EMAIL}:{ACCOUNT}@127.0.0.1/"},
        {"kind": NAME, "currency": SURNAME, "amount_minor": ACCOUNT},
    ]
    for changes in wrong:
        answer = await hub.call("POST", "/v1/payments", json={**body, **changes}, headers=once())
        assert answer.status == 422, (changes, answer)
    for broken in (f'{{"name": "{WHOLE}"', f'{{"a": 1, "a": "{WHOLE}"}}', f'"{WHOLE}'):
        json_headers = {**once(), "content-type": "application/json"}
        answer = await hub.call("POST", "/v1/payments", data=broken.encode(), headers=json_headers)
        assert answer.status in (400, 422)
    for credentials in (f"Bearer cw_{secrets.token_hex(20)}", f"Basic {secrets.token_hex(20)}"):
        journey.canaries.plant(f"credentials {credentials[:9]}", credentials.split()[1])
        answer = await hub.call("GET", "/v1/payments", headers={"authorization": credentials})
        assert answer.status == 401
    for path in (f"/v1/payments/{EMAIL}", f"/v1/payments?{quote(EMAIL)}={ACCOUNT}", f"/v1/effects/{ACCOUNT}"):
        assert (await hub.call("GET", path)).status in (404, 422)
    for path in (f"/{EMAIL}", f"/v1/payments?cursor={quote(EMAIL)}", f"/v1/breaks?payment={quote(WHOLE)}%00"):
        assert (await hub.call("GET", path)).status in (400, 404, 422)
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-key": "eA==", "x-phone": PHONE}
    await hub.call("GET", "/v1/payments", headers=upgrade)
    await _not_http(hub, f"PAY {PHONE}\r\nauthorization: Bearer {hub.key}\r\n\r\n")
    await _wrong_accounts(hub)


async def _not_http(hub: Served, request: str) -> None:
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    hub.heard.append(("a request that is no HTTP", (await reader.read()).decode("latin-1")))
    writer.close()


async def _wrong_accounts(hub: Served) -> None:
    rows: list[dict[str, object]] = [
        {"member": "M-1", "number": f"{ACCOUNT}!"},
        {"member": CARD, "number": ACCOUNT},
        {"member": "M-2", "number": ACCOUNT, ACCOUNT: BVN},
        {"member": "M-3", "number": ACCOUNT, "connection": EMAIL},
    ]
    assert (await hub.call("PUT", "/v1/core-accounts", json={"lines": rows})).status == 422
    for text in (f"member,number\nM-1,{ACCOUNT},{BVN}\n", f"M-1,{ACCOUNT}\n", f'member,number\n"{ACCOUNT}'):
        csv = {"content-type": "text/csv"}
        answer = await hub.call("PUT", "/v1/core-accounts", data=text.encode(), headers=csv)
        assert answer.status == 422


async def _receipts_from_elsewhere(journey: Journey) -> None:
    """Files and lines whose senders put what has no column wherever it fits."""
    hub, path = journey.hub, "/v1/receipt-batches?source=counter"
    good = line("CASH-1", amount="1.00")
    assert (await _bring(hub, path, csv_file([good]))).status == 202
    told = {"source": "counter", "external_id": "CASH-2", "amount_minor": 100, "currency": "NGN"}
    told |= {"received_on": good["received_on"]}
    assert (await hub.call("POST", "/v1/receipts", json=told, headers=once())).status == 201
    wrong: list[dict[str, object]] = [
        {"external_id": f"{NAME} {SURNAME} {PHONE} " * 3},
        {"external_id": CARD},
        {"amount": ACCOUNT + "," + BVN},
        {"received_on": f"{NAME} {SURNAME}"},
        {"member": WHOLE},
        {"kind": f"{SURNAME} {BVN}"},
        {"payment": EMAIL},
        {EMAIL: BVN},
        {"kind": "loan_repayment", "loan": "LN-1", "dues": WHOLE},
    ]
    for changes in wrong:
        for content in (csv_file([{**good, **changes}]), xlsx_file([{**good, **changes}])):
            assert (await _bring(hub, path, content)).status == 422, changes
        answer = await hub.call("POST", "/v1/receipts", json={**told, **changes}, headers=once())
        assert answer.status == 422, changes
    for content in (
        WHOLE.encode(),
        f'external_id,currency\n"{WHOLE}'.encode(),
        b"PK\x03\x04" + WHOLE.encode(),
    ):
        assert (await _bring(hub, path, content)).status == 422
    assert (await hub.call("POST", f"{path}&name={CARD}", data=b"x", headers=_CSV)).status == 422
    await hub.until("SELECT state FROM receipt_batches", expected="done")


_CSV = {"content-type": "text/csv"}


async def _bring(hub: Served, path: str, content: bytes) -> Answer:
    return await hub.call("POST", path, data=content, headers=_CSV)


async def _money_that_goes_out(journey: Journey) -> None:
    """A beneficiary's account and name, and a gateway that repeats them in what it refuses."""
    hub, outside = journey.hub, journey.hub.outside
    holder = {"account_number": ACCOUNT, "bank_code": "WALLET", "name": f"{SURNAME} {NAME}"}
    await outside.control("paystack", "account", **holder)

    async def ask(state: str, *faults: tuple[str, str], **changes: object) -> None:
        amount = next(journey.amounts)
        for operation, kind in faults:
            params = {"message": WHOLE} if kind == "decline" else {}
            await outside.fault("paystack", operation, kind, match=str(amount), params=params)
        beneficiary = {"account": ACCOUNT, "bank": "WALLET", "name": f"{NAME} {SURNAME}", **changes}
        body = {"connection": "paystack", "amount_minor": amount, "currency": "NGN", "purpose": "a loan"}
        one = {**body, "beneficiary": beneficiary}
        many = {"payouts": [one, {**one, "amount_minor": 0}, {**one, "purpose": WHOLE, EMAIL: BVN}]}
        refused = await hub.call("POST", "/v1/payouts/batch", json=many, headers=once())
        assert refused.status == 422
        told = await hub.call("POST", "/v1/payouts", json=one, headers=once())
        assert told.status == 202, told
        await hub.until("SELECT state FROM payouts WHERE amount_minor = $1", amount, expected=state)

    await ask("succeeded", ("create_transfer", "drop_after"))
    await ask("failed", ("create_transfer", "decline"))
    await ask("held", name="Somebody Else")
    await ask("held", account="0155500123", bank="011")
    for wrong in ({"beneficiary": WHOLE}, {"purpose": f"card {CARD}"}, {"beneficiary": {"account": WHOLE}}):
        assert (await hub.call("POST", "/v1/payouts", json=wrong, headers=once())).status == 422


async def _the_database_hangs_up(journey: Journey) -> None:
    await journey.hub.rows.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> $1",
        ONLOOKER,
    )
    while (await journey.hub.call("GET", "/v1/payments")).status != 200:
        await asyncio.sleep(0.05)
    await journey.effect("posting", await journey.paid(), "done")


async def _the_consent_dies(journey: Journey) -> None:
    hub = journey.hub
    await hub.outside.control("quickbooks", "expire_tokens")
    await hub.outside.fault("quickbooks", "exchange_token", "http_500")
    await hub.outside.fault("quickbooks", "exchange_token", "token_expired")
    payment = await journey.paid()
    await hub.until(
        "SELECT count(*) > 0 FROM gates WHERE connection = 'quickbooks' AND kind = 'credentials' AND until IS NULL"
    )
    stranger = f"http://localhost:8767/coopwire?code={secrets.token_hex(20)}&state=x&realmId={ACCOUNT}\n"
    assert (await hub.command("connect", "quickbooks", "--paste", stdin=stranger.encode())).code == 2
    await hub.consent()
    await journey.effect("journal", payment, "done")


SIDE_BY_SIDE = (
    _all_goes_well,
    _the_member_fails_first,
    _money_in_doubt,
    _the_books_fail,
    _the_bank_fails,
    _the_loan_system_fails,
    _webhooks_of_all_kinds,
    _a_member_has_an_account,
    _a_member_gives_a_mandate,
    _hostile_requests,
    _receipts_from_elsewhere,
    _money_that_goes_out,
)
ONE_BY_ONE = (_the_database_hangs_up, _the_consent_dies, _the_bank_is_away)


# -- what is searched --------------------------------------------------------------------------------------


async def _everything_that_can_be_read(hub: Served) -> None:
    """Every GET of the API, every list to its end, every row by its name."""
    document = (await hub.call("GET", "/openapi.json")).told
    await hub.call("GET", "/metrics")
    ids = {
        "/v1/payments/{reference}": "SELECT reference FROM payments",
        "/v1/payments/{reference}/timeline": "SELECT reference FROM payments",
        "/v1/payments/{reference}/fees": "SELECT reference FROM payments",
        "/v1/receipts/{id}": "SELECT id FROM receipts",
        "/v1/refunds/{id}": "SELECT id FROM refunds",
        "/v1/payouts/{id}": "SELECT id FROM payouts",
        "/v1/connections/{name}/banks": "SELECT 'paystack'",
        "/v1/connections/{name}/balances": "SELECT 'paystack'",
        "/v1/authorizations/{id}": "SELECT id FROM authorizations",
        "/v1/virtual-accounts/{id}": "SELECT id FROM virtual_accounts",
        "/v1/mandates/{id}": "SELECT id FROM mandates",
        "/v1/disputes/{id}": "SELECT id FROM disputes",
        "/v1/receipt-batches/{id}": "SELECT id FROM receipt_batches",
        "/v1/effects/{id}": "SELECT id FROM effects",
        "/v1/breaks/{id}": "SELECT id FROM breaks",
        "/v1/letters/{id}": "SELECT d.consumer || ':' || o.id AS id FROM deliveries d JOIN outbox o USING (seq) "
        "WHERE d.state = 'dead'",
        "/v1/settlements/{id}": "SELECT id FROM settlements",
        "/v1/reconciliations/{id}": "SELECT id FROM reconciliations",
        "/v1/reconciliations/{id}/export": "SELECT id FROM reconciliations",
    }
    await _settlements(hub)
    assert (await hub.call("GET", _ANSWERS_A_QUESTION)).status == 200
    for path in (path for path, verbs in document["paths"].items() if "get" in verbs):
        if path.startswith(_READ_LIVE) or _ANSWERS_A_QUESTION.startswith(path):
            continue
        if "{" in path:
            start, _, end = path.partition("{")
            for row in await hub.rows.fetch(ids[path]):
                answer = await hub.call("GET", f"{start}{row[0]}{end.partition('}')[2]}")
                assert answer.status == 200, (path, row[0])
        else:
            await _list(hub, path)


async def _settlements(hub: Served) -> None:
    """What is read from the gateway at this moment."""
    for made in (await hub.outside.control("paystack", "settle"))["settlements"]:
        query = {"connection": "paystack", "from": made["on"], "to": made["on"]}
        assert (await hub.call("GET", _READ_LIVE, params=query)).status == 200
        one = await hub.call("GET", f"{_READ_LIVE}/{made['id']}", params={"connection": "paystack"})
        assert one.status == 200


_ASKED = {"/v1/fees/quote": {"amount_minor": "5250000", "currency": "NGN"}}
"""What those must be asked that list nothing of their own."""


async def _list(hub: Served, path: str) -> None:
    limited = path not in ("/healthz", "/readyz", "/v1/keys", "/v1/gates")
    query = _ASKED.get(path, {"limit": "50"} if limited else {})
    while True:
        answer = await hub.call("GET", path, params=query)
        assert answer.status == 200, (path, answer)
        if not answer.told.get("next"):
            return
        query = {**query, "cursor": answer.told["next"]}


async def _everything_at_the_command_line(hub: Served) -> None:
    states = [
        word for state in ("intended", "unknown", "held", "refused", "done") for word in ("--state", state)
    ]
    refused = await hub.rows.fetchval(
        "SELECT id FROM effects WHERE state = 'refused' AND kind = 'posting' LIMIT 1"
    )
    commands = [
        ("effects", "list", "--json", "--limit", "500", *states),
        ("effects", "list", *states),
        ("effects", "show", refused),
        ("effects", "show", refused, "--json"),
        ("breaks", "list"),
        ("refunds", "list"),
        ("payouts", "list", "--json"),
        ("virtual-accounts", "list"),
        ("authorizations", "list"),
        ("mandates", "list"),
        ("accounts", "list", "--json"),
        ("receipts", "list"),
        ("gates", "list"),
        ("letters", "list"),
        ("letters", "list", "--all"),
        ("keys", "list"),
        ("mapping", "check", "quickbooks"),
        ("doctor",),
    ]
    at_a_time = asyncio.Semaphore(3)

    async def give(words: tuple[str, ...]) -> None:
        async with at_a_time:
            ran = await hub.command(*words)
            assert ran.code == 0, ran

    await asyncio.gather(*map(give, commands))


async def _rows(dsn: str) -> list[tuple[str, str]]:
    """Every value of every table; bytes as they stand, sealed ones too, for they must not be readable."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        return [
            (f"table {table}, column {column}", _as_text(value))
            for (table,) in tables
            for row in await connection.fetch(f'SELECT * FROM "{table}"')
            for column, value in row.items()
            if value is not None
        ]
    finally:
        await connection.close()


def _as_text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _lines(folder: Path) -> list[tuple[str, str]]:
    """Every line that the hub and its worker logged."""
    return [
        (f"{path.name}, line {number}", line)
        for path in (folder / "serve.err", folder / "worker.err")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


def _opened(rows: list[tuple[str, str]]) -> list[str]:
    """What the sealed columns hold, for those who have the key."""
    sealer = Sealer(parse_keys(SEALING_KEY))
    return [
        sealer.open(text.encode("latin-1")).decode("utf-8", "replace")
        for place, text in rows
        if place.endswith(_SEALED) and text
    ]


def _shown(leaks: list[Leak]) -> str:
    return "\n".join(sorted({str(leak) for leak in leaks}))


async def test_nothing_secret_and_nothing_personal_can_be_read_anywhere_after_a_whole_journey(
    database_dsn: str, tmp_path: Path
) -> None:
    async with _journey(database_dsn, tmp_path) as journey:
        await _the_gateway_fails(journey)
        async with asyncio.TaskGroup() as group:
            for story in SIDE_BY_SIDE:
                group.create_task(story(journey))
        for story in ONE_BY_ONE:
            await story(journey)
        journey.plant_what_was_issued()
        await _everything_that_can_be_read(journey.hub)
        await _everything_at_the_command_line(journey.hub)
    rows, lines = await _rows(database_dsn), _lines(tmp_path)
    leaks = journey.canaries.leaks([*journey.hub.heard, *rows, *lines, *journey.spans.texts()])
    assert not leaks, _shown(leaks)
    assert {"webhook", "look up", "send journal", "bankone credit"} <= {s.name for s in journey.spans.spans}
    assert any(span.failed for span in journey.spans.spans)
    assert {"serve.err", "worker.err"} == {place.split(",")[0] for place, _ in lines}
    assert not journey.canaries.unseen(_opened(rows)) & KEPT_SEALED


# -- the scan bites ----------------------------------------------------------------------------------------


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], list[tuple[str, str]]]]:
    """`logged("json")`: the lines that our own logging writes while a test logs by it."""
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]

    def lines(log_format: str) -> list[tuple[str, str]]:
        logs.configure("debug", log_format)
        member = {"phone": PHONE, "name": f"{NAME} {SURNAME}"}
        try:
            raise ValueError(f"a fault while {len(member)} members were read")
        except ValueError:
            structlog.get_logger().exception("fault", reference="r-1")
        structlog.get_logger().info("called", phone=PHONE)
        logging.getLogger("a.library").debug("sent %s", {"email": EMAIL})
        return [(f"line {n}", line) for n, line in enumerate(capsys.readouterr().err.splitlines(), 1)]

    yield lines
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_canary_in_a_log_line_is_found_and_a_traceback_tells_no_values(
    logged: Callable[[str], list[tuple[str, str]]], log_format: str
) -> None:
    lines = logged(log_format)
    found = {leak.canary for leak in _personal_canaries().leaks(lines)}
    assert any("ValueError: a fault while 2 members were read" in line for _, line in lines)
    # The e-mail holds the first name; the surname was only in a variable of the function that failed.
    assert found == {"phone", "e-mail", "name"}


async def test_a_canary_in_any_row_is_found(database_dsn: str) -> None:
    token = secrets.token_hex(32)
    canaries = _personal_canaries()
    canaries.plant("a token", token)
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute(
            "INSERT INTO operator_actions (at, actor, action, subject, reason) VALUES (now(), 'a', 'b', 'c', $1)",
            f"she called from {PHONE[:8]} {PHONE[8:11]}-{PHONE[11:]}",
        )
        await connection.execute(
            "INSERT INTO breaks (type, once, subject, evidence, state, opened_at) "
            "VALUES ('x', 'y', 'z', $1, 'open', now())",
            json.dumps({"sent": base64.b64encode(f"id:{token}".encode()).decode()}),
        )
        await connection.execute(
            "INSERT INTO tokens (connection, sealed, updated_at) VALUES ('books', $1, now())", EMAIL.encode()
        )
    finally:
        await connection.close()
    leaks = canaries.leaks(await _rows(database_dsn))
    assert {(leak.place, leak.canary) for leak in leaks} == {
        ("table operator_actions, column reason", "phone"),
        ("table breaks, column evidence", "a token"),
        ("table tokens, column sealed", "e-mail"),
        ("table tokens, column sealed", "name"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "ZUWAIRA.CANARY.MAIL@COOP.EXAMPLE",
        quote(EMAIL),
        base64.b64encode(f"x{EMAIL}".encode()).decode(),
        EMAIL.encode().hex(),
        f"{ACCOUNT[:4]}-{ACCOUNT[4:7]} {ACCOUNT[7:]}",
        json.dumps({"a": [f"…{BVN}…"]}),
    ],
)
def test_a_canary_in_another_spelling_is_found(text: str) -> None:
    assert _personal_canaries().leaks([("here", text)])


def test_a_part_of_a_token_is_found() -> None:
    canaries, token = Canaries(), secrets.token_hex(32)
    canaries.plant("a token", token)
    assert canaries.leaks([("here", f"starts with {token[:20]}")])
    assert not canaries.leaks([("here", f"starts with {token[:8]}")])
