"""The simulator, driven by a client that others wrote for the real Paystack, with models of its own."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from pypaystack2 import AsyncPaystackClient
from pypaystack2.base_clients import AbstractAPIClient
from pypaystack2.enums import Currency, Resolution
from rigs.answering import answering

from coopwire.providers.paystack.simulator import build
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import running

KEY = "sk_test_simulated"
DAYS = ("2020-01-01", "2099-01-01")


async def test_a_third_partys_client_pays_refunds_answers_a_dispute_and_reads_a_settlement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[bytes, str]] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((await request.read(), request.headers["x-paystack-signature"]))
        return web.Response()

    simulator = build({"refund_ends": "stays"})
    async with running(simulator) as listening, answering(hear) as hook:
        simulator.vendor.configure({"webhook_url": hook})
        # The one place where the client keeps its address.
        monkeypatch.setattr(AbstractAPIClient, "_BASE_URL", listening.url)
        client = AsyncPaystackClient(KEY)

        def control(name: str, **words: object) -> Any:
            return simulator.vendor.controls[name](Given(words))

        opened = await client.transactions.initialize(
            500_000, "p@example.com", Currency.NGN, reference="ref1", metadata={"loan": "L-1"}
        )
        assert (opened.status, opened.data.reference) == (True, "ref1")
        again = await client.transactions.initialize(500_000, "p@example.com", reference="ref1")
        assert (again.status, again.code) == (False, "duplicate_reference")
        unpaid = await client.transactions.verify("ref1")
        assert unpaid.data.status == "abandoned"
        control("pay", reference="ref1")
        paid = (await client.transactions.verify("ref1")).data
        assert (paid.status, paid.amount, paid.requested_amount) == ("success", 500_000, 500_000)
        assert (await client.transactions.get_transaction(str(paid.id))).data.reference == "ref1"
        assert [one.id for one in (await client.transactions.get_transactions()).data] == [paid.id]
        nobody = await client.transactions.verify("nobody")
        assert (nobody.status, nobody.code) == (False, "transaction_not_found")

        refund = (await client.refunds.create("ref1", 1_000, Currency.NGN, merchant_note="ours")).data
        assert (refund.status, refund.amount, refund.merchant_note) == ("pending", 1_000, "ours")
        assert (await client.refunds.get_refund(refund.id)).data.transaction == paid.id

        made = control("dispute", reference="ref1", amount=20_000)["dispute"]
        dispute = (await client.disputes.get_dispute(made["id"])).data
        assert (dispute.status, dispute.refund_amount) == ("awaiting-merchant-feedback", 20_000)
        assert dispute.transaction.reference == "ref1"
        assert [one.id for one in (await client.disputes.get_disputes(*DAYS)).data] == [made["id"]]
        place = (await client.disputes.get_upload_url(made["id"], "proof.pdf")).data
        answered = await client.disputes.resolve_dispute(
            made["id"], Resolution.MERCHANT_ACCEPTED, "the member was right", 15_000, place.file_name
        )
        assert (answered.data.status, answered.data.resolution) == ("resolved", "merchant-accepted")
        assert answered.data.refund_amount == 15_000

        control("settle")
        # Its model of a settlement misspells a member, so that its answer is read as it came.
        [settlement] = (await client.settlements.get_settlements()).raw["data"]
        assert settlement["total_processed"] - settlement["total_fees"] == settlement["effective_amount"]
        lines = await client.settlements.get_settlement_transactions(settlement["id"])
        assert [line.reference for line in lines.data] == ["ref1"]

        stranger = AsyncPaystackClient("sk_test_stranger")
        assert (await stranger.transactions.verify("ref1")).status_code == 401
        while len(heard) < 4:
            await simulator.clock.sleep(0.05)
        assert all(client.is_verified_webhook_payload(body, signature) for body, signature in heard)
