"""`coopwire mapping` and `connect`: consent is given, and a mapping with a gap is told and never activated."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rigs.command_line import COMMAND, Run
from rigs.database import fetch
from rigs.deployment import SEALING_KEY, Deployment
from rigs.river import MAPPING

from coopwire.ports.tokens import Tokens
from coopwire.storage.database import connect
from coopwire.storage.sealing import Sealer, parse_keys


def _csv(folder: Path, entries: dict[str, str]) -> str:
    file = folder / "mapping.csv"
    lines = ["key,account", *(f"{key},{account}" for key, account in entries.items())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


@contextlib.contextmanager
def _connecting(*more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`coopwire connect books` under way, and the page that it shows."""
    command = [*COMMAND, "connect", "books", *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/back"


def _open(url: str) -> tuple[int, str]:
    """What a browser shows that follows redirects."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class _Stays(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it would be sent."""

    def redirect_request(self, *_: object) -> None:
        return None


def _sent_back_to(page: str) -> str:
    opener = urllib.request.build_opener(_Stays)
    with pytest.raises(urllib.error.HTTPError) as redirect:
        opener.open(page, timeout=30)
    return str(redirect.value.headers["Location"])


@pytest.fixture
def consented(deployment: Deployment) -> Deployment:
    """The deployment after a person consented to its books, so long ago that a token must be bought anew."""

    async def consent() -> None:
        database = await connect(deployment.dsn, Sealer(parse_keys(SEALING_KEY)), size=1)
        async with database.tokens.locked("books") as row:
            await row.save(Tokens("expired", "simulated-refresh-token", datetime(2020, 1, 1, tzinfo=UTC)))
        await database.close()

    asyncio.run(consent())
    return deployment


# -- consent ----------------------------------------------------------------------------------------------


def test_consent_stores_sealed_tokens_and_opens_the_credentials_gate(deployment: Deployment) -> None:
    fetch(
        deployment.dsn,
        "INSERT INTO gates VALUES ('books', 'credentials', 'write', 'refused', now(), NULL), "
        "('books', 'manual', 'write', 'inventory', now(), NULL) RETURNING 1",
    )
    with _connecting("--redirect-uri", _free_address()) as (process, page):
        assert "client_id=simulated-client" in page
        status, text = _open(page)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, status) == (0, 200)
    assert "close this page" in text
    assert "consent is given" in out
    [row] = fetch(deployment.dsn, "SELECT sealed FROM tokens WHERE connection = 'books'")
    assert b"access" not in row["sealed"]
    assert [gate["kind"] for gate in fetch(deployment.dsn, "SELECT kind FROM gates WHERE until IS NULL")] == [
        "manual"
    ]
    assert fetch(deployment.dsn, "SELECT action FROM operator_actions")[-1]["action"] == "connect"
    assert "Traceback" not in err


def test_an_answer_with_another_state_is_not_taken(deployment: Deployment) -> None:
    back = _free_address()
    with _connecting("--redirect-uri", back) as (process, page):
        assert _open(f"{back}?code=x&realmId=9130350000000001&state=forged")[0] == 400
        assert _open(f"{back}?code=x&realmId=9130350000000001")[0] == 400
        assert process.poll() is None
        assert _open(page)[0] == 200
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_person_who_says_no_ends_it_with_one_message(deployment: Deployment) -> None:
    back = _free_address()
    with _connecting("--redirect-uri", back) as (process, page):
        state = parse_qs(urlsplit(page).query)["state"][0]
        assert _open(f"{back}?error=access_denied&state={state}")[0] == 200
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1] == "coopwire: Refused: consent was not given (access_denied)"
    assert fetch(deployment.dsn, "SELECT 1 FROM tokens WHERE sealed IS NOT NULL") == []


def test_the_address_one_was_sent_back_to_can_be_pasted(deployment: Deployment) -> None:
    with _connecting("--paste", "--redirect-uri", "https://hub.example/back") as (process, page):
        out, err = process.communicate(_sent_back_to(page) + "\n", timeout=60)
    assert process.returncode == 0, err
    assert "consent is given" in out


@pytest.mark.parametrize(
    "pasted", ["", "nonsense", "https://hub.example/back?code=x&state=y", "http://[oops"]
)
def test_an_address_that_is_not_the_one_is_not_taken(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch, pasted: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{pasted}\n"))
    ran = within("connect", "books", "--paste")
    assert ran.code == 2
    assert "this is not the address" in ran.err


def test_a_redirect_address_that_is_in_use_is_told(deployment: Deployment, within: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = within("connect", "books", "--redirect-uri", f"http://127.0.0.1:{taken.getsockname()[1]}/x")
    assert ran.code == 2
    assert "use --paste" in ran.err


def test_nobody_is_waited_for_for_ever(deployment: Deployment, within: Run) -> None:
    ran = within("connect", "books", "--redirect-uri", _free_address(), "--wait", "1")
    assert ran.code == 2
    assert "nobody came back within 1 s" in ran.err


def test_a_connection_without_consent_says_so(deployment: Deployment, within: Run) -> None:
    ran = within("connect", "core")
    assert (ran.code, ran.out) == (2, "")
    assert "core needs no consent" in ran.err


# -- loading ----------------------------------------------------------------------------------------------


def test_versions_are_kept_and_none_is_active_before_it_is_activated(
    deployment: Deployment, within: Run
) -> None:
    for version in (1, 2):
        ran = within("mapping", "load", "books", _csv(deployment.folder, MAPPING))
        assert ran.code == 0, ran.err
        assert f"version {version} with {len(MAPPING)} keys is kept, and not active" in ran.out
    rows = within("mapping", "show", "--json").rows
    assert {row["key"]: row["account"] for row in rows} == MAPPING
    assert {(row["version"], row["active"]) for row in rows} == {(2, False)}
    assert {row["version"] for row in within("mapping", "show", "--json", "--version", "1").rows} == {1}


def test_a_mapping_without_the_account_of_a_source_is_told_and_not_activated(
    consented: Deployment, within: Run
) -> None:
    consented.with_sources()
    file = consented.folder / "mapping.csv"
    file.write_text("\n".join(["key,account", *map(",".join, MAPPING.items())]), encoding="utf-8")
    loaded = within("mapping", "load", "books", str(file))
    assert "no account for cash_in_hand.counter, check_off_receivable.payroll" in loaded.err
    ran = within("mapping", "check", "books", "--json")
    assert {row["key"] for row in ran.rows} == {"cash_in_hand.counter", "check_off_receivable.payroll"}
    assert within("mapping", "activate", "books").code == 1


def test_a_mapping_can_be_written_in_toml_with_tables(deployment: Deployment, within: Run) -> None:
    file = deployment.folder / "mapping.toml"
    plain = "".join(f'{key} = "{account}"\n' for key, account in MAPPING.items() if "." not in key)
    file.write_text(
        f"{plain}[gateway_clearing]\npaystack = 91\n[settlement_bank]\npaystack = 35\n", encoding="utf-8"
    )
    assert within("mapping", "load", "books", str(file)).code == 0
    assert {row["key"]: row["account"] for row in within("mapping", "show", "--json").rows} == MAPPING


def test_a_key_that_no_rule_needs_and_one_that_is_missing_are_told(
    deployment: Deployment, within: Run
) -> None:
    entries = {**MAPPING, "intrest_income": "82"}
    del entries["interest_income"]
    ran = within("mapping", "load", "books", _csv(deployment.folder, entries))
    assert ran.code == 0
    assert "no posting rule needs intrest_income; did you mean interest_income?" in ran.err
    assert "it has no account for interest_income" in ran.err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("m.csv", b"", "the first line must be key,account"),
        ("m.csv", b"loan_principal,120\n", "the first line must be key,account"),
        ("m.csv", b"key,account\n", "it maps nothing"),
        ("m.csv", b"key,account\nsuspense,202\nsuspense,203\n", "given twice: suspense"),
        ("m.csv", b"key,account\nsuspense\n", "line 2"),
        ("m.csv", b"key,account\nsuspense,\n", "line 2"),
        ("m.csv", b'key,account\n"suspense,202\n', "is not CSV"),
        ("m.csv", b"key,account\nsuspense,\x00\n", "line 2"),
        ("m.csv", b"\xff\xfe", "not UTF-8"),
        ("m.toml", b"suspense = [1]", "suspense must be the id of an account"),
        ("m.toml", b"suspense = true", "suspense must be the id of an account"),
        ("m.toml", b"suspense = ", "not TOML"),
        ("none.csv", None, "No such file"),
    ],
)
def test_a_file_that_is_no_mapping_is_told(
    deployment: Deployment, within: Run, name: str, content: bytes | None, told: str
) -> None:
    file = deployment.folder / name
    if content is not None:
        file.write_bytes(content)
    ran = within("mapping", "load", "books", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_only_books_have_a_mapping(deployment: Deployment, within: Run) -> None:
    ran = within("mapping", "load", "core", _csv(deployment.folder, MAPPING))
    assert ran.code == 2
    assert "core is no books connection; there are: books" in ran.err


# -- checking and activating ------------------------------------------------------------------------------


def test_a_whole_mapping_passes_the_live_chart_and_goes_live(consented: Deployment, within: Run) -> None:
    within("mapping", "load", "books", _csv(consented.folder, MAPPING))
    ran = within("mapping", "check")
    assert ran.code == 0, ran.err
    assert f"every key can be posted to ({len(MAPPING)} keys)" in ran.out
    assert within("mapping", "activate", "books").code == 0
    assert fetch(consented.dsn, "SELECT version FROM mappings WHERE active") == [{"version": 1}]
    assert {row["active"] for row in within("mapping", "show", "--json").rows} == {True}


def test_every_gap_is_told_and_keeps_the_mapping_from_going_live(consented: Deployment, within: Run) -> None:
    within("mapping", "load", "books", _csv(consented.folder, MAPPING))
    assert within("mapping", "activate").code == 0
    gaps = {
        "gateway_clearing.paystack": "98",
        "member_savings": "210",
        "loan_principal": "110",
        "suspense": "9999",
    }
    entries = {**MAPPING, **gaps}
    del entries["fee_income"]
    within("mapping", "load", "books", _csv(consented.folder, entries))

    ran = within("mapping", "check", "--json")
    assert ran.code == 1
    assert {row["key"]: row["flaw"] for row in ran.rows} == {
        "fee_income": "unmapped",
        "gateway_clearing.paystack": "inactive",
        "loan_principal": "not_postable",
        "member_savings": "not_postable",
        "suspense": "no_such_account",
    }
    told = within("mapping", "activate")
    assert told.code == 1
    assert "Accounts Payable" in told.out
    assert fetch(consented.dsn, "SELECT version FROM mappings WHERE active") == [{"version": 1}]
    assert within("mapping", "activate", "--version", "1").code == 0


def test_without_a_mapping_the_way_to_one_is_told(consented: Deployment, within: Run) -> None:
    ran = within("mapping", "check")
    assert ran.code == 2
    assert "coopwire mapping load books FILE" in ran.err


def test_without_consent_the_chart_cannot_be_read_and_nothing_goes_live(
    deployment: Deployment, within: Run
) -> None:
    within("mapping", "load", "books", _csv(deployment.folder, MAPPING))
    ran = within("mapping", "activate")
    assert ran.code == 1
    assert "BadCredentials: books: nobody has consented yet" in ran.err
    assert fetch(deployment.dsn, "SELECT 1 FROM mappings WHERE active") == []


def test_a_version_that_is_not_there_is_told(consented: Deployment, within: Run) -> None:
    within("mapping", "load", "books", _csv(consented.folder, MAPPING))
    ran = within("mapping", "activate", "--version", "7")
    assert ran.code == 2
    assert "the newest one is 1" in ran.err
