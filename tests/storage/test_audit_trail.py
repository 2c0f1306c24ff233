"""The audit trail over a real river: a clean one verifies, and whatever is done to it by SQL is found and named."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.proof import quick
from rigs.river import river
from rigs.trail import (
    KEY,
    MARKER,
    a_key,
    at_once,
    by_hand,
    change,
    fill,
    head_of,
    insert_like,
    looking,
    remove,
    siblings,
    tampering,
    troubles,
    verified,
)
from sqlalchemy.engine import make_url

from coopwire.application.chaining import BATCH, audit_head
from coopwire.storage.audit.chain import ChainStore
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.marks import Marker, link, told
from coopwire.storage.audit.nouns import (
    ACTION,
    EFFECT,
    NOT_COVERED,
    NOUNS,
    PAYMENT,
    RECEIPT,
    REFUND,
    Noun,
    digest,
)
from coopwire.storage.audit.verify import Trouble, Verification, end_is_right
from coopwire.storage.database import connect
from coopwire.storage.rows import Row
from coopwire.storage.sealing import Sealer

ALL = sorted(NOUNS)
COLUMNS = [(noun.name, column) for noun in NOUNS.values() for column in noun.columns]
LINE_COLUMNS = [
    "component",
    "amount_minor",
    "due",
    "account_key",
    "dues_version",
    "recorded_at",
    "counts_from",
    "replaced_at",
]


@pytest.fixture(scope="module")
def trail(postgres: str) -> Iterator[str]:
    """A database with a chained trail of every noun; tests tamper in transactions that are rolled back."""
    name = f"t_{secrets.token_hex(6)}"
    at_once(_execute(postgres, f"CREATE DATABASE {name} TEMPLATE coopwire_template"))
    dsn = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    at_once(fill(dsn))
    # It goes with its server: what cleans it up by itself may be at it now, and lets nobody drop it.
    yield dsn


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


# -- a clean trail ----------------------------------------------------------------------------------------


async def test_a_clean_river_verifies_and_every_noun_has_rows_that_are_right(trail: str) -> None:
    async with looking(trail) as db:
        told_, verdict = await verified(db)
        assert told_ == []
        right = {one.noun: one.right for one in verdict.nouns}
        assert min(right.values()) >= 3
        assert right["receipt"] == 4
        assert right["effect"] == await db.fetchval(
            "SELECT count(*) FROM effects WHERE kind IN ('journal', 'posting')"
        )
        assert {one.older for one in verdict.nouns} == {0}
        assert (verdict.waiting, verdict.position) == (0, verdict.chained)
        assert verdict.chained == await db.fetchval("SELECT count(*) FROM audit")


async def test_an_allocation_by_the_loan_system_is_a_further_version_of_its_receipt(trail: str) -> None:
    async with looking(trail) as db:
        key = await db.fetchval("SELECT receipt FROM allocations WHERE replaced_at IS NOT NULL LIMIT 1")
        found = await db.fetch(
            "SELECT version FROM audit WHERE noun = 'receipt' AND key = $1 ORDER BY id", key
        )
        assert [row["version"] for row in found] == [0, 1]


async def test_an_effect_has_its_one_entry_when_it_is_over_also_when_an_operator_skipped_it(
    trail: str,
) -> None:
    async with looking(trail) as db:
        skipped = await db.fetchval("SELECT id FROM effects WHERE state = 'cancelled'")
        for key in (skipped, await a_key(db, EFFECT)):
            assert (
                await db.fetchval("SELECT count(*) FROM audit WHERE noun = 'effect' AND key = $1", key) == 1
            )
        assert not await db.fetchval(
            "SELECT 1 FROM audit a JOIN effects e ON e.id = a.key WHERE e.kind IN ('callback', 'checkout')"
        )


async def test_the_end_of_a_clean_chain_is_right_however_little_of_it_is_checked(trail: str) -> None:
    async with looking(trail) as db:
        for entries in (1, 5, 10_000):
            assert await end_is_right(db, MARKER, entries)
        other = Marker.of(Sealer([b"k" * 32]))
        assert not await end_is_right(db, other, 1)


async def test_an_earlier_head_is_found_and_a_made_up_one_is_not(trail: str) -> None:
    async with looking(trail) as db:
        earlier = await db.fetchval("SELECT hash FROM audit WHERE position = 7")
        assert (await verified(db, earlier.hex()))[0] == []
        told_, _ = await verified(db, "00" * 32)
        assert troubles(told_) == {("head missing", "", "00" * 32)}


async def test_a_mark_is_believed_when_any_configured_key_made_it(trail: str) -> None:
    async with looking(trail) as db:
        rotated = Marker.of(Sealer([b"n" * 32, KEY]))
        assert (await verified(db, marker=rotated))[0] == []
        lost = Marker.of(Sealer([b"n" * 32]))
        told_, verdict = await verified(db, marker=lost)
        assert {one.trouble for one in told_} == {Trouble.ENTRY_FORGED}
        assert len(told_) == verdict.chained


# -- rows that were tampered with -------------------------------------------------------------------------


async def _changed(db: Any, noun: Noun, column: str, made: Any = Verification) -> bool:
    """Whether the change of a column of one row is found, and nothing else is."""
    key = await a_key(db, noun)
    await change(db, noun, column, key)
    found = troubles((await verified(db, made=made))[0])
    if column == noun.key:
        gone = {("row removed", name, key) for name in siblings(noun)}
        return found == gone | {("row inserted", name, f"{key}x") for name in siblings(noun)}
    return found == {("row changed", noun.name, key)}


@pytest.mark.parametrize(("noun", "column"), quick(COLUMNS[::3], *COLUMNS[1::3], *COLUMNS[2::3]))
async def test_a_changed_column_is_found_and_its_row_is_named(trail: str, noun: str, column: str) -> None:
    async with tampering(trail) as db:
        assert await _changed(db, NOUNS[noun], column)


@pytest.mark.parametrize("column", LINE_COLUMNS)
async def test_a_changed_line_of_an_allocation_is_found(trail: str, column: str) -> None:
    async with tampering(trail) as db:
        key = await a_key(db, RECEIPT)
        line = Noun("line", "allocations", (), since="recorded_at", key="receipt")
        await change(db, line, column, key)
        assert troubles((await verified(db))[0]) == {("row changed", "receipt", key)}


async def test_a_line_that_is_put_back_to_suspense_a_further_one_and_a_missing_one_are_found(
    trail: str,
) -> None:
    for statement in (
        "UPDATE allocations SET replaced_at = NULL WHERE receipt = $1",
        "UPDATE allocations SET n = n + 50 WHERE receipt = $1",
        "INSERT INTO allocations SELECT receipt, 99, component, 1, due, account_key, dues_version, recorded_at "
        "FROM allocations WHERE receipt = $1 LIMIT 1",
        "DELETE FROM allocations WHERE receipt = $1 AND n = 1",
    ):
        async with tampering(trail) as db:
            key = await a_key(db, RECEIPT)
            await db.execute(statement, key)
            assert troubles((await verified(db))[0]) == {("row changed", "receipt", key)}


async def test_a_changed_report_of_a_comparison_is_found(trail: str) -> None:
    async with tampering(trail) as db:
        await db.execute("UPDATE reconciliations SET report = '{\"sections\": [2]}' WHERE id = 'run-2'")
        assert troubles((await verified(db))[0]) == {("row changed", "reconciliation", "run-2")}


@pytest.mark.parametrize(
    ("noun", "exchanged"),
    [
        ("core_account", "core_accounts SET number_sealed = sha256('x') WHERE id::text = $1"),
        ("authorization_code", "authorization_codes SET sealed = sha256('x') WHERE authorization_id = $1"),
        ("mandate_sealed", "mandate_codes SET sealed = sha256('x') WHERE mandate = $1"),
        ("account_sealed", "virtual_accounts SET number_sealed = sha256('x') WHERE id = $1"),
        ("batch_lines", "receipt_lines SET facts = '{\"minor\": 6}' WHERE batch = $1 AND line = 2"),
        ("batch_lines", "receipt_lines SET external_id = 'x' WHERE batch = $1 AND line = 2"),
    ],
)
async def test_a_sealed_record_or_a_line_that_was_exchanged_is_found(
    trail: str, noun: str, exchanged: str
) -> None:
    async with tampering(trail) as db:
        key = await a_key(db, NOUNS[noun])
        await db.execute(f"UPDATE {exchanged}", key)
        assert troubles((await verified(db))[0]) == {("row changed", noun, key)}


@pytest.mark.parametrize("noun", ALL)
async def test_a_removed_row_is_found_and_named(trail: str, noun: str) -> None:
    async with tampering(trail) as db:
        key = await a_key(db, NOUNS[noun])
        await remove(db, NOUNS[noun], key)
        gone = {("row removed", name, key) for name in siblings(NOUNS[noun])}
        assert troubles((await verified(db))[0]) == gone


@pytest.mark.parametrize("noun", ALL)
async def test_an_inserted_row_is_found_and_named(trail: str, noun: str) -> None:
    async with tampering(trail) as db:
        key = await insert_like(db, NOUNS[noun], await a_key(db, NOUNS[noun]))
        new = {("row inserted", name, key) for name in siblings(NOUNS[noun])}
        assert troubles((await verified(db))[0]) == new


@pytest.mark.parametrize("noun", ["receipt", "effect", "action", "break"])
async def test_an_inserted_row_that_claims_to_be_older_than_the_trail_is_counted(
    trail: str, noun: str
) -> None:
    async with tampering(trail) as db:
        old = {NOUNS[noun].since: "timestamptz '2001-01-01'"}
        await insert_like(db, NOUNS[noun], await a_key(db, NOUNS[noun]), **old)
        assert troubles((await verified(db))[0]) == {
            ("row inserted", noun, "1 that are older than the trail")
        }


async def test_an_effect_that_is_made_unfinished_again_is_found(trail: str) -> None:
    async with tampering(trail) as db:
        key = await a_key(db, EFFECT)
        await db.execute("UPDATE effects SET state = 'intended', finished_at = NULL WHERE id = $1", key)
        assert troubles((await verified(db))[0]) == {("row changed", "effect", key)}


# -- entries that were tampered with ----------------------------------------------------------------------

MIDDLE = 9
BEGUN = 2
"""Entries that the migrations make: the genesis, and the extension of 0014."""


async def _entry(db: Any, position: int) -> Row:
    row: Row = await db.fetchrow("SELECT * FROM audit WHERE position = $1", position)
    return row


@pytest.mark.parametrize(
    ("statement", "trouble"),
    [
        ("SET digest = sha256('x')", Trouble.ENTRY_CHANGED),
        ("SET mac = sha256('x')", Trouble.ENTRY_CHANGED),
        ("SET mac = ''", Trouble.ENTRY_CHANGED),
        ("SET version = version + 1", Trouble.ENTRY_CHANGED),
        ("SET at = at + interval '1 microsecond'", Trouble.ENTRY_MISPLACED),
        ("SET hash = sha256('x')", Trouble.ENTRY_MISPLACED),
        ("SET hash = NULL", Trouble.ENTRY_MISPLACED),
        ("SET seal = sha256('x')", Trouble.ENTRY_MISPLACED),
        ("SET seal = NULL", Trouble.ENTRY_MISPLACED),
    ],
)
async def test_a_changed_entry_is_found_and_named(trail: str, statement: str, trouble: Trouble) -> None:
    async with tampering(trail) as db:
        entry = await _entry(db, MIDDLE)
        await db.execute(f"UPDATE audit {statement} WHERE position = $1", MIDDLE)
        told_, _ = await verified(db)
        assert (trouble.value, entry["noun"], entry["key"]) in troubles(told_)
        assert MIDDLE in {one.position for one in told_}


@pytest.mark.parametrize("column", ["noun", "key"])
async def test_an_entry_that_was_made_to_be_about_something_else_is_found(trail: str, column: str) -> None:
    async with tampering(trail) as db:
        entry = await _entry(db, MIDDLE)
        await db.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE position = $1", MIDDLE)
        told_, _ = await verified(db)
        changed = {**entry, column: f"{entry[column]}x"}
        assert ("entry changed", changed["noun"], changed["key"]) in troubles(told_)
        assert any(one.noun == entry["noun"] and one.key == entry["key"] for one in told_)


async def test_an_entry_removed_from_the_middle_is_found_and_its_row_is_named(trail: str) -> None:
    async with tampering(trail) as db:
        entry = await _entry(db, MIDDLE)
        versions = await db.fetchval(
            "SELECT max(version) FROM audit WHERE noun = $1 AND key = $2", entry["noun"], entry["key"]
        )
        await db.execute("DELETE FROM audit WHERE position = $1", MIDDLE)
        found = troubles((await verified(db))[0])
        assert ("entry missing", "", f"{MIDDLE}") in found
        # An older version leaves a gap; of the newest the row remains, as changed since or as never recorded.
        newest = "row inserted" if entry["version"] == 0 else "row changed"
        expected = newest if entry["version"] == versions else "entry missing"
        assert expected in {what for what, noun, key in found if key == entry["key"]}


async def test_several_entries_removed_are_told_as_a_range(trail: str) -> None:
    async with tampering(trail) as db:
        await db.execute("DELETE FROM audit WHERE position BETWEEN 5 AND 8")
        assert ("entry missing", "", "5 to 8") in troubles((await verified(db))[0])


async def _chain_again(db: Any, first: int) -> None:
    """Do what the chainer does from this place on, as well as it can be done without the key."""
    before = await db.fetchval("SELECT hash FROM audit WHERE position = $1", first - 1)
    for n, row in enumerate(
        await db.fetch("SELECT * FROM audit WHERE position >= $1 ORDER BY position", first)
    ):
        said = told(row["noun"], row["key"], row["version"], row["digest"])
        before = link(before, first + n, row["at"], said, row["mac"])
        await db.execute(
            "UPDATE audit SET position = $2, hash = $3 WHERE id = $1", row["id"], first + n, before
        )


async def test_a_row_removed_with_its_entry_and_the_rest_chained_again_is_found_without_a_head(
    trail: str,
) -> None:
    async with tampering(trail) as db:
        key = await a_key(db, ACTION)
        place = await db.fetchval("SELECT position FROM audit WHERE noun = 'action' AND key = $1", key)
        await remove(db, ACTION, key)
        await db.execute("DELETE FROM audit WHERE position = $1", place)
        await _chain_again(db, place)
        told_, _ = await verified(db)
        assert {one.trouble for one in told_} == {Trouble.ENTRY_MISPLACED}
        assert min(one.position or 0 for one in told_) == place


async def test_a_tail_cut_off_with_its_rows_is_found_with_an_earlier_head_only(trail: str) -> None:
    async with tampering(trail) as db:
        head = await db.fetchval("SELECT hash FROM audit ORDER BY position DESC LIMIT 1")
        await db.execute("DELETE FROM audit WHERE noun = 'refund'")
        await db.execute("DELETE FROM refunds")
        last = await db.fetchval(
            "SELECT min(p) FROM generate_series(1, 1000) p WHERE p NOT IN (SELECT position FROM audit)"
        )
        cut = await db.fetch("DELETE FROM audit WHERE position > $1 RETURNING noun, key", last)
        for row in cut:
            await remove(db, NOUNS[row["noun"]], row["key"])
        told_, _ = await verified(db)
        assert told_ == [], "this is why a head is kept elsewhere"
        assert troubles((await verified(db, head.hex()))[0]) == {("head missing", "", head.hex())}


async def test_a_tail_cut_off_alone_leaves_rows_without_entries(trail: str) -> None:
    async with tampering(trail) as db:
        cut = await db.fetch("DELETE FROM audit WHERE position > 20 RETURNING noun, key, version")
        found = troubles((await verified(db))[0])
        firsts = {("row inserted", row["noun"], row["key"]) for row in cut if row["version"] == 0}
        assert firsts <= found


async def test_two_swapped_entries_are_both_named(trail: str) -> None:
    async with tampering(trail) as db:
        one, other = await _entry(db, MIDDLE), await _entry(db, MIDDLE + 3)
        for row, place in ((one, other["position"]), (other, one["position"])):
            await db.execute("UPDATE audit SET position = $2 WHERE id = $1", row["id"], place)
        found = troubles((await verified(db))[0])
        assert {("entry misplaced", row["noun"], row["key"]) for row in (one, other)} <= found


async def test_entries_that_were_swapped_and_given_each_others_hashes_are_found(trail: str) -> None:
    async with tampering(trail) as db:
        one, other = await _entry(db, MIDDLE), await _entry(db, MIDDLE + 1)
        for row, place in ((one, other), (other, one)):
            await db.execute(
                "UPDATE audit SET position = $2, hash = $3, seal = $4 WHERE id = $1",
                row["id"], place["position"], place["hash"], place["seal"],
            )  # fmt: skip
        found = troubles((await verified(db))[0])
        assert ("entry misplaced", one["noun"], one["key"]) in found


@pytest.mark.parametrize("key", ["0014 payment=1", "0014 attempt=9", "0099 payment=1"])
async def test_a_second_extension_that_claims_older_rows_is_forged_before_and_after_the_chainer(
    trail: str, key: str
) -> None:
    async with tampering(trail) as db:
        old = {"created_at": "timestamptz '2001-01-01'"}
        await insert_like(db, PAYMENT, await a_key(db, PAYMENT), **old)
        await db.execute(
            "INSERT INTO audit (at, noun, key, version, digest, mac) VALUES (now(), 'extension', $1, 0, "
            "sha256(convert_to($1, 'UTF8')), '')",
            key,
        )
        for chained in (False, True):
            if chained:
                assert await ChainStore(db, MARKER).extend(BATCH) == 1
            assert {
                ("entry forged", "extension", key),
                ("row inserted", "payment", "1 that are older than the trail"),
            } <= troubles((await verified(db))[0])


async def test_an_extension_that_is_gone_is_missed(trail: str) -> None:
    async with tampering(trail) as db:
        await db.execute("DELETE FROM audit WHERE noun = 'extension'")
        found = troubles((await verified(db))[0])
        assert {("entry missing", "extension", "0014"), ("entry missing", "", "2")} <= found


# -- what is covered --------------------------------------------------------------------------------------


def _tables_of(noun: Noun) -> set[str]:
    return {noun.table, *re.findall(r"FROM (\w+) \w+ WHERE", " ".join(noun.more.values()))}


async def test_every_table_is_covered_by_the_trail_or_exempt_for_a_reason(database_dsn: str) -> None:
    async with looking(database_dsn) as db:
        found = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    covered = {table for noun in NOUNS.values() for table in _tables_of(noun)}
    assert covered.isdisjoint(NOT_COVERED)
    assert covered | NOT_COVERED.keys() == {row["tablename"] for row in found}
    assert all(NOT_COVERED.values())


async def test_every_amount_of_a_covered_table_is_covered(database_dsn: str) -> None:
    async with looking(database_dsn) as db:
        found = await db.fetch(
            "SELECT table_name AS t, column_name AS c FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name ~ '(_minor|_exact)$'"
        )
    told_of = {noun.table: "" for noun in NOUNS.values()}
    for noun in NOUNS.values():
        for table in _tables_of(noun):
            told_of[table] = " ".join([told_of.get(table, ""), *noun.columns, *noun.more.values()])
    missing = {(row["t"], row["c"]) for row in found if row["c"] not in told_of.get(row["t"], row["c"])}
    # What a fee should have been is worked out anew from the price list when somebody asks.
    assert missing == {("receipts", "expected_fee_minor"), ("receipts", "expected_fee_exact")}


async def _forge(db: Any, noun: Noun, key: str, mac: bytes, **place: object) -> None:
    """An entry with a right digest for an inserted row."""
    [row] = await db.fetch(
        f"SELECT {noun.key_sql} AS k, {noun.values_sql} FROM {noun.table} t WHERE {noun.key_sql} = $1", key
    )
    await db.execute(
        "INSERT INTO audit (at, noun, key, version, digest, mac, position) VALUES (now(), $1, $2, 0, $3, $4, $5)",
        noun.name, key, digest(noun, row), mac, place.get("position"),
    )  # fmt: skip


@pytest.mark.parametrize("noun", ALL)
async def test_a_row_inserted_with_an_entry_that_nobody_signed_is_found_before_and_after_the_chainer(
    trail: str, noun: str
) -> None:
    async with tampering(trail) as db:
        key = await insert_like(db, NOUNS[noun], await a_key(db, NOUNS[noun]))
        await _forge(db, NOUNS[noun], key, b"")
        others = {("row inserted", name, key) for name in siblings(NOUNS[noun]) if name != noun}
        told_, verdict = await verified(db)
        assert (troubles(told_), verdict.waiting) == ({("entry forged", noun, key)} | others, 1)
        assert await ChainStore(db, MARKER).extend(BATCH) == 1
        told_, verdict = await verified(db)
        assert (troubles(told_), verdict.waiting) == ({("entry forged", noun, key)} | others, 0)
        assert not await end_is_right(db, MARKER, 1)


@pytest.mark.parametrize("position", [-5, 0, -(2**63)])
async def test_an_entry_put_in_front_of_the_chain_is_found(trail: str, position: int) -> None:
    async with tampering(trail) as db:
        key = await insert_like(db, ACTION, await a_key(db, ACTION))
        await _forge(db, ACTION, key, b"", position=position)
        assert troubles((await verified(db))[0]) == {("entry misplaced", "action", key)}


async def test_an_entry_replayed_for_another_row_is_forged(trail: str) -> None:
    async with tampering(trail) as db:
        genuine = await db.fetchrow("SELECT * FROM audit WHERE noun = 'action' LIMIT 1")
        key = await insert_like(db, ACTION, genuine["key"])
        await _forge(db, ACTION, key, genuine["mac"])
        assert troubles((await verified(db))[0]) == {("entry forged", "action", key)}


async def _put_back(db: Any) -> str:
    """A refund as it was before its move."""
    key = await a_key(db, REFUND)
    await db.execute("UPDATE refunds SET state = 'intended', provider_ref = NULL WHERE id = $1", key)
    assert troubles((await verified(db))[0]) == {("row changed", "refund", key)}
    return key


async def test_a_refund_put_back_to_an_earlier_state_is_not_covered_by_its_earlier_entry(trail: str) -> None:
    async with tampering(trail) as db:
        key = await _put_back(db)
        for version, trouble in ((2, "entry forged"), (0, "entry missing")):
            replayed = await db.fetchval(
                "INSERT INTO audit (at, noun, key, version, digest, mac) SELECT now(), noun, key, $2, digest, mac "
                "FROM audit WHERE noun = 'refund' AND key = $1 AND version = 0 RETURNING id",
                key,
                version,
            )
            assert (trouble, "refund", key) in troubles((await verified(db))[0])
            await db.execute("DELETE FROM audit WHERE id = $1", replayed)


async def test_a_refund_put_back_whose_later_entry_is_gone_is_a_gap_in_the_chain(trail: str) -> None:
    async with tampering(trail) as db:
        key = await _put_back(db)
        place = await db.fetchval(
            "DELETE FROM audit WHERE noun = 'refund' AND key = $1 AND version = 1 RETURNING position", key
        )
        assert ("entry missing", "", str(place)) in troubles((await verified(db))[0])


async def test_an_old_hash_written_over_a_later_one_is_found(trail: str) -> None:
    async with tampering(trail) as db:
        await db.execute(
            "UPDATE audit a SET hash = o.hash, seal = o.seal FROM audit o WHERE a.position = $1 AND o.position = 4",
            MIDDLE,
        )
        assert MIDDLE in {one.position for one in (await verified(db))[0]}


async def test_a_trail_that_begins_anew_does_not_look_like_the_old_one(trail: str) -> None:
    async with tampering(trail) as db:
        head = await db.fetchval("SELECT hash FROM audit ORDER BY position DESC LIMIT 1")
        await db.execute("DELETE FROM audit")
        told_, verdict = await verified(db, head.hex())
        found = troubles(told_)
        assert {("entry missing", "genesis", ""), ("head missing", "", head.hex())} <= found
        assert len(found) > 20
        assert verdict.chained == 0


# -- any tampering ----------------------------------------------------------------------------------------

_TAMPERS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(COLUMNS), st.integers(0, 2)),
    st.tuples(st.just("remove"), st.sampled_from([(noun, "") for noun in ALL]), st.integers(0, 2)),
    st.tuples(st.just("entry"), st.sampled_from(["digest", "mac", "hash", "seal"]), st.integers(2, 25)),
    st.tuples(st.just("forget"), st.just(""), st.integers(2, 25)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tampers=st.lists(_TAMPERS, min_size=1, max_size=4, unique=True))
def test_whatever_is_done_to_rows_and_entries_something_is_found(trail: str, tampers: list[Any]) -> None:
    found = at_once(_tampered(trail, tampers))
    assert found, tampers


async def _tampered(dsn: str, tampers: list[Any]) -> set[tuple[str, str, str]]:
    async with tampering(dsn) as db:
        for what, where, n in tampers:
            await _tamper(db, what, where, n)
        return troubles((await verified(db))[0])


async def _tamper(db: Any, what: str, where: Any, n: int) -> None:
    if what == "entry":
        await db.execute(f"UPDATE audit SET {where} = sha256({where} || 'x') WHERE position = $1", n)
    elif what == "forget":
        await db.execute("DELETE FROM audit WHERE position = $1", n)
    else:
        noun = NOUNS[where[0]]
        key = await db.fetchval(
            f"SELECT {noun.key_sql} FROM {noun.table} t WHERE {noun.covered} ORDER BY 1 OFFSET $1 LIMIT 1", n
        )
        if key is not None and what == "change":
            await change(db, noun, where[1], key)
        elif key is not None:
            await remove(db, noun, key)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_FACTS = Noun("facts", "facts", ("a", "b", "at"), since="at")
_INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(_JSON, _JSON, _INSTANTS, _JSON, _JSON, _INSTANTS)
def test_two_rows_have_one_digest_exactly_when_they_are_the_same(
    a: object, b: object, at: datetime, other_a: object, other_b: object, other_at: datetime
) -> None:
    one = {"a": a, "b": b, "at": at}
    other = {"a": other_a, "b": other_b, "at": other_at}
    same = repr(one) == repr(other)
    assert (digest(_FACTS, one) == digest(_FACTS, other)) is same


@given(_JSON, _INSTANTS, st.integers(-12, 14))
def test_a_digest_knows_no_order_of_columns_and_no_zone(a: object, at: datetime, hours: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
    assert digest(_FACTS, {"a": a, "b": 1, "at": at}) == digest(_FACTS, {"at": elsewhere, "b": 1, "a": a})


# -- the proof bites --------------------------------------------------------------------------------------


class SkipsDigests(Verification):
    """Wrong on purpose: believes that a row with an entry is the one that the entry is about."""

    def judge(self, noun: Noun, row: Row) -> Trouble | None:
        found = super().judge(noun, row)
        return None if found is Trouble.ROW_CHANGED else found


class SkipsRowsWithoutEntry(Verification):
    """Wrong on purpose: looks at what has an entry only."""

    def judge(self, noun: Noun, row: Row) -> Trouble | None:
        found = super().judge(noun, row)
        return None if found is Trouble.ROW_INSERTED else found


class BelievesHashes(Verification):
    """Wrong on purpose: takes the chain for whole, and entries for signed."""

    def _entry(self, row: Row, before: bytes, *, behind_gap: bool) -> None:
        return


@pytest.mark.parametrize("noun", [name for name in ALL if NOUNS[name].columns[-1] != NOUNS[name].key])
async def test_a_verification_that_skips_digests_is_caught(trail: str, noun: str) -> None:
    async with tampering(trail) as db:
        assert not await _changed(db, NOUNS[noun], NOUNS[noun].columns[-1], made=SkipsDigests)


@pytest.mark.parametrize("noun", ALL)
async def test_a_verification_that_skips_rows_without_an_entry_is_caught(trail: str, noun: str) -> None:
    async with tampering(trail) as db:
        await insert_like(db, NOUNS[noun], await a_key(db, NOUNS[noun]))
        assert (await verified(db, made=SkipsRowsWithoutEntry))[0] == []


async def test_a_verification_that_believes_hashes_is_caught(trail: str) -> None:
    async with tampering(trail) as db:
        await db.execute("UPDATE audit SET digest = digest, at = at + interval '1 day' WHERE position = 9")
        assert (await verified(db, made=BelievesHashes))[0] == []
        assert (await verified(db))[0] != []


# -- how entries come about -------------------------------------------------------------------------------


async def test_two_chainers_at_once_make_one_chain(database_dsn: str) -> None:
    async with _databases(database_dsn, 3) as databases:
        for n in range(30):
            await _act(databases[n % 3], f"action {n}")

        async def chain(database: Any) -> int:
            done = 0
            while await database.pool.fetchval("SELECT count(*) FROM audit WHERE position IS NULL"):
                async with database.begin("test") as tx:
                    done += await tx.chain.extend(7)
            return done

        counts = await asyncio.gather(*(chain(database) for database in databases))
        assert sum(counts) == BEGUN + 30
    async with looking(database_dsn) as db:
        told_, verdict = await verified(db)
        assert (told_, verdict.chained, verdict.position) == ([], BEGUN + 30, BEGUN + 30)


async def test_a_chainer_that_is_cut_off_in_the_middle_leaves_nothing_and_is_followed_by_another(
    database_dsn: str,
) -> None:
    async with _databases(database_dsn, 2) as (first, second):
        for n in range(10):
            await _act(first, f"action {n}")
        with pytest.raises(RuntimeError):
            async with first.begin("test") as tx:
                assert await tx.chain.extend(5) == 5
                raise RuntimeError("cut off")
        assert (await audit_head(second)).position == BEGUN + 10
    async with looking(database_dsn) as db:
        assert (await verified(db))[0] == []


async def test_a_chainer_whose_connection_is_ended_does_not_keep_the_others_waiting(
    database_dsn: str,
) -> None:
    async with _databases(database_dsn, 2) as (first, second):
        await _act(first, "something")
        held = await asyncpg.connect(database_dsn)
        await held.execute("BEGIN")
        await ChainStore(held, MARKER).extend(1)
        async with second.begin("test") as tx:
            assert await tx.chain.extend(BATCH) == 0, "another one is at it"
        held.terminate()
        assert (await audit_head(second)).position == BEGUN + 1
    async with looking(database_dsn) as db:
        assert (await verified(db))[0] == []


async def test_entries_committed_out_of_order_are_chained_as_they_come(database_dsn: str) -> None:
    async with _databases(database_dsn, 2) as (first, second):
        async with first.begin("test") as tx:
            await tx.audit("a", "early", "s", "r", datetime.now(UTC))
            await tx.complete()
            await _act(second, "late, but committed first")
            assert (await audit_head(second)).position == BEGUN + 1
        head = await audit_head(second)
        assert head.position == BEGUN + 2
    async with looking(database_dsn) as db:
        ids = await db.fetch("SELECT id FROM audit ORDER BY position")
        assert [row["id"] for row in ids] != sorted(row["id"] for row in ids)
        assert (await verified(db, head.hash))[0] == []


async def test_nothing_of_a_transaction_that_fails_is_in_the_trail(database_dsn: str) -> None:
    async with _databases(database_dsn, 1) as (database,):
        with pytest.raises(RuntimeError):
            async with database.begin("test") as tx:
                await tx.audit("a", "never", "s", "r", datetime.now(UTC))
                raise RuntimeError("no")
        assert await database.pool.fetchval("SELECT count(*) FROM audit") == BEGUN


async def test_what_did_not_change_gets_no_further_entry(database_dsn: str) -> None:
    async with _databases(database_dsn, 1) as (database,):
        await _act(database, "something")
        id_ = await database.pool.fetchval("SELECT id FROM operator_actions")
        async with database.begin("test") as tx:
            tx.audited("action", [id_, 4711])
        assert await database.pool.fetchval("SELECT count(*) FROM audit") == BEGUN + 1


async def test_a_row_that_is_made_and_noted_in_one_transaction_has_one_entry(database_dsn: str) -> None:
    async with _databases(database_dsn, 1) as (database,):
        async with database.begin("test") as tx:
            await tx.audit("a", "once", "s", "r", datetime.now(UTC))
            tx.audited("action", [await tx._db.fetchval("SELECT max(id) FROM operator_actions")])
        versions = await database.pool.fetch("SELECT version FROM audit WHERE noun = 'action'")
        assert [row["version"] for row in versions] == [0]
    async with looking(database_dsn) as db:
        assert (await verified(db))[0] == []


async def test_nothing_recorded_asks_nothing_of_the_database_and_much_recorded_asks_once(
    database_dsn: str,
) -> None:
    async with _databases(database_dsn, 1) as (database,), database.pool.acquire() as connection:
        asked: list[Any] = []
        entries = Entries(connection, MARKER)
        row = {"id": 1, "at": datetime.now(UTC), "actor": "a", "action": "b", "subject": "c", "reason": "d"}
        # The first statement of a connection that takes arrays asks for their types too.
        entries.add(ACTION, [row])
        await entries.flush()
        connection.add_query_logger(asked.append)
        await entries.flush()
        await asyncio.sleep(0)
        assert asked == []
        entries.add(ACTION, [{**row, "id": n} for n in range(2, 50)])
        await entries.flush()
        await asyncio.sleep(0)
        assert len(asked) == 1
        connection.remove_query_logger(asked.append)


async def test_many_that_note_the_same_row_at_once_number_their_versions(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        told_ = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told_["charges"][0]["id"])
        await hub.settled(1)
        await by_hand(hub)
        [refund] = await hub.rows("SELECT id FROM refunds")

        async def move(n: int) -> None:
            async with hub.app.database.begin("test") as tx:
                await tx._db.execute(
                    "UPDATE refunds SET reason = $2 WHERE id = $1", refund["id"], f"move {n}"
                )
                tx.audited("refund", [refund["id"]])

        await asyncio.gather(*(move(n) for n in range(8)))
        versions = await hub.rows("SELECT version FROM audit WHERE noun = 'refund' ORDER BY id")
        assert [row["version"] for row in versions] == list(range(10))
        head = await head_of(hub)
        async with hub.app.database.unhurried() as db:
            assert (await verified(db, head))[0] == []


async def test_the_hub_chains_within_a_second(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        async with hub.app.database.begin("test") as tx:
            await tx.audit("a", "something", "s", "r", hub.app.clock.now())
        await hub.until("SELECT count(*) FROM audit WHERE position IS NULL", expected=0, seconds=1)


# -- the beginning, and what the database itself refuses --------------------------------------------------


async def test_rows_from_before_the_trail_are_counted_and_not_wrong(database_dsn: str) -> None:
    async with _databases(database_dsn, 1) as (database,):
        await _older(database.pool, 3)
        await _act(database, "something new")
        await audit_head(database)
    async with looking(database_dsn) as db:
        told_, verdict = await verified(db)
        assert told_ == []
        [action] = [one for one in verdict.nouns if one.noun == "action"]
        assert (action.right, action.older) == (1, 3)
    async with tampering(database_dsn) as db:
        await db.execute("DELETE FROM operator_actions WHERE action = 'old 1'")
        assert troubles((await verified(db))[0]) == {
            ("row removed", "action", "1 that were older than the trail")
        }


async def _older(pool: Any, count: int) -> None:
    """As the migration of a database with this many actions would have begun the trail."""
    await pool.execute("ALTER TABLE audit DISABLE TRIGGER USER")
    await pool.execute(
        "INSERT INTO operator_actions (at, actor, action, subject, reason) "
        "SELECT timestamptz '2025-01-01', 'a', 'old ' || n, 's', 'r' FROM generate_series(1, $1) n",
        count,
    )
    told_ = f"receipt=0 effect=0 action={count} break=0"
    await pool.execute(
        "UPDATE audit SET key = $1, digest = sha256($1::text::bytea) WHERE noun = 'genesis'", told_
    )
    await pool.execute("ALTER TABLE audit ENABLE TRIGGER USER")


async def test_a_trail_without_a_hub_has_begun_but_is_not_chained(database_dsn: str) -> None:
    async with looking(database_dsn) as db:
        told_, verdict = await verified(db)
        assert (told_, verdict.chained, verdict.waiting, verdict.position) == ([], 0, BEGUN, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit",
        "TRUNCATE audit",
        *(
            f"UPDATE audit SET {column} = {column} || 'x'"
            for column in ("noun", "key", "digest", "mac", "hash")
        ),
        "UPDATE audit SET position = position + 1000",
        "UPDATE audit SET position = NULL, hash = NULL, seal = NULL",
        "UPDATE audit SET at = now(), version = 3",
        "DELETE FROM operator_actions",
        "UPDATE operator_actions SET reason = 'other'",
        "TRUNCATE operator_actions",
        "DELETE FROM break_moves",
        "UPDATE break_moves SET text = 'other'",
        "TRUNCATE break_moves",
    ],
)
async def test_the_database_refuses_to_change_what_only_grows(trail: str, statement: str) -> None:
    async with looking(trail) as db:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="stay as they are"):
            await db.execute(statement)


async def test_an_entry_that_waits_can_be_given_its_place_and_nothing_else(database_dsn: str) -> None:
    async with _databases(database_dsn, 1) as (database,):
        await _act(database, "something")
    for column in ("noun", "key", "digest", "mac"):
        async with looking(database_dsn) as db:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await db.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE noun = 'action'")


# -- rigs -------------------------------------------------------------------------------------------------


class _databases:
    """So many pools on one database, of hubs with the same sealing key."""

    def __init__(self, dsn: str, count: int) -> None:
        self._dsn, self._count = dsn, count
        self._open: list[Any] = []

    async def __aenter__(self) -> list[Any]:
        self._open = [await connect(self._dsn, Sealer([KEY]), size=4) for _ in range(self._count)]
        return self._open

    async def __aexit__(self, *error: object) -> None:
        for database in self._open:
            await database.close()


async def _act(database: Any, action: str) -> None:
    async with database.begin("test") as tx:
        await tx.audit("an operator", action, "subject", "reason", datetime.now(UTC))


def test_every_noun_is_a_table_with_these_columns(trail: str) -> None:
    async def columns(noun: Noun) -> set[str]:
        async with looking(trail) as db:
            found = await db.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1", noun.table
            )
            return {row["column_name"] for row in found}

    for noun in NOUNS.values():
        assert {*noun.columns, noun.key, noun.since} <= at_once(columns(noun)), noun.name
