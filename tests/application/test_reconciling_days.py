"""Seeded days with injected faults: each fault is found and named rightly, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rigs.days import (
    DAY,
    FAULTS,
    LAGOS,
    LINKED_TWICE,
    ONCE_MORE,
    Spoiled,
    seeds,
    setting,
    spoiled,
    whole,
    world,
)

from coopwire.application.reconciling.comparing import Compared, Setting, compare
from coopwire.application.reconciling.digests import inputs_digest, outcome_digest
from coopwire.application.reconciling.sides import AccountRow, Theirs
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState
from coopwire.ports.books import JournalSnapshot
from coopwire.ports.corebank import StatementRow
from coopwire.ports.days import OurJournal, OurPayout, OurPosting, OurReceipt, OurRefund, Ours
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot, TransferSnapshot

Compare = Callable[[Setting, Theirs, Ours], Compared]


def _faulty(day: Spoiled, comparing: Compare = compare) -> str:
    """What is wrong with the comparison of this day; empty when it is right."""
    compared = comparing(setting(), day.made.theirs(), day.made.ours())
    found = Counter((f.type, f.subject) for f in compared.differences.findings)
    if found != Counter(day.expected):
        return f"found {found - Counter(day.expected)} too much, missed {Counter(day.expected) - found}"
    missing = day.wishes - {wish.reference for wish in compared.differences.wishes}
    if missing:
        return f"never asks for {missing}"
    return _unbalanced(day, compared)


def _unbalanced(day: Spoiled, compared: Compared) -> str:
    """The sums beside totals that are counted here, straight from what the outside told."""
    theirs = day.made.theirs()
    totals = {("bank", "core"): _sums((x.row.currency, x.row.amount_minor, x.row.on) for x in theirs.rows)}
    for name, charges in theirs.charges.items():
        paid = (c for c in charges if c.state is PaymentState.SUCCEEDED)
        times = ((c, c.paid_at or day.made.recorded_at(name, c.charge)) for c in paid)
        today = _sums((c.currency, c.amount_minor, at.astimezone(LAGOS).date()) for c, at in times)
        totals["gateway", name] = totals["landing", name] = today
    for name, transfers in theirs.transfers.items():
        left = ((t, t.created_at) for t in transfers if t.mode is not Mode.LIVE if t.created_at)
        today = _sums((t.currency, t.amount_minor, at.astimezone(LAGOS).date()) for t, at in left)
        totals["payouts", name] = today
    for section in compared.sections:
        key = (section.source, section.connection)
        if key not in totals:
            continue
        told: Counter[str] = Counter()
        for bucket in section.theirs:
            told[bucket.currency] += bucket.sum.minor
        if +told != +totals[key]:
            return f"{key}: {dict(told)} beside {dict(totals[key])}"
    return ""


def _sums(rows: Iterable[tuple[str, int, date]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for currency, minor, on in rows:
        sums[currency] += minor if on == DAY else 0
    return sums


def test_a_day_on_which_all_is_well_has_no_difference_and_holds(
    proof_count: Callable[[int, int], int],
) -> None:
    for seed in seeds(proof_count(100, 1000)):
        made = world(seed)
        compared = compare(setting(), made.theirs(), made.ours())
        assert compared.differences.findings == [], seed
        assert all(section.holds for section in compared.sections), seed


def test_every_injected_fault_is_found_and_named_rightly_and_no_false_break(
    proof_count: Callable[[int, int], int],
) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds(proof_count(200, 1000)):
        day = spoiled(seed)
        assert _faulty(day) == "", (seed, day.faults)
        seen.update(day.faults)
    assert len(FAULTS) >= 20
    assert set(seen) == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_alone_is_found(name: str) -> None:
    for seed in seeds(5):
        made = world(seed)
        day = Spoiled(made, [name])
        day.expected = FAULTS[name](made, next(filter(whole, made.cases)))
        assert _faulty(day) == "", seed


def test_the_same_day_compared_twice_has_the_same_digests_whatever_the_order_of_the_lists() -> None:
    for seed in seeds(20):
        day = spoiled(seed)
        first, again = (
            (compare(setting(), theirs, ours), inputs_digest(setting(), theirs, ours))
            for theirs, ours in ((day.made.theirs(), day.made.ours()) for _ in range(2))
        )
        assert first[1] == again[1]
        digests = [outcome_digest(c.sections, c.differences.findings) for c, _ in (first, again)]
        assert digests[0] == digests[1]


def test_a_changed_minor_unit_changes_both_digests() -> None:
    day, other = spoiled(1, most=0), spoiled(1, most=0)
    case = other.made.cases[0]
    assert case.charge is not None
    case.charge = replace(case.charge, amount_minor=case.charge.amount_minor + 1)
    told = [(d.made.theirs(), d.made.ours()) for d in (day, other)]
    assert inputs_digest(setting(), *told[0]) != inputs_digest(setting(), *told[1])
    outcomes = [compare(setting(), *sides) for sides in told]
    digests = {outcome_digest(c.sections, c.differences.findings) for c in outcomes}
    assert len(digests) == 2


def _digests(given: Setting, theirs: Theirs, ours: Ours) -> tuple[str, str]:
    compared = compare(given, theirs, ours)
    outcome = outcome_digest(compared.sections, compared.differences.findings)
    return inputs_digest(given, theirs, ours), outcome


def _other(value: object) -> object:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case StrEnum():
            kinds = list(type(value))
            return kinds[(kinds.index(value) + 1) % len(kinds)]
        case int():
            return value + 1
        case datetime() | date():
            return value - timedelta(days=1)
        case str():
            return "USD" if value in ("NGN", "GHS") else f"{value}9"
        case None:
            return None
        case _:
            return value[:-1]  # type: ignore[index]


def _one_otherwise(rows: Sequence[Any], name: str, n: int) -> list[Any]:
    value = _other(getattr(rows[n], name))
    return [replace(row, **{name: value}) if i == n else row for i, row in enumerate(rows)]


_OURS = {
    "receipts": OurReceipt,
    "journals": OurJournal,
    "postings": OurPosting,
    "refunds": OurRefund,
    "payouts": OurPayout,
}
_THEIRS = {
    "charges": ChargeSnapshot,
    "refunds": RefundSnapshot,
    "journals": JournalSnapshot,
    "rows": StatementRow,
    "transfers": TransferSnapshot,
}


@pytest.mark.parametrize(("noun", "name"), [(n, f.name) for n, kind in _OURS.items() for f in fields(kind)])
def test_whatever_of_ours_changes_the_outcome_changes_the_digest_of_the_inputs(noun: str, name: str) -> None:
    for seed in seeds(4):
        made = spoiled(seed).made
        theirs, ours = made.theirs(), made.ours()
        inputs, outcome = _digests(setting(), theirs, ours)
        for n in range(min(3, len(getattr(ours, noun)))):
            other = replace(ours, **{noun: tuple(_one_otherwise(getattr(ours, noun), name, n))})
            now = _digests(setting(), theirs, other)
            assert now[1] == outcome or now[0] != inputs, (seed, n)


@pytest.mark.parametrize(("noun", "name"), [(n, f.name) for n, kind in _THEIRS.items() for f in fields(kind)])
def test_whatever_of_theirs_changes_the_outcome_changes_the_digest_of_the_inputs(
    noun: str, name: str
) -> None:
    for seed in seeds(4):
        made = spoiled(seed).made
        theirs, ours = made.theirs(), made.ours()
        inputs, outcome = _digests(setting(), theirs, ours)
        told = getattr(theirs, noun)
        rows = told["gate"] if isinstance(told, dict) else told
        for n in range(min(5, len(rows))):
            if noun == "rows":
                row = replace(rows[n].row, **{name: _other(getattr(rows[n].row, name))})
                changed = [replace(one, row=row) if one is rows[n] else one for one in rows]
            else:
                changed = _one_otherwise(rows, name, n)
            other = replace(
                theirs, **{noun: {**told, "gate": changed} if isinstance(told, dict) else changed}
            )
            now = _digests(setting(), other, ours)
            assert now[1] == outcome or now[0] != inputs, (seed, n)


def test_words_on_a_statement_the_hour_of_the_lists_and_the_day_are_inputs_too() -> None:
    made = world(7)
    theirs, ours = made.theirs(), made.ours()
    theirs.rows = [replace(one, row=replace(one.row, narration="CASH")) for one in theirs.rows]
    payment = sorted(made.payments)[0]
    made.movements = [replace(theirs.rows[0], row=replace(theirs.rows[0].row, id="K", reference="X"))]
    theirs.rows += made.movements
    named = replace(theirs, rows=[*theirs.rows[:-1], _worded(theirs.rows[-1], f"repayment {payment}")])
    plain, with_words = _digests(setting(), theirs, ours), _digests(setting(), named, ours)
    assert plain[1] != with_words[1] and plain[0] != with_words[0]
    earlier = replace(theirs, listed_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert _digests(setting(), earlier, ours)[0] != plain[0]
    nothing = Theirs(theirs.listed_at)
    assert inputs_digest(setting(), nothing, Ours()) != inputs_digest(
        setting(on=DAY + timedelta(days=1)), nothing, Ours()
    )


def _worded(one: AccountRow, text: str) -> AccountRow:
    return replace(one, row=replace(one.row, narration=text))


def test_a_connection_that_could_not_be_listed_is_not_compared_and_does_not_hold() -> None:
    for name, source in (("gate", "gateway"), ("books", "books"), ("core", "bank")):
        made = world(7)
        theirs = made.theirs()
        theirs.problems[name] = "TryLater: they failed inside"
        if name in theirs.charges:
            theirs.charges[name] = []
        compared = compare(setting(), theirs, made.ours())
        [section] = [s for s in compared.sections if (s.source, s.connection) == (source, name)]
        assert (section.holds, section.problem, section.theirs) == (False, "TryLater: they failed inside", ())
        assert [f for f in compared.differences.findings if f.connection == name] == []


def test_transfers_that_could_not_be_listed_are_not_compared_and_what_came_in_is() -> None:
    made = world(7)
    theirs = made.theirs()
    theirs.transfers["gate"], theirs.transfer_problems["gate"] = [], "TryLater: they failed inside"
    compared = compare(setting(), theirs, made.ours())
    sections = {s.source: s for s in compared.sections}
    assert (sections["payouts"].holds, sections["payouts"].problem) == (False, "TryLater: they failed inside")
    assert sections["gateway"].holds
    assert compared.differences.findings == []


def test_another_try_that_nobody_ordered_is_told_under_the_reference_of_the_first() -> None:
    made = world(7)
    FAULTS["other try of a transfer that nobody ordered"](made, made.cases[0])
    [finding] = compare(setting(), made.theirs(), made.ours()).differences.findings
    assert finding.theirs["reference"] == made.outgoing.outs[0].own.reference


def test_payouts_of_a_gateway_that_is_connected_no_more_are_not_compared_and_do_not_hold() -> None:
    made = world(7)
    ours = made.ours()
    before = replace(ours, payouts=tuple(replace(p, connection="before") for p in ours.payouts))
    theirs = made.theirs()
    theirs.transfers = {}
    sections = {(s.source, s.connection): s for s in compare(setting(), theirs, before).sections}
    assert not sections["payouts", "before"].holds
    assert "no connection of this name" in sections["payouts", "before"].problem


def test_a_gateway_that_took_money_and_is_connected_no_more_is_not_compared_and_does_not_hold() -> None:
    made = world(7)
    ours = made.ours()
    renamed = replace(ours, receipts=tuple(replace(r, connection="before") for r in ours.receipts))
    theirs = made.theirs()
    theirs.charges, theirs.refunds = {"gate": [], "card": []}, {"gate": [], "card": []}
    compared = compare(setting(), theirs, renamed)
    sections = {(s.source, s.connection): s for s in compared.sections}
    assert not sections["gateway", "before"].holds
    assert "no connection of this name" in sections["gateway", "before"].problem
    assert ("landing", "before") not in sections, "it is no source from elsewhere"


def test_a_statement_that_could_not_be_read_takes_no_posting_for_missing() -> None:
    made = world(7)
    theirs = made.theirs()
    account = made.cases[0].rows[0].core_account
    theirs.rows = [one for one in theirs.rows if one.core_account != account]
    theirs.unread[account] = "TryLater: no answer"
    compared = compare(setting(), theirs, made.ours())
    assert compared.differences.findings == []
    [section] = [s for s in compared.sections if s.source == "bank"]
    assert not section.holds
    assert section.problem.startswith("1 statements could not be read")


# -- comparisons that are deliberately wrong ---------------------------------------------------------------


def _by_utc(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    return compare(setting(ZoneInfo("UTC")), theirs, ours)


def _blind_to_currency(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.charges = {n: [replace(c, currency="NGN") for c in cs] for n, cs in theirs.charges.items()}
    theirs.journals = [replace(j, currency="NGN") for j in theirs.journals]
    theirs.transfers = {n: [replace(t, currency="NGN") for t in ts] for n, ts in theirs.transfers.items()}
    return compare(given, theirs, ours)


def _one_row_for_many(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.rows = list({(one.row.reference or one.row.id): one for one in theirs.rows}.values())
    theirs.journals = list({j.reference: j for j in theirs.journals}.values())
    return compare(given, theirs, ours)


def _one_sided(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    known = {r.charge for r in ours.receipts}
    theirs.charges = {n: [c for c in cs if c.charge in known] for n, cs in theirs.charges.items()}
    return compare(given, theirs, ours)


def _takes_what_is_on_its_way_for_lost(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.listed_at += timedelta(days=30)
    return compare(given, theirs, ours)


def _believes_every_reversal(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    return compare(
        given, theirs, replace(ours, postings=tuple(replace(p, undone=True) for p in ours.postings))
    )


def _forgets_refunds(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    return compare(given, theirs, replace(ours, refunds=()))


def _takes_two_links_for_two_accounts(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    again = [replace(one, core_account=ONCE_MORE) for one in theirs.rows if one.core_account == LINKED_TWICE]
    return compare(given, replace(theirs, rows=[*theirs.rows, *again], accounts={}), ours)


def _takes_an_id_for_known_whatever_the_gateway(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    known, here = {r.charge for r in ours.receipts}, {(r.connection, r.charge) for r in ours.receipts}
    theirs.charges = {
        n: [c for c in cs if (n, c.charge) in here or c.charge not in known]
        for n, cs in theirs.charges.items()
    }
    return compare(given, theirs, ours)


def _of_transfers(change: Callable[[TransferSnapshot], TransferSnapshot]) -> Compare:
    def wrong(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
        theirs.transfers = {n: [change(t) for t in ts] for n, ts in theirs.transfers.items()}
        return compare(given, theirs, ours)

    return wrong


def _one_transfer_for_many(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.transfers = {
        n: list({t.retry_of or t.reference: t for t in ts}.values()) for n, ts in theirs.transfers.items()
    }
    return compare(given, theirs, ours)


def _one_refund_under_way_for_many(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    waiting = {(r.connection, r.charge, r.amount_minor) for r in ours.refunds if r.provider_ref is None}
    theirs.refunds = {
        n: [r for r in rs if r.reference or (n, r.charge, r.amount_minor) not in waiting]
        for n, rs in theirs.refunds.items()
    }
    return compare(given, theirs, ours)


def _never_asks_how_a_refund_ended(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    states = {(r.connection, r.provider_ref): r.state for r in ours.refunds}
    theirs.refunds = {
        n: [replace(r, state=states.get((n, r.provider_ref), r.state)) for r in rs]
        for n, rs in theirs.refunds.items()
    }
    return compare(given, theirs, ours)


def _knows_entries_of_receipts_alone(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    return compare(given, theirs, replace(ours, journals=tuple(j for j in ours.journals if j.receipt)))


def _leaves_out_what_tells_no_time(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.refunds = {n: [r for r in rs if r.created_at] for n, rs in theirs.refunds.items()}
    return compare(given, theirs, ours)


def _transfers_that_are_ordered(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    known = {p.reference for p in ours.payouts}
    theirs.transfers = {n: [t for t in ts if t.reference in known] for n, ts in theirs.transfers.items()}
    return compare(given, theirs, ours)


def _lists_without_a_look(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    theirs.looked = {}
    return compare(given, theirs, ours)


def _takes_every_state_of_ours_for_newer(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    later = tuple(replace(p, moved_at=theirs.listed_at) for p in ours.payouts)
    return compare(given, theirs, replace(ours, payouts=later))


def _takes_no_state_of_ours_for_newer(given: Setting, theirs: Theirs, ours: Ours) -> Compared:
    earlier = tuple(replace(p, moved_at=theirs.listed_at - timedelta(days=9)) for p in ours.payouts)
    return compare(given, theirs, replace(ours, payouts=earlier))


@pytest.mark.parametrize(
    "wrong",
    [
        _takes_two_links_for_two_accounts,
        _takes_an_id_for_known_whatever_the_gateway,
        _one_refund_under_way_for_many,
        _never_asks_how_a_refund_ended,
        _knows_entries_of_receipts_alone,
        _leaves_out_what_tells_no_time,
        _by_utc,
        _blind_to_currency,
        _one_row_for_many,
        _one_sided,
        _takes_what_is_on_its_way_for_lost,
        _believes_every_reversal,
        _forgets_refunds,
        pytest.param(
            _of_transfers(lambda t: replace(t, mode=Mode.TEST)), id="blind to the mode of a transfer"
        ),
        pytest.param(
            _of_transfers(lambda t: replace(t, retry_of="")), id="blind to further tries of a transfer"
        ),
        _one_transfer_for_many,
        _transfers_that_are_ordered,
        _lists_without_a_look,
        _takes_every_state_of_ours_for_newer,
        _takes_no_state_of_ours_for_newer,
    ],
)
def test_the_generator_catches_a_comparison_that_is_wrong(wrong: Compare) -> None:
    assert any(_faulty(spoiled(seed), wrong) for seed in seeds(60))
