"""E-mandates on the wire: the bodies, what every answer means, and that no interactive charge stands in for one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import MandateChangeOrder, MandateKey, MandateOrder, SavedChargeOrder
from coopwire.providers.flutterwave.inspectors import mandate as inspect
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.answers import said
from coopwire.providers.flutterwave.wire.mandates import change_body, mandate_of, start_body, started
from coopwire.providers.flutterwave.wire.saved import charge_body
from coopwire.simulation.given import Given

TODAY = date(2026, 3, 2)
REFERENCE = "URF_EMANDATE_1727779638485_38482"
TOKEN = "flw-1bt-5e1ba73fff7f1aa9642606d4d82a45d3-k3n"
ASKED_FOR = "Kindly proceed with a token payment of N100:00 into account number 3662146895 with Mock Bank."


def order(**changes: Any) -> MandateOrder:
    values: dict[str, Any] = {
        "reference": "r",
        "payer": Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com"),
        "currency": "NGN",
        "account": DebitedAccount("0690000032", "044"),
        "address": Address("1 Some Road", "Ikeja", "Lagos"),
        "ceiling_minor": 500_050,
        "ends_on": date(2026, 12, 31),
    }
    return MandateOrder(**{**values, **changes})


def told(**changes: Any) -> dict[str, Any]:
    return {
        "reference": REFERENCE,
        "status": "ACTIVE",
        "token": TOKEN,
        "amount": Decimal("5000.5"),
        "currency": "NGN",
        **changes,
    }


# -- the bodies ---------------------------------------------------------------------------------------------------


def test_a_start_names_the_ceiling_as_text_and_covers_the_last_day() -> None:
    first = order(starts_on=date(2026, 3, 3), purpose="Loan LN-1")
    assert json.loads(start_body(first, TODAY)) == {
        "email": "member@example.com",
        "amount": "5000.5",
        "address": "1 Some Road, Ikeja, Lagos",
        "phone_number": "+2348000000000",
        "account_bank": "044",
        "account_number": "0690000032",
        "start_date": "2026-03-03T00:00:00.000Z",
        "end_date": "2027-01-01T00:00:00.000Z",
        "narration": "Loan LN-1",
    }
    assert "start_date" not in json.loads(start_body(order(), TODAY))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("currency", {"currency": "GHS"}),
        ("email", {"payer": Payer("M-1", "", "", "nobody")}),
        ("account", {"account": None}),
        ("address", {"address": None}),
        ("ceiling_minor", {"ceiling_minor": None}),
        ("amount_minor", {"ceiling_minor": 0}),
        ("starts_on", {"starts_on": TODAY}),
        ("ends_on", {"ends_on": None}),
        ("ends_on", {"ends_on": TODAY + timedelta(days=365)}),
        ("ends_on", {"starts_on": TODAY + timedelta(days=1), "ends_on": TODAY + timedelta(days=366)}),
        ("customer", {"customer": "295028849"}),
    ],
)
def test_a_start_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        start_body(order(**changes), TODAY)
    assert refused.value.field == field


def test_a_mandate_may_last_365_days_and_no_longer() -> None:
    assert start_body(order(ends_on=TODAY + timedelta(days=364)), TODAY)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (MandateChange.SUSPEND, "SUSPENDED"),
        (MandateChange.RESUME, "ACTIVE"),
        (MandateChange.END, "DELETED"),
    ],
)
def test_a_change_sets_a_word(change: MandateChange, word: str) -> None:
    assert json.loads(change_body(_change(change))) == {"status": word}


def test_an_activation_is_not_tried_again_and_a_path_is_no_reference() -> None:
    for wrong in (_change(MandateChange.RETRY), _change(MandateChange.END, "../token")):
        with pytest.raises(InvalidOrder):
            change_body(wrong)


def _change(change: MandateChange, reference: str = REFERENCE) -> MandateChangeOrder:
    return MandateChangeOrder("r", change, MandateKey(reference, TOKEN))


def test_trap_18_a_mandate_is_debited_by_its_token_and_never_by_an_interactive_charge(
    an_account: Callable[..., Account],
) -> None:
    debit = SavedChargeOrder(
        "debit000000000000001", TOKEN, "member@example.com", 60_000, "NGN", of_mandate=True
    )
    body = json.loads(charge_body(debit, an_account(redirect_url="https://lender.example/back")))
    assert body == {
        "amount": 600,
        "currency": "NGN",
        "email": "member@example.com",
        "token": TOKEN,
        "tx_ref": "debit000000000000001",
        "type": "account",
    }


# -- every answer -------------------------------------------------------------------------------------------------


def _started(data: object) -> Any:
    envelope = said({"status": "success", "message": "Account tokenization successful.", "data": data})
    assert envelope is not None
    return started(envelope, b"")


def test_a_start_tells_their_reference_and_what_the_member_must_do_and_shows_it_to_nobody() -> None:
    begun = _started(told(status="PENDING", token=None, processor_response=ASKED_FOR))
    assert (begun.provider_ref, begun.state, begun.instruction) == (
        REFERENCE,
        MandateState.PENDING,
        ASKED_FOR,
    )
    assert begun.url is None and "3662146895" not in repr(begun)
    # One of their pages calls the member otherwise.
    assert _started(told(status="PENDING", response_message=ASKED_FOR)).instruction == ASKED_FOR


@pytest.mark.parametrize("data", [None, {}, told(reference="../x"), told(status=None), told(token=None)])
def test_a_yes_without_reference_or_status_is_unknown(data: object) -> None:
    with pytest.raises(OutcomeUnknown):
        _started(data)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PENDING", MandateState.PENDING),
        ("Approved", MandateState.APPROVED),
        ("ACTIVE", MandateState.ACTIVE),
        ("SUSPENDED", MandateState.SUSPENDED),
        ("DELETED", MandateState.ENDED),
        ("UNDER_QUANTUM_REVIEW", MandateState.APPROVED),
    ],
)
def test_each_word_has_its_state_and_one_never_seen_before_debits_nobody(
    word: str, state: MandateState
) -> None:
    read = mandate_of(REFERENCE, told(status=word), b"")
    assert (read.state, read.code, read.ceiling_minor) == (state, TOKEN, 500_050)
    assert TOKEN not in repr(read)


def test_an_answer_about_another_mandate_is_broken() -> None:
    with pytest.raises(ContractBroken):
        mandate_of("URF_EMANDATE_1", told(), b"")


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(), lambda x: st.dictionaries(st.text(), x)
    )
)
def test_whatever_they_tell_is_a_mandate_or_broken(data: object) -> None:
    with contextlib.suppress(ContractBroken):
        assert mandate_of(REFERENCE, data, b"").provider_ref == REFERENCE


def test_an_inspection_shows_how_it_stands_and_not_its_token() -> None:
    body = json.dumps({"status": "success", "message": "fetched", "data": told(amount=5000.5)}).encode()
    [seen] = inspect(body, {})
    assert (seen.object, seen.reference, seen.status, seen.amount_minor) == (
        "mandate",
        REFERENCE,
        "active",
        500_050,
    )
    assert TOKEN not in repr(seen)


# -- over HTTP ----------------------------------------------------------------------------------------------------


async def test_a_mandate_that_nobody_knows_is_not_there_and_a_second_end_is_an_end(
    flutterwave: Callable[..., Awaitable[Any]],
) -> None:
    bench = await flutterwave(mandate_ends="stays")
    mandates, changes = bench.sockets.mandates, bench.sockets.mandate_changes
    assert await mandates.fetch(MandateKey("URF_EMANDATE_0_0")) is None
    wish = order(ends_on=bench.clock.now().date() + timedelta(days=30))
    begun = await mandates.send(wish, mandates.say(wish))
    over = _change(MandateChange.END, begun.provider_ref)
    with pytest.raises(Refused):
        # What nobody has approved they do not change.
        await changes.send(over, changes.say(over))
    bench.simulator.vendor.controls["approve_mandate"](Given({"reference": begun.provider_ref}))
    for _ in range(2):
        await changes.send(over, changes.say(over))
    fetched = await mandates.fetch(MandateKey(begun.provider_ref))
    assert fetched.state is MandateState.ENDED
