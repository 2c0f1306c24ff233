"""The webhook door over real HTTP and a real database."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from rigs.serving import serving

from coopwire.application.bells import WEBHOOKS, Bells
from coopwire.application.network import Network, Routes
from coopwire.conformance.clock import ManualClock
from coopwire.domain.errors import Forged
from coopwire.domain.notices import Notice
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.monitoring.metrics import Metrics
from coopwire.ports.providers import Connected, Connection, Profile, Role, Sockets
from coopwire.ports.stores import Delivered, StorageUnavailable
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.web.asgi import build_app
from coopwire.web.door import MAX_BODY, MAX_WAITING, Door

KEY = b"the gateway's key"
GATE = "/webhooks/gate"


class Signed:
    """Webhooks signed with HMAC-SHA256 in one header; `boom` makes verifying break its promise."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        if body == b"boom":
            raise RuntimeError("a bug of the adapter")
        if not hmac.compare_digest(sign(body).encode(), headers.get("x-signature", "").encode()):
            raise Forged("wrong")

    def read(self, body: bytes) -> tuple[Notice, ...]:
        return ()


def sign(body: bytes) -> str:
    return hmac.new(KEY, body, "sha256").hexdigest()


class Recording:
    """The database, with a note of every group that was committed; can be made to fail or to hang."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self.groups: list[int] = []
        self.failing: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def accept(self, webhooks: Sequence[Delivered]) -> None:
        self.groups.append(len(webhooks))
        await self.open.wait()
        if self.failing is not None:
            raise self.failing
        await self._database.accept(webhooks)


@dataclass
class Rig:
    """A door that is open, and how to knock."""

    url: str
    database: PostgresDatabase
    commits: Recording
    bells: Bells
    metrics: Metrics
    door: Door
    running: asyncio.Task[None]
    web: aiohttp.ClientSession = field(repr=False)

    async def post(self, body: bytes, path: str = GATE, **headers: str) -> tuple[int, bytes]:
        signed = {"x-signature": sign(body), **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self.web.post(self.url + path, data=body, headers=signed) as answer:
            return answer.status, await answer.read()

    async def raw(self, sent: bytes) -> bytes:
        """Bytes in, bytes out, until the server closes."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(sent)
        await writer.drain()
        writer.write_eof()
        try:
            return await reader.read()
        finally:
            writer.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that happens inside the door."""
        while not condition():
            await asyncio.sleep(0.001)

    async def stored(self) -> int:
        count: int = await self.database.pool.fetchval("SELECT count(*) FROM webhooks")
        return count

    def counted(self, connection: str, word: str) -> float:
        labels = {"connection": connection, "word": word}
        return self.metrics.registry.get_sample_value("coopwire_webhooks_total", labels) or 0


@pytest.fixture
async def rig(database_dsn: str) -> AsyncIterator[Rig]:
    async with rigged(database_dsn) as one:
        yield one


@asynccontextmanager
async def rigged(dsn: str, addresses: str = "", proxies: str = "127.0.0.1") -> AsyncIterator[Rig]:
    database = await connect(dsn, Sealer([bytes(32)]), size=2)
    commits, bells, metrics = Recording(database), Bells(), Metrics()
    door = Door(_network(addresses), commits, ManualClock(), bells, metrics)  # type: ignore[arg-type]
    running = asyncio.create_task(door.run())
    async with serving(build_app(door, _elsewhere), proxies) as url, aiohttp.ClientSession() as web:
        yield Rig(url, database, commits, bells, metrics, door, running, web)
    running.cancel()
    await asyncio.wait([running])
    await database.close()


def _network(addresses: str) -> Network:
    profile = Profile("somegate", "Some gateway", Role.GATEWAY, frozenset(), {}, settings=())

    def connected(name: str, webhooks: Signed | None) -> Connected:
        return Connected(
            Connection(name, "somegate", Mode.TEST, {"webhook_addresses": addresses}),
            profile,
            Sockets(),
            webhooks,
        )

    routes = Routes("gate", None, None, None, AllocationMode.HUB, {}, ZoneInfo("Africa/Lagos"))
    return Network({"gate": connected("gate", Signed()), "mute": connected("mute", None)}, routes)


def _knock(path: str, *headers: bytes) -> bytes:
    """A request of one byte, word for word."""
    first = f"POST {path} HTTP/1.1".encode()
    lines = [first, b"host: a", b"connection: close", b"content-length: 1", *headers]
    return b"\r\n".join([*lines, b"", b"x"])


async def _elsewhere(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the door."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"elsewhere"})


async def test_a_webhook_is_committed_before_it_is_answered(rig: Rig) -> None:
    rung = asyncio.create_task(rig.bells.wait(WEBHOOKS, 60))
    async with rig.web.post(
        rig.url + GATE, data=b'{"a":1}', headers={"x-signature": sign(b'{"a":1}')}
    ) as answer:
        assert (answer.status, await answer.read()) == (200, b"{}")
        assert answer.headers["x-request-id"]
    row = await rig.database.pool.fetchrow("SELECT * FROM webhooks")
    assert row["connection"] == "gate"
    assert row["digest"] == hashlib.sha256(b'{"a":1}').digest()
    await rung
    async with rig.database.begin("test") as tx:
        [waiting] = await tx.inbox.undrained(10)
    assert waiting.body == b'{"a":1}'
    assert rig.counted("gate", "accepted") == 1


async def test_the_same_webhook_twice_is_stored_once_and_answered_alike(rig: Rig) -> None:
    answers = [await rig.post(b"once") for _ in range(3)]
    answers += await asyncio.gather(*(rig.post(b"once") for _ in range(20)))
    assert set(answers) == {(200, b"{}")}
    assert await rig.stored() == 1


async def test_a_forged_webhook_stores_nothing_and_is_told_nothing(rig: Rig) -> None:
    status, body = await rig.post(b"forged", x_signature=sign(b"another"))
    assert status == 401
    assert body == b'{"type":"about:blank","title":"Unauthorized","status":401}'
    assert await rig.stored() == 0
    assert rig.counted("gate", "forged") == 1


async def test_a_repeated_signature_header_counts_as_forged(rig: Rig) -> None:
    good, bad = sign(b"x").encode(), sign(b"y").encode()
    for first, second in ((good, bad), (bad, good), (good, good)):
        told = await rig.raw(_knock(GATE, b"x-signature: " + first, b"X-Signature: " + second))
        assert told.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/",
        "/webhooks/nobody",
        "/webhooks/mute",
        "/webhooks/gate/",
        "/webhooks/gate/more",
        "/webhooks/%00",
        "/webhooks/%ff%fe",
        "/webhooks/..%2fgate",
    ],
)
async def test_an_unknown_connection_is_not_found(rig: Rig, path: str) -> None:
    assert (
        await rig.raw(
            f"POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx".encode()
        )
    ).startswith(b"HTTP/1.1 404 ")
    assert rig.counted("", "unknown_connection") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
async def test_only_post_is_allowed(rig: Rig, method: str) -> None:
    async with rig.web.request(method, rig.url + GATE) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_everything_else_goes_to_the_application_behind(rig: Rig) -> None:
    for path in ("/", "/webhooks", "/v1/webhooks/gate", "/Webhooks/gate"):
        async with rig.web.post(rig.url + path) as answer:
            assert answer.status == 299


async def test_the_largest_body_is_taken_and_one_byte_more_is_not(rig: Rig) -> None:
    assert (await rig.post(b"x" * MAX_BODY))[0] == 200
    assert (await rig.post(b"x" * (MAX_BODY + 1)))[0] == 413
    assert await rig.stored() == 1
    assert rig.counted("gate", "too_large") == 1


async def test_a_body_without_an_announced_length_is_cut_off_at_the_limit(rig: Rig) -> None:
    head = b"POST /webhooks/gate HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    parts = urlsplit(rig.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head + chunk * 17)
    told = await reader.read()  # the server answers and closes though the body has no end
    writer.close()
    assert told.startswith(b"HTTP/1.1 413 ")


async def test_who_waits_for_leave_to_send_too_much_is_refused_at_once(rig: Rig) -> None:
    head = (
        f"POST {GATE} HTTP/1.1\r\nhost: a\r\ncontent-length: {MAX_BODY * 9}\r\nexpect: 100-continue\r\n\r\n"
    )
    told = await rig.raw(head.encode())
    assert told.startswith(b"HTTP/1.1 413 ")


async def test_a_body_in_chunks_is_verified_as_a_whole(rig: Rig) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"a"', b":", b"1}"):
            yield part
            await asyncio.sleep(0)

    headers = {"x-signature": sign(b'{"a":1}')}
    async with rig.web.post(rig.url + GATE, data=parts(), headers=headers) as answer:
        assert answer.status == 200
    assert await rig.stored() == 1


async def test_a_client_that_goes_away_in_mid_body_leaves_nothing(rig: Rig) -> None:
    head = b"POST /webhooks/gate HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf"
    parts = urlsplit(rig.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head)
    await writer.drain()
    writer.close()
    await rig.until(lambda: rig.counted("gate", "cut_off") > 0)
    assert await rig.stored() == 0


@pytest.mark.parametrize(
    "header",
    [
        b"x-signature: \xff\xfe\xc3\x28",
        b"x-signature: " + b"f" * 30_000,
        b"content-type: \xff; charset=\xc3",
        b"x-signature:",
        b"cookie: " + b"a=b; " * 5_000,
        b"content-length: 1",
        b"content-encoding: gzip",
        b"expect: 100-continue",
    ],
)
async def test_hostile_headers_are_never_our_failure(
    rig: Rig, header: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told = await rig.raw(_knock(GATE, header))
    assert b" 401 " in told or told.startswith(b"HTTP/1.1 400 ")
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_an_adapter_that_breaks_its_promise_verifies_nothing(rig: Rig) -> None:
    assert (await rig.post(b"boom"))[0] == 401
    assert await rig.stored() == 0


async def test_many_at_once_share_commits_and_each_is_stored(rig: Rig) -> None:
    rig.commits.open.clear()
    first = asyncio.create_task(rig.post(b"0"))
    await rig.until(lambda: bool(rig.commits.groups))
    others = [asyncio.create_task(rig.post(str(n).encode())) for n in range(1, 80)]
    await rig.until(lambda: rig.door._waiting == sum(len(str(n)) for n in range(80)))
    rig.commits.open.set()
    answers = await asyncio.gather(first, *others)
    assert {status for status, _ in answers} == {200}
    assert await rig.stored() == 80
    assert rig.commits.groups == [1, 79]


async def test_a_database_that_is_away_makes_the_gateway_come_back(rig: Rig) -> None:
    rig.commits.failing = StorageUnavailable("away")
    answers = await asyncio.gather(*(rig.post(str(n).encode()) for n in range(20)))
    assert {status for status, _ in answers} == {503}
    assert sum(rig.commits.groups) == 20, "nobody waits for a dead database a second time"
    rig.commits.failing = None
    assert (await rig.post(b"0"))[0] == 200
    assert rig.counted("gate", "failed") == 20


async def test_a_bad_row_fails_alone(rig: Rig) -> None:
    class Picky(Recording):
        async def accept(self, webhooks: Sequence[Delivered]) -> None:
            if any(w.body == b"bad" for w in webhooks):
                raise ValueError("a row that cannot be stored")
            await super().accept(webhooks)

    rig.door._database = Picky(rig.database)  # type: ignore[assignment]
    rig.commits.open.clear()
    answers = await asyncio.gather(*(rig.post(body) for body in (b"1", b"2", b"bad", b"3")))
    assert [status for status, _ in answers] == [200, 200, 500, 200]
    assert await rig.stored() == 3


async def test_no_more_bodies_wait_than_the_door_can_hold(rig: Rig) -> None:
    rig.door._waiting = MAX_WAITING
    assert (await rig.post(b"one more"))[0] == 503
    rig.door._waiting = 0
    assert (await rig.post(b"one more"))[0] == 200


async def test_a_door_that_is_closing_answers_whoever_still_waits(rig: Rig) -> None:
    rig.commits.open.clear()
    waiting = asyncio.create_task(rig.post(b"late"))
    await rig.until(lambda: bool(rig.commits.groups))
    rig.running.cancel()
    assert (await waiting)[0] == 503
    assert (await rig.post(b"too late"))[0] == 503
    assert await rig.stored() == 0


@pytest.mark.parametrize(
    ("addresses", "forwarded", "proxies", "status"),
    [
        ("127.0.0.1", None, "127.0.0.1", 200),
        ("127.0.0.0/8, 52.31.139.75", None, "127.0.0.1", 200),
        ("52.31.139.75", None, "127.0.0.1", 403),
        ("52.31.139.75", "52.31.139.75", "127.0.0.1", 200),
        ("52.31.139.75", "52.31.139.75, 41.0.0.1", "127.0.0.1", 403),
        ("52.31.139.75", "52.31.139.75", "10.0.0.1", 403),
        ("127.0.0.1", "52.31.139.75", "10.0.0.1", 200),
        ("52.31.139.75", "nonsense", "127.0.0.1", 403),
    ],
)
async def test_a_webhook_from_another_address_is_turned_away_whoever_signed_it(
    database_dsn: str, addresses: str, forwarded: str | None, proxies: str, status: int
) -> None:
    """What `X-Forwarded-For` says counts only from a proxy that is trusted, and only its last word."""
    async with rigged(database_dsn, addresses, proxies) as rig:
        headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
        assert (await rig.post(b"{}", **headers))[0] == status
        assert await rig.stored() == (status == 200)
        assert rig.counted("gate", "foreign_address") == (status == 403)
