"""The connections file is read whole or not at all, and every mistake in it is told with its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.connections import Configured, ConnectionsError, load, load_one
from coopwire.domain.budgets import Budget
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import ReceiptSource, Source
from coopwire.settings import Settings

LAGOS = ZoneInfo("Africa/Lagos")
SERVER = "postgresql://hub@db.example/coopwire"
LMS_SECRET = "whsec_" + "A" * 32
WHOLE = f"""
[connections.paystack-main]
provider = "paystack"
mode = "test"
secret_key = {{ env = "PAYSTACK_SECRET_KEY" }}
placeholder_email = "member-{{member}}@members.example"

[connections.books]
provider = "quickbooks"
client_id = "app"
client_secret = "canary-client-secret"
realm_id = 9130350000000001
multi_currency = true

[connections.core]
provider = "bankone"
token = {{ file = "token.txt" }}
zone = "Africa/Accra"

[connections.lms]
provider = "lms"
secret = "{LMS_SECRET}"

[routes]
gateway = "paystack-main"
books = "books"
core_bank = "core"
lms = "lms"
allocation = "lms"
callback_hosts = ["LMS.example"]

[receivable_gl]
paystack-main = 1001
counter = 1002
payroll = "1003"

[sources.counter]
kind = "teller"

[sources.payroll]
kind = "check_off"
checker = true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the secrets that WHOLE names."""
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", "sk_test_canary")
    (tmp_path / "token.txt").write_text("canary-token\n", encoding="utf-8")
    return tmp_path


def _settings(**words: Any) -> Settings:
    return Settings(**{"database": SERVER, **words})


def _read(folder: Path, text: str, **words: Any) -> Configured:
    path = folder / "connections.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, _settings(**words))


def _mistakes(folder: Path, text: str, **words: Any) -> str:
    with pytest.raises(ConnectionsError) as refused:
        _read(folder, text, **words)
    return str(refused.value)


def _without(line: str) -> str:
    assert f"{line}\n" in WHOLE
    return WHOLE.replace(f"{line}\n", "", 1)


def test_a_whole_file_becomes_connections_and_routes(folder: Path) -> None:
    read = _read(folder, WHOLE)
    gateway, books = read.connections["paystack-main"], read.connections["books"]
    assert gateway.settings["secret_key"] == "sk_test_canary"
    assert gateway.settings["placeholder_email"] == "member-{member}@members.example"
    assert gateway.settings["base_url"] == "https://api.paystack.co"
    assert books.settings["realm_id"] == "9130350000000001"
    assert books.settings["multi_currency"] == "true"
    assert (gateway.zone, read.connections["core"].zone) == (LAGOS, ZoneInfo("Africa/Accra"))
    assert read.connections["core"].settings["token"] == "canary-token"
    assert {connection.mode for connection in read.connections.values()} == {Mode.TEST}
    routes = read.routes
    assert (routes.gateway, routes.books, routes.core_bank, routes.lms) == (
        "paystack-main",
        "books",
        "core",
        "lms",
    )
    assert routes.allocation is AllocationMode.LMS
    assert routes.receivable_gl == {"paystack-main": "1001", "counter": "1002", "payroll": "1003"}
    assert routes.sources == {
        "counter": Source("counter", ReceiptSource.TELLER),
        "payroll": Source("payroll", ReceiptSource.CHECK_OFF, checker=True),
    }
    assert routes.allowed_callback_hosts == {"lms.example"}


def test_a_connection_has_the_budget_that_its_provider_states_unless_the_file_says_otherwise(
    folder: Path,
) -> None:
    stated = _read(folder, WHOLE).connections
    assert stated["books"].budget == Budget(per_second=10, per_minute=500)
    assert stated["core"].budget.unlimited
    more = 'client_id = "app"\ncalls_per_second = 0\ncalls_per_minute = "60"\ncalls_per_day = 1000\ncalls_at_once = 5'
    books = _read(folder, WHOLE.replace('client_id = "app"', more, 1)).connections["books"]
    assert books.budget == Budget(per_second=None, per_minute=60, per_day=1000, at_once=5)
    assert "calls_per_day" not in books.settings


def test_a_gateway_alone_is_a_deployment_too(folder: Path) -> None:
    alone = WHOLE[: WHOLE.index("[connections.books]")] + '[routes]\ngateway = "paystack-main"\n'
    routes = _read(folder, alone).routes
    assert (routes.books, routes.core_bank, routes.lms, routes.allocation) == (None, None, None, "hub")


MISTAKES = [
    ('kind = "teller"', "", "[sources.counter] kind", "must be one of statement, teller, check_off"),
    ('kind = "teller"', 'kind = "gateway"', "[sources.counter] kind", "must be one of"),
    ('kind = "teller"', "kind = ['teller']", "[sources.counter] kind", "must be one of"),
    ("checker = true", 'checker = "yes"', "[sources.payroll] checker", "must be true or false"),
    ("checker = true", "cheker = true", "[sources.payroll] cheker", "did you mean checker?"),
    ("[sources.counter]", "[sources.books]", "[sources.books]", "a connection has this name already"),
    ("[sources.counter]", '[sources."Counter 1"]', "[sources.Counter 1]", "a source's name is a-z"),
    ("[sources.counter]", "[[sources.counter]]", "[sources.counter]", "must be a table"),
    ("counter = 1002", "", "[receivable_gl] counter", "receives the money of this source"),
    ('provider = "paystack"', 'provider = "paystak"', "[connections.paystack-main] provider", "paystack,"),
    ('provider = "paystack"', "provider = 3", "[connections.paystack-main] provider", "quickbooks"),
    ('client_id = "app"', 'clientid = "app"', "[connections.books] clientid", "did you mean client_id?"),
    ('client_id = "app"', "", "[connections.books] client_id", "is missing"),
    ('client_id = "app"', 'client_id = " "', "[connections.books] client_id", "is empty"),
    ('client_id = "app"', "client_id = 1.5", "[connections.books] client_id", "must be text"),
    ('client_id = "app"', 'client_id = { evn = "X" }', "[connections.books] client_id", "env ="),
    ('client_id = "app"', "client_id = { env = 3 }", "[connections.books] client_id", "env must be text"),
    ('"PAYSTACK_SECRET_KEY"', '"PAYSTACK_KEY"', "secret_key", "PAYSTACK_KEY is not set; export it"),
    ('"PAYSTACK_SECRET_KEY"', '"sk_test_canary"', "secret_key", "the environment variable it names"),
    ('"token.txt"', '"tokens.txt"', "[connections.core] token", "tokens.txt cannot be read (No such file"),
    ('mode = "test"', 'mode = "prod"', "[connections.paystack-main] mode", "test or live"),
    ('"Africa/Accra"', '"Africa/Acra"', "[connections.core] zone", "no such time zone"),
    ("-{member}@", "-{membr}@", "placeholder_email", "must be an e-mail address"),
    (
        'mode = "test"',
        'webhook_addresses = "api.example"',
        "webhook_addresses",
        "must be addresses or networks",
    ),
    ("[connections.core]", "[connections.Core]", "[connections.Core]", "a connection's name"),
    ("[routes]", "[route]", "route", "did you mean routes?"),
    ('gateway = "paystack-main"', "", "[routes] gateway", "is missing"),
    ('gateway = "paystack-main"', 'gateway = "paystack"', "[routes] gateway", "there are: books, core, lms"),
    ('books = "books"', 'books = "core"', "[routes] books", "core is a core bank and not a books"),
    ('core_bank = "core"', 'core_bnk = "core"', "[routes] core_bnk", "did you mean core_bank?"),
    ('lms = "lms"', "", "[routes] allocation", "only when the route lms names it"),
    ('allocation = "lms"', 'allocation = ["lms"]', "[routes] allocation", "must be hub or lms"),
    ('["LMS.example"]', '["https://lms.example/"]', "[routes] callback_hosts", "host names"),
    ("paystack-main = 1001", "", "[receivable_gl] paystack-main", "is missing; name the GL in core"),
    ("paystack-main = 1001", "paystack-main = true", "[receivable_gl] paystack-main", "number of a GL"),
    ("paystack-main = 1001", "paystack = 1001", "[receivable_gl] paystack", "did you mean paystack-main?"),
    ('mode = "test"', 'mode = "live"', "[routes]", "test and live money would meet"),
    ("[receivable_gl]", "[[receivable_gl]]", "[receivable_gl]", "must be a table"),
    ('client_id = "app"', 'client_id = "app"\ncalls_per_day = -1', "calls_per_day", "whole number of calls"),
    ('client_id = "app"', 'client_id = "app"\ncalls_at_once = "few"', "calls_at_once", "whole number"),
    ('client_id = "app"', 'client_id = "app"\ncalls_a_day = 5', "calls_a_day", "did you mean calls_per_day?"),
    ("[routes]", "[extra]\n[routes]", "extra", "there is no such section"),
]


@pytest.mark.parametrize(
    ("right", "wrong", "place", "remedy"), MISTAKES, ids=[f"{m[2]}: {m[3]}" for m in MISTAKES]
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(
    folder: Path, right: str, wrong: str, place: str, remedy: str
) -> None:
    assert right in WHOLE
    told = _mistakes(folder, WHOLE.replace(right, wrong, 1))
    assert str(folder / "connections.toml") in told
    assert place in told
    assert remedy in told


def test_all_mistakes_are_told_at_once_and_no_secret_with_them(folder: Path) -> None:
    text = WHOLE
    for right, wrong, *_ in (MISTAKES[0], MISTAKES[2], MISTAKES[9], MISTAKES[12], MISTAKES[24]):
        text = text.replace(right, wrong, 1)
    told = _mistakes(folder, text)
    assert len(told.splitlines()) >= 5
    assert "canary" not in told
    assert LMS_SECRET not in told


def test_a_mistake_in_one_gateway_does_not_blame_the_rest_of_the_file(folder: Path) -> None:
    told = _mistakes(folder, WHOLE.replace('"PAYSTACK_SECRET_KEY"', '"NOT_SET_ANYWHERE"'))
    assert len(told.splitlines()) == 1


LIVE = (
    WHOLE.replace('mode = "test"', 'mode = "live"')
    .replace('provider = "quickbooks"', 'provider = "quickbooks"\nmode = "live"')
    .replace('provider = "bankone"', 'provider = "bankone"\nmode = "live"')
    .replace('provider = "lms"', 'provider = "lms"\nmode = "live"')
)


def test_live_connections_are_refused_on_an_embedded_database(folder: Path) -> None:
    told = _mistakes(folder, LIVE, database="embedded:/data")
    assert "COOPWIRE_ALLOW_LIVE_ON_EMBEDDED=true" in told


def test_live_connections_on_an_embedded_database_need_the_second_flag(folder: Path) -> None:
    read = _read(folder, LIVE, database="embedded:/data", allow_live_on_embedded=True)
    assert read.connections["core"].mode is Mode.LIVE


def test_live_connections_run_on_a_server(folder: Path) -> None:
    assert _read(folder, LIVE).connections["books"].mode is Mode.LIVE


def test_live_connections_are_refused_with_shortened_durations(folder: Path) -> None:
    assert "unset COOPWIRE_TIMINGS" in _mistakes(folder, LIVE, timings="demo")


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.toml", _settings())


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match="Is a directory"):
        load(tmp_path, _settings())


def test_broken_toml_is_told_by_its_line_without_quoting_it(folder: Path) -> None:
    told = _mistakes(folder, '[connections.a]\nsecret_key = "canary\n')
    assert "is not TOML: look at line 2" in told
    assert "canary" not in told


def test_a_huge_file_is_not_read(folder: Path) -> None:
    assert "more than 1 MiB" in _mistakes(folder, "#" * (1 << 20) + "\n")


def test_an_empty_file_is_told_what_to_add(folder: Path) -> None:
    assert "names no connection" in _mistakes(folder, "")


def test_an_empty_secret_file_is_a_mistake(folder: Path) -> None:
    (folder / "token.txt").write_text("\n", encoding="utf-8")
    assert "token.txt is empty" in _mistakes(folder, WHOLE)


def test_one_connection_can_be_read_where_others_are_wrong(folder: Path) -> None:
    path = folder / "connections.toml"
    path.write_text(_without('client_id = "app"'), encoding="utf-8")
    assert load_one(path, "paystack-main", LAGOS).settings["secret_key"] == "sk_test_canary"
    with pytest.raises(ConnectionsError, match="client_id"):
        load_one(path, "books", LAGOS)


def test_a_connection_that_is_not_there_is_told_with_those_that_are(folder: Path) -> None:
    path = folder / "connections.toml"
    path.write_text(WHOLE, encoding="utf-8")
    with pytest.raises(ConnectionsError, match="there are: books, core, lms, paystack-main"):
        load_one(path, "paystack", LAGOS)


def test_a_connection_never_shows_its_settings(folder: Path) -> None:
    assert "canary" not in repr(_read(folder, WHOLE))


_WORDS = st.sampled_from(
    ["connections", "routes", "receivable_gl", "sources", "provider", "paystack", "gateway", "mode", ""]
)
_VALUES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), _WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(document=st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_no_document_ends_in_anything_but_mistakes(
    document: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("hostile") / "connections.toml"
    path.write_text(_toml(document), encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConnectionsError):
        load(path, _settings())


def _toml(document: dict[str, object]) -> str:
    return "".join(f"{_quoted(name)} = {_inline(value)}\n" for name, value in document.items())


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(name)} = {_inline(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    return (
        '"' + "".join(f"\\U{ord(c):08X}" if ord(c) < 0xD800 or ord(c) > 0xDFFF else "?" for c in text) + '"'
    )


# -- price lists -------------------------------------------------------------------------------------------

PRICES = "valid_from,currency,percent,cap\n2026-01-01,NGN,1.2,1500\n"


def _with_fees(word: str) -> str:
    line = 'placeholder_email = "member-{member}@members.example"\n'
    assert line in WHOLE
    return WHOLE.replace(line, f'{line}fees = "{word}"\n')


def test_a_gateway_is_held_against_the_example_that_comes_with_it_unless_the_file_says_otherwise(
    folder: Path,
) -> None:
    read = _read(folder, WHOLE).connections
    listed = read["paystack-main"].fees
    assert listed is not None
    assert (listed.name, listed.example) == ("paystack, example", True)
    assert read["books"].fees is None
    assert "fees" not in read["paystack-main"].settings


def test_a_price_list_of_ones_own_stands_beside_the_file(folder: Path) -> None:
    (folder / "prices.csv").write_text(PRICES, encoding="utf-8")
    listed = _read(folder, _with_fees("prices.csv")).connections["paystack-main"].fees
    assert listed is not None
    assert (listed.name, listed.example, len(listed.rules)) == ("prices.csv", False, 1)


def test_nothing_is_expected_of_the_fees_where_the_file_says_so(folder: Path) -> None:
    assert _read(folder, _with_fees("none")).connections["paystack-main"].fees is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "prices.csv cannot be read (No such file or directory)"),
        ("", "prices.csv is empty"),
        (f"{PRICES}2026-02-01,NGN,much,\n", "prices.csv: line 3, percent: must be a number from 0 to 100"),
        (f"{PRICES}2026-01-01,NGN,1.3,\n", "prices.csv: line 3, valid_from: is that of another rule"),
    ],
)
def test_a_price_list_that_cannot_be_used_is_told_by_file_line_and_column(
    folder: Path, content: str | None, told: str
) -> None:
    if content is not None:
        (folder / "prices.csv").write_text(content, encoding="utf-8")
    assert f"[connections.paystack-main] fees: {told}" in _mistakes(folder, _with_fees("prices.csv"))
