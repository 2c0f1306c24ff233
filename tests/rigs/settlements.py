"""What tests of settlements share: the gateway pays out, the hub looks, and what the books have of it."""

from __future__ import annotations

from typing import Any

from rigs.river import River

PAID = {"paystack": "success", "flutterwave": "completed", "stripe": "paid"}
"""The gateways' words for a settlement that is at the bank."""


async def settled(hub: River, *, word: str | None = None, **how: object) -> Any:
    """The gateway makes a settlement of what was paid, brings it to this word (at the bank), and the hub looks."""
    gateway = hub.gateway.name
    [made] = (await hub.outside.control(gateway, "settle", **how))["settlements"]
    await moved(hub, made["id"], word or PAID[gateway])
    return made


async def moved(hub: River, id: object, word: str) -> None:
    """A settlement comes to this word, and the hub looks."""
    await hub.outside.control(hub.gateway.name, "settlement", id=id, status=word)
    await look(hub)


async def look(hub: River) -> None:
    """Every look at settlements is due now, the list's among them."""
    await hub.until(
        "SELECT count(*) FROM settlement_looks WHERE provider_ref = '' AND token IS NULL", expected=1
    )
    await hub.rows("UPDATE settlement_looks SET look_at = now() WHERE token IS NULL")
    hub.app.bells.ring("settlements")


async def stands(hub: River, stand: str) -> Any:
    """Wait until the one settlement stands so; its row."""
    await hub.until("SELECT stand FROM settlements", expected=stand)
    [row] = await hub.rows("SELECT * FROM settlements")
    return row


async def entries(hub: River) -> list[dict[str, int]]:
    """The settlement entries that were ordered: minor units by key, debits above nought."""
    found = await hub.rows(
        "SELECT \"order\" FROM effects WHERE kind = 'journal' AND \"order\" ->> 'kind' = 'settlement' ORDER BY seq"
    )
    return [
        {key: minor if side == "debit" else -minor for key, side, minor in row["order"]["lines"]}
        for row in found
    ]


async def in_the_bank(hub: River) -> list[int]:
    """What the books have on the lender's bank account, an amount an entry."""
    journals = (await hub.outside.truth("quickbooks"))["journals"]
    return [line["amount_minor"] for one in journals for line in one["lines"] if line["account"] == "35"]


async def on_clearing(hub: River) -> int:
    """The balance of the gateway's clearing account in the books."""
    journals = (await hub.outside.truth("quickbooks"))["journals"]
    return sum(line["amount_minor"] for one in journals for line in one["lines"] if line["account"] == "91")


async def differences(hub: River) -> list[tuple[str, str]]:
    """Breaks about settlements: what and where it stands, the oldest first."""
    rows = await hub.rows("SELECT type, state FROM breaks WHERE type LIKE 'settle%' ORDER BY id")
    return [(row["type"], row["state"]) for row in rows]
