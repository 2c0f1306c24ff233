"""`coopwire connect`: a person's consent (OAuth) for one connection, its tokens stored sealed."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, urlsplit

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from aiohttp import web

    from coopwire.ports.providers import Connection, Consent, Outside
    from coopwire.settings import Settings
    from coopwire.storage.database import PostgresDatabase

REDIRECT_URI = "http://localhost:8767/coopwire"
_LONGEST_ANSWER = 8192
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_DONE = "You may close this page: coopwire goes on at the command line."
_NOT_OURS = "This is not the answer that coopwire waits for."


def connect(
    connection: Annotated[str, typer.Argument(help="Which connection of the file.")],
    redirect_uri: Annotated[
        str, typer.Option(help="The address registered at the provider; a loopback one is listened on.")
    ] = REDIRECT_URI,
    paste: Annotated[
        bool, typer.Option("--paste", help="Listen to nothing: paste the address you were sent back to.")
    ] = False,
    wait: Annotated[int, typer.Option(min=1, help="Seconds to wait for the answer.")] = 900,
) -> None:
    """Give consent for a connection (OAuth).

    Go to the page that is shown and say yes there.
    The tokens are stored sealed, and the credentials gate of the connection is opened.
    """
    settings = hub.settings()
    use, consent = _asked(settings, connection)
    state = secrets.token_urlsafe(24)
    page = consent.page(use, redirect_uri, state)

    async def give(database: PostgresDatabase) -> None:
        answer = await _answer(page, redirect_uri, state, timedelta(seconds=wait), paste)
        async with _outside(use, settings, database) as outside:
            await consent.accept(use, outside, redirect_uri, answer)
        await _open_gate(use, database)

    hub.on_database(give)
    show.say(f"{connection}: consent is given, its tokens are stored and its credentials gate is open")


def _asked(settings: Settings, name: str) -> tuple[Connection, Consent]:
    """The connection and how its provider is consented to. BadInput when it needs no consent."""
    from coopwire.connections import load_one
    from coopwire.ports.providers import ConfigurationError
    from coopwire.providers import catalog

    if settings.connections is None:
        raise ConfigurationError("COOPWIRE_CONNECTIONS is not set: name the connections file")
    use = load_one(settings.connections, name, settings.zone)
    sheet = catalog.sheet(use.provider)
    if sheet.consent is None:
        raise BadInput(f"{name} needs no consent: {sheet.profile.title} is used with the keys of the file")
    consent: Consent = sheet.load(sheet.consent)
    return use, consent


async def _answer(
    page: str, redirect_uri: str, state: str, wait: timedelta, paste: bool
) -> Mapping[str, str]:
    place = urlsplit(redirect_uri)
    listens = not paste and place.scheme == "http" and place.hostname in _LOOPBACK
    if not listens:
        _tell(page, "Then paste the whole address that you were sent back to, and press Enter:")
        # Nothing else runs meanwhile, so that the wait may block: a thread could not be interrupted.
        return _checked(_pasted(sys.stdin.readline(_LONGEST_ANSWER)), state)
    came: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
    async with _listening(redirect_uri, state, came):
        _tell(page, f"Waiting on {redirect_uri}; with --paste the address can be pasted instead.")
        try:
            return await asyncio.wait_for(came, wait.total_seconds())
        except TimeoutError:
            raise BadInput(f"nobody came back within {show.length(wait)}: run the command again") from None


def _tell(page: str, then: str) -> None:
    show.note("Open this page as the administrator of the account, and say yes:")
    show.say(page)
    show.note(then)
    sys.stdout.flush()


@asynccontextmanager
async def _listening(
    redirect_uri: str, state: str, came: asyncio.Future[Mapping[str, str]]
) -> AsyncIterator[None]:
    """Take the redirect back on loopback. BadInput when the port is taken."""
    from aiohttp import web

    place = urlsplit(redirect_uri)

    async def take(request: web.Request) -> web.Response:
        answer = dict(request.query)
        if not _is_ours(answer, state):
            return web.Response(status=400, text=_NOT_OURS)
        if not came.done():
            came.set_result(answer)
        return web.Response(text=_DONE)

    served = web.Application()
    served.router.add_get(place.path or "/", take)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    try:
        await _start(web.TCPSite(runner, place.hostname or "localhost", place.port or 80), redirect_uri)
        yield
    finally:
        await runner.cleanup()


async def _start(site: web.TCPSite, redirect_uri: str) -> None:
    try:
        await site.start()
    except OSError as error:
        raise BadInput(f"cannot listen on {redirect_uri} ({error.strerror}): use --paste") from None


def _pasted(text: str) -> Mapping[str, str]:
    try:
        query = urlsplit(text.strip()).query
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}


def _checked(answer: Mapping[str, str], state: str) -> Mapping[str, str]:
    if not _is_ours(answer, state):
        raise BadInput("this is not the address that the page sent you back to: run the command again")
    return answer


def _is_ours(answer: Mapping[str, str], state: str) -> bool:
    """Only who was sent by us knows the state (RFC 6749 §10.12)."""
    return hmac.compare_digest(answer.get("state", "").encode(), state.encode())


@asynccontextmanager
async def _outside(use: Connection, settings: Settings, database: PostgresDatabase) -> AsyncIterator[Outside]:
    from coopwire.ports.providers import Outside
    from coopwire.transport.clock import SystemClock
    from coopwire.transport.guard import LocalBoard
    from coopwire.transport.http import GuardedHttp, HttpTransport

    clock = SystemClock(await database.now(), settings.durations)
    board = LocalBoard(clock.timings, lambda *_: None)
    async with HttpTransport() as transport:
        yield Outside(GuardedHttp(use.name, transport, board, clock), database.tokens, clock)


async def _open_gate(use: Connection, database: PostgresDatabase) -> None:
    from coopwire.application.bells import EFFECTS, LOOKUPS
    from coopwire.domain.gates import Traffic

    now = await database.now()
    async with database.begin("open gate after consent") as tx:
        for traffic in Traffic:
            await tx.connections.accept_credentials(use.name, traffic, now)
        await tx.audit(hub.actor(), "connect", use.name, "consent was given", now)
    await database.ring(EFFECTS, LOOKUPS)
