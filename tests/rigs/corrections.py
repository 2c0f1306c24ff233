"""What tests of corrections share: two persons, their desk, and the truth of books and bank."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rigs.gateways import PAYSTACK_SECRET
from rigs.river import River

from coopwire.application.correcting import Corrections
from coopwire.application.people import Person
from coopwire.domain.corrections import Correction

ADA = Person("user 1", "ada at the command line")
OBI = Person("user 2", "obi at the command line")
EVE = Person("user 3", "eve at the command line")
WHY = "agreed with the branch"


def desk(hub: River) -> Corrections:
    """The desk of this hub."""
    app = hub.app
    return Corrections(app.network, app.database, app.clock, app.refunding)


async def corrected(hub: River, id: int, wanted: Correction) -> None:
    """One proposes, the other approves."""
    await desk(hub).propose(id, ADA, wanted, WHY)
    await desk(hub).approve(id, OBI, WHY)


async def closed(hub: River, id: int, state: str = "resolved", seconds: float = 60) -> None:
    """Wait until the break is at its end."""
    await hub.until("SELECT state FROM breaks WHERE id = $1", id, expected=state, seconds=seconds)


async def repaid(hub: River, **changes: Any) -> str:
    """A repayment that is booked and banked; the receipt."""
    before = await hub.value("SELECT count(*) FROM receipts")
    accepted = await hub.accept(**changes)
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(before + 1)
    return str(await hub.value("SELECT id FROM receipts WHERE reference = $1", accepted.attempt))


async def stranger(hub: River, amount_minor: int, reference: str = "someone-elses-ref-1") -> tuple[str, int]:
    """Money that no payment asked for, booked to suspense; the receipt and its break."""
    headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}
    url = f"{hub.outside.running['paystack'].url}/transaction/initialize"
    body = {"email": "stranger@example.com", "amount": str(amount_minor), "reference": reference}
    async with hub.outside.web.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200
    before = await hub.value("SELECT count(*) FROM receipts")
    told = await hub.pay(reference)
    await hub.hint(reference, told["charges"][0]["id"])
    await hub.settled(before + 1)
    receipt = str(await hub.value("SELECT id FROM receipts WHERE reference = $1", reference))
    return receipt, await the_break(hub, "receipt_without_payment", receipt)


async def the_break(hub: River, type_: str, subject: str) -> int:
    """The break of this type about this subject."""
    sql = "SELECT id FROM breaks WHERE type = $1 AND subject = $2"
    await hub.until(f"SELECT EXISTS ({sql})", type_, subject)
    return int(await hub.value(sql, type_, subject))


async def effect_of(hub: River, receipt: str, kind: str) -> str:
    """The first effect of this kind of a receipt."""
    sql = "SELECT id FROM effects WHERE receipt = $1 AND kind = $2 ORDER BY seq LIMIT 1"
    return str(await hub.value(sql, receipt, kind))


async def balances(hub: River) -> dict[str, int]:
    """Minor units by account of the books, debits positive, empty accounts left out."""
    balance: Counter[str] = Counter()
    for journal in (await hub.outside.truth("quickbooks"))["journals"]:
        for line in journal["lines"]:
            balance[line["account"]] += line["amount_minor"]
    return {account: amount for account, amount in balance.items() if amount}


async def journals(hub: River) -> list[dict[str, Any]]:
    """The entries of the books."""
    return list((await hub.outside.truth("quickbooks"))["journals"])


async def banked(hub: River, nuban: str = "1100000000") -> int:
    """Minor units on a member's account at the bank."""
    [account] = [a for a in (await hub.outside.truth("bankone"))["accounts"] if a["nuban"] == nuban]
    return int(account["ledger_minor"])


async def history(hub: River, id: int) -> list[tuple[str, str]]:
    """Who did what, the oldest first."""
    found = await hub.rows("SELECT actor, move FROM break_moves WHERE break = $1 ORDER BY id", id)
    return [(row["actor"].split()[0], row["move"]) for row in found]


async def last_text(hub: River, id: int) -> str:
    """What the last line of the history says."""
    return str(await hub.value("SELECT text FROM break_moves WHERE break = $1 ORDER BY id DESC LIMIT 1", id))


async def lms_told(hub: River, type_: str) -> int:
    """How many messages of a type the loan system got."""
    return sum(one["type"] == type_ for one in (await hub.outside.truth("lms"))["callbacks"])
