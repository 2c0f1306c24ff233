"""The loan system simulator over HTTP: Standard Webhooks in, signed allocations out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.providers.lms.simulator import Due, Ledger, LmsSettings, LoanSystem, build
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

SECRET = "whsec_" + base64.b64encode(b"a simulated lender's secret").decode()
MEMBERS = {
    "members": [
        {
            "reference": "M-1",
            "loans": [
                {
                    "reference": "LN-1",
                    "dues": [
                        {"id": "p1", "component": "principal", "amount_minor": 4000, "due_on": "2026-10-01"},
                        {"id": "i1", "component": "interest", "amount_minor": 1000, "due_on": "2026-10-01"},
                        {"id": "i2", "component": "interest", "amount_minor": 900, "due_on": "2026-11-01"},
                        {"id": "f1", "component": "penalty", "amount_minor": 150, "due_on": "2026-10-01"},
                    ],
                }
            ],
        }
    ]
}


def signature(message_id: str, timestamp: str, body: bytes, secret: str = SECRET) -> str:
    """As https://www.standardwebhooks.com writes it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True)
class Reply:
    """What came back, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[tuple[str, int, str | None]]:
        return [(one["component"], one["amount_minor"], one["due"]) for one in self.json()["allocations"]]

    def total(self) -> int:
        return sum(amount for _, amount, _ in self.lines())

    def signed(self) -> bool:
        """Whether a hub would believe it."""
        told = self.headers
        return told.get("webhook-signature") == signature(
            told.get("webhook-id", ""), told.get("webhook-timestamp", ""), self.body
        )


@dataclass
class Lender:
    """A running simulator and a hub in front of it."""

    simulator: Simulator[LoanSystem]
    url: str
    http: aiohttp.ClientSession

    async def tell(self, payload: object, message_id: str = "msg1", age: int = 0, **headers: str) -> Reply:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        told_at = str(int(self.simulator.clock.now().timestamp()) - age)
        sent = {
            "webhook-id": message_id,
            "webhook-timestamp": told_at,
            "webhook-signature": signature(message_id, told_at, body),
            **{name.replace("_", "-"): word for name, word in headers.items()},
        }
        async with self.http.post(f"{self.url}/callbacks", data=body, headers=sent) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def load(self, members: object) -> int:
        async with self.http.post(f"{self.url}/_sim/members", json=members) as answer:
            return answer.status

    @property
    def truth(self) -> Any:
        return self.simulator.vendor.truth()

    def left(self) -> dict[str, int]:
        return {
            due["id"]: due["left_minor"]
            for member in self.truth["members"]
            for loan in member["loans"]
            for due in loan["dues"]
        }


@pytest.fixture
async def lender() -> AsyncIterator[Lender]:
    simulator = build({})
    async with running(simulator) as listening, aiohttp.ClientSession() as http:
        one = Lender(simulator, listening.url, http)
        assert await one.load(MEMBERS) == 200
        yield one


def asking(receipt: str = "r1", value: int = 2000, **more: object) -> dict[str, Any]:
    facts = {"receipt": receipt, "value_minor": value, "kind": "loan_repayment", "loan": "LN-1", **more}
    return {"type": "receipt.recorded", "allocation": "requested", "data": facts}


# Allocation


async def test_a_receipt_is_allocated_by_the_waterfall_and_the_answer_is_signed(lender: Lender) -> None:
    answer = await lender.tell(asking(value=2000))
    assert answer.status == 200
    assert answer.json()["receipt"] == "r1"
    assert answer.lines() == [("penalty", 150, "f1"), ("interest", 1000, "i1"), ("interest", 850, "i2")]
    assert answer.headers["webhook-id"] == "msg1"
    assert answer.signed()
    assert lender.left() == {"p1": 4000, "i1": 0, "i2": 50, "f1": 0}


async def test_what_is_too_much_is_an_overpayment_and_no_due_is_paid_twice(lender: Lender) -> None:
    await lender.tell(asking("r1", 6000), "msg1")
    answer = await lender.tell(asking("r2", 1000), "msg2")
    assert answer.lines() == [("principal", 50, "p1"), ("overpayment", 950, None)]


@pytest.mark.parametrize(
    ("facts", "component"),
    [
        ({"kind": "savings"}, "savings"),
        ({"kind": "shares"}, "shares"),
        ({"kind": "fee"}, "fees"),
        ({"loan": "LN-9"}, "suspense"),
        ({"loan": None, "kind": None}, "suspense"),
    ],
)
async def test_the_whole_goes_where_it_belongs(lender: Lender, facts: dict[str, Any], component: str) -> None:
    assert (await lender.tell(asking(**facts))).lines() == [(component, 2000, None)]


async def test_another_lender_has_another_waterfall(lender: Lender) -> None:
    lender.simulator.vendor.configure({"waterfall": "principal,interest,fees,penalty"})
    assert (await lender.tell(asking(value=100))).lines() == [("principal", 100, "p1")]


@given(st.lists(st.integers(1, 5000), max_size=8))
def test_every_minor_unit_is_allocated_once(values: list[int]) -> None:
    ledger = Ledger()
    ledger.load("LN", [Due("a", "interest", date(2026, 1, 1), 3000, 3000)])
    for number, value in enumerate(values):
        told = ledger.allocate(f"r{number}", {"value_minor": value, "loan": "LN"}, LmsSettings().order())
        assert sum(line["amount_minor"] for line in told) == value
        assert all(line["amount_minor"] > 0 for line in told)
    assert ledger.loans["LN"][0].left_minor == max(3000 - sum(values), 0)


async def test_the_same_message_is_answered_again_and_counts_once(lender: Lender) -> None:
    first = await lender.tell(asking())
    second = await lender.tell(asking())
    assert first.body == second.body
    assert second.signed()
    assert lender.left()["i1"] == 0
    assert lender.truth["callbacks"] == [
        {"id": "msg1", "type": "receipt.recorded", "receipt": "r1", "times": 2}
    ]
    assert [one.outcome for one in lender.simulator.record.entries()] == ["accepted", "repeated"]


async def test_the_same_receipt_under_another_message_gets_the_same_allocation(lender: Lender) -> None:
    first = await lender.tell(asking(), "msg1")
    second = await lender.tell(asking(), "msg2")
    assert first.lines() == second.lines()
    assert lender.left()["i2"] == 50


async def test_an_allocation_that_the_hub_decided_is_taken_over(lender: Lender) -> None:
    decided = [{"component": "principal", "amount_minor": 700, "due": "p1"}]
    payload = {
        "type": "receipt.recorded",
        "allocation": "decided",
        "data": {"receipt": "r1", "allocation": decided},
    }
    answer = await lender.tell(payload)
    assert answer.json() == {"receipt": "r1"}
    assert answer.signed()
    assert lender.left()["p1"] == 3300
    assert lender.truth["allocations"] == {"r1": decided}


async def test_other_messages_are_taken_and_remembered(lender: Lender) -> None:
    answer = await lender.tell({"type": "receipt.settled", "data": {"receipt": "r1"}})
    assert (answer.status, lender.truth["callbacks"][0]["type"]) == (200, "receipt.settled")


# Trust


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": ""},
        {"webhook_id": "other"},
        {"webhook_id": ""},
        {"webhook_timestamp": "1"},
        {"webhook_timestamp": "soon"},
    ],
)
async def test_a_forged_message_is_not_believed(lender: Lender, headers: dict[str, Any]) -> None:
    answer = await lender.tell(asking(), **headers)
    assert answer.status == 401
    assert lender.truth["callbacks"] == []


@pytest.mark.parametrize("age", [301, -301])
async def test_an_old_or_future_message_is_not_believed(lender: Lender, age: int) -> None:
    assert (await lender.tell(asking(), age=age)).status == 401


async def test_one_right_signature_among_several_is_enough(lender: Lender) -> None:
    body = json.dumps(asking()).encode()
    told_at = str(int(lender.simulator.clock.now().timestamp()))
    both = f"v1,AAAA {signature('msg1', told_at, body)}"
    answer = await lender.tell(body, webhook_signature=both, webhook_timestamp=told_at)
    assert answer.status == 200


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        {"type": "x"},
        {"allocation": "requested", "data": {"receipt": "r1"}},
        {"allocation": "requested", "data": {"receipt": "r1", "value_minor": 0}},
        {"allocation": "requested", "data": {"value_minor": 5}},
        {"allocation": "decided", "data": {"receipt": "r1", "allocation": [{"due": "p1"}]}},
        {"allocation": "decided", "data": {"receipt": "r1", "allocation": "all"}},
    ],
)
async def test_a_message_that_cannot_be_read_is_refused_and_may_come_again(
    lender: Lender, payload: object
) -> None:
    assert (await lender.tell(payload)).status == 400
    assert (await lender.tell(asking())).status == 200


# Faults


async def test_an_answer_can_be_unsigned_or_signed_by_somebody_else(lender: Lender) -> None:
    lender.simulator.faults.add("callback", "unsigned")
    answer = await lender.tell(asking())
    assert "webhook-signature" not in answer.headers
    lender.simulator.faults.add("callback", "missigned")
    answer = await lender.tell(asking())
    assert not answer.signed()


async def test_a_wrong_sum_can_be_told(lender: Lender) -> None:
    lender.simulator.faults.add("callback", "wrong_amount", params={"delta": 1})
    answer = await lender.tell(asking(value=2000))
    assert answer.total() == 2001
    assert answer.signed()
    assert (await lender.tell(asking())).total() == 2000


@pytest.mark.parametrize(("kind", "status"), [("decline", 410), ("token_expired", 401), ("http_500", 500)])
async def test_a_callback_can_be_refused(lender: Lender, kind: str, status: int) -> None:
    params = {"status": 410} if kind == "decline" else {}
    lender.simulator.faults.add("callback", kind, params=params)
    assert (await lender.tell(asking())).status == status
    assert lender.truth["callbacks"] == []


async def test_a_spoiled_answer_to_a_forged_message_is_still_a_refusal(lender: Lender) -> None:
    for kind in ("unsigned", "missigned", "wrong_amount"):
        lender.simulator.faults.add("callback", kind)
        assert (await lender.tell(asking(), webhook_signature="v1,AAAA")).status == 401


# Controls


@pytest.mark.parametrize(
    "due",
    [
        {"id": "x", "component": "tax", "amount_minor": 1, "due_on": "2026-01-01"},
        {"id": "x", "component": "fees", "amount_minor": 0, "due_on": "2026-01-01"},
        {"id": "x", "component": "fees", "amount_minor": 1, "due_on": "soon"},
        {"component": "fees", "amount_minor": 1, "due_on": "2026-01-01"},
    ],
)
async def test_a_due_that_makes_no_sense_is_refused(lender: Lender, due: dict[str, object]) -> None:
    loans = [{"reference": "LN-2", "dues": [due]}]
    assert await lender.load({"members": [{"reference": "M-2", "loans": loans}]}) == 400


async def test_a_reset_forgets_members_and_messages(lender: Lender) -> None:
    await lender.tell(asking())
    async with lender.http.post(f"{lender.url}/_sim/reset"):
        pass
    assert lender.truth == {"members": [], "allocations": {}, "callbacks": []}


async def test_the_secret_is_never_shown(lender: Lender) -> None:
    await lender.tell(asking())
    for path in ("requests", "settings", "state"):
        async with lender.http.get(f"{lender.url}/_sim/{path}") as answer:
            assert SECRET.removeprefix("whsec_") not in await answer.text()


@pytest.mark.parametrize("wrong", [{"secret": "whsec_%"}, {"waterfall": "principal"}, {"tolerance": "3"}])
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        build(wrong)
