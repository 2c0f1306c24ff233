"""The Paystack simulator over HTTP, beside the vendor's own samples."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from rigs.answering import answering

from coopwire.providers.paystack.simulator import build
from coopwire.providers.paystack.simulator.account import Try
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.providers.paystack.simulator.vendor import Paystack
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

KEY = "sk_test_simulated"
SAMPLES = Path(__file__).parents[4] / "shared/specs/payments/paystack-doc-samples.json"
NAIRA = 100


@dataclass
class Gateway:
    """A running simulator, a merchant in front of it, and the merchant's webhook address."""

    simulator: Simulator[Paystack]
    url: str
    http: aiohttp.ClientSession
    heard: list[tuple[bytes, str]] = field(default_factory=list)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.url}{path}", params=query) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def open(self, reference: str, amount: int = 5000 * NAIRA, **more: object) -> Any:
        order = {"email": "payer@example.com", "amount": str(amount), "reference": reference, **more}
        status, told = await self.post("/transaction/initialize", order)
        assert status == 200
        return told["data"]

    async def pay(self, reference: str, **how: object) -> list[Any]:
        status, told = await self.post("/_sim/pay", {"reference": reference, **how})
        assert status == 200, told
        return list(told["charges"])

    async def verify(self, reference: str) -> Any:
        status, told = await self.get(f"/transaction/verify/{reference}")
        assert status == 200
        return told["data"]

    async def events(self) -> list[Any]:
        await self.simulator.backstage.idle()
        return [json.loads(body) for body, _ in self.heard]

    def set(self, **changes: str) -> None:
        self.simulator.vendor.configure(changes)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    simulator = build({})
    headers = {"Authorization": f"Bearer {KEY}"}
    async with running(simulator) as listening, aiohttp.ClientSession(headers=headers) as http:
        merchant = Gateway(simulator, listening.url, http)

        async def hear(request: web.Request) -> web.Response:
            merchant.heard.append((await request.read(), request.headers["x-paystack-signature"]))
            return web.Response()

        async with answering(hear) as server:
            merchant.set(webhook_url=f"{server}/hook")
            yield merchant


# What it answers


async def test_a_page_is_opened_and_unpaid_at_first(gateway: Gateway) -> None:
    told = await gateway.open("ref1")
    assert told["reference"] == "ref1"
    assert told["authorization_url"] == f"{gateway.url}/checkout/{told['access_code']}"
    charge = await gateway.verify("ref1")
    assert (charge["status"], charge["paid_at"], charge["fees"]) == ("abandoned", None, None)
    assert charge["id"] > 2**32


async def test_a_payment_is_verified_with_amount_fee_and_time(gateway: Gateway) -> None:
    await gateway.open("ref1", 5000 * NAIRA)
    await gateway.pay("ref1", channel="bank_transfer")
    charge = await gateway.verify("ref1")
    assert charge["status"] == "success"
    assert (charge["amount"], charge["requested_amount"], charge["fees"]) == (500_000, 500_000, 17_500)
    assert charge["channel"] == charge["authorization"]["channel"] == "bank_transfer"
    assert charge["paid_at"] == charge["paidAt"]
    assert charge["paid_at"].endswith("Z")
    assert charge["domain"] == "test"


@pytest.mark.parametrize("key", ["", "Bearer sk_test_other", KEY, "Basic c2s="])
@pytest.mark.parametrize("path", ["/transaction/verify/ref1", "/transaction/5100000001", "/transaction"])
async def test_a_wrong_key_is_refused(gateway: Gateway, path: str, key: str) -> None:
    await gateway.open("ref1")
    async with gateway.http.get(gateway.url + path, headers={"Authorization": key}) as answer:
        assert answer.status == 401
        assert (await answer.json())["message"] == "Invalid key"


async def test_the_key_can_be_refused_with_400_as_in_several_samples(gateway: Gateway) -> None:
    gateway.set(invalid_key_status="400", secret_key="sk_test_new")
    status, told = await gateway.get("/transaction/verify/ref1")
    assert (status, told["message"]) == (400, "Invalid key")


async def test_a_reference_can_be_used_once(gateway: Gateway) -> None:
    await gateway.open("ref1")
    status, told = await gateway.post(
        "/transaction/initialize", {"email": "a@example.com", "amount": 1, "reference": "ref1"}
    )
    assert (status, told["status"]) == (400, False)
    assert (told["message"], told["code"]) == ("Duplicate Transaction Reference", "duplicate_reference")


async def test_an_unknown_reference_is_told_positively(gateway: Gateway) -> None:
    status, told = await gateway.get("/transaction/verify/nothing")
    assert (status, told["code"]) == (400, "transaction_not_found")
    assert (await gateway.get("/transaction/17"))[0] == 400
    assert (await gateway.get("/transaction/x"))[0] == 400


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"amount": "100.50"}, "Invalid Amount Sent"),
        ({"amount": 100.5}, "Invalid Amount Sent"),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"amount": "-5"}, "Invalid Amount Sent"),
        ({"amount": True}, "Invalid Amount Sent"),
        ({"amount": None}, "Invalid Amount Sent"),
        ({"amount": "9" * 30}, "Invalid Amount Sent"),
        ({"email": "nobody"}, "Invalid Email Address Passed"),
        ({"email": None}, "Invalid Email Address Passed"),
        ({"reference": "with space"}, "Invalid transaction reference"),
        ({"reference": "under_score"}, "Invalid transaction reference"),
        ({"reference": 12}, "Invalid transaction reference"),
        ({"currency": "USD"}, "Currency not supported by merchant"),
    ],
)
async def test_a_bad_order_is_refused_and_opens_nothing(
    gateway: Gateway, wrong: dict[str, object], message: str
) -> None:
    order = {"email": "a@example.com", "amount": 100, "reference": "ref1", **wrong}
    status, told = await gateway.post("/transaction/initialize", order)
    assert (status, told["message"]) == (400, message)
    assert gateway.simulator.vendor.truth()["pages"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"null"])
async def test_a_body_that_is_no_object_is_refused(gateway: Gateway, body: bytes) -> None:
    async with gateway.http.post(f"{gateway.url}/transaction/initialize", data=body) as answer:
        assert answer.status == 400


async def test_an_order_may_come_as_a_form_and_without_reference(gateway: Gateway) -> None:
    form = {"email": "a@example.com", "amount": "700"}
    async with gateway.http.post(f"{gateway.url}/transaction/initialize", data=form) as answer:
        told = await answer.json()
    assert (await gateway.verify(told["data"]["reference"]))["amount"] == 700


# What customers do


async def test_a_page_paid_twice_is_two_charges_and_verify_tells_the_first(gateway: Gateway) -> None:
    await gateway.open("ref1")
    first, second = await gateway.pay("ref1", times=2)
    assert first["id"] != second["id"]
    assert (await gateway.verify("ref1"))["id"] == first["id"]
    status, told = await gateway.get(f"/transaction/{second['id']}")
    assert (status, told["data"]["status"], told["data"]["reference"]) == (200, "success", "ref1")
    assert [event["data"]["id"] for event in await gateway.events()] == [first["id"], second["id"]]
    _, listed = await gateway.get("/transaction")
    assert [row["id"] for row in listed["data"]] == [second["id"], first["id"]]


@pytest.mark.parametrize("before", ["failed", "abandoned", "processing"])
async def test_a_customer_may_try_again_on_the_same_charge(gateway: Gateway, before: str) -> None:
    await gateway.open("ref1")
    (first,) = await gateway.pay("ref1", outcome=before, reason="Insufficient Funds")
    assert (await gateway.verify("ref1"))["gateway_response"] == "Insufficient Funds"
    (second,) = await gateway.pay("ref1")
    assert (first["id"], second["status"]) == (second["id"], "success")
    assert (await gateway.verify("ref1"))["log"]["attempts"] == 2


async def test_only_a_success_sends_a_webhook(gateway: Gateway) -> None:
    await gateway.open("ref1")
    for outcome in ("failed", "ongoing", "abandoned"):
        await gateway.pay("ref1", outcome=outcome)
    assert await gateway.events() == []


async def test_a_status_word_never_seen_before_moves_no_money(gateway: Gateway) -> None:
    await gateway.open("ref1")
    await gateway.pay("ref1", outcome="almost_there")
    charge = await gateway.verify("ref1")
    assert (charge["status"], charge["paid_at"]) == ("almost_there", None)


async def test_a_failed_second_try_leaves_the_first_payment_as_it_was(gateway: Gateway) -> None:
    await gateway.open("ref1")
    await gateway.pay("ref1")
    await gateway.pay("ref1", outcome="failed")
    assert (await gateway.verify("ref1"))["status"] == "success"


async def test_a_reversal_is_told_by_verify(gateway: Gateway) -> None:
    await gateway.open("ref1")
    await gateway.pay("ref1")
    await gateway.pay("ref1", outcome="reversed")
    assert (await gateway.verify("ref1"))["status"] == "reversed"


async def test_a_customer_can_pay_another_sum_currency_or_mode(gateway: Gateway) -> None:
    await gateway.open("ref1", 5000 * NAIRA)
    await gateway.pay("ref1", amount=100, currency="USD", domain="live", paid_at="2026-11-20T23:59:59+01:00")
    charge = await gateway.verify("ref1")
    assert (charge["amount"], charge["requested_amount"]) == (100, 500_000)
    assert (charge["currency"], charge["domain"]) == ("USD", "live")
    assert charge["paid_at"] == "2026-11-20T22:59:59.000Z"


async def test_a_customer_who_bears_the_fee_pays_it_on_top(gateway: Gateway) -> None:
    await gateway.open("ref1", 5000 * NAIRA, bearer="customer")
    await gateway.pay("ref1")
    charge = await gateway.verify("ref1")
    assert charge["requested_amount"] == 500_000
    assert charge["amount"] - charge["fees"] == 500_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "nothing"},
        {"reference": "ref1", "outcome": "SUCCESS!"},
        {"reference": "ref1", "amount": "100"},
        {"reference": "ref1", "paid_at": "2026-11-20"},
        {"reference": "ref1", "amuont": 3},
        {},
    ],
)
async def test_a_control_call_that_makes_no_sense_is_refused(
    gateway: Gateway, wrong: dict[str, object]
) -> None:
    await gateway.open("ref1")
    status, told = await gateway.post("/_sim/pay", wrong)
    assert (status, bool(told["error"])) == (400, True)


# Fees


@pytest.mark.parametrize(
    ("naira", "fee_kobo"),
    [(100, 150), (2499, 3749), (2500, 13_750), (5000, 17_500), (126_666, 199_999), (1_000_000, 200_000)],
)
def test_the_nigerian_local_fee(naira: int, fee_kobo: int) -> None:
    assert PaystackSettings().fee(naira * NAIRA) == fee_kobo


@given(st.integers(1, 10**10))
def test_a_customer_who_bears_the_fee_leaves_the_lender_with_what_was_asked(asked: int) -> None:
    settings = PaystackSettings()
    gross = settings.grossed_up(asked)
    assert gross - settings.fee(gross) >= asked
    assert gross - asked <= settings.fee_cap


async def test_the_fee_may_be_unknown_before_the_settlement(gateway: Gateway) -> None:
    gateway.set(fees="null", tell_requested="no")
    await gateway.open("ref1")
    await gateway.pay("ref1")
    charge = await gateway.verify("ref1")
    assert (charge["fees"], charge["requested_amount"]) == (None, None)


# Lists


async def listed_ids(gateway: Gateway, **query: str) -> list[int]:
    status, told = await gateway.get("/transaction", **query)
    assert status == 200
    return [row["id"] for row in told["data"]]


async def test_numbered_pages_tell_every_charge_once_newest_first(gateway: Gateway) -> None:
    for number in range(5):
        await gateway.open(f"ref{number}", 100 + number)
    seen = []
    for page in ("1", "2", "3"):
        _, told = await gateway.get("/transaction", perPage="2", page=page)
        seen += [row["reference"] for row in told["data"]]
    assert seen == ["ref4", "ref3", "ref2", "ref1", "ref0"]
    assert told["meta"] == {
        "total": 5,
        "total_volume": 510,
        "skipped": 4,
        "perPage": 2,
        "page": 3,
        "pageCount": 3,
    }


@pytest.mark.parametrize(("end", "mark"), [("null", None), ("text", "null")])
async def test_a_cursor_leads_through_pages_although_new_charges_arrive(
    gateway: Gateway, end: str, mark: str | None
) -> None:
    gateway.set(cursor_end=end)
    for number in range(4):
        await gateway.open(f"ref{number}")
    _, first = await gateway.get("/transaction", use_cursor="true", perPage="2")
    await gateway.open("ref-new")
    _, second = await gateway.get("/transaction", use_cursor="true", perPage="2", next=first["meta"]["next"])
    rows = [row["reference"] for row in first["data"] + second["data"]]
    assert rows == ["ref3", "ref2", "ref1", "ref0"]
    assert second["meta"]["next"] == mark


async def test_a_list_is_narrowed_by_creation_and_status(gateway: Gateway) -> None:
    await gateway.open("old")
    gateway.simulator.clock.advance(86_400)
    middle = gateway.simulator.clock.now() - timedelta(hours=12)
    await gateway.open("new")
    (paid,) = await gateway.pay("old")
    stamp = middle.isoformat()
    assert await listed_ids(gateway, to=stamp) == [paid["id"]]
    assert await listed_ids(gateway, **{"from": stamp}) != [paid["id"]]
    assert await listed_ids(gateway, status="success") == [paid["id"]]
    assert await listed_ids(gateway, status="failed") == []
    assert len(await listed_ids(gateway, **{"from": "2020-01-01"})) == 2


@pytest.mark.parametrize("query", [{"page": "0"}, {"perPage": "x"}, {"from": "yesterday"}, {"next": "%"}])
async def test_a_list_that_cannot_be_understood_is_refused(gateway: Gateway, query: dict[str, str]) -> None:
    status, told = await gateway.get("/transaction", use_cursor=("next" in query and "true") or "", **query)
    assert (status, told["status"]) == (400, False)


async def test_a_page_is_never_larger_than_they_allow(gateway: Gateway) -> None:
    _, told = await gateway.get("/transaction", perPage="5000")
    assert told["meta"]["perPage"] == 100


# Metadata


@pytest.mark.parametrize(
    ("echo", "told"),
    [
        ("object", {"loan": "LN-1"}),
        ("text", '{"loan": "LN-1"}'),
        ("empty", ""),
        ("null", None),
        ("zero", 0),
    ],
)
@pytest.mark.parametrize("sent", [{"loan": "LN-1"}, '{"loan": "LN-1"}'])
async def test_metadata_comes_back_in_every_documented_shape(
    gateway: Gateway, echo: str, told: object, sent: object
) -> None:
    gateway.set(metadata_echo=echo)
    await gateway.open("ref1", metadata=sent)
    assert (await gateway.verify("ref1"))["metadata"] == told


# Webhooks


async def test_a_webhook_is_signed_over_its_raw_bytes(gateway: Gateway) -> None:
    await gateway.open("ref1")
    await gateway.pay("ref1")
    (event,) = await gateway.events()
    ((body, signature),) = gateway.heard
    assert signature == hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()
    assert event["event"] == "charge.success"
    verified = await gateway.verify("ref1")
    assert all(event["data"][name] == verified[name] for name in ("id", "amount", "status", "paid_at"))


async def test_a_forged_webhook_names_a_payment_that_never_was(gateway: Gateway) -> None:
    await gateway.open("ref1")
    for reference in ("ref1", "unheard-of"):
        await gateway.post("/_sim/forge", {"reference": reference, "amount": 77})
    events = await gateway.events()
    assert sorted(event["data"]["reference"] for event in events) == ["ref1", "unheard-of"]
    for body, signature in gateway.heard:
        assert signature != hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()
    assert (await gateway.verify("ref1"))["status"] == "abandoned"
    assert (await gateway.get(f"/transaction/{events[0]['data']['id']}"))[0] == 400


async def test_a_webhook_can_be_sent_again_and_any_event_can_be_told(gateway: Gateway) -> None:
    await gateway.open("ref1")
    assert (await gateway.post("/_sim/resend", {"reference": "ref1"}))[0] == 400
    await gateway.pay("ref1")
    await gateway.post("/_sim/resend", {"reference": "ref1"})
    await gateway.post("/_sim/notify", {"event": "bank.transfer.rejected", "data": {"x": 1}})
    events = [event["event"] for event in await gateway.events()]
    assert sorted(events) == ["bank.transfer.rejected", "charge.success", "charge.success"]


@pytest.mark.parametrize(
    ("kind", "heard"), [("duplicate", 2), ("missing", 0), ("forged", 2), ("delayed", 1), ("out_of_order", 1)]
)
async def test_webhooks_are_misdelivered_on_command(gateway: Gateway, kind: str, heard: int) -> None:
    gateway.simulator.faults.add("webhook", kind, match="ref1")
    await gateway.open("ref1")
    await gateway.pay("ref1")
    gateway.simulator.clock.advance(60)
    assert len(await gateway.events()) == heard


async def test_without_an_address_nothing_is_sent(gateway: Gateway) -> None:
    gateway.set(webhook_url="")
    await gateway.open("ref1")
    await gateway.pay("ref1")
    assert await gateway.post("/_sim/forge", {"reference": "ref1"}) == (200, {"sent": False})
    assert await gateway.events() == []


# The hosted page


async def test_somebody_can_click_through_the_page_and_comes_back(gateway: Gateway) -> None:
    told = await gateway.open("ref1", callback_url="https://lender.example/back?x=1")
    async with gateway.http.get(told["authorization_url"]) as page:
        text = await page.text()
    assert "NGN 5,000.00" in text
    assert 'method="post"' in text
    async with gateway.http.post(
        told["authorization_url"], data={"outcome": "success"}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "https://lender.example/back?x=1&trxref=ref1&reference=ref1"
    assert (await gateway.verify("ref1"))["status"] == "success"
    assert len(await gateway.events()) == 1


async def test_a_page_that_does_not_exist_cannot_be_paid(gateway: Gateway) -> None:
    for method in ("GET", "POST"):
        async with gateway.http.request(method, f"{gateway.url}/checkout/none") as answer:
            assert answer.status == 404


# Faults in Paystack's words


async def test_an_initialize_can_be_declined(gateway: Gateway) -> None:
    gateway.simulator.faults.add("initialize_transaction", "decline", params={"message": "Not today"})
    status, told = await gateway.post("/transaction/initialize", {"email": "a@example.com", "amount": 1})
    assert (status, told["status"], told["message"]) == (400, False, "Not today")


async def test_a_look_up_can_tell_a_wrong_amount(gateway: Gateway) -> None:
    await gateway.open("ref1", 500)
    gateway.simulator.faults.add("verify_transaction", "wrong_amount", params={"delta": -1})
    gateway.simulator.faults.add("list_transactions", "wrong_amount", params={"delta": 7})
    wrong = await gateway.verify("ref1")
    assert (wrong["amount"], wrong["requested_amount"]) == (499, 499)
    _, listed = await gateway.get("/transaction")
    assert listed["data"][0]["amount"] == 507
    assert (await gateway.verify("ref1"))["amount"] == 500


async def test_a_key_can_stop_being_valid(gateway: Gateway) -> None:
    gateway.simulator.faults.add("*", "token_expired")
    assert (await gateway.get("/transaction"))[0] == 401
    assert (await gateway.get("/transaction"))[0] == 200


async def test_http_errors_have_their_envelope(gateway: Gateway) -> None:
    gateway.simulator.faults.add("list_transactions", "http_503")
    status, told = await gateway.get("/transaction")
    assert (status, told["status"]) == (503, False)


# State


async def test_the_truth_is_told_and_forgotten(gateway: Gateway) -> None:
    await gateway.open("ref1", 300)
    await gateway.open("ref2", 400)
    await gateway.pay("ref1", times=2)
    truth = gateway.simulator.vendor.truth()
    assert truth["paid_minor"] == {"NGN": 600}
    assert len(truth["charges"]) == 3  # type: ignore[arg-type]
    await gateway.post("/_sim/reset", {})
    assert gateway.simulator.vendor.truth() == {
        "charges": [],
        "accounts": [],
        "mandates": [],
        "pages": [],
        "paid_minor": {},
        "refunds": [],
        "refunded_minor": {},
        "settlements": [],
        "disputes": [],
        "recipients": 0,
        "transfers": [],
        "paid_out_minor": {},
        "balance_minor": {"NGN": 10_000_000_000},
    }


async def test_it_works_in_process_too(gateway: Gateway) -> None:
    await gateway.open("ref1")
    charge = gateway.simulator.vendor.pay("ref1", Try("failed"))
    assert charge.status == "failed"


async def test_no_secret_is_shown(gateway: Gateway) -> None:
    opened = await gateway.open("ref1")
    async with gateway.http.get(opened["authorization_url"]):
        pass
    for path in ("requests", "settings", "state", "webhooks"):
        _, told = await gateway.get(f"/_sim/{path}")
        assert KEY not in json.dumps(told)
        assert opened["access_code"] not in json.dumps(told)


@pytest.mark.parametrize("wrong", [{"mode": "prod"}, {"fees": "some"}, {"bearer": "me"}, {"perpage": "3"}])
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        build(wrong)


async def test_many_calls_at_once_are_all_answered_rightly(gateway: Gateway) -> None:
    await asyncio.gather(*(gateway.open(f"ref{number}") for number in range(200)))
    charges = await asyncio.gather(*(gateway.verify(f"ref{number}") for number in range(200)))
    assert len({charge["id"] for charge in charges}) == 200


# The vendor's own samples


def sample(name: str) -> Any:
    if not SAMPLES.exists():
        pytest.skip("the vendor's samples are not beside the repository")
    return json.loads(SAMPLES.read_text())[name]


def kind(value: object) -> str:
    return "number" if isinstance(value, int) and not isinstance(value, bool) else type(value).__name__


def assert_same_shape(ours: dict[str, Any], theirs: dict[str, Any], loose: frozenset[str]) -> None:
    """The same members; where both are told, of the same kind. `loose`: documented in several shapes."""
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - loose:
        if ours[name] is not None and theirs[name] is not None:
            assert kind(ours[name]) == kind(theirs[name]), name


LOOSE = frozenset({"metadata", "plan"})


async def test_verify_fetch_list_and_initialize_have_the_documented_shape(gateway: Gateway) -> None:
    opened = await gateway.open("ref1")
    assert_same_shape(
        opened, sample("api/transactions/initialize/response.json")["200"]["data"]["data"], LOOSE
    )
    (paid,) = await gateway.pay("ref1")
    _, fetched = await gateway.get(f"/transaction/{paid['id']}")
    _, listed = await gateway.get("/transaction", use_cursor="true", perPage="50")
    for name, ours in (
        ("verify", await gateway.verify("ref1")),
        ("fetch", fetched["data"]),
        ("list", listed["data"][0]),
    ):
        theirs = sample(f"api/transactions/{name}/response.json")["200"]["data"]["data"]
        theirs = theirs[0] if isinstance(theirs, list) else theirs
        assert_same_shape(ours, theirs, LOOSE)
        assert_same_shape(ours["authorization"], theirs["authorization"], LOOSE)
        assert_same_shape(ours["log"], theirs["log"], LOOSE)
        assert theirs["customer"].keys() <= ours["customer"].keys()
    theirs = sample("api/transactions/list/response.json")["200"]["data"]
    assert_same_shape(listed["meta"], theirs["meta"], LOOSE)


async def test_a_webhook_has_at_least_the_documented_members(gateway: Gateway) -> None:
    theirs = sample("doc/payments/webhooks/events/transaction-successful.json")
    await gateway.open("ref1")
    await gateway.pay("ref1")
    (event,) = await gateway.events()
    assert event.keys() == theirs.keys()
    assert theirs["data"].keys() <= event["data"].keys()
