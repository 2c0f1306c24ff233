"""`coopwire audit` over a real database: what it says, what it never says, and how it exits."""

from __future__ import annotations

import json

import pytest
from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import Deployment

REASON = "a reason that stands in the row alone"


@pytest.fixture
def acted(deployment: Deployment, within: Run) -> Deployment:
    """A hub whose operators did three things."""
    for n in range(3):
        closed = within("gates", "close", "core", "--traffic", "write", "--reason", f"{REASON} {n}")
        assert closed.code == 0
    return deployment


def _tamper(dsn: str, table: str, statement: str) -> None:
    for one in (
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        statement,
        f"ALTER TABLE {table} ENABLE TRIGGER USER",
    ):
        fetch(dsn, one)


def _actions(dsn: str) -> list[int]:
    return [row["id"] for row in fetch(dsn, "SELECT id FROM operator_actions ORDER BY id")]


def test_a_new_database_has_nothing_wrong_and_nothing_chained(deployment: Deployment, within: Run) -> None:
    ran = within("audit", "verify")
    assert ran.code == 0
    assert "chain: 0 entries\n2 entries wait for their place in the chain\nnothing is wrong\n" in ran.out


def test_a_clean_trail_is_told_by_noun_with_its_end(acted: Deployment, within: Run) -> None:
    assert "action: 3 right" in within("audit", "verify").out
    place, hash_ = within("audit", "head").out.split()
    assert (place, len(hash_)) == ("5", 64)
    ran = within("audit", "verify", "--head", hash_)
    assert ran.code == 0
    assert f"chain: 5 entries, the last is 5 {hash_}" in ran.out
    assert "wait" not in ran.out
    assert within("audit", "head", "--json").rows == [{"position": 5, "hash": hash_}]


def test_a_changed_a_removed_and_an_inserted_row_are_named_without_content(
    acted: Deployment, within: Run
) -> None:
    within("audit", "head")
    first, second, third = _actions(acted.dsn)
    _tamper(acted.dsn, "operator_actions", f"UPDATE operator_actions SET actor = 'nobody' WHERE id = {first}")
    _tamper(acted.dsn, "operator_actions", f"DELETE FROM operator_actions WHERE id = {second}")
    _tamper(
        acted.dsn,
        "operator_actions",
        "INSERT INTO operator_actions (at, actor, action, subject, reason) VALUES (now(), 'a', 'b', 'c', 'd')",
    )
    ran = within("audit", "verify")
    assert ran.code == 1
    for line in (
        f"row changed: action {first}",
        f"row removed: action {second}",
        f"row inserted: action {third + 1}",
        "action: 1 right",
        "3 things are wrong",
    ):
        assert line in ran.out.splitlines()
    assert REASON not in ran.out
    assert "nobody" not in ran.out


def test_what_is_wrong_can_be_read_by_a_machine(acted: Deployment, within: Run) -> None:
    within("audit", "head")
    _tamper(acted.dsn, "audit", "UPDATE audit SET digest = sha256('x') WHERE position = 3")
    ran = within("audit", "verify", "--json")
    assert ran.code == 1
    key = fetch(acted.dsn, "SELECT key FROM audit WHERE position = 3")[0]["key"]
    *wrong, verdict = ran.rows
    assert wrong == [
        {"trouble": "entry changed", "noun": "action", "key": key, "position": 3},
        {"trouble": "row changed", "noun": "action", "key": key, "position": None},
    ]
    assert (verdict["wrong"], verdict["chained"], verdict["waiting"]) == (2, 5, 0)


def test_a_tail_that_was_cut_off_is_found_by_an_earlier_head(acted: Deployment, within: Run) -> None:
    head = within("audit", "head").out.split()[1]
    last = _actions(acted.dsn)[-1]
    _tamper(acted.dsn, "operator_actions", f"DELETE FROM operator_actions WHERE id = {last}")
    _tamper(acted.dsn, "audit", "DELETE FROM audit WHERE position = 5")
    assert within("audit", "verify").code == 0
    ran = within("audit", "verify", "--head", head)
    assert ran.code == 1
    assert f"head missing: {head}" in ran.out


@pytest.mark.parametrize("head", ["", "abc", "x" * 64, "A" * 64, "0" * 63])
def test_what_is_no_head_is_refused(deployment: Deployment, within: Run, head: str) -> None:
    ran = within("audit", "verify", "--head", head)
    assert (ran.code, ran.out) == (2, "")
    assert "64 hexadecimal digits" in ran.err


def test_entries_are_listed_the_newest_first_without_content(acted: Deployment, within: Run) -> None:
    within("audit", "head")
    rows = within("audit", "list", "--json").rows
    assert [(row["position"], row["noun"]) for row in rows] == [
        (5, "action"),
        (4, "action"),
        (3, "action"),
        (2, "extension"),
        (1, "genesis"),
    ]
    last = str(_actions(acted.dsn)[-1])
    [one] = within("audit", "list", "--noun", "action", "--key", last, "--json").rows
    assert (one["key"], one["version"]) == (last, 0)
    shown = within("audit", "list", "--limit", "1")
    assert last in shown.out
    assert REASON not in shown.out
    wrong = within("audit", "list", "--noun", "loan")
    assert wrong.code == 2
    assert "there are: receipt, effect" in wrong.err


def test_the_doctor_sees_an_end_that_is_wrong_and_entries_without_a_place(
    acted: Deployment, within: Run
) -> None:
    def trail() -> tuple[str, str]:
        found = {row["check"]: row for row in within("doctor", "--json").rows}["audit trail"]
        return found["verdict"], found["says"]

    assert trail()[0] == "fine"
    _tamper(acted.dsn, "audit", "UPDATE audit SET at = at - interval '1 hour' WHERE noun = 'action'")
    verdict, says = trail()
    assert verdict == "wrong"
    assert "5 entries have no place, the oldest since 36" in says
    within("audit", "head")
    assert trail() == ("fine", "up to date at place 5, its last 1000 entries are right")
    _tamper(acted.dsn, "audit", "UPDATE audit SET seal = NULL WHERE position = 5")
    assert trail() == ("wrong", "something is wrong among its last 1000 entries")


def test_a_key_that_is_made_and_ended_and_a_table_of_accounts_have_entries(
    deployment: Deployment, within: Run
) -> None:
    [made] = within("keys", "create", "loan system", "--json").rows
    assert within("keys", "revoke", made["id"]).code == 0
    accounts = deployment.folder / "accounts.csv"
    accounts.write_text("member,number\nM-1,1100000001\n", encoding="utf-8")
    assert within("accounts", "import", str(accounts)).code == 0
    ran = within("audit", "verify", "--json")
    assert ran.code == 0
    right = {row["noun"]: row["right"] for row in json.loads(ran.out)["nouns"]}
    assert (right["action"], right["api_key"], right["core_account"]) == (3, 1, 1)
