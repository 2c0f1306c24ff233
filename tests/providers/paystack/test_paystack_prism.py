"""Every request of the adapter is one that the official OpenAPI file allows, as a server of others judges it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from rigs.prism import prism

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.payments import Payer
from coopwire.ports.gateways import (
    AccountClosingOrder,
    CheckoutOrder,
    DeactivationOrder,
    DisputeOrder,
    MandateChangeOrder,
    MandateKey,
    MandateOrder,
    RecipientOrder,
    RefundOrder,
    SavedChargeOrder,
    TransferOrder,
    VirtualAccountOrder,
)
from coopwire.ports.http import Http, HttpAnswer, HttpRequest
from coopwire.ports.providers import Outside, Sockets
from coopwire.providers.paystack import adapter
from coopwire.providers.paystack.adapter import connect

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "payments" / "paystack.yaml"
NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
SAID_OTHERWISE = {
    "initialize": ["['request', 'body', 'metadata']: Request body property metadata must be object"],
    "requery_account": [
        "['request', 'query', 'date']: Request query parameter date must match format \"date-time\""
    ],
}
"""Their documentation wants a text of JSON, and a day; their OpenAPI file an object, and a moment. The documentation is
kept to."""
REFERENCE = "r4e1f9k2m7p3t8w5x6z0"
ACCOUNT = "0000014579"

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the official file is not beside this checkout")


@dataclass
class Heard:
    """The real client, and what Prism found wrong with each request that went over it."""

    right: Http
    faults: dict[str, list[str]] = field(default_factory=dict)

    async def call(self, request: HttpRequest) -> HttpAnswer:
        answer = await self.right.call(request)
        told = json.loads(answer.headers.get("sl-violations", "[]"))
        wrong = [f"{one['location']}: {one['message']}" for one in told if one["location"][0] == "request"]
        if answer.status in (404, 405) and not told:
            wrong.append(f"no such operation: HTTP {answer.status}")
        self.faults.setdefault(request.operation, []).extend(wrong)
        return answer


async def _walked(rows: AsyncIterator[Any]) -> None:
    async for _ in rows:
        return


def _every_verb(at: Sockets) -> list[Awaitable[object]]:
    """Each verb of each socket, with an everyday order."""
    assert at.checkouts and at.charges and at.refunds and at.settlements and at.disputes
    assert at.recipients and at.transfers and at.account_names and at.balances
    assert at.virtual_accounts and at.account_closings and at.saved_charges and at.deactivations
    assert at.mandates and at.mandate_changes
    payer = Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com")
    page = CheckoutOrder(REFERENCE, 150_000, "NGN", payer, "https://lender.example/back", (("loan", "L-1"),))
    back = RefundOrder(REFERENCE, "5100000001", 50_001, "NGN", whole=False)
    accept = DisputeOrder(
        REFERENCE,
        "358950",
        DisputeVerdict.ACCEPT,
        50_001,
        "NGN",
        "the member was right",
        "qesp8a4df1xejihd9x5q",
    )
    contest = replace(accept, verdict=DisputeVerdict.CONTEST, refund_minor=0)
    known = RecipientOrder(REFERENCE, ACCOUNT, "011", "Ngozi Example", "NGN")
    out = TransferOrder(
        REFERENCE, 50_001, "NGN", ACCOUNT, "011", "Ngozi Example", "Loan L-1", "RCP_2x5j67tnnw1t98k"
    )
    account = VirtualAccountOrder(REFERENCE, payer, "NGN", "wema-bank")
    closing = AccountClosingOrder(REFERENCE, "253")
    taken = SavedChargeOrder(REFERENCE, "AUTH_72btv547", "member@example.com", 50_001, "NGN")
    part = replace(taken, at_least_minor=20_000)
    ended = DeactivationOrder(REFERENCE, "AUTH_72btv547")
    mandate = MandateOrder(REFERENCE, payer, "NGN", return_url="https://lender.example/back")
    of_known = replace(
        mandate,
        account=DebitedAccount(ACCOUNT, "058"),
        address=Address("1 Some Road", "Ikeja", "Lagos"),
        customer="297346561",
    )
    begun = MandateKey("dfbzfotsrbv4n5s82t4mp5b5mfn51h", "AUTH_72btv547")
    over = MandateChangeOrder(REFERENCE, MandateChange.END, begun)
    again = MandateChangeOrder(REFERENCE, MandateChange.RETRY, begun, "28958104")
    window = (NOW - timedelta(days=1), NOW)
    return [
        at.checkouts.send(page, at.checkouts.say(page)),
        at.checkouts.find(page, NOW),
        at.charges.find(REFERENCE, ("5100000001",)),
        _walked(at.charges.list_window(*window)),
        at.refunds.count(back),
        at.refunds.send(back, at.refunds.say(back)),
        at.refunds.find(back, NOW),
        at.refunds.fetch("3018284"),
        _walked(at.refunds.list_window(*window)),
        _walked(at.settlements.list_window(date(2026, 3, 1), date(2026, 3, 2))),
        at.settlements.fetch("3090024"),
        _walked(at.settlements.lines("3090024")),
        _walked(at.disputes.list_window(*window)),
        at.disputes.fetch("358950"),
        at.disputes.of_charge("5100000001"),
        at.disputes.evidence_place("358950"),
        at.disputes.send(accept, at.disputes.say(accept)),
        at.disputes.send(contest, at.disputes.say(contest)),
        at.disputes.find(accept, NOW),
        at.recipients.send(known, at.recipients.say(known)),
        at.transfers.send(out, at.transfers.say(out)),
        at.transfers.send_many([out], at.transfers.say_many([out])),
        at.transfers.find(out, NOW),
        at.transfers.fetch("TRF_2x5j67tnnw1t98k"),
        _walked(at.transfers.list_window(*window)),
        at.transfers.finalise("TRF_2x5j67tnnw1t98k", "928783"),
        at.transfers.resend_otp("TRF_2x5j67tnnw1t98k"),
        at.account_names.banks("NGN"),
        at.account_names.resolve(ACCOUNT, "011"),
        at.balances.balances(),
        at.virtual_accounts.send(account, at.virtual_accounts.say(account)),
        at.virtual_accounts.count(account),
        at.virtual_accounts.fetch("253"),
        at.account_closings.send(closing, at.account_closings.say(closing)),
        at.account_closings.find(closing, NOW),
        at.saved_charges.send(taken, at.saved_charges.say(taken)),
        at.saved_charges.send(part, at.saved_charges.say(part)),
        at.saved_charges.find(taken, NOW),
        at.deactivations.send(ended, at.deactivations.say(ended)),
        at.mandates.send(mandate, at.mandates.say(mandate)),
        at.mandates.send(of_known, at.mandates.say(of_known)),
        at.mandates.fetch(begun),
        at.mandate_changes.send(over, at.mandate_changes.say(over)),
        at.mandate_changes.send(again, at.mandate_changes.say(again)),
    ]


def _operations() -> set[str]:
    """The names of all operations in the adapter's code: what it can ask at all."""
    folder = Path(adapter.__file__).parent
    code = "\n".join(one.read_text(encoding="utf-8") for one in folder.glob("*.py"))
    named = set(re.findall(r'(?:read|write|walk|remove)\(\s*"(\w+)"', code))
    return named | {"charge_authorization", "partial_debit"}


async def test_prism_finds_nothing_wrong_with_any_request_of_the_adapter_and_can_find_something(
    outside: Outside, connection: Any
) -> None:
    with prism(SPEC) as url:
        heard = Heard(outside.http)
        sockets = connect(connection(url), replace(outside, http=heard))
        for verb in _every_verb(sockets):
            # What Prism answers is made up: whether it can be read is not asked here.
            with suppress(HubError):
                await verb
        # A charge by its id is asked for only when another one was found: Prism's made-up one is none of ours.
        headers = {"Authorization": "Bearer sk_test_simulated", "Content-Type": "application/json"}
        asked = HttpRequest("fetch", "GET", f"{url}/transaction/5100000001", Traffic.READ, headers)
        await heard.call(asked)
        # Likewise the accounts of a customer, and an account whose number is asked about.
        listed = f"{url}/dedicated_account?customer=297346"
        await heard.call(HttpRequest("list_accounts", "GET", listed, Traffic.READ, headers))
        # And the list of mandates, of one that is not active.
        every = f"{url}/directdebit/mandate-authorizations?per_page=100"
        await heard.call(HttpRequest("list_mandates", "GET", every, Traffic.READ, headers))
        query = urlencode({"account_number": ACCOUNT, "provider_slug": "wema-bank", "date": "2026-03-02"})
        again = f"{url}/dedicated_account/requery?{query}"
        await heard.call(HttpRequest("requery_account", "GET", again, Traffic.READ, headers))
        assert {name: faults for name, faults in heard.faults.items() if faults} == SAID_OTHERWISE
        assert set(heard.faults) == _operations()

        wrong = b'{"resolution":"declined","refund_amount":"nothing"}'
        path = f"{url}/dispute/358950/resolve"
        await heard.call(HttpRequest("wrong", "PUT", path, Traffic.WRITE, headers, wrong))
        await heard.call(HttpRequest("nowhere", "GET", f"{url}/disputes", Traffic.READ, headers))
        told = "; ".join(heard.faults["wrong"])
        assert "message" in told and "uploaded_filename" in told and "integer" in told
        assert heard.faults["nowhere"]
