"""Keys, effects, gates, breaks and accounts at the command line, over a real database."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import SEALING_KEY, Deployment

from coopwire.storage.sealing import Sealer, parse_keys

NOW = datetime.now(UTC)
ORDER = {
    "kind": "loan_repayment",
    "on": "2026-11-20",
    "currency": "NGN",
    "narrative": "repayment",
    "branch": None,
    "lines": [["gateway_clearing.paystack", "debit", 100], ["loan_principal", "credit", 100]],
}


def _effect(dsn: str, id_: str, state: str, **more: object) -> None:
    row = {
        "id": id_,
        "kind": "journal",
        "connection": "books",
        "reference": id_,
        "order": json.dumps(ORDER),
        "fingerprint": "f",
        "state": state,
        "receipt": "r1",
        "created_at": NOW,
        "due_at": NOW,
        "reason": "",
        **more,
    }
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    fetch(dsn, f"INSERT INTO effects ({names}) VALUES ({places}) RETURNING 1", *row.values())


def _state(dsn: str, id_: str) -> str:
    return str(fetch(dsn, "SELECT state FROM effects WHERE id = $1", id_)[0]["state"])


def _audited(dsn: str) -> list[tuple[str, str, str]]:
    rows = fetch(dsn, "SELECT action, subject, reason FROM operator_actions ORDER BY id")
    return [(row["action"], row["subject"], row["reason"]) for row in rows]


# -- keys -------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_only_its_digest_is_kept(deployment: Deployment, within: Run) -> None:
    made = within("keys", "create", "loan system")
    secret = made.out.strip()
    assert made.code == 0
    assert secret not in made.err
    [row] = fetch(deployment.dsn, "SELECT name, digest, scopes::text AS scopes FROM api_keys")
    assert row["digest"] == hashlib.sha256(secret.encode()).digest()
    assert json.loads(row["scopes"]) == ["payments:write"]
    listed = within("keys", "list")
    assert "loan system" in listed.out
    assert secret not in listed.out


def test_a_key_can_be_given_scopes_and_be_ended(deployment: Deployment, within: Run) -> None:
    [made] = within(
        "keys", "create", "console", "--scope", "operate", "--scope", "payments:read", "--json"
    ).rows
    assert made["scopes"] == ["operate", "payments:read"]
    assert within("keys", "revoke", made["id"]).code == 0
    [listed] = within("keys", "list", "--json").rows
    assert listed["revoked_at"] is not None
    assert "secret" not in listed
    again = within("keys", "revoke", made["id"])
    assert again.code == 2
    assert "no key" in again.err


def test_a_scope_that_is_not_known_is_told_with_those_that_are(deployment: Deployment, within: Run) -> None:
    ran = within("keys", "create", "x", "--scope", "everything")
    assert ran.code == 2
    assert "there are: payments:write" in ran.err
    assert within("keys", "create", " ").code == 2


# -- effects ----------------------------------------------------------------------------------------------


def test_what_stands_still_is_listed_and_the_rest_on_demand(deployment: Deployment, within: Run) -> None:
    for state in ("held", "unknown", "refused", "done", "intended"):
        _effect(deployment.dsn, f"e-{state}", state, reason=f"because {state}")
    listed = within("effects", "list", "--json")
    assert (listed.code, listed.err) == (0, "")
    found = {row["id"] for row in listed.rows}
    assert found == {"e-held", "e-unknown", "e-refused"}
    assert [row["id"] for row in within("effects", "list", "--json", "--state", "done").rows] == ["e-done"]
    assert within("effects", "list", "--json", "--kind", "posting").rows == []
    assert "because held" in within("effects", "list").out
    wrong = within("effects", "list", "--state", "stuck")
    assert wrong.code == 2
    assert "there are: intended" in wrong.err


def test_one_effect_is_shown_with_its_tries_its_predecessor_and_its_breaks(
    deployment: Deployment, within: Run
) -> None:
    _effect(deployment.dsn, "first", "unknown", kind="posting", connection="core")
    _effect(
        deployment.dsn,
        "second",
        "held",
        kind="posting",
        connection="core",
        after="first",
        reason="closed period",
    )
    fetch(
        deployment.dsn,
        "INSERT INTO tries (effect, token, worker, body_sealed, claimed_at, ended_at, outcome, detail) "
        "VALUES ('second', 't', 'w', 'canary', now(), now(), 'held', 'the period is closed') RETURNING 1",
    )
    fetch(
        deployment.dsn,
        "INSERT INTO breaks (type, once, subject, receipt, effect, evidence, state, opened_at) "
        "VALUES ('effect_held', 'o', 'second', 'r1', 'second', '{\"code\": \"6210\"}', 'open', now()) RETURNING 1",
    )
    told = within("effects", "show", "second")
    assert told.code == 0
    for word in (
        "closed period",
        "it waits for effect first, which is unknown",
        "the period is closed",
        "6210",
    ):
        assert word in told.out
    assert "canary" not in told.out
    [row] = within("effects", "show", "second", "--json").rows
    assert row["waits_for"]["id"] == "first"
    assert [one["type"] for one in row["breaks"]] == ["effect_held"]


def test_an_effect_that_is_not_there_is_told(deployment: Deployment, within: Run) -> None:
    for words in (("show", "x"), ("resume", "x", "--reason", "y"), ("skip", "x", "--reason", "y")):
        ran = within("effects", *words)
        assert (ran.code, ran.out) == (2, "")
        assert "there is no" in ran.err


def test_a_held_effect_goes_on_when_a_person_says_so_and_it_is_audited(
    deployment: Deployment, within: Run
) -> None:
    _effect(deployment.dsn, "e1", "held")
    assert within("effects", "resume", "e1", "--reason", "period opened").out == "effect e1 is intended\n"
    assert _state(deployment.dsn, "e1") == "intended"
    assert _audited(deployment.dsn) == [("resume held effect", "e1", "period opened")]
    [row] = fetch(deployment.dsn, "SELECT actor FROM operator_actions")
    assert row["actor"].endswith("at the command line")


def test_a_skipped_effect_is_over_and_cannot_go_on(deployment: Deployment, within: Run) -> None:
    _effect(deployment.dsn, "e1", "unknown", looks=3, unknown_since=NOW)
    assert within("effects", "skip", "e1", "--reason", "done by hand, JE 4711").code == 0
    assert _state(deployment.dsn, "e1") == "cancelled"
    again = within("effects", "resume", "e1", "--reason", "oh")
    assert again.code == 1
    assert again.err.startswith("coopwire: effect: it is cancelled")


def test_a_move_needs_a_reason(deployment: Deployment, within: Run) -> None:
    _effect(deployment.dsn, "e1", "held")
    assert within("effects", "resume", "e1").code == 2
    assert within("effects", "resume", "e1", "--reason", "  ").code == 2
    assert "card number" in within("effects", "skip", "e1", "--reason", "4084 0840 8408 4081").err
    assert _state(deployment.dsn, "e1") == "held"


# -- breakers ---------------------------------------------------------------------------------------------


def test_a_breaker_is_opened_seen_and_closed_again(deployment: Deployment, within: Run) -> None:
    listed = within("breakers", "list", "--json").rows
    assert {b["state"] for b in listed} == {"closed"}
    assert within("breakers", "open", "core", "--traffic", "write", "--reason", "they asked").code == 0
    [opened] = [b for b in within("breakers", "list", "--json").rows if b["state"] != "closed"]
    assert (opened["connection"], opened["traffic"], opened["until"]) == ("core", "write", None)
    assert "opened by hand: they asked" in within("breakers", "list").out
    assert [gate["kind"] for gate in within("gates", "list", "--json").rows] == ["breaker"]
    assert "is closed" in within("breakers", "close", "core", "--reason", "they are back").out
    assert "was closed already" in within("breakers", "close", "core", "--reason", "again").out
    assert "all gates are open" in within("gates", "list").out
    assert [action for action, *_ in _audited(deployment.dsn)] == [
        "open write breaker",
        "close write breaker",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("open", "nowhere", "--reason", "x"),
        ("close", "nowhere", "--reason", "x"),
        ("close", "core", "--reason", " "),
        ("open", "core", "--reason", "x", "--traffic", "sideways"),
        ("open", "core", "--reason", "x", "--until", "2020-01-01T00:00:00Z"),
    ],
)
def test_a_breaker_that_makes_no_sense_is_told(
    deployment: Deployment, within: Run, words: tuple[str, ...]
) -> None:
    ran = within("breakers", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("coopwire: ")


# -- budgets ----------------------------------------------------------------------------------------------


def test_what_is_left_of_a_budget_is_told(deployment: Deployment, within: Run) -> None:
    text = deployment.connections.read_text(encoding="utf-8")
    head = "[connections.core]\n"
    assert head in text
    with_limits = text.replace(head, f"{head}calls_per_day = 1000\ncalls_at_once = 5\n")
    deployment.connections.write_text(with_limits, encoding="utf-8")
    fetch(
        deployment.dsn,
        "INSERT INTO budget_periods VALUES ('core', 'day', date_trunc('day', now(), 'UTC'), 15, 1000)",
    )
    fetch(
        deployment.dsn,
        "INSERT INTO budget_seats VALUES ('core', 'w1', 2, 2, now()), "
        "('core', 'gone', 3, 3, now() - interval '1 hour')",
    )
    core = [b for b in within("budgets", "list", "--json").rows if b["connection"] == "core"]
    assert [(b["span"], b["limit"], b["used"], b["left"]) for b in core] == [
        ("day", 1000, 15, 985),
        ("at_once", 5, 2, 3),
    ]
    assert "985" in within("budgets", "list").out


# -- gates ------------------------------------------------------------------------------------------------


def test_a_gate_is_closed_listed_and_opened_by_hand(deployment: Deployment, within: Run) -> None:
    assert "all gates are open" in within("gates", "list").out
    assert within("gates", "close", "core", "--traffic", "write", "--reason", "end of day").code == 0
    [gate] = within("gates", "list", "--json").rows
    assert (gate["connection"], gate["kind"], gate["traffic"]) == ("core", "manual", "write")
    assert "end of day" in within("gates", "list").out
    assert "is open" in within("gates", "open", "core", "manual", "--reason", "day began").out
    assert "was open already" in within("gates", "open", "core", "manual", "--reason", "again").out
    assert [action for action, *_ in _audited(deployment.dsn)] == [
        "close write gate",
        "open manual write gate",
    ]


def test_a_gate_can_be_closed_until_a_time(deployment: Deployment, within: Run) -> None:
    until = (NOW + timedelta(hours=2)).astimezone().isoformat()
    assert within("gates", "close", "core", "--reason", "x", "--until", until).code == 0
    rows = within("gates", "list", "--json").rows
    assert {row["traffic"] for row in rows} == {"read", "write"}
    assert all(row["until"] is not None for row in rows)


@pytest.mark.parametrize(
    "words",
    [
        ("open", "core", "door", "--reason", "x"),
        ("open", "nowhere", "manual", "--reason", "x"),
        ("close", "nowhere", "--reason", "x"),
        ("close", "core", "--reason", "x", "--traffic", "sideways"),
        ("close", "core", "--reason", "x", "--until", "tomorrow"),
        ("close", "core", "--reason", "x", "--until", "2030-01-01T00:00:00"),
        ("close", "core", "--reason", "x", "--until", "2020-01-01T00:00:00Z"),
    ],
)
def test_a_gate_that_makes_no_sense_is_told(
    deployment: Deployment, within: Run, words: tuple[str, ...]
) -> None:
    ran = within("gates", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("coopwire: ")


# -- refunds ----------------------------------------------------------------------------------------------


def test_refunds_are_listed_and_one_is_shown(deployment: Deployment, within: Run) -> None:
    fetch(
        deployment.dsn,
        "INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, "
        "fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state) VALUES "
        "('refunded', 'paystack', 'ref', 'c77', 'k', 'NGN', 5000, 0, '0', 'lender', 'card', now(), now(), 'allocated')",
    )
    fetch(
        deployment.dsn,
        "INSERT INTO refunds (id, receipt, connection, amount_minor, currency, state, asked_by, approved_by, "
        "created_at, updated_at, taken) VALUES ('refund77', 'refunded', 'paystack', 4000, 'NGN', 'succeeded', "
        "'a teller', 'an officer', now(), now(), "
        '\'[{"component": "interest", "amount_minor": 4000, "due": "D9"}]\')',
    )
    [one] = within("refunds", "list", "--json", "--receipt", "refunded").rows
    assert (one["id"], one["state"], one["amount_minor"]) == ("refund77", "succeeded", 4000)
    assert "40.00 NGN" in within("refunds", "list", "--state", "succeeded").out
    assert within("refunds", "list", "--state", "paid").code == 2
    shown = within("refunds", "show", "refund77").out
    assert "an officer" in shown and "interest" in shown and "D9" in shown
    assert within("refunds", "show", "refund77", "--json").rows == [one]
    assert within("refunds", "show", "nobody").code == 2


# -- breaks -----------------------------------------------------------------------------------------------


def test_breaks_are_listed_with_their_evidence(deployment: Deployment, within: Run) -> None:
    fetch(
        deployment.dsn,
        "INSERT INTO breaks (type, once, subject, evidence, state, opened_at) VALUES "
        "('second_charge', 'a', 'r1', '{\"charge\": \"42\"}', 'open', now()), "
        "('dues_expired', 'b', 'r2', '{}', 'open', now()) RETURNING 1",
    )
    assert {row["type"] for row in within("breaks", "list", "--json").rows} == {
        "second_charge",
        "dues_expired",
    }
    [one] = within("breaks", "list", "--json", "--type", "second_charge").rows
    assert one["evidence"] == {"charge": "42"}
    assert '{"charge": "42"}' in within("breaks", "list").out
    assert within("breaks", "list", "--type", "heartbreak").code == 2


# -- accounts ---------------------------------------------------------------------------------------------


def _csv(folder: Path, text: str) -> str:
    file = folder / "accounts.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_members_are_linked_to_sealed_account_numbers(deployment: Deployment, within: Run) -> None:
    file = _csv(deployment.folder, "member,loan,number\nM-1,,1100000001\nM-1,LN-7,1100000002\n")
    assert within("accounts", "import", file).out == "2 created\n"
    rows = fetch(
        deployment.dsn, "SELECT connection, member, loan, number_sealed FROM core_accounts ORDER BY id"
    )
    sealer = Sealer(parse_keys(SEALING_KEY))
    told = [(r["connection"], r["member"], r["loan"], sealer.open(r["number_sealed"]).decode()) for r in rows]
    assert told == [("core", "M-1", None, "1100000001"), ("core", "M-1", "LN-7", "1100000002")]
    assert within("accounts", "import", file).out == "2 unchanged\n"
    listed = within("accounts", "list", "--member", "M-1")
    assert "LN-7" in listed.out
    assert "110000000" not in listed.out


def test_one_wrong_line_keeps_the_whole_file_out_and_no_number_is_repeated(
    deployment: Deployment, within: Run
) -> None:
    file = _csv(deployment.folder, "member,number\nM-1,1100000001\n,1100000777\nM-3,not a number 99887766\n")
    ran = within("accounts", "import", file)
    assert (ran.code, ran.out) == (2, "")
    assert "line 3, member" in ran.err
    assert "line 4, number" in ran.err
    assert "99887766" not in ran.err
    assert "1100000777" not in ran.err
    assert fetch(deployment.dsn, "SELECT 1 FROM core_accounts") == []


@pytest.mark.parametrize(
    "text", ["", "number\n1100000001\n", "member,number,colour\na,1100000001,red\n", "member,number\n"]
)
def test_a_file_that_is_no_table_of_accounts_is_told(deployment: Deployment, within: Run, text: str) -> None:
    ran = within("accounts", "import", _csv(deployment.folder, text))
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1


# -- what every command does when the hub cannot be opened ------------------------------------------------


@pytest.mark.parametrize("words", ["keys list", "effects list", "gates list", "mapping check", "breaks list"])
def test_without_a_database_a_command_ends_with_one_line(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", "postgresql://hub:canary@127.0.0.1:1/none")
    ran = within(*words.split())
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("coopwire: the database cannot be used")
    assert len(ran.err.splitlines()) == 1
    assert "canary" not in ran.err


def test_without_settings_every_command_says_what_to_set(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COOPWIRE_CONNECTIONS")
    assert "COOPWIRE_CONNECTIONS is not set" in within("mapping", "check").err
    monkeypatch.delenv("COOPWIRE_DATABASE")
    ran = within("keys", "list")
    assert ran.code == 1
    assert "COOPWIRE_DATABASE is not set" in ran.err


def test_with_another_sealing_key_a_command_says_so_and_changes_nothing(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _csv(deployment.folder, "member,number\nM-1,1100000001\n")
    within("accounts", "import", file)
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMgaW4gYWxsLi4=")
    ran = within("accounts", "import", file)
    assert ran.code == 1
    assert "COOPWIRE_SECRET_KEY" in ran.err


# -- virtual accounts -------------------------------------------------------------------------------------


def test_virtual_accounts_are_listed_and_one_is_shown_without_its_number(
    deployment: Deployment, within: Run
) -> None:
    [key] = parse_keys(SEALING_KEY)
    fetch(
        deployment.dsn,
        "INSERT INTO virtual_accounts (id, connection, member, kind, loan, currency, state, bank, effect, asked_by, "
        "created_at, updated_at, number_sealed) VALUES ('account77', 'paystack', 'M-77', 'savings', 'SA-77', 'NGN', "
        "'active', 'wema-bank', 'e77', 'a test', now(), now(), $1) RETURNING 1",
        Sealer([key]).seal(b"9930000777"),
    )
    [one] = within("virtual-accounts", "list", "--json", "--member", "M-77").rows
    assert (one["id"], one["state"], one["account"]) == ("account77", "active", "SA-77")
    assert "savings SA-77" in within("virtual-accounts", "list", "--state", "active").out
    assert within("virtual-accounts", "list", "--state", "gone").code == 2
    shown = within("virtual-accounts", "show", "account77")
    assert "wema-bank" in shown.out
    assert "9930000777" not in shown.out
    assert within("virtual-accounts", "show", "account77", "--json").rows == [one]
    assert within("virtual-accounts", "show", "nobody").code == 2


def test_transfers_are_asked_for_of_a_day_and_of_nothing_else(within: Run) -> None:
    refused = within("virtual-accounts", "requery", "account77", "--on", "yesterday")
    assert (refused.code, refused.err.strip()) == (2, "coopwire: write the day as YYYY-MM-DD")
