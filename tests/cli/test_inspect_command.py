"""`coopwire inspect` shows how the hub reads a payload, and no payload makes it stumble."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.command_line import Run, run
from rigs.proof import WHOLE, quick

from coopwire.cli.inspect import LARGEST_PAYLOAD
from coopwire.providers import catalog

_MEMBERS = """
    object event reference provider_ref amount_minor currency status channel fee_minor failure_reason
    occurred_at error code message retry_after signature
"""
MEMBERS = frozenset(_MEMBERS.split())
SECRET = "sk_test_0123456789abcdef"
PAID: dict[str, Any] = {
    "event": "charge.success",
    "data": {
        "id": 4099260516,
        "domain": "test",
        "status": "success",
        "reference": "q2w3e4r5t6y7u8i9o0p1",
        "amount": 5250050,
        "currency": "NGN",
        "channel": "card",
        "fees": 88750,
        "gateway_response": "Successful",
        "paid_at": "2026-11-20T09:15:02.000Z",
        "created_at": "2026-11-20T09:14:24.000Z",
        "metadata": "",
        "customer": {"email": "canary@members.example"},
        "authorization": {"authorization_code": "AUTH_canary"},
    },
}
BODY = json.dumps(PAID).encode()
DUPLICATE = b'{"status":false,"message":"Duplicate Transaction Reference","code":"duplicate_reference"}'
QUICKBOOKS_NOTICE = json.dumps(
    [
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "intuit",
            "type": "qbo.account.updated.v1",
            "time": "2026-11-20T09:15:02Z",
            "intuitentityid": "91",
            "intuitaccountid": "9130350000000001",
            "data": {},
        }
    ]
).encode()
KINDS = [(name, kind) for name in catalog.OURS for kind in catalog.sheet(name).inspectors]


def _signed(body: bytes = BODY, secret: str = SECRET) -> str:
    return f"X-Paystack-Signature: {hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()}"


@pytest.fixture
def paid(tmp_path: Path) -> str:
    """A file with a webhook."""
    file = tmp_path / "paid.json"
    file.write_bytes(BODY)
    return str(file)


# -- what is shown ----------------------------------------------------------------------------------------


def test_a_webhook_is_one_json_object_a_line_with_the_members_that_apply(paid: str) -> None:
    ran = run("inspect", "paystack", "webhook", paid, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.rows == [
        {
            "object": "charge",
            "event": "charge.success",
            "reference": "q2w3e4r5t6y7u8i9o0p1",
            "provider_ref": "4099260516",
            "amount_minor": 5250050,
            "currency": "NGN",
            "status": "succeeded",
            "channel": "card",
            "fee_minor": 88750,
            "occurred_at": "2026-11-20T09:15:02+00:00",
        }
    ]


def test_a_person_is_shown_a_member_a_line(within: Run, paid: str) -> None:
    ran = within("inspect", "paystack", "webhook", paid)
    assert ["amount_minor", "5250050"] in [line.split() for line in ran.out.splitlines()]


def test_nothing_of_the_member_and_of_the_card_is_shown(within: Run, paid: str) -> None:
    for more in ([], ["--json"]):
        assert "canary" not in within("inspect", "paystack", "webhook", paid, *more).out


def test_standard_input_is_read_for_a_dash() -> None:
    ran = run("inspect", "paystack", "error", "-", "--json", stdin=DUPLICATE)
    assert ran.rows[0]["error"] == "OutcomeUnknown"
    assert ran.rows[0]["code"] == "duplicate_reference"


def test_the_http_status_decides_what_an_error_is(within: Run, tmp_path: Path) -> None:
    file = tmp_path / "error"
    file.write_bytes(b"<html>Bad gateway</html>")
    seen = [
        within("inspect", "paystack", "error", str(file), "--json", *words).rows[0]["error"]
        for words in (["--status", "502"], ["--header", ":status: 401"], ["--status", "429"])
    ]
    assert seen == ["OutcomeUnknown", "BadCredentials", "TryLater"]


def test_the_wait_they_ask_for_is_shown(within: Run, tmp_path: Path) -> None:
    file = tmp_path / "error"
    file.write_bytes(b"{}")
    words = ("--status", "429", "--header", "Retry-After: 30")
    assert within("inspect", "paystack", "error", str(file), "--json", *words).rows[0]["retry_after"] == 30


def test_a_list_of_objects_is_a_line_each(within: Run, tmp_path: Path) -> None:
    listed = {"status": True, "message": "ok", "data": [PAID["data"], PAID["data"]], "meta": {}}
    file = tmp_path / "list.json"
    file.write_text(json.dumps(listed), encoding="utf-8")
    assert len(within("inspect", "paystack", "payment", str(file), "--json").rows) == 2


def test_it_needs_no_settings_and_minds_no_wrong_ones(paid: str) -> None:
    wrong = {"COOPWIRE_DATABSE": "x", "COOPWIRE_PORT": "x", "COOPWIRE_DATABASE": "x"}
    assert run("inspect", "paystack", "webhook", paid, env=wrong).code == 0


# -- signatures -------------------------------------------------------------------------------------------


def test_with_the_secret_and_the_header_the_signature_is_judged(within: Run, paid: str) -> None:
    def judged(header: str, secret: str = SECRET) -> str:
        words = ("--json", "--header", header, "--secret", secret)
        return str(within("inspect", "paystack", "webhook", paid, *words).rows[0]["signature"])

    assert judged(_signed()) == "valid"
    assert judged(_signed(secret="sk_test_another")) == "forged"
    assert judged(_signed(), secret="sk_test_another") == "forged"
    assert judged(_signed(BODY + b" ")) == "forged"
    assert judged("Content-Type: application/json") == "forged"
    assert judged("X-Paystack-Signature: ") == "forged"


def test_a_live_secret_is_taken_too(within: Run, paid: str) -> None:
    words = ("--json", "--header", _signed(secret="sk_live_x"), "--secret", "sk_live_x")
    assert within("inspect", "paystack", "webhook", paid, *words).rows[0]["signature"] == "valid"


def test_without_header_or_without_secret_nothing_is_said_of_a_signature(within: Run, paid: str) -> None:
    for words in (["--header", _signed()], ["--secret", SECRET]):
        assert "signature" not in within("inspect", "paystack", "webhook", paid, "--json", *words).rows[0]


def test_the_secret_can_stand_in_a_variable_and_is_never_shown(
    within: Run, paid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYSTACK", SECRET)
    ran = within("inspect", "paystack", "webhook", paid, "--header", _signed(), "--secret-env", "PAYSTACK")
    assert "valid" in ran.out
    assert SECRET not in ran.out + ran.err


def test_the_secret_can_come_from_one_connection_whatever_is_wrong_with_others(
    within: Run, paid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "connections.toml"
    file.write_text(
        f'[connections.main]\nprovider = "paystack"\nsecret_key = "{SECRET}"\n'
        '[connections.books]\nprovider = "quickbooks"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("COOPWIRE_CONNECTIONS", str(file))
    inspect = ("inspect", "paystack", "webhook", paid, "--json", "--header", _signed(), "--connection")
    assert within(*inspect, "main").rows[0]["signature"] == "valid"
    assert "client_id: is missing" in within(*inspect, "books").err
    assert "there are: books, main" in within(*inspect, "nowhere").err


def test_a_verifier_token_judges_the_notices_of_the_books(within: Run, tmp_path: Path) -> None:
    file = tmp_path / "notice.json"
    file.write_bytes(QUICKBOOKS_NOTICE)
    mac = hmac.new(b"verifier", QUICKBOOKS_NOTICE, hashlib.sha256).digest()
    words = (
        "--header",
        f"intuit-signature: {base64.b64encode(mac).decode()}",
        "--secret",
        "verifier",
        "--json",
    )
    [row] = within("inspect", "quickbooks", "webhook", str(file), *words).rows
    assert (row["object"], row["provider_ref"], row["signature"]) == ("notice", "91", "valid")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--secret", "not-a-key"], "this cannot be the secret"),
        (["--secret-env", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE is not set"),
        (["--secret", SECRET, "--secret-env", "X"], "only one of"),
        (["--connection", "main"], "COOPWIRE_CONNECTIONS"),
        (["--header", "no colon"], "'Name: value'"),
        (["--header", "two\nlines: x"], "'Name: value'"),
        (["--header", "x: a\nb"], "'Name: value'"),
        (["--status", "99"], "100"),
    ],
)
def test_a_word_that_cannot_be_used_is_told(within: Run, paid: str, words: list[str], told: str) -> None:
    ran = within("inspect", "paystack", "webhook", paid, *words)
    assert ran.code == 2
    assert told in ran.err
    assert ran.out == ""


# -- hostile and unknown input ----------------------------------------------------------------------------


def _is_told_plainly(code: int, out: str, err: str) -> None:
    assert code == 2
    assert out == ""
    assert err.startswith("coopwire: ")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("paystak", "webhook"), "there are paystack, flutterwave, stripe, quickbooks, bankone, lms"),
        (("pay\x1b[2Jstack", "webhook"), "there are paystack"),
        (
            ("paystack", "invoice"),
            "there are: webhook, payment, refund, dispute, settlement, transfer, account, mandate, error",
        ),
        (("bankone", "webhook"), "there are: account, balance, posting, status, statement, reversal, error"),
        (("lms", "callback"), "lms has no kind 'callback'"),
    ],
)
def test_an_unknown_provider_or_kind_is_told_with_the_known_ones(
    paid: str, words: tuple[str, str], told: str
) -> None:
    ran = run("inspect", *words, paid)
    _is_told_plainly(ran.code, ran.out, ran.err)
    assert told in ran.err
    assert "\x1b" not in ran.err


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for file, told in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        ran = run("inspect", "paystack", "webhook", str(file))
        _is_told_plainly(ran.code, ran.out, ran.err)
        assert told in ran.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    file = tmp_path / "theirs"
    file.write_bytes(BODY)
    file.chmod(0)
    ran = run("inspect", "paystack", "webhook", str(file))
    _is_told_plainly(ran.code, ran.out, ran.err)


DEEP = 200_000
HOSTILE = {
    "empty": b"",
    "null": b"null",
    "text": b'"charge.success"',
    "binary": bytes(range(256)) * 8,
    "not utf-8": BODY.replace(b"Successful", b"\xff\xfe\xfd"),
    "surrogates": BODY.replace(b"Successful", b"\\ud800"),
    "nul": BODY.replace(b"Successful", b"\\u0000"),
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"data":' * DEEP + b"1" + b"}" * DEEP,
    "huge integer": BODY.replace(b"5250050", b"9" * 100_000),
    "huge exponent": BODY.replace(b"5250050", b"1e999999999"),
    "huge negative exponent": BODY.replace(b"5250050", b"1e-999999999"),
    "infinity": BODY.replace(b"5250050", b"Infinity"),
    "not a number": BODY.replace(b"5250050", b"NaN"),
    "amount as object": BODY.replace(b"5250050", b'{"a":[]}'),
    "repeated names": b'{"event":"charge.success","event":[],"data":{},"data":7}',
    "cut off": BODY[:-10],
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "xml bomb": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    "utf-16": BODY.decode().encode("utf-16"),
    "too large": b" " * (LARGEST_PAYLOAD + 1),
}


@pytest.mark.parametrize("name", ["binary", "deep objects", "huge integer", "not utf-8"])
def test_a_hostile_payload_ends_a_process_with_one_message(name: str) -> None:
    ran = run("inspect", "paystack", "webhook", "-", "--json", stdin=HOSTILE[name])
    _is_told_plainly(ran.code, ran.out, ran.err)


@pytest.mark.parametrize(("turn", "provider", "kind"), [(n, *names) for n, names in enumerate(KINDS)])
def test_every_kind_withstands_every_hostile_payload(
    within: Run, tmp_path: Path, proof_count: Callable[[int, int], int], turn: int, provider: str, kind: str
) -> None:
    each = proof_count(10, 1)
    for number, payload in list(enumerate(HOSTILE.values()))[turn % each :: each]:
        file = tmp_path / str(number)
        file.write_bytes(payload)
        ran = within("inspect", provider, kind, str(file), "--json")
        if ran.code == 0:
            assert all(row.keys() <= MEMBERS for row in ran.rows)
        else:
            _is_told_plainly(ran.code, ran.out, ran.err)


def test_an_endless_file_is_read_up_to_the_limit_only() -> None:
    ran = run("inspect", "paystack", "webhook", "/dev/zero")
    _is_told_plainly(ran.code, ran.out, ran.err)
    assert "larger than" in ran.err


def _mutated() -> st.SearchStrategy[bytes]:
    seeds = st.sampled_from([BODY, DUPLICATE, QUICKBOOKS_NOTICE])
    cuts = st.tuples(seeds, st.integers(0, len(BODY)), st.integers(0, 40), st.binary(max_size=30))
    spliced = cuts.map(lambda c: c[0][: c[1]] + c[3] + c[0][c[1] + c[2] :])
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
        max_leaves=15,
    )
    documents = values.map(lambda value: json.dumps(value).encode())
    return st.binary(max_size=200) | spliced | documents


_KNOWN_NAMES = """
    event data status reference amount currency id fees code message Fault Error Line Amount JournalEntry
    QueryResponse eventNotifications type time intuitentityid Balance IsSuccessful ResponseCode Name
"""
_NAMES = st.sampled_from(_KNOWN_NAMES.split()) | st.text(max_size=10)


@pytest.mark.parametrize(("provider", "kind"), quick(KINDS[::2], *KINDS[1::2]))
@settings(max_examples=1000 if WHOLE else 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_mutated(), headers=st.lists(st.text(max_size=30), max_size=2))
def test_whatever_is_inspected_ends_with_objects_or_one_message(
    within: Run, tmp_path: Path, provider: str, kind: str, body: bytes, headers: list[str]
) -> None:
    file = tmp_path / "payload"
    file.write_bytes(body)
    given_headers = [f"--header={text}" for text in headers]
    ran = within("inspect", provider, kind, str(file), "--json", *given_headers)
    if ran.code == 0:
        assert all(row.keys() <= MEMBERS for row in ran.rows)
        assert all(isinstance(row.get("amount_minor", 0), int) for row in ran.rows)
    else:
        _is_told_plainly(ran.code, ran.out, ran.err)


def test_the_help_of_the_command_line_comes_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run("--help").code == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # CPU and not the clock: other programs must not make this fail. 0.4 s is what a person calls at once.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.4
