"""Each habit of aiohttp that would lose, double or leak something is closed: shown against real servers."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import socket
import traceback
import tracemalloc
import zlib
from datetime import timedelta

import aiohttp
import pytest

from coopwire.domain.errors import HubError, NotSent, OutcomeUnknown, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpRequest
from coopwire.transport.http import Failure, Fate

SHORT = timedelta(milliseconds=500)


def ask(url, method="GET", traffic=Traffic.READ, body=None, **headers):
    return HttpRequest("look", method, url, traffic, headers, body)


def order(url, method="POST", body=b"{}"):
    return ask(url, method, Traffic.WRITE, body)


# redirects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Ever"])
async def test_a_redirect_is_an_answer_and_is_never_followed(start_peer, house, status):
    async def elsewhere(call):
        await call.answer(b"followed")

    lure = await start_peer(elsewhere)

    async def redirect(call):
        await call.answer(b"", status, f"location: {lure.url('/stolen')}\r\n")

    peer = await start_peer(redirect)
    answer = await house.http().call(order(peer.url()))
    assert answer.status == int(status[:3])
    assert lure.calls == []


# hidden second sends ------------------------------------------------------------------------------


async def dies_at_the_second_request(call):
    if call.body == b"first" or b"/first" in call.head:
        await call.answer()
    else:
        call.hang_up()


async def test_aiohttp_alone_would_send_a_put_twice(start_peer):
    peer = await start_peer(dies_at_the_second_request)
    async with aiohttp.ClientSession() as session:
        await (await session.put(peer.url("/first"), data=b"first")).read()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.put(peer.url("/second"), data=b"second")
    assert [call.body for call in peer.calls] == [b"first", b"second", b"second"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"])
async def test_a_request_on_a_kept_connection_that_dies_is_sent_once(start_peer, house, method):
    peer = await start_peer(dies_at_the_second_request)
    http = house.http()
    await http.call(ask(peer.url("/first"), "POST", body=b"first"))
    with pytest.raises(OutcomeUnknown):
        await http.call(order(peer.url("/second"), method))
    assert [call.connection for call in peer.calls] == [1, 1]


async def test_a_reset_on_a_kept_connection_is_not_sent_again(start_peer, house):
    async def reset(call):
        if b"/first" in call.head:
            await call.answer()
        else:
            call.writer.transport.abort()

    peer = await start_peer(reset)
    http = house.http()
    await http.call(ask(peer.url("/first")))
    with pytest.raises(TryLater):
        await http.call(ask(peer.url("/second")))
    assert len(peer.calls) == 2


def stray(then_close):
    """Answers the first request, and later sends a second answer (or only hangs up) when nobody asks."""
    go, gone = asyncio.Event(), asyncio.Event()

    async def behaviour(call):
        await call.answer(b"right")
        if call.connection == 1:
            await go.wait()
            if then_close:
                call.hang_up()
            else:
                await call.answer(b"stale")
            gone.set()

    return behaviour, go, gone


async def test_aiohttp_alone_would_take_stray_bytes_for_an_answer(start_peer):
    behaviour, go, gone = stray(then_close=False)
    peer = await start_peer(behaviour)
    async with aiohttp.ClientSession() as session:
        await (await session.post(peer.url())).read()
        go.set()
        await gone.wait()
        assert await (await session.post(peer.url())).read() == b"stale"


@pytest.mark.parametrize("then_close", [False, True], ids=["stray bytes", "closed"])
async def test_a_connection_spoilt_while_idle_is_given_up_before_anything_is_sent(
    start_peer, house, then_close
):
    behaviour, go, gone = stray(then_close)
    peer = await start_peer(behaviour)
    http = house.http()
    await http.call(order(peer.url()))
    go.set()
    await gone.wait()
    assert (await http.call(order(peer.url(), body=b"second"))).body == b"right"
    assert [call.connection for call in peer.calls] == [1, 2]


# deadlines ----------------------------------------------------------------------------------------


async def silence(call):
    await call.reader.read()


async def test_an_answer_that_never_comes_ends_at_the_deadline(start_peer, house_of):
    peer = await start_peer(silence)
    http = house_of(SHORT).http()
    with pytest.raises(OutcomeUnknown):
        await http.call(order(peer.url()))
    with pytest.raises(TryLater):
        await http.call(ask(peer.url()))


async def test_an_answer_that_drips_ends_at_the_deadline(start_peer, house_of):
    async def drip(call):
        await call.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            await call.say(b" ")
            await asyncio.sleep(0.01)

    peer = await start_peer(drip)
    with pytest.raises(OutcomeUnknown):
        await house_of(SHORT).http().call(order(peer.url()))


async def test_a_server_that_never_reads_ends_at_the_deadline_and_gets_nothing_afterwards(house_of):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        body = os.urandom(16 * 1024 * 1024)
        with pytest.raises(OutcomeUnknown):
            await house_of(SHORT).http().call(order(url, body=body))
        accepted, _ = listener.accept()
        with accepted:
            got = await asyncio.to_thread(read_to_the_end, accepted)
    # What the kernel's buffers held is at most what could arrive; the loop must not have sent the rest.
    assert got < len(body) / 2


def read_to_the_end(accepted):
    got = 0
    accepted.settimeout(10)
    try:
        while part := accepted.recv(65536):
            got += len(part)
    except ConnectionResetError:
        pass
    return got


async def test_a_cancelled_call_drops_its_connection(start_peer, house):
    peer = await start_peer(silence)
    call = asyncio.create_task(house.http().call(order(peer.url())))
    await peer.reached(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await peer.gone.wait()
    assert isinstance(peer.end, ConnectionResetError)


async def test_the_connection_of_a_lost_answer_is_not_used_again(start_peer, house_of):
    async def silent_once(call):
        if call.connection == 1:
            await call.reader.read()
        await call.answer()

    peer = await start_peer(silent_once)
    http = house_of(SHORT).http()
    with pytest.raises(OutcomeUnknown):
        await http.call(order(peer.url()))
    assert (await http.call(order(peer.url()))).status == 200
    assert peer.connections == 2


# size ---------------------------------------------------------------------------------------------

LIMIT = 64 * 1024


async def test_a_body_of_exactly_the_limit_is_read(start_peer, house):
    async def full(call):
        await call.answer(b"x" * LIMIT)

    peer = await start_peer(full)
    assert len((await house.http(body_limit=LIMIT).call(ask(peer.url()))).body) == LIMIT


async def test_an_endless_body_is_given_up_at_the_limit(start_peer, house):
    async def endless(call):
        await call.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await call.say(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    peer = await start_peer(endless)
    with pytest.raises(OutcomeUnknown, match="larger"):
        await house.http(body_limit=LIMIT).call(order(peer.url()))
    await peer.gone.wait()


def deflated(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", deflated)])
async def test_a_bomb_is_given_up_before_it_unfolds(start_peer, house, coding, pack):
    bomb = pack(bytes(200 * 1024 * 1024))

    async def throw(call):
        await call.answer(bomb, headers=f"content-encoding: {coding}\r\n")

    peer = await start_peer(throw)
    http = house.http(body_limit=LIMIT)
    tracemalloc.start()
    try:
        with pytest.raises(TryLater, match="larger"):
            await http.call(ask(peer.url()))
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


async def test_a_large_answer_is_an_answer_to_the_breaker(start_peer, house):
    async def large(call):
        await call.answer(b"x" * (LIMIT + 1))

    peer = await start_peer(large)
    http = house.http(body_limit=LIMIT)
    for _ in range(20):
        with pytest.raises(TryLater, match="larger"):
            await http.call(ask(peer.url()))
    assert house.gates == []


# what would leak ----------------------------------------------------------------------------------


async def garbage(call):
    await call.say(b"SSH-2.0-" + call.head + b"\r\n\r\n")


async def half(call):
    await call.say(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n" + call.body)
    call.hang_up()


async def hang_up(call):
    call.hang_up()


async def reset(call):
    call.writer.transport.abort()


async def broken_chunks(call):
    await call.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" + call.body + b"\r\n")


async def broken_gzip(call):
    await call.answer(b"no gzip " + call.body, headers="content-encoding: gzip\r\n")


async def strange_coding(call):
    await call.answer(b"?" + call.body, headers="content-encoding: br\r\n")


async def huge_header(call):
    await call.answer(headers="x-large: " + "x" * 100_000 + "\r\n")


async def two_lengths(call):
    await call.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc")


FAULTS = [
    silence,
    garbage,
    half,
    hang_up,
    reset,
    broken_chunks,
    broken_gzip,
    strange_coding,
    huge_header,
    two_lengths,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("traffic", list(Traffic))
async def test_no_whole_answer_is_unknown_for_a_write_and_later_for_a_read(
    start_peer, house_of, caplog, canary, fault, traffic
):
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    peer = await start_peer(fault)
    http = house_of(SHORT if fault is silence else timedelta(seconds=20)).http()
    request = ask(
        peer.url(f"/{canary}?key={canary}"),
        "POST",
        traffic,
        canary.encode(),
        authorization=f"Bearer {canary}",
    )
    with pytest.raises(HubError) as caught:
        await http.call(request)
    assert type(caught.value) is (OutcomeUnknown if traffic is Traffic.WRITE else TryLater)
    assert len(peer.calls) == 1
    assert_no_trace_of(canary, caught.value, caplog)


def assert_no_trace_of(canary, error, caplog):
    assert error.__context__ is None
    told = [str(error), repr(error), *traceback.format_exception(error), caplog.text]
    assert not [text for text in told if canary in text]


async def test_errors_before_sending_do_not_leak_either(house_of, caplog, canary):
    caplog.set_level(logging.DEBUG)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/{canary}?key={canary}"
        with pytest.raises(NotSent) as caught:
            await house_of().http().call(order(url, body=canary.encode()))
    assert_no_trace_of(canary, caught.value, caplog)


async def test_requests_and_answers_print_nothing_secret(start_peer, house, canary):
    async def tell(call):
        await call.answer(canary.encode(), headers=f"x-token: {canary}\r\n")

    peer = await start_peer(tell)
    request = ask(peer.url(f"?key={canary}"), body=canary.encode(), authorization=canary)
    answer = await house.http().call(request)
    assert canary not in repr(request) + repr(answer) + repr(house.reports)


async def test_a_cookie_is_never_sent_back(start_peer, house):
    async def bake(call):
        await call.answer(headers="set-cookie: session=of-another-connection; path=/\r\n")

    peer = await start_peer(bake)
    await house.http("first").call(ask(peer.url()))
    await house.http("second").call(ask(peer.url()))
    assert b"cookie" not in peer.calls[1].head.lower()


async def test_the_environment_changes_no_route_and_adds_no_password(
    start_peer, house, monkeypatch, tmp_path
):
    async def plain(call):
        await call.answer()

    lure = await start_peer(plain)
    peer = await start_peer(plain)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, lure.url())
    await house.http().call(ask(peer.url()))
    assert lure.calls == []
    assert b"authorization" not in peer.calls[0].head.lower()


# the pool -----------------------------------------------------------------------------------------


async def test_connections_are_kept_and_their_number_is_bounded(start_peer, house_of):
    async def plain(call):
        await asyncio.sleep(0)
        await call.answer()

    peer = await start_peer(plain)
    http = house_of(limit=50, limit_per_host=3).http()
    await asyncio.gather(*(http.call(order(peer.url())) for _ in range(40)))
    assert len(peer.calls) == 40
    assert peer.connections <= 3


async def test_waiting_in_vain_for_a_free_connection_is_not_sent(start_peer, house_of):
    peer = await start_peer(silence)
    house = house_of(limit=1)
    holder = asyncio.create_task(house.http().call(order(peer.url())))
    await peer.reached(1)
    result = await house.transport.exchange(order(peer.url()), deadline=SHORT)
    assert result == Failure(Fate.NEVER_LEFT, "nothing was sent (TimeoutError)")
    holder.cancel()
    await asyncio.wait([holder])
    assert len(peer.calls) == 1
