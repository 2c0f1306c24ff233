"""Settlements through the adapter: what was paid out adds up, and no fee is rounded twice."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import Settlements
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.wire.settlements import STATES, line_of, settlement_of


def a_settlement(**changes: object) -> dict[str, object]:
    return {
        "id": 3_090_024,
        "domain": "test",
        "status": "success",
        "currency": "NGN",
        "total_amount": 995,
        "effective_amount": 995,
        "total_fees": 5,
        "total_processed": 1_000,
        "deductions": None,
        "settlement_date": "2026-03-02T00:00:00.000Z",
        "createdAt": "2026-03-02T01:04:08.000Z",
        **changes,
    }


def page(*rows: object, pages: int = 1, page: int = 1, total: int = 0) -> str:
    meta = {"total": total or len(rows), "page": page, "pageCount": pages, "perPage": 100}
    return json.dumps({"status": True, "message": "ok", "data": rows, "meta": meta})


@pytest.fixture
def settlements(server: Any, outside: Any, connection: Any) -> Settlements:
    found = connect(connection(server.url), outside).settlements
    assert found is not None
    return found


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_every_word_has_its_state(word: str, state: SettlementState) -> None:
    assert settlement_of(a_settlement(status=word), b"").state is state


@pytest.mark.parametrize("word", ["SUCCESS", "paid", "reversed", "🙂"])
def test_any_other_word_is_on_its_way_and_says_so(word: str) -> None:
    told = settlement_of(a_settlement(status=word), b"")
    assert (told.state, "never seen" in told.reason) == (SettlementState.PROCESSING, True)


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9))
def test_processed_less_fees_is_effective_and_deductions(net: int, fee: int, deductions: int) -> None:
    told = settlement_of(
        a_settlement(
            effective_amount=net,
            total_fees=fee,
            deductions=deductions or None,
            total_processed=net + fee + deductions,
        ),
        b"",
    )
    assert (told.net_minor, told.fee_minor, told.deductions_minor, told.gap_minor) == (
        net,
        fee,
        deductions,
        0,
    )


def test_a_settlement_that_does_not_add_up_is_told_with_its_gap_and_never_mended() -> None:
    told = settlement_of(a_settlement(effective_amount=990), b"")
    assert (told.net_minor, told.gap_minor) == (990, 5)


@given(st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=30))
def test_trap_27_a_line_keeps_its_fee_exact_and_it_is_rounded_once(fees: list[Decimal]) -> None:
    lines = [line_of(_transaction(fees=fee), b"") for fee in fees]
    assert sum(Decimal(line.fee_exact) for line in lines) == sum(fees)
    for line, fee in zip(lines, fees, strict=True):
        assert abs(line.fee_minor - fee) <= Decimal("0.5")


def test_amounts_are_hundredths_in_every_currency() -> None:
    told = settlement_of(
        a_settlement(currency="XOF", total_processed=500_000, total_fees=1_250, effective_amount=498_700), b""
    )
    assert (told.gross_minor, told.fee_minor, told.fee_exact, told.net_minor) == (5_000, 12, "12.5", 4_987)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"currency": "naira"},
        {"status": None},
        {"total_processed": "many"},
        {"total_fees": None},
        {"effective_amount": -1},
        {"deductions": "some"},
        {"settlement_date": "soon"},
        {"domain": "sandbox"},
    ],
)
def test_a_settlement_that_cannot_be_read_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        settlement_of(a_settlement(**changes), b"")


async def test_a_day_is_asked_for_widely_and_told_exactly(server: Any, settlements: Settlements) -> None:
    days = ("2026-03-01", "2026-03-02", "2026-03-03")
    rows = [
        a_settlement(id=number, settlement_date=f"{day}T00:00:00.000Z") for number, day in enumerate(days, 1)
    ]
    server.will_say(page(*rows, a_settlement(id=9, settlement_date=None)))
    day = date(2026, 3, 2)
    told = [one.provider_ref async for one in settlements.list_window(day, day)]
    assert told == ["2", "9"]
    assert "from=2026-02-27T" in server.asked[0].path and "to=2026-03-05T" in server.asked[0].path


async def test_one_settlement_is_looked_for_in_the_list_as_far_as_it_takes(
    server: Any, settlements: Settlements
) -> None:
    server.will_say(page(a_settlement(id=9), pages=3, total=3))
    server.will_say(page(a_settlement(id=8), pages=3, page=2, total=3))
    assert (await settlements.fetch("8")).provider_ref == "8"
    assert len(server.asked) == 2


@pytest.mark.parametrize("wanted", ["", "..", "1/../2", "٣", "7"])
async def test_an_id_that_is_none_of_theirs_is_told_and_no_other_path_is_asked(
    server: Any, settlements: Settlements, wanted: str
) -> None:
    server.will_say(page(a_settlement()))
    with pytest.raises(ContractBroken):
        await settlements.fetch(wanted)
    with pytest.raises(ContractBroken):
        [line async for line in settlements.lines(wanted if wanted != "7" else "..")]
    assert all("/settlement?" in asked.path for asked in server.asked)


def _transaction(**changes: object) -> dict[str, object]:
    return {
        "id": 5_100_000_001,
        "domain": "test",
        "status": "success",
        "reference": "ref00000000000000001",
        "amount": 150_000,
        "currency": "NGN",
        "fees": 2_250,
        **changes,
    }
