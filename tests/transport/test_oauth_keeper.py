"""Tokens are renewed once, stored before use, and never lost through our own doing."""

from __future__ import annotations

import asyncio
import base64
import json
import traceback
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.conformance.clock import START
from coopwire.domain.errors import BadCredentials, ContractBroken, HubError, TryLater
from coopwire.ports.tokens import Tokens
from coopwire.transport.oauth import OAuthClient, OAuthKeeper, read_tokens

HOUR = timedelta(hours=1)
BOOKS = "books"


class Row:
    def __init__(self, tokens):
        self.tokens = tokens
        self.saved = None

    async def save(self, tokens):
        self.saved = tokens


class MemoryStore:
    """A TokenStore of one process: a real lock, commit at the end of the block, nothing on an error."""

    def __init__(self, tokens=None):
        self.tokens = tokens
        self.lock = asyncio.Lock()
        self.commits = 0
        self.reads = 0
        self.locks = 0
        self.commit_fails = False

    async def read(self, connection):
        self.reads += 1
        await asyncio.sleep(0)
        return self.tokens

    @asynccontextmanager
    async def locked(self, connection):
        self.locks += 1
        async with self.lock:
            await asyncio.sleep(0)
            row = Row(self.tokens)
            yield row
            await asyncio.sleep(0)
            if self.commit_fails:
                raise OSError("the database went away")
            if row.saved is not None:
                self.tokens = row.saved
                self.commits += 1


class TokenServer:
    """An authorization server that rotates its refresh token at every use, and fails as told."""

    def __init__(self):
        self.refresh = "refresh-0"
        self.forms = []
        self.heads = []
        self.grace = False
        self.faults = []
        """What to do instead of answering, one per request: a coroutine function taking the call."""
        self.after = {}

    async def __call__(self, call):
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        self.forms.append(form)
        self.heads.append(call.head)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            await fault(call)
        else:
            await call.answer(*self.issue(form))

    def issue(self, form):
        known = form.get("refresh_token") == self.refresh or form.get("code") == "good-code" or self.grace
        if not known:
            return b'{"error":"invalid_grant","error_description":"Incorrect Token"}', "400 Bad Request"
        number = len(self.forms)
        self.refresh = f"refresh-{number}"
        answer = {
            "access_token": f"access-{number}",
            "refresh_token": self.refresh,
            "expires_in": 3600,
            "x_refresh_token_expires_in": 8726400,
            "token_type": "bearer",
        }
        return (json.dumps(answer | self.after).encode(),)


def stored(ends=timedelta(0), refresh="refresh-0"):
    return Tokens("access-0", refresh, START + ends, None)


@pytest.fixture
async def desk(start_peer, house):
    return await Desk.opened(start_peer, house)


class Desk:
    @classmethod
    async def opened(cls, start_peer, house):
        desk = cls()
        desk.server = TokenServer()
        desk.peer = await start_peer(desk.server)
        desk.house = house
        desk.store = MemoryStore(stored())
        return desk

    def keeper(self, margin=None):
        client = OAuthClient(self.peer.url("/oauth2/v1/tokens/bearer"), "app-id", "app-secret", margin)
        return OAuthKeeper(BOOKS, client, self.store, self.house.http(BOOKS), self.house.clock)

    @property
    def refreshes(self):
        return len(self.server.forms)


# a token at hand ----------------------------------------------------------------------------------


async def test_a_living_token_is_handed_out_without_asking_anybody(desk):
    desk.store.tokens = stored(HOUR)
    keeper = desk.keeper()
    for _ in range(5):
        assert await keeper.access_token() == "access-0"
    assert desk.refreshes == 0
    assert desk.store.reads == 1


async def test_before_the_first_consent_there_is_no_token(desk):
    desk.store.tokens = None
    with pytest.raises(BadCredentials, match="consented"):
        await desk.keeper().access_token()
    assert desk.refreshes == 0


async def test_a_token_is_renewed_as_the_contract_says(desk):
    keeper = desk.keeper()
    assert await keeper.access_token() == "access-1"
    assert desk.server.forms == [{"grant_type": "refresh_token", "refresh_token": "refresh-0"}]
    head = desk.server.heads[0].lower()
    pair = base64.b64encode(b"app-id:app-secret")
    assert b"authorization: basic " + pair.lower() in head
    assert b"content-type: application/x-www-form-urlencoded" in head
    assert b"accept: application/json" in head


async def test_everything_the_answer_brought_is_stored_in_its_own_place(desk):
    await desk.keeper().access_token()
    assert desk.store.tokens == Tokens(
        "access-1", "refresh-1", START + HOUR, START + timedelta(seconds=8726400)
    )


async def test_a_token_is_renewed_before_its_end_by_the_margin(desk):
    margin = desk.house.clock.timings.token_margin
    desk.store.tokens = stored(HOUR)
    keeper = desk.keeper()
    desk.house.clock.advance(HOUR - margin - timedelta(seconds=1))
    assert await keeper.access_token() == "access-0"
    desk.house.clock.advance(timedelta(seconds=1))
    assert await keeper.access_token() == "access-1"


async def test_a_token_that_lives_minutes_has_a_margin_of_its_own(desk):
    desk.server.after = {"expires_in": 300}
    keeper = desk.keeper(margin=timedelta(seconds=30))
    for _ in range(5):
        assert await keeper.access_token() == "access-1"
    assert desk.refreshes == 1


async def test_an_answer_without_a_refresh_token_keeps_the_old_one(desk):
    async def access_only(call):
        await call.answer(b'{"access_token":"access-9","expires_in":"3600"}')

    desk.server.faults = [access_only]
    desk.store.tokens = Tokens("access-0", "refresh-0", START, START + 100 * HOUR)
    assert await desk.keeper().access_token() == "access-9"
    assert desk.store.tokens == Tokens("access-9", "refresh-0", START + HOUR, START + 100 * HOUR)


async def test_a_token_that_could_not_be_stored_is_not_used(desk):
    desk.store.commit_fails = True
    keeper = desk.keeper()
    with pytest.raises(OSError, match="database"):
        await keeper.access_token()
    desk.store.commit_fails = False
    desk.server.grace = True
    assert await keeper.access_token() == "access-2"


# one at a time ------------------------------------------------------------------------------------


async def test_many_keepers_on_one_store_refresh_once(desk):
    keepers = [desk.keeper() for _ in range(10)]
    tokens = await asyncio.gather(*(keeper.access_token() for keeper in keepers for _ in range(10)))
    assert set(tokens) == {"access-1"}
    assert desk.refreshes == desk.store.commits == 1


async def test_callers_in_one_process_share_one_lock(desk):
    keeper = desk.keeper()
    await asyncio.gather(*(keeper.access_token() for _ in range(50)))
    assert desk.store.locks == 1


async def test_many_keepers_that_met_a_refusal_refresh_once(desk):
    desk.store.tokens = stored(HOUR)
    keepers = [desk.keeper() for _ in range(10)]
    await asyncio.gather(*(keeper.access_token() for keeper in keepers))
    tokens = await asyncio.gather(*(keeper.renewed("access-0") for keeper in keepers for _ in range(10)))
    assert set(tokens) == {"access-1"}
    assert desk.refreshes == 1


async def test_a_refusal_of_an_old_token_does_not_spend_the_new_one(desk):
    first, second = desk.keeper(), desk.keeper()
    assert await first.access_token() == "access-1"
    assert await second.renewed("access-0") == "access-1"
    assert await first.renewed("access-0") == "access-1"
    assert desk.refreshes == 1


async def test_a_refusal_during_a_refresh_that_began_before_it_is_not_answered_with_the_refused(desk):
    desk.store.tokens = stored(HOUR)
    keeper = desk.keeper()
    async with desk.store.lock:
        early = asyncio.create_task(keeper.renewed("access-of-long-ago"))
        await asyncio.sleep(0)
        late = asyncio.create_task(keeper.renewed("access-0"))
        await asyncio.sleep(0)
    assert await early == "access-0"
    assert await late == "access-1"
    assert desk.refreshes == 1


async def test_a_server_that_renews_the_refused_token_needs_a_person(desk):
    desk.server.after = {"access_token": "access-0"}
    with pytest.raises(BadCredentials, match="refuse"):
        await desk.keeper().renewed("access-0")


async def test_who_never_tried_a_renewed_token_may_find_it_ended_and_renews_again(desk):
    """Another process did the work with it until it ended."""
    keeper = desk.keeper()
    assert await keeper.renewed("access-0") == "access-1"
    assert await keeper.renewed("access-1") == "access-2"


async def test_renewed_tokens_that_are_refused_one_after_the_other_need_a_person(desk):
    keeper = desk.keeper()
    for number in range(2):
        await keeper.renewed(f"access-{number}")
    for _ in range(2):
        with pytest.raises(BadCredentials, match="one renewed token after the other"):
            await keeper.renewed("access-2")
    assert desk.refreshes == 2


async def test_a_token_that_worked_ends_the_count_of_those_that_did_not(desk):
    keeper = desk.keeper()
    for number in range(6):
        assert await keeper.renewed(f"access-{number}") == f"access-{number + 1}"
        if number % 2:
            keeper.worked()


async def test_a_consent_is_noticed_by_who_gave_up_before(desk):
    keeper = desk.keeper()
    for number in range(2):
        await keeper.renewed(f"access-{number}")
    with pytest.raises(BadCredentials):
        await keeper.renewed("access-2")
    await desk.keeper().exchange_code("good-code", "http://localhost/back")
    assert await keeper.access_token() == "access-2"
    assert await keeper.renewed("access-2") == "access-3"


async def test_a_caller_that_is_cancelled_does_not_lose_the_new_refresh_token(desk):
    async def slow(call):
        await go.wait()
        await call.answer(*desk.server.issue(desk.server.forms[-1]))

    go = asyncio.Event()
    desk.server.faults = [slow]
    keeper = desk.keeper()
    caller = asyncio.create_task(keeper.access_token())
    await desk.peer.reached(1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    assert await keeper.access_token() == "access-1"
    assert desk.store.tokens.refresh == "refresh-1"
    assert desk.refreshes == 1


# when it fails ------------------------------------------------------------------------------------


async def hang_up(call):
    call.hang_up()


async def test_a_refresh_whose_answer_was_lost_is_asked_again(desk):
    desk.server.faults = [hang_up]
    keeper = desk.keeper()
    with pytest.raises(TryLater):
        await keeper.access_token()
    assert desk.store.tokens == stored()
    assert await keeper.access_token() == "access-2"
    assert [form["refresh_token"] for form in desk.server.forms] == ["refresh-0", "refresh-0"]


async def test_a_rotated_token_lost_with_its_answer_needs_a_person(desk):
    async def rotate_and_hang_up(call):
        desk.server.issue(desk.server.forms[-1])
        call.hang_up()

    desk.server.faults = [rotate_and_hang_up]
    keeper = desk.keeper()
    with pytest.raises(TryLater):
        await keeper.access_token()
    with pytest.raises(BadCredentials, match="consent again"):
        await keeper.access_token()


async def test_a_rotated_token_lost_with_its_answer_is_no_loss_where_the_old_one_is_honoured(desk):
    async def rotate_and_hang_up(call):
        desk.server.issue(desk.server.forms[-1])
        call.hang_up()

    desk.server.faults, desk.server.grace = [rotate_and_hang_up], True
    keeper = desk.keeper()
    with pytest.raises(TryLater):
        await keeper.access_token()
    assert await keeper.access_token() == "access-2"


async def test_a_dead_refresh_token_needs_a_person_and_changes_nothing(desk):
    desk.server.refresh = "another"
    with pytest.raises(BadCredentials, match="consent again") as caught:
        await desk.keeper().access_token()
    assert caught.value.code == "invalid_grant"
    assert caught.value.http_status == 400
    assert desk.store.tokens == stored()
    assert desk.refreshes == 1


@pytest.mark.parametrize(("ends", "token", "refreshes"), [(HOUR, "access-7", 1), (-HOUR, "access-2", 2)])
async def test_tokens_stored_past_the_lock_are_used_when_ours_are_dead(desk, ends, token, refreshes):
    async def consented_meanwhile(call):
        desk.store.tokens = Tokens("access-7", "refresh-7", START + ends, None)
        desk.server.refresh = "refresh-7"
        await call.answer(b'{"error":"invalid_grant"}', "400 Bad Request")

    desk.server.faults = [consented_meanwhile]
    assert await desk.keeper().access_token() == token
    assert desk.refreshes == refreshes
    assert desk.store.tokens.access == token


async def test_invalid_grant_in_a_200_is_no_success(desk):
    async def cheerful(call):
        await call.answer(b'{"error":"invalid_grant","access_token":"undefined"}')

    desk.server.faults = [cheerful]
    with pytest.raises(BadCredentials):
        await desk.keeper().access_token()
    assert desk.store.commits == 0


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        ("401 No", b'{"error":"invalid_client"}', BadCredentials, "invalid_client"),
        ("400 No", b'{"error":"unauthorized_client"}', BadCredentials, "unauthorized_client"),
        ("403 No", b"<html>", BadCredentials, ""),
        ("429 Slow", b"{}", TryLater, ""),
        ("503 Away", b"<html>", TryLater, ""),
        ("400 No", b'{"error":"temporarily_unavailable"}', TryLater, "temporarily_unavailable"),
        ("404 No", b"<html>", ContractBroken, ""),
        ("302 Else", b"", ContractBroken, ""),
        ("400 No", b'{"error":{"odd":1}}', ContractBroken, ""),
        ("400 No", b'{"error":"Some Text, of a kind"}', ContractBroken, ""),
        ("200 OK", b"", ContractBroken, ""),
        ("500 No", b"[" * 200_000, TryLater, ""),
    ],
)
async def test_each_kind_of_refusal_says_what_to_do_next(desk, status, body, error, code):
    async def refuse(call):
        await call.answer(body, status, "retry-after: 7\r\n")

    desk.server.faults = [refuse]
    with pytest.raises(HubError) as caught:
        await desk.keeper().access_token()
    assert isinstance(caught.value, error)
    assert caught.value.code == code
    if error is TryLater:
        assert caught.value.retry_after == 7
    assert desk.store.commits == 0


async def test_errors_show_no_token_and_no_secret(desk):
    async def echo(call):
        await call.answer(call.body + call.head, "400 No")

    for fault in (echo, hang_up):
        desk.server.faults = [fault]
        keeper = desk.keeper()
        with pytest.raises(HubError) as caught:
            await keeper.access_token()
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert not [secret for secret in ("refresh-0", "access-0", "app-secret") if secret in told]
    assert "app-secret" not in repr(keeper._client)


# consent ------------------------------------------------------------------------------------------


async def test_a_code_is_exchanged_for_the_first_tokens(desk):
    desk.store.tokens = None
    keeper = desk.keeper()
    await keeper.exchange_code("good-code", "https://hub.example/oauth/callback?x=1&y=2")
    assert desk.server.forms == [
        {
            "grant_type": "authorization_code",
            "code": "good-code",
            "redirect_uri": "https://hub.example/oauth/callback?x=1&y=2",
        }
    ]
    assert desk.store.tokens.refresh == "refresh-1"
    assert await keeper.access_token() == "access-1"
    assert desk.refreshes == 1


async def test_a_spent_code_needs_a_person(desk):
    with pytest.raises(BadCredentials):
        await desk.keeper().exchange_code("spent-code", "https://hub.example/")
    assert desk.store.tokens == stored()


async def test_a_new_consent_replaces_dead_tokens_for_keepers_that_run(desk):
    desk.server.refresh = "another"
    running = desk.keeper()
    with pytest.raises(BadCredentials):
        await running.access_token()
    await desk.keeper().exchange_code("good-code", "https://hub.example/")
    assert await running.access_token() == "access-2"


async def test_a_first_answer_without_a_refresh_token_is_broken(desk):
    async def access_only(call):
        await call.answer(b'{"access_token":"a","expires_in":3600}')

    desk.store.tokens, desk.server.faults = None, [access_only]
    with pytest.raises(ContractBroken, match="refresh_token"):
        await desk.keeper().exchange_code("good-code", "https://hub.example/")
    assert desk.store.tokens is None


# reading ------------------------------------------------------------------------------------------


def answer(**changed):
    whole = {"access_token": "a", "refresh_token": "r", "expires_in": 3600}
    return json.dumps(
        {name: value for name, value in (whole | changed).items() if value != "absent"}
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"access_token"',
        b"[" * 200_000,
        b"\xff\xfe",
        b"<html>",
        answer(access_token="absent"),
        answer(access_token=None),
        answer(access_token=""),
        answer(access_token=5),
        answer(access_token="a\r\nx-evil: 1"),
        answer(access_token="né"),
        answer(refresh_token=None),
        answer(refresh_token=""),
        answer(expires_in="absent"),
        answer(expires_in=0),
        answer(expires_in=-1),
        answer(expires_in=True),
        answer(expires_in=3600.5),
        answer(expires_in="soon"),
        answer(expires_in="٣٦٠٠"),
        answer(expires_in=10**30),
        b'{"access_token":"a","refresh_token":"r","expires_in":NaN}',
        b'{"access_token":"a","refresh_token":"r","expires_in":' + b"9" * 5000 + b"}",
        answer(token_type="mac"),
        answer(x_refresh_token_expires_in="x"),
    ],
)
def test_an_answer_of_another_shape_is_broken(body):
    with pytest.raises(ContractBroken):
        read_tokens(body, START, stored())


def test_the_end_of_the_refresh_token_is_read_under_either_name():
    for name in ("x_refresh_token_expires_in", "refresh_token_expires_in"):
        tokens = read_tokens(answer(**{name: 60}), START, None)
        assert tokens.refresh_expires_at == START + timedelta(seconds=60)
    assert read_tokens(answer(), START, None).refresh_expires_at is None


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["access_token", "refresh_token", "expires_in", "token_type"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_tokens_or_broken(body):
    try:
        tokens = read_tokens(body, START, stored())
    except ContractBroken:
        return
    assert tokens.access
    assert tokens.expires_at > START
