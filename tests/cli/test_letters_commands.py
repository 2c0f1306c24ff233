"""Dead letters at the command line, over a real database."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from rigs.command_line import Run, run
from rigs.database import fetch
from rigs.deployment import Deployment

from coopwire.domain.letters import cause_group

EVENT = "coopwire.payment.failed.v1"


def _bury(dsn: str, id: str, cause: str, consumer: str = "settling", **more: str) -> str:
    """A dead letter; its id."""
    fetch(
        dsn,
        "WITH o AS (INSERT INTO outbox (id, type, subject, key, data, occurred_at, published_at) "
        "VALUES ($1, $2, $1, $1, $6, now(), now()) RETURNING seq) "
        "INSERT INTO deliveries (consumer, seq, tries, due_at, state, cause, cause_group, first_failed_at) "
        "SELECT $3, seq, 4, now(), 'dead', $4, $5, now() FROM o RETURNING 1",
        id,
        EVENT,
        consumer,
        cause,
        cause_group(consumer, cause),
        more.get("data", '{"payment": "p1", "reason": "declined"}'),
    )
    return f"{consumer}:{id}"


def _states(dsn: str) -> Counter[str]:
    return Counter(row["state"] for row in fetch(dsn, "SELECT state FROM deliveries"))


def _audited(dsn: str) -> list[tuple[str, str, str]]:
    rows = fetch(dsn, "SELECT action, subject, reason FROM operator_actions ORDER BY id")
    return [(row["action"], row["subject"], row["reason"]) for row in rows]


@pytest.fixture
def letters(deployment: Deployment) -> list[str]:
    causes = ["KeyError: 'GL-1001'", "KeyError: 'GL-1002'", "ValueError: the day is closed"]
    return [_bury(deployment.dsn, f"ev{n}", cause) for n, cause in enumerate(causes, 1)]


def test_letters_are_listed_by_their_cause_or_one_by_one(
    deployment: Deployment, letters: list[str], within: Run
) -> None:
    groups: list[dict[str, Any]] = within("letters", "list", "--json").rows
    assert [(g["cause"], g["dead"]) for g in groups] == [
        ("KeyError: '#'", 2),
        ("ValueError: the day is closed", 1),
    ]
    assert "KeyError: '#'" in within("letters", "list").out
    single = within("letters", "list", "--all", "--json").rows
    assert {one["id"] for one in single} == set(letters)
    of_group = within("letters", "list", "--group", groups[0]["id"], "--json").rows
    assert {one["id"] for one in of_group} == set(letters[:2])
    assert within("letters", "list", "--state", "discarded").out == "there are no dead letters\n"


def test_one_letter_is_shown_with_its_event_and_its_timeline(
    deployment: Deployment, letters: list[str], within: Run
) -> None:
    shown = within("letters", "show", letters[0]).out
    for word in (EVENT, "KeyError: 'GL-1001'", "declined", "settling failed for the first time"):
        assert word in shown
    [told] = within("letters", "show", letters[0], "--json").rows
    assert [entry["kind"] for entry in told["entries"]] == ["event", "letter.failed"]
    assert told["payment"] == "p1"
    assert within("letters", "show", "settling:ev9").code == 2


def test_a_redrive_is_looked_at_ahead_done_once_and_audited(
    deployment: Deployment, letters: list[str], within: Run
) -> None:
    ahead = within("letters", "redrive", "--all", "--rate", "2/s", "--preview")
    assert (ahead.code, ahead.out.splitlines()[-1]) == (0, "3 letters would be delivered again")
    assert _states(deployment.dsn) == {"dead": 3}
    done = within("letters", "redrive", "--all", "--rate", "2/s", "--reason", "mended")
    assert (done.code, done.out.splitlines()[-1]) == (0, "3 letters go again")
    assert _states(deployment.dsn) == {"waiting": 3}
    spread = fetch(deployment.dsn, "SELECT max(due_at) - min(due_at) AS length FROM deliveries")
    assert spread[0]["length"].total_seconds() == 1
    again = within("letters", "redrive", "--all", "--reason", "mended")
    assert (again.code, again.out.splitlines()[-1]) == (0, "0 letters go again")
    assert _audited(deployment.dsn) == [("redrive 3 dead letters at 2/s", "all", "mended")]
    on_their_way = within("letters", "list", "--json").rows
    assert [(g["dead"], g["waiting"]) for g in on_their_way] == [(0, 2), (0, 1)]


def test_a_redrive_that_was_killed_is_run_again_and_the_letters_go_once(
    deployment: Deployment, letters: list[str]
) -> None:
    words = ("letters", "redrive", "--all", "--rate", "1/s", "--reason", "mended")
    for place, left in (("before", {"dead": 3}), ("after", {"waiting": 3})):
        env = {"COOPWIRE_FAIL_AT": f"{place} commit redrive dead letters"}
        assert run(*words, env=env).code == -9
        assert _states(deployment.dsn) == left
    due = fetch(deployment.dsn, "SELECT consumer, seq, due_at, redrives FROM deliveries ORDER BY seq")
    assert run(*words).out.splitlines()[-1] == "0 letters go again"
    assert fetch(deployment.dsn, "SELECT consumer, seq, due_at, redrives FROM deliveries ORDER BY seq") == due
    assert [row["redrives"] for row in due] == [1, 1, 1]
    assert len(_audited(deployment.dsn)) == 1


def test_following_ends_when_nothing_is_on_its_way(
    deployment: Deployment, letters: list[str], within: Run
) -> None:
    nothing = within("letters", "redrive", "--group", "0" * 12, "--reason", "x", "--follow")
    assert (nothing.code, nothing.out.splitlines()[-1]) == (0, "0 letters on their way; 3 letters dead")


def test_a_letter_is_discarded_with_a_reason_and_comes_back_when_it_is_named(
    deployment: Deployment, letters: list[str], within: Run
) -> None:
    assert within("letters", "discard", letters[2], "--reason", " ").code == 2
    assert within("letters", "discard", letters[2]).code == 2
    assert within("letters", "discard", letters[2], "--reason", "told by hand").code == 0
    assert _states(deployment.dsn) == {"dead": 2, "discarded": 1}
    within("letters", "redrive", "--consumer", "settling", "--reason", "mended")
    assert _states(deployment.dsn) == {"waiting": 2, "discarded": 1}
    assert within("letters", "redrive", letters[2], "--reason", "by mistake").code == 0
    assert _states(deployment.dsn) == {"waiting": 3}
    kinds = [entry["kind"] for entry in within("letters", "show", letters[2], "--json").rows[0]["entries"]]
    assert kinds == ["event", "letter.failed", "letter.discarded", "letter.redriven"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--all", "--group", "0" * 12),
        ("settling:ev1", "--all"),
        ("--all", "--rate", "fast"),
        ("--all", "--rate", "nan"),
        ("--all", "--rate", "0/s"),
        ("settling:ev9",),
    ],
)
def test_it_must_be_clear_which_letters_go_and_how_fast(
    deployment: Deployment, letters: list[str], within: Run, words: tuple[str, ...]
) -> None:
    assert within("letters", "redrive", *words, "--reason", "x").code == 2
    assert _states(deployment.dsn) == {"dead": 3}
