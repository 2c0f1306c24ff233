"""Every request of the adapter is one of the official collection: path, method, and the fields that are needed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from rigs.flutterwave_samples import ABSENT, requests, there

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import (
    AccountClosingOrder,
    CheckoutOrder,
    DisputeOrder,
    MandateChangeOrder,
    MandateKey,
    MandateOrder,
    RefundOrder,
    SavedChargeOrder,
    TransferOrder,
    VirtualAccountOrder,
)
from coopwire.simulation import exact_json
from coopwire.simulation.given import Given

BASE = "https://api.flutterwave.com/v3"
_VARIABLE = re.compile(r":[a-z_]+")


@dataclass(frozen=True)
class Asked:
    """One request that the adapter made: method, path below the base, query and body."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a request must be: `needed` fields, `known` ones, `needed_query` and `known_query` parameters."""

    needed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    needed_query: frozenset[str] = frozenset()
    known_query: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RULES = {
    "POST /payments": Rule(
        needed=_words("tx_ref amount currency customer"),
        known=_words("tx_ref amount currency customer redirect_url payment_options meta"),
    ),
    "GET /transactions/:id/verify": Rule(),
    "GET /transactions/verify_by_reference": Rule(needed_query=_words("tx_ref")),
    "GET /transactions": Rule(known_query=_words("from to page tx_ref status currency customer_email")),
    "POST /transactions/:id/refund": Rule(needed=_words("amount"), known=_words("amount comments")),
    "GET /refunds": Rule(known_query=_words("from to page")),
    "GET /refunds/:id": Rule(),
    "POST /transfers": Rule(
        needed=_words("account_bank account_number amount currency reference"),
        known=_words(
            "account_bank account_number amount currency debit_currency narration reference beneficiary_name "
            "callback_url meta"
        ),
    ),
    "GET /transfers/:id": Rule(),
    "GET /transfers": Rule(known_query=_words("reference status page from to batch_id")),
    "GET /transfers/fee": Rule(needed_query=_words("amount currency"), known_query=_words("type")),
    "GET /banks/:country": Rule(),
    "POST /accounts/resolve": Rule(
        needed=_words("account_number account_bank"), known=_words("account_number account_bank")
    ),
    "GET /balances": Rule(),
    "POST /tokenized-charges": Rule(
        needed=_words("token email currency amount tx_ref"),
        known=_words("token email currency country amount tx_ref ip narration redirect_url type"),
    ),
    "POST /virtual-account-numbers": Rule(
        needed=_words("email tx_ref is_permanent"),
        known=_words(
            "email tx_ref is_permanent bvn nin amount firstname lastname phonenumber narration currency"
        ),
    ),
    "GET /virtual-account-numbers/:order_ref": Rule(),
    "POST /virtual-account-numbers/:order_ref": Rule(needed=_words("status"), known=_words("status")),
    "GET /chargebacks": Rule(known_query=_words("flw_ref status from to currency id page")),
    "PUT /chargebacks/:id": Rule(
        needed=_words("action comment"), known=_words("action comment uploaded_proof")
    ),
    "GET /settlements": Rule(known_query=_words("from to page subaccount_id")),
    "GET /settlements/:id": Rule(),
    "POST /accounts/tokenize": Rule(
        needed=_words("email amount address phone_number account_bank account_number end_date"),
        known=_words(
            "email amount address phone_number account_bank account_number start_date end_date narration"
        ),
    ),
    "GET /accounts/token/:reference": Rule(),
    "PUT /accounts/token/:reference": Rule(needed=_words("status"), known=_words("status")),
}
"""Fields as the documentation of each request names them."""
NOT_IN_THE_COLLECTION = {
    "POST /payments": "the hosted checkout stands in the documentation alone",
    "GET /refunds/:id": "a setting switches it off",
    **dict.fromkeys(
        ("POST /accounts/tokenize", "GET /accounts/token/:reference", "PUT /accounts/token/:reference"),
        "mandates stand in the documentation alone",
    ),
}


def _collection() -> dict[str, set[str]]:
    """`METHOD /path` of every request of the collection → the query parameters that it names."""
    found: dict[str, set[str]] = {}
    for _, one in requests():
        url = one["request"]["url"]
        path = urlsplit(url["raw"].removeprefix(BASE)).path.rstrip("/")
        names = {each["key"] for each in url.get("query", [])}
        found.setdefault(f"{one['request']['method']} {path}", set()).update(names)
    return found


def _name(asked: Asked) -> str:
    """The rule's name of a request: the most literal that fits."""
    fitting = [name for name in RULES if _fits(name, asked)]
    assert fitting, f"no rule for {asked.method} {asked.path}"
    return min(fitting, key=lambda name: name.count(":"))


def _fits(name: str, asked: Asked) -> bool:
    method, _, path = name.partition(" ")
    return method == asked.method and re.fullmatch(_VARIABLE.sub("[^/]+", path), asked.path) is not None


def wrong_in(asked: Asked) -> list[str]:
    """What does not fit the rule."""
    rule = RULES[_name(asked)]
    checks = (
        ("missing", rule.needed - set(asked.body)),
        ("unknown", set(asked.body) - rule.known),
        ("missing in the query", rule.needed_query - set(asked.query)),
        ("unknown in the query", set(asked.query) - rule.known_query - rule.needed_query),
    )
    return [f"{what}: {', '.join(sorted(names))}" for what, names in checks if names]


async def _every_verb(bench: Any, order: CheckoutOrder) -> list[Asked]:
    """What the simulator was asked while every verb of the adapter was used."""
    sockets, now = bench.sockets, datetime.now(UTC)
    said = sockets.checkouts.say(order)
    await sockets.checkouts.send(order, said)
    await sockets.checkouts.find(order, now)
    charge = bench.pay(order.reference)
    bench.pay(order.reference)
    await sockets.charges.find(order.reference, (charge, str(int(charge) + 1)))
    window = (now - timedelta(days=1), now + timedelta(days=1))
    assert len([one async for one in sockets.charges.list_window(*window)]) == 2
    back = RefundOrder("refund00000000000001", charge, 50_001, "NGN", False)
    await sockets.refunds.count(back)
    made = await sockets.refunds.send(back, sockets.refunds.say(back))
    await sockets.refunds.find(back, now)
    await sockets.refunds.fetch(made.provider_ref)
    assert len([one async for one in sockets.refunds.list_window(*window)]) == 1
    out = TransferOrder("transfer000000000001", 50_001, "NGN", "0000014579", "011", "A Holder", "a loan")
    paid = await sockets.transfers.send(out, sockets.transfers.say(out))
    await sockets.transfers.find(out, now)
    await sockets.transfers.fetch(paid.provider_ref)
    await sockets.transfers.fee(50_001, "NGN")
    assert len([one async for one in sockets.transfers.list_window(*window)]) == 1
    await sockets.account_names.banks("NGN")
    await sockets.account_names.resolve("0000014579", "011")
    await sockets.balances.balances()
    settled = bench.simulator.vendor.controls["settle"](Given({}))["settlements"]
    today = now.date()
    assert len([one async for one in sockets.settlements.list_window(today, today)]) == 1
    assert len([one async for one in sockets.settlements.lines(str(settled[0]["id"]))]) == 2
    await _saved_accounts_and_chargebacks(bench, charge)
    await _mandates(bench)
    return [_asked(entry) for entry in bench.simulator.record.entries()]


async def _saved_accounts_and_chargebacks(bench: Any, charge: str) -> None:
    sockets, now = bench.sockets, datetime.now(UTC)
    window = (now - timedelta(days=1), now + timedelta(days=1))
    left = (await sockets.charges.by_id(charge)).authorization
    again = SavedChargeOrder("saved000000000000001", left.code, left.email, 75_050, "NGN")
    await sockets.saved_charges.send(again, sockets.saved_charges.say(again))
    await sockets.saved_charges.find(again, now)
    holder = Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com")
    asked = VirtualAccountOrder("account0000000000001", holder, "NGN", identity=Identity("22200000011"))
    told = await sockets.virtual_accounts.send(asked, sockets.virtual_accounts.say(asked))
    await sockets.virtual_accounts.fetch(told.provider_ref)
    closing = AccountClosingOrder("closing0000000000001", told.provider_ref)
    await sockets.account_closings.send(closing, sockets.account_closings.say(closing))
    await sockets.account_closings.find(closing, now)
    control = bench.simulator.vendor.controls["chargeback"]
    claimed = control(Given({"reference": "saved000000000000001", "amount": 75_050}))["chargeback"]
    assert len([one async for one in sockets.disputes.list_window(*window)]) == 1
    assert len(await sockets.disputes.of_charge(str(claimed["charge"]))) == 1
    answer = DisputeOrder(
        "answer00000000000001",
        str(claimed["id"]),
        DisputeVerdict.CONTEST,
        0,
        "NGN",
        "it was theirs",
        "https://files.example/proof",
    )
    await sockets.disputes.send(answer, sockets.disputes.say(answer))
    await sockets.disputes.find(answer, now)


async def _mandates(bench: Any) -> None:
    sockets, today = bench.sockets, datetime.now(UTC).date()
    order = MandateOrder(
        "mandate0000000000001",
        Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com"),
        "NGN",
        account=DebitedAccount("0690000032", "044"),
        address=Address("1 Some Road", "Ikeja", "Lagos"),
        ceiling_minor=500_050,
        starts_on=today + timedelta(days=1),
        ends_on=today + timedelta(days=300),
        purpose="a loan",
    )
    begun = await sockets.mandates.send(order, sockets.mandates.say(order))
    bench.simulator.vendor.controls["approve_mandate"](Given({"reference": begun.provider_ref}))
    bench.simulator.vendor.controls["activate_mandate"](Given({"reference": begun.provider_ref}))
    told = await sockets.mandates.fetch(MandateKey(begun.provider_ref))
    debit = SavedChargeOrder(
        "debit000000000000001", told.code, "member@example.com", 75_050, "NGN", of_mandate=True
    )
    await sockets.saved_charges.send(debit, sockets.saved_charges.say(debit))
    over = MandateChangeOrder("change00000000000001", MandateChange.END, MandateKey(begun.provider_ref))
    await sockets.mandate_changes.send(over, sockets.mandate_changes.say(over))


def _asked(entry: Any) -> Asked:
    url = urlsplit(entry.path.removeprefix("/v3"))
    body = exact_json.loads(entry.body) if entry.body else {}
    assert isinstance(body, dict)
    return Asked(entry.method, url.path, dict(parse_qsl(url.query)), body)


@pytest.mark.skipif(not there(), reason=ABSENT)
async def test_every_request_is_one_of_the_collection_with_the_fields_that_are_needed(
    flutterwave: Callable[..., Awaitable[Any]], an_order: Callable[..., CheckoutOrder]
) -> None:
    asked = await _every_verb(await flutterwave(), an_order(return_url="https://lender.example/back"))
    assert {_name(one) for one in asked} == set(RULES)
    assert [(one, wrong_in(one)) for one in asked if wrong_in(one)] == []
    official = _collection()
    assert {name for name in RULES if name not in official} == set(NOT_IN_THE_COLLECTION)


@pytest.mark.skipif(not there(), reason=ABSENT)
def test_the_rules_know_every_parameter_of_the_collection() -> None:
    official = _collection()
    for name in RULES.keys() & official.keys():
        rule = RULES[name]
        assert official[name] <= rule.known_query | rule.needed_query, name


@pytest.mark.parametrize(
    "wrong",
    [
        Asked("POST", "/payments", {}, {"tx_ref": "r", "amount": "1", "customer": {}}),
        Asked("POST", "/payments", {}, dict.fromkeys(("tx_ref", "amount", "currency", "customer", "txref"))),
        Asked("GET", "/transactions/verify_by_reference", {"txRef": "r"}, {}),
        Asked("POST", "/transactions/1/refund", {}, {"comments": "x"}),
        Asked("GET", "/transactions", {"reference": "r"}, {}),
    ],
)
def test_a_request_that_is_not_theirs_is_noticed(wrong: Asked) -> None:
    assert wrong_in(wrong)
