"""The Flutterwave simulator spoken to by hand, as a developer of a loan system would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from coopwire.conformance.mailbox import Mailbox, mailbox
from coopwire.providers.flutterwave.simulator import build
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

KEY = {"Authorization": "Bearer FLWSECK_TEST-simulated-X"}
ORDER = {"tx_ref": "ref1", "amount": "1500.5", "currency": "NGN", "customer": {"email": "m@example.com"}}


@dataclass
class Gateway:
    """A running simulator, a client and a mailbox for its webhooks."""

    simulator: Simulator[Any]
    url: str
    http: aiohttp.ClientSession
    mail: Mailbox

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        async with self.http.request(
            method, f"{self.url}/v3{path}", json=body, headers=headers or KEY
        ) as answer:
            return answer.status, json.loads(await answer.read(), parse_float=Decimal)

    async def opened(self, **changes: object) -> str:
        status, told = await self.call("POST", "/payments", {**ORDER, **changes})
        assert (status, told["status"]) == (200, "success")
        link: str = told["data"]["link"]
        return link

    def control(self, name: str, **words: object) -> Any:
        return self.simulator.vendor.controls[name](Given(words))

    def set(self, **words: str) -> None:
        self.simulator.vendor.configure(words)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        mail = await stack.enter_async_context(mailbox())
        simulator = build({"webhook_url": mail.url, "currencies": "NGN,XOF", "refund_ends": "stays"})
        listening = await stack.enter_async_context(running(simulator))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Gateway(simulator, listening.url, http, mail)


async def test_a_page_has_a_link_and_no_transaction_until_a_customer_begins(gateway: Gateway) -> None:
    await gateway.opened()
    absent = (400, "No transaction was found for this id")
    status, told = await gateway.call("GET", "/transactions/verify_by_reference?tx_ref=ref1")
    assert (status, told["message"]) == absent
    gateway.control("begin", reference="ref1")
    status, told = await gateway.call("GET", "/transactions/verify_by_reference?tx_ref=ref1")
    assert (status, told["data"]["status"], told["data"]["app_fee"]) == (200, "pending", None)


async def test_amounts_are_exact_major_units_and_the_fee_has_thousandths(gateway: Gateway) -> None:
    await gateway.opened(amount="1919.65")
    gateway.control("pay", reference="ref1")
    _, told = await gateway.call("GET", "/transactions/verify_by_reference?tx_ref=ref1")
    data = told["data"]
    assert (data["amount"], data["charged_amount"]) == (Decimal("1919.65"), Decimal("1919.65"))
    assert (data["app_fee"], data["amount_settled"]) == (Decimal("26.875"), Decimal("1892.77"))


async def test_a_reference_may_be_used_again_and_each_try_is_a_transaction(gateway: Gateway) -> None:
    assert await gateway.opened() != await gateway.opened()
    for outcome in ("failed", "successful", "successful"):
        gateway.control("pay", reference="ref1", outcome=outcome)
    _, told = await gateway.call("GET", "/transactions?tx_ref=ref1")
    assert [row["status"] for row in told["data"]] == ["successful", "successful", "failed"]
    assert len({row["id"] for row in told["data"]}) == 3


async def test_a_list_has_ten_rows_a_page_newest_first_and_can_be_narrowed(gateway: Gateway) -> None:
    await gateway.opened()
    await gateway.opened(tx_ref="ref2", currency="XOF", amount=500)
    gateway.control("pay", reference="ref1", times=21)
    gateway.control("pay", reference="ref2", outcome="failed")
    _, first = await gateway.call("GET", "/transactions")
    assert first["meta"]["page_info"] == {"total": 22, "current_page": 1, "total_pages": 3}
    assert (len(first["data"]), first["data"][0]["tx_ref"]) == (10, "ref2")
    _, last = await gateway.call("GET", "/transactions?page=3")
    assert len(last["data"]) == 2
    for query in ("tx_ref=ref2", "status=failed", "currency=XOF"):
        _, told = await gateway.call("GET", f"/transactions?{query}")
        assert told["meta"]["page_info"]["total"] == 1
    _, told = await gateway.call("GET", "/transactions?from=2000-01-01&to=2000-01-02")
    assert told["data"] == []


async def test_success_and_failure_are_both_told_as_completed(gateway: Gateway) -> None:
    await gateway.opened()
    for outcome in ("failed", "successful"):
        gateway.control("pay", reference="ref1", outcome=outcome)
        mail = await gateway.mail.next()
        told = json.loads(mail.body)
        assert (told["event"], told["data"]["status"]) == ("charge.completed", outcome)
        assert mail.headers["verif-hash"] == "simulated-secret-hash"


async def test_metadata_is_told_beside_the_data_and_only_when_it_is_switched_on(gateway: Gateway) -> None:
    await gateway.opened(meta={"loan": "L-1"})
    gateway.control("pay", reference="ref1")
    assert "meta_data" not in json.loads((await gateway.mail.next()).body)
    gateway.set(tell_meta="true")
    gateway.control("pay", reference="ref1")
    assert json.loads((await gateway.mail.next()).body)["meta_data"] == {"loan": "L-1"}


async def test_deposits_repeat_the_reference_under_new_ids(gateway: Gateway) -> None:
    ids = []
    for amount in (100, 200):
        gateway.control("deposit", reference="static", amount=amount)
        told = json.loads((await gateway.mail.next()).body)
        assert told["event.type"] == "BANK_TRANSFER_TRANSACTION"
        assert "originatorname" in told["meta_data"]
        ids.append((told["data"]["tx_ref"], told["data"]["id"]))
    assert [ref for ref, _ in ids] == ["static", "static"]
    assert ids[0] != ids[1]


async def test_a_webhook_can_be_asked_for_again(gateway: Gateway) -> None:
    await gateway.opened()
    charge = gateway.control("pay", reference="ref1")["charges"][0]["id"]
    first = await gateway.mail.next()
    status, told = await gateway.call("POST", f"/transactions/{charge}/resend-hook")
    assert (status, told["data"]) == (200, "hook sent")
    gateway.control("resend", reference="ref1", id=charge)
    assert [(await gateway.mail.next()).body for _ in range(2)] == [first.body] * 2
    status, told = await gateway.call("POST", "/transactions/1/resend-hook")
    assert (status, told["message"]) == (400, "no hook data found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"tx_ref": ""},
        {"amount": 0},
        {"amount": "1.005"},
        {"amount": "much"},
        {"amount": True},
        {"currency": "USD"},
        {"customer": {}},
        {"customer": {"email": "nobody"}},
    ],
)
async def test_a_bad_order_is_refused_and_opens_nothing(gateway: Gateway, wrong: dict[str, object]) -> None:
    status, told = await gateway.call("POST", "/payments", {**ORDER, **wrong})
    assert (status, told["status"], told["data"]) == (400, "error", None)
    assert gateway.simulator.vendor.truth()["pages"] == []


async def test_a_key_is_needed_and_must_be_right(gateway: Gateway) -> None:
    status, told = await gateway.call("GET", "/transactions", None, Accept="application/json")
    assert (status, told["message"]) == (401, "Authorization required")
    status, told = await gateway.call("GET", "/transactions", None, Authorization="Bearer other")
    assert (status, told["message"]) == (401, "Invalid authorization key")


async def test_refunds_are_refused_under_http_200_and_the_transaction_stays_successful(
    gateway: Gateway,
) -> None:
    await gateway.opened()
    charge = gateway.control("pay", reference="ref1")["charges"][0]["id"]
    path = f"/transactions/{charge}/refund"
    status, told = await gateway.call("POST", path, {"amount": 500})
    assert (status, told["data"]["tx_id"], told["data"]["amount_refunded"]) == (200, charge, 500)
    for bad in (path, "/transactions/1/refund"):
        status, told = await gateway.call("POST", bad, {"amount": 1001})
        assert (status, told["status"]) == (200, "error")
    status, told = await gateway.call("POST", path)
    assert told["data"]["amount_refunded"] == Decimal("1000.5")
    _, told = await gateway.call("GET", f"/transactions/{charge}/verify")
    assert told["data"]["status"] == "successful"
    _, told = await gateway.call("GET", "/refunds")
    assert [row["transaction_id"] for row in told["data"]] == [charge, charge]
    assert isinstance(json.loads(told["data"][0]["meta"]), dict)


async def test_a_failed_refund_takes_nothing(gateway: Gateway) -> None:
    await gateway.opened()
    gateway.control("pay", reference="ref1")
    refund = gateway.control("dashboard_refund", reference="ref1")["refund"]["id"]
    with pytest.raises(ControlError, match="Already Refunded"):
        gateway.control("dashboard_refund", reference="ref1", amount=1)
    gateway.control("refund", id=refund, status="failed")
    gateway.control("dashboard_refund", reference="ref1", amount=150_050)
    assert gateway.simulator.vendor.truth()["refunded_minor"] == {"NGN": 150_050}


async def test_somebody_can_click_through_the_page_and_comes_back(gateway: Gateway) -> None:
    link = await gateway.opened(redirect_url="https://lender.example/back?a=1")
    async with gateway.http.get(link) as page:
        assert "Pay 1,500.50 NGN" in await page.text()
    async with gateway.http.post(link, data={"outcome": "failed"}, allow_redirects=False) as answer:
        assert answer.status == 303
        where = answer.headers["Location"]
    assert where.startswith("https://lender.example/back?a=1&status=failed&tx_ref=ref1&transaction_id=")
    async with gateway.http.get(f"{link}x") as page:
        assert page.status == 404


async def test_a_customer_who_bears_the_fee_pays_it_on_top(gateway: Gateway) -> None:
    gateway.set(bearer="customer")
    await gateway.opened(amount=1000)
    gateway.control("pay", reference="ref1")
    _, told = await gateway.call("GET", "/transactions/verify_by_reference?tx_ref=ref1")
    data = told["data"]
    assert (data["amount"], data["charged_amount"], data["app_fee"]) == (1000, 1014, 14)
    assert data["amount_settled"] == 1000


async def test_a_read_can_tell_a_wrong_amount_and_a_key_can_stop_being_valid(gateway: Gateway) -> None:
    await gateway.opened()
    gateway.control("pay", reference="ref1")
    gateway.simulator.faults.add("list_transactions", "wrong_amount", params={"delta": -1})
    _, told = await gateway.call("GET", "/transactions")
    assert told["data"][0]["amount"] == Decimal("1500.49")
    gateway.simulator.faults.add("list_transactions", "token_expired")
    status, _ = await gateway.call("GET", "/transactions")
    assert status == 401


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pay", {"reference": "nobody"}),
        ("pay", {"reference": "ref1", "outcome": "two words"}),
        ("pay", {"reference": "ref1", "colour": "red"}),
        ("begin", {"reference": "nobody"}),
        ("resend", {"reference": "ref1"}),
        ("refund", {"id": 1}),
        ("dashboard_refund", {"reference": "nobody"}),
    ],
)
async def test_a_control_call_that_makes_no_sense_is_refused(
    gateway: Gateway, name: str, words: dict[str, object]
) -> None:
    await gateway.opened()
    with pytest.raises(ControlError):
        gateway.control(name, **words)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "real"},
        {"webhook_form": "v5"},
        {"webhook_signature": "none"},
        {"bearer": "bank"},
        {"fees": "some"},
        {"reference_answers": "any"},
        {"list_ids": "roman"},
        {"refund_ends": "soon"},
        {"fee_percent": "much"},
        {"colour": "red"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        build(wrong)


def test_the_fee_is_capped() -> None:
    assert FlutterwaveSettings().fee(100_000_000, "NGN") == 2000


async def test_no_secret_is_shown_and_everything_can_be_forgotten(gateway: Gateway) -> None:
    link = await gateway.opened()
    gateway.control("pay", reference="ref1")
    shown = json.dumps(dict(gateway.simulator.vendor.shown_settings()))
    assert "FLWSECK" not in shown
    assert "simulated-secret-hash" not in shown
    async with gateway.http.get(f"{gateway.url}/_sim/requests") as answer:
        record = await answer.text()
    assert "FLWSECK" not in record
    assert link.rpartition("/")[2] not in record
    gateway.simulator.vendor.reset()
    assert gateway.simulator.vendor.truth()["charges"] == []
