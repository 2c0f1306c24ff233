"""OAuth tokens: always a valid one at hand, and never two refreshes of one connection at a time."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from coopwire.domain.errors import BadCredentials, ContractBroken, HubError, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.http import Http, HttpAnswer, HttpRequest
from coopwire.ports.tokens import Tokens, TokenStore
from coopwire.transport import strict_json
from coopwire.transport.http import retry_after

_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}\Z")
_LONGEST_LIFE_SECONDS = 20 * 366 * 86_400
_INVALID_GRANT = "invalid_grant"
_PASSING_CODES = frozenset({"server_error", "temporarily_unavailable"})
_MOST_UNPROVED = 2
"""Tokens bought one after the other because they refused the one before, none of which they ever took. One is no
proof: it can have lain here, while other processes did the work, until it ended like any other."""
_ResultT = TypeVar("_ResultT")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """Our registration at an authorization server; id and secret go as Basic authorization.

    `margin`: renew so long before the end, for a server whose tokens live only minutes (read through
    `Timings.of_provider`); None means `timings.token_margin`. Source: accounting contract §2.1.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    margin: timedelta | None = None


class OAuthKeeper:
    """The TokenKeeper of one connection over a TokenStore.

    One refresh at a time: in this process all callers wait for the same one, between processes the row lock
    decides, and who gets the lock second finds the new token. It is stored before anybody uses it. A caller
    that is cancelled does not stop a refresh under way, since the answer may carry the only refresh token.

    A refresh whose answer was lost raises TryLater and is asked again under the lock. Where the server had
    not changed the refresh token, or honours the old one for a while, this succeeds; where it had, the new
    one is lost with the answer, the server says `invalid_grant`, and a person must consent again
    (BadCredentials).

    Before a token is bought or given up, the stored one is looked at: a person may have consented, or another
    process have bought one.
    """

    def __init__(
        self, connection: str, client: OAuthClient, store: TokenStore, http: Http, clock: Clock
    ) -> None:
        self._connection = connection
        self._client = client
        self._store = store
        self._http = http
        self._clock = clock
        self._tokens: Tokens | None = None
        self._unproved: set[str] = set()
        self._refresh: asyncio.Task[Tokens] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    async def access_token(self) -> str:
        """A token that lives longer than the margin. BadCredentials, TryLater, NotSent, ContractBroken."""
        if self._tokens is None:
            self._tokens = await self._store.read(self._connection)
        if self._tokens is not None and self._lives(self._tokens):
            return self._tokens.access
        return (await self._shared_refresh(None)).access

    async def renewed(self, stale: str) -> str:
        """A token other than `stale`, which they refused. Errors as `access_token`."""
        if self._tokens is not None and self._tokens.access != stale and self._lives(self._tokens):
            return self._tokens.access
        tokens = await self._shared_refresh(stale)
        if tokens.access == stale:
            # Joined a refresh that somebody began before this token was refused.
            tokens = await self._shared_refresh(stale)
        if tokens.access == stale:
            raise BadCredentials(f"{self._connection}: they renew the very token that they refuse")
        return tokens.access

    def worked(self) -> None:
        """They took a token: what they refuse from now on, they refuse for a new reason."""
        self._unproved.clear()

    async def exchange_code(self, code: str, redirect_uri: str) -> None:
        """Store the first tokens of a consent. BadCredentials when the code is not accepted.

        The code works once: after TryLater it may be spent, then the person consents again.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        await asyncio.shield(self._started(self._first_tokens(form)))

    async def _first_tokens(self, form: Mapping[str, str]) -> None:
        async with self._store.locked(self._connection) as row:
            tokens = await self._ask(form, None)
            await row.save(tokens)
        self._tokens = tokens

    async def _shared_refresh(self, stale: str | None) -> Tokens:
        if self._refresh is None or self._refresh.done():
            self._refresh = self._started(self._refresh_under_lock(stale))
        return await asyncio.shield(self._refresh)

    def _started(self, work: Coroutine[Any, Any, _ResultT]) -> asyncio.Task[_ResultT]:
        """A task that outlives its caller; its error is taken note of even when nobody waits any more."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()

    async def _refresh_under_lock(self, stale: str | None) -> Tokens:
        async with self._store.locked(self._connection) as row:
            tokens = row.tokens
            if tokens is None:
                raise BadCredentials(f"{self._connection}: nobody has consented yet")
            if tokens.access == stale:
                tokens = await self._bought_for(tokens)
                await row.save(tokens)
            elif not self._lives(tokens):
                tokens = await self._successor(tokens)
                await row.save(tokens)
        self._tokens = tokens
        return tokens

    async def _bought_for(self, refused: Tokens) -> Tokens:
        """New tokens for those that they refused, unless they refuse whatever they sell."""
        if refused.access in self._unproved and len(self._unproved) >= _MOST_UNPROVED:
            raise BadCredentials(f"{self._connection}: they refuse one renewed token after the other")
        tokens = await self._successor(refused)
        self._unproved.add(tokens.access)
        return tokens

    async def _successor(self, tokens: Tokens) -> Tokens:
        """New tokens; where the old refresh token is dead, those that somebody stored past the lock."""
        try:
            return await self._buy(tokens)
        except _InvalidGrant as error:
            dead = error
        newer = await self._store.read(self._connection)
        if newer is None or newer.refresh == tokens.refresh:
            raise dead
        return newer if self._lives(newer) else await self._buy(newer)

    async def _buy(self, tokens: Tokens) -> Tokens:
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
        return await self._ask(form, tokens)

    async def _ask(self, form: Mapping[str, str], old: Tokens | None) -> Tokens:
        asked_at = self._clock.now()
        answer = await self._http.call(self._request(form))
        fault = _fault(answer, self._connection, self._clock.now())
        if fault is not None:
            raise fault
        return read_tokens(answer.body, asked_at, old)

    def _request(self, form: Mapping[str, str]) -> HttpRequest:
        pair = f"{self._client.client_id}:{self._client.client_secret}".encode()
        return HttpRequest(
            operation=f"oauth_{form['grant_type']}",
            method="POST",
            url=self._client.token_url,
            # A read: it moves no money, and a lost answer means only that it is asked again.
            traffic=Traffic.READ,
            headers={
                "authorization": "Basic " + base64.b64encode(pair).decode(),
                "accept": "application/json",
                "content-type": "application/x-www-form-urlencoded",
            },
            body=urlencode(form).encode(),
        )

    def _lives(self, tokens: Tokens) -> bool:
        timings = self._clock.timings
        stated = self._client.margin
        margin = timings.token_margin if stated is None else timings.of_provider(stated)
        return self._clock.now() + margin < tokens.expires_at


def read_tokens(body: bytes, asked_at: datetime, old: Tokens | None) -> Tokens:
    """The tokens in a token endpoint's answer; life is counted from `asked_at`, ContractBroken otherwise.

    Without a refresh token in the answer the old one stays. Source: RFC 6749 §5.1 and §6; accounting contract
    §2.1 for `x_refresh_token_expires_in`.
    """
    fields = _object(body)
    if str(fields.get("token_type", "bearer")).lower() != "bearer":
        raise ContractBroken("the token is not a bearer token")
    refresh_life = fields.get("x_refresh_token_expires_in", fields.get("refresh_token_expires_in"))
    if "refresh_token" in fields or old is None:
        refresh = _token(fields, "refresh_token")
        refresh_ends = None if refresh_life is None else asked_at + _life(refresh_life)
    else:
        refresh, refresh_ends = old.refresh, old.refresh_expires_at
    access_ends = asked_at + _life(fields.get("expires_in"))
    return Tokens(_token(fields, "access_token"), refresh, access_ends, refresh_ends)


class _InvalidGrant(BadCredentials):
    """The refresh token or the code is not accepted."""


def _fault(answer: HttpAnswer, connection: str, now: datetime) -> HubError | None:
    """What a token endpoint's answer says against us; an `error` counts even in a 200."""
    code, status = _error_code(answer), answer.status
    if code == _INVALID_GRANT:
        text = f"{connection}: the consent has ended, a person must consent again"
        return _InvalidGrant(text, code=code, http_status=status)
    if status == 429 or status >= 500 or code in _PASSING_CODES:
        wait = retry_after(answer, now)
        return TryLater(f"{connection}: no token now", retry_after=wait, code=code, http_status=status)
    if code or status in (401, 403):
        text = f"{connection}: our registration is not accepted at the token endpoint"
        return BadCredentials(text, code=code, http_status=status)
    if status != 200:
        return ContractBroken(f"{connection}: the token endpoint answered {status}", http_status=status)
    return None


def _error_code(answer: HttpAnswer) -> str:
    """The `error` of RFC 6749 §5.2, empty when there is none."""
    try:
        code = _object(answer.body).get("error", "")
    except ContractBroken:
        return ""
    return code if isinstance(code, str) and _ERROR_CODE.match(code) else ""


def _object(body: bytes) -> dict[str, Any]:
    fields = strict_json.parse(body, "the token endpoint")
    if not isinstance(fields, dict):
        raise ContractBroken("the token answer is not a JSON object")
    return fields


def _token(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise ContractBroken(f"the token answer has no usable {name}")
    return value


def _life(value: object) -> timedelta:
    """Seconds as a number or, as some servers send them, as digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONGEST_LIFE_SECONDS:
        raise ContractBroken("the token answer has no usable expires_in")
    return timedelta(seconds=value)
