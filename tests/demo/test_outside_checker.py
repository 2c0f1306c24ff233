"""The checker of the demonstration bites: each world in which something is wrong fails exactly the right check."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coopwire.demo import outside
from coopwire.demo.outside import Charge, Credit, Journal, Lms, Receipt, World, Written, judge

CLEARING, CHARGES, LOANS, SUSPENSE = "91", "64", "120", "202"


def charge(number: int, amount: int, fee: int) -> Charge:
    return Charge(str(5_100_000_000 + number), f"ref{number}", amount, fee, amount)


def journal(one: Charge, number: int, credited: str = LOANS) -> Journal:
    lines = ((CLEARING, one.net), (CHARGES, one.fee), (credited, -one.amount))
    note = f"[LMS:journal{number}] loan repayment, loan LN-{number:05d}, member M-{number}, paystack {one.id}"
    return Journal(str(400 + number), f"journal{number}", note, lines)


def receipt(one: Charge, number: int, *, journal: str = "done", posting: str | None = "done") -> Receipt:
    writes = [Written("journal", f"journal{number}", journal), Written("callback", f"told{number}", "done")]
    if posting is not None:
        writes.append(Written("posting", f"T{number:011d}", posting))
    return Receipt(f"r{number}", one.id, one.amount, one.fee, tuple(writes))


def credit(one: Charge, number: int) -> Credit:
    return Credit(f"A{number}", f"T{number:011d}", one.value)


def fine_world() -> World:
    """Three receipts booked and banked, the fourth (of a doubtful amount) booked to suspense only."""
    charges = tuple(charge(n, 5_250_000 + n, 88_750 + n) for n in range(1, 5))
    journals = (*(journal(charges[n - 1], n) for n in (1, 2, 3)), journal(charges[3], 4, SUSPENSE))
    receipts = (
        *(receipt(charges[n - 1], n) for n in (1, 2, 3)),
        receipt(charges[3], 4, posting=None),
    )
    lms = Lms(
        recorded={f"r{n}": 1 for n in (1, 2, 3, 4)},
        settled={f"r{n}": 1 for n in (1, 2, 3)},
        allocated={f"r{n}": charges[n - 1].value for n in (1, 2, 3, 4)},
    )
    return World(
        charges=charges,
        journals=journals,
        credits=tuple(credit(charges[n - 1], n) for n in (1, 2, 3)),
        receipts=receipts,
        lms=lms,
        clearing_account=CLEARING,
        clearing=sum(one.net for one in charges),
    )


def faults(world: World) -> dict[str, list[str]]:
    """The sentences that do not hold, with their rows."""
    return {check.sentence: check.faults for check in judge(world).checks if not check.holds}


def test_a_world_in_which_everything_is_right_holds() -> None:
    verdict = judge(fine_world())
    assert verdict.holds, verdict.checks
    counts = {name: one.count for name, one in verdict.buckets.items()}
    assert counts == {"booked+banked": 3, "booked only": 1, "banked only": 0, "neither yet": 0, "unknown": 0}
    assert sum(one.kobo for one in verdict.buckets.values()) == verdict.totals["collected"].kobo


def doubled_credit(world: World) -> World:
    return replace(world, credits=(*world.credits, replace(world.credits[0], id="A99")))


def doubled_credit_under_another_reference(world: World) -> World:
    return replace(world, credits=(*world.credits, replace(world.credits[0], id="A99", reference="TZZZ")))


def wrong_credit(world: World) -> World:
    first = world.credits[0]
    return replace(world, credits=(replace(first, amount=first.amount + 1), *world.credits[1:]))


def lost_journal(world: World) -> World:
    return replace(world, journals=world.journals[1:], clearing=world.clearing - world.charges[0].net)


def doubled_journal(world: World) -> World:
    again = replace(world.journals[0], id="499", number="journal99")
    return replace(world, journals=(*world.journals, again), clearing=world.clearing + world.charges[0].net)


def journal_of_nobody(world: World) -> World:
    stray = Journal("499", "journal99", "by hand", ((CHARGES, 500), (LOANS, -500)))
    return replace(world, journals=(*world.journals, stray))


def unbalanced_journal(world: World) -> World:
    first = world.journals[0]
    lines = (*first.lines[:2], (LOANS, -world.charges[0].amount + 1))
    return replace(world, journals=(replace(first, lines=lines), *world.journals[1:]))


def wrong_amount_in_a_journal(world: World) -> World:
    first, one = world.journals[0], world.charges[0]
    lines = ((CLEARING, one.net + 100), (CHARGES, one.fee), (LOANS, -one.amount - 100))
    moved = replace(first, lines=lines)
    return replace(world, journals=(moved, *world.journals[1:]), clearing=world.clearing + 100)


def journal_under_a_strange_reference(world: World) -> World:
    moved = replace(world.journals[0], number="elsewhere")
    return replace(world, journals=(moved, *world.journals[1:]))


def forged_receipt(world: World) -> World:
    forged = receipt(charge(77, 1_000, 15), 77, journal="intended", posting="intended")
    return replace(world, receipts=(*world.receipts, forged))


def lost_receipt(world: World) -> World:
    return replace(world, receipts=world.receipts[:-1])


def doubled_receipt(world: World) -> World:
    return replace(world, receipts=(*world.receipts, replace(world.receipts[0], id="r99")))


def wrong_amount_in_a_receipt(world: World) -> World:
    first = world.receipts[0]
    return replace(world, receipts=(replace(first, gross=first.gross - 1), *world.receipts[1:]))


def wrong_fee_in_a_receipt(world: World) -> World:
    first = world.receipts[0]
    return replace(world, receipts=(replace(first, fee=first.fee + 1), *world.receipts[1:]))


def clearing_that_does_not_tie(world: World) -> World:
    return replace(world, clearing=world.clearing - 1)


def done_that_is_not_there(world: World) -> World:
    return replace(world, credits=world.credits[1:])


def there_though_the_hub_would_send_it_again(world: World) -> World:
    first = receipt(world.charges[0], 1, posting="intended")
    return replace(world, receipts=(first, *world.receipts[1:]))


def told_twice(world: World) -> World:
    return replace(world, lms=replace(world.lms, recorded={**world.lms.recorded, "r1": 2}))


def told_of_nothing(world: World) -> World:
    return replace(world, lms=replace(world.lms, recorded={**world.lms.recorded, "r99": 1}))


def told_settled_too_early(world: World) -> World:
    return replace(world, lms=replace(world.lms, settled={**world.lms.settled, "r4": 1}))


def never_told(world: World) -> World:
    recorded = {id_: count for id_, count in world.lms.recorded.items() if id_ != "r1"}
    return replace(world, lms=replace(world.lms, recorded=recorded))


def wrong_allocation(world: World) -> World:
    return replace(world, lms=replace(world.lms, allocated={**world.lms.allocated, "r1": 1}))


def due_satisfied_twice(world: World) -> World:
    return replace(world, lms=replace(world.lms, over_satisfied=("LN-00001-principal",)))


WRONG: dict[Callable[[World], World], str] = {
    doubled_credit: "no receipt is banked twice",
    doubled_credit_under_another_reference: "no receipt is banked twice",
    wrong_credit: "every credit has the amount",
    lost_journal: "what the hub believes is what is there",
    doubled_journal: "no charge is booked twice",
    journal_of_nobody: "no charge is booked twice",
    unbalanced_journal: "every journal balances",
    wrong_amount_in_a_journal: "every journal has the amounts",
    journal_under_a_strange_reference: "every journal carries the reference",
    forged_receipt: "every paid charge is exactly one receipt",
    lost_receipt: "every paid charge is exactly one receipt",
    doubled_receipt: "every paid charge is exactly one receipt",
    wrong_amount_in_a_receipt: "every receipt has the amount",
    wrong_fee_in_a_receipt: "every receipt has the amount",
    clearing_that_does_not_tie: "the clearing account is",
    done_that_is_not_there: "what the hub believes is what is there",
    there_though_the_hub_would_send_it_again: "what the hub believes is what is there",
    told_twice: "the loan system was told once",
    told_of_nothing: "the loan system was told once",
    told_settled_too_early: "the loan system was told once",
    never_told: "the loan system was told once",
    wrong_allocation: "the loan system allocated",
    due_satisfied_twice: "the loan system allocated",
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_a_world_with_one_thing_wrong_fails_and_names_the_row(spoil: Callable[[World], World]) -> None:
    found = faults(spoil(fine_world()))
    [rows] = [rows for sentence, rows in found.items() if sentence.startswith(WRONG[spoil])]
    assert rows
    assert all(len(row) > 20 for row in rows)


def test_a_receipt_of_which_the_hub_does_not_know_is_unknown_whatever_is_there() -> None:
    world = fine_world()
    doubtful = receipt(world.charges[0], 1, posting="unknown")
    told = dict.fromkeys(("r2", "r3"), 1)
    lms = replace(world.lms, settled=told)
    there = replace(world, receipts=(doubtful, *world.receipts[1:]), lms=lms)
    absent = replace(there, credits=world.credits[1:])
    for one in (there, absent):
        verdict = judge(one)
        assert verdict.holds, [check.faults for check in verdict.checks]
        assert verdict.buckets["unknown"].count == 1


def test_what_was_not_sent_yet_is_neither_and_the_clearing_account_lacks_exactly_that() -> None:
    world = fine_world()
    waiting = receipt(world.charges[0], 1, journal="intended", posting="intended")
    lms = replace(world.lms, settled=dict.fromkeys(("r2", "r3"), 1))
    world = replace(
        world,
        receipts=(waiting, *world.receipts[1:]),
        journals=world.journals[1:],
        credits=world.credits[1:],
        clearing=world.clearing - world.charges[0].net,
        lms=lms,
    )
    verdict = judge(world)
    assert verdict.holds, [check.faults for check in verdict.checks]
    assert verdict.buckets["neither yet"].count == 1


def test_a_fee_that_the_member_bore_on_top_is_no_part_of_the_value() -> None:
    on_top = Charge("1", "ref", amount=101_500, fee=1_500, asked=100_000)
    assert (on_top.value, on_top.net) == (100_000, 100_000)
    ours = Charge("1", "ref", amount=100_000, fee=1_500, asked=100_000)
    assert (ours.value, ours.net) == (100_000, 98_500)


def test_the_checker_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(outside.__file__).read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            assert name not in ("__import__", "import_module", "exec", "eval")
    assert imported <= sys.stdlib_module_names
