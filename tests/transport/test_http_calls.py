"""The Http socket of a connection: what may be called, how failures are sorted, and what is reported."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ipaddress
import socket
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.breakers import BreakerState
from coopwire.domain.errors import GateClosed, InvalidOrder, NotSent, OutcomeUnknown, TryLater
from coopwire.domain.gates import GateKind, Traffic
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.transport.http import GuardedHttp, HttpTransport, retry_after


def ask(url, method="GET", traffic=Traffic.READ, headers=None, body=None):
    return HttpRequest("look", method, url, traffic, headers or {}, body)


def order(url):
    return ask(url, "POST", Traffic.WRITE, body=b"{}")


async def fine(call):
    await call.answer(b'{"ok":true}', headers="Content-Type: application/json\r\nX-Id: 1\r\nx-id: 2\r\n")


# what is sent and what comes back -----------------------------------------------------------------


async def test_a_request_arrives_as_it_was_said(start_peer, house):
    peer = await start_peer(fine)
    url = peer.url("/v3/query?query=select%20%2A%20from%20A%20where%20N%3D%27a%2Bb%26c%27&minorversion=75")
    await house.http().call(ask(url, "POST", Traffic.WRITE, {"X-Key": "abc"}, b"\x00\xff"))
    head, body = peer.calls[0].head, peer.calls[0].body
    target = head.split(b" ")[1]
    assert b"%2Bb%26c" in target
    assert target.endswith(b"&minorversion=75")
    assert b"X-Key: abc\r\n" in head
    assert b"User-Agent: coopwire\r\n" in head
    assert body == b"\x00\xff"


async def test_header_names_of_an_answer_are_lower_case_and_repeated_ones_joined(start_peer, house):
    peer = await start_peer(fine)
    answer = await house.http().call(ask(peer.url()))
    assert (answer.status, answer.body) == (200, b'{"ok":true}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-id"] == "1, 2"


async def test_undecodable_header_bytes_become_text_that_can_be_stored(start_peer, house):
    async def strange(call):
        await call.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-name: \xff\xfe\r\n\r\n")

    peer = await start_peer(strange)
    answer = await house.http().call(ask(peer.url()))
    assert answer.headers["x-name"].encode()


async def test_a_packed_answer_is_unpacked(start_peer, house):
    async def packed(call):
        await call.answer(gzip.compress(b"whole"), headers="content-encoding: gzip\r\n")

    peer = await start_peer(packed)
    assert (await house.http().call(ask(peer.url()))).body == b"whole"


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 404, 409, 418, 429, 500, 502, 503, 599])
async def test_no_status_is_an_error_of_the_client(start_peer, house, status):
    async def speak(call):
        await call.say(f"HTTP/1.1 {status} Word\r\ncontent-length: 0\r\n\r\n".encode())

    peer = await start_peer(speak)
    assert (await house.http().call(order(peer.url()))).status == status


async def test_an_early_answer_is_read_though_the_body_was_not(house):
    async def refuse_early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(refuse_early, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    answer = await house.http().call(ask(url, "POST", Traffic.WRITE, body=bytes(8 * 1024 * 1024)))
    await done.wait()
    server.close()
    assert (answer.status, answer.body) == (413, b"no")


# what must not be called --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/pay",
        "http://10.0.0.1/pay",
        "http://169.254.169.254/latest",
        "http://localhost.example.com/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:secret@api.example.com/",
        "https:///nowhere",
        "//api.example.com/",
        "/pay",
        "",
        "https://api.example.com:99999/",
        "https://[::1/",
        "https://exa\ud800mple.com/",
    ],
)
async def test_an_address_outside_the_rules_is_an_invalid_order(house, url):
    with pytest.raises(InvalidOrder) as caught:
        await house.http().call(order(url))
    assert caught.value.field == "url"
    assert url == "" or url not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.9.9.9"])
async def test_plain_http_is_allowed_within_this_machine(start_peer, house, host):
    peer = await start_peer(fine)
    try:
        answer = await house.http().call(ask(f"http://{host}:{peer.port}/"))
    except NotSent:
        assert host == "127.9.9.9"
    else:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-key", "a\r\nx-evil: 1"),
        ("x-key", "a\nb"),
        ("x-key", "naïve"),
        ("x-key", "\x00"),
        ("x-key", "\ud800"),
        ("x key", "a"),
        ("", "a"),
        ("x-key\r\n", "a"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Host", "example.com"),
        ("Expect", "100-continue"),
    ],
)
async def test_a_header_that_could_forge_the_message_is_an_invalid_order(start_peer, house, name, value):
    peer = await start_peer(fine)
    with pytest.raises(InvalidOrder) as caught:
        await house.http().call(ask(peer.url(), headers={name: value}))
    assert caught.value.field == "headers"
    assert peer.connections == 0


@pytest.mark.parametrize("method", ["", "get", "GET /evil HTTP/1.1\r\n", "GET\n"])
async def test_a_method_that_is_no_word_is_an_invalid_order(start_peer, house, method):
    peer = await start_peer(fine)
    with pytest.raises(InvalidOrder):
        await house.http().call(ask(peer.url(), method))
    assert peer.connections == 0


# nothing was sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("traffic", list(Traffic))
async def test_a_refused_connection_is_not_sent(house, traffic):
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        port = bound_but_deaf.getsockname()[1]
        with pytest.raises(NotSent, match="ClientConnectorError"):
            await house.http().call(ask(f"http://127.0.0.1:{port}/", "POST", traffic))


async def test_a_name_that_does_not_exist_is_not_sent(house):
    with pytest.raises(NotSent):
        await house.http().call(order("https://coopwire.invalid/"))


async def test_a_connect_that_hangs_is_not_sent(house_of):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            http = house_of(timedelta(milliseconds=300)).http()
            with pytest.raises(NotSent, match="TimeoutError"):
                await http.call(order(f"http://127.0.0.1:{address[1]}/"))
        finally:
            for one in waiting:
                one.close()


async def test_a_closed_transport_sends_nothing(start_peer, house):
    peer = await start_peer(fine)
    http = house.http()
    await http.call(ask(peer.url()))
    await house.transport.close()
    with pytest.raises(NotSent):
        await http.call(order(peer.url()))
    assert len(peer.calls) == 1


async def test_a_transport_that_never_called_closes_quietly():
    async with HttpTransport():
        pass


# TLS ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_of_nobody_known_is_sent_nothing(start_peer, house, server_tls):
    peer = await start_peer(fine, server_tls)
    with pytest.raises(NotSent, match="Certificate") as caught:
        await house.http().call(order(peer.url()))
    assert type(caught.value) is NotSent
    assert peer.calls == []


async def test_a_private_authority_may_be_trusted_and_its_connection_is_kept(
    start_peer, house, server_tls, certificate
):
    peer = await start_peer(fine, server_tls)
    http = house.http(tls=ssl.create_default_context(cafile=certificate))
    for _ in range(5):
        assert (await http.call(order(peer.url()))).status == 200
    assert peer.connections == 1


async def test_one_connections_trust_is_not_anothers(start_peer, house, server_tls, certificate):
    peer = await start_peer(fine, server_tls)
    await house.http(tls=ssl.create_default_context(cafile=certificate)).call(ask(peer.url()))
    with pytest.raises(NotSent, match="Certificate"):
        await house.http("other").call(ask(peer.url()))


async def test_the_name_in_the_certificate_must_be_the_hosts(start_peer, house, server_tls, certificate):
    peer = await start_peer(fine, server_tls)
    http = house.http(tls=ssl.create_default_context(cafile=certificate))
    with pytest.raises(NotSent, match="Certificate"):
        await http.call(order(f"https://localhost:{peer.port}/"))


async def test_a_lost_answer_over_tls_is_unknown(start_peer, house, server_tls, certificate):
    async def abort(call):
        call.writer.transport.abort()

    peer = await start_peer(abort, server_tls)
    http = house.http(tls=ssl.create_default_context(cafile=certificate))
    with pytest.raises(OutcomeUnknown):
        await http.call(order(peer.url()))
    assert len(peer.calls) == 1


async def test_https_to_a_server_without_tls_is_sent_nothing(house):
    async def speak_plainly(reader, writer):
        received.append(await reader.read(4096))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    received = []
    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    with pytest.raises(NotSent):
        await house.http().call(order(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
    server.close()
    assert b"POST" not in received[0]


def careless():
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def blind():
    context = careless()
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("make", [careless, blind])
async def test_verification_cannot_be_switched_off(house, make):
    with pytest.raises(ValueError, match="verify"):
        GuardedHttp("core", house.transport, house.board, house.clock, tls=make())


# the breaker --------------------------------------------------------------------------------------


async def test_an_open_breaker_sends_nothing_and_says_so(start_peer, house):
    async def broken(call):
        await call.answer(status="503 Away")

    peer = await start_peer(broken)
    http = house.http()
    for _ in range(11):
        await http.call(order(peer.url()))
    with pytest.raises(GateClosed):
        await http.call(order(peer.url()))
    assert len(peer.calls) == 11
    (connection, traffic, gate), *rest = house.gates
    assert (connection, traffic, rest) == ("gateway", Traffic.WRITE, [])
    assert gate.kind is GateKind.BREAKER
    assert gate.until == house.clock.now() + house.clock.timings.breaker_open


async def test_reads_go_on_while_writes_are_closed(start_peer, house):
    async def broken_posts(call):
        await call.answer(status="200 OK" if call.head.startswith(b"GET") else "500 No")

    peer = await start_peer(broken_posts)
    http = house.http()
    for _ in range(11):
        await http.call(order(peer.url()))
    assert (await http.call(ask(peer.url()))).status == 200
    with pytest.raises(GateClosed):
        await http.call(order(peer.url()))


async def test_one_connections_breaker_is_not_anothers(start_peer, house):
    async def broken(call):
        await call.answer(status="500 No")

    peer = await start_peer(broken)
    for _ in range(11):
        await house.http("first").call(order(peer.url()))
    assert (await house.http("second").call(order(peer.url()))).status == 500


@pytest.mark.parametrize(
    "status", ["200 OK", "302 Else", "400 Bad", "401 Who", "404 No", "422 Rule", "429 Slow"]
)
async def test_declines_and_limits_do_not_count(start_peer, house, status):
    async def decline(call):
        await call.answer(status=status)

    peer = await start_peer(decline)
    http = house.http()
    for _ in range(30):
        await http.call(order(peer.url()))
    assert house.gates == []


@pytest.mark.parametrize("url", ["http://api.example.com/", "https://2130706433/"])
async def test_invalid_orders_do_not_count(house, url):
    http = house.http()
    for _ in range(30):
        with pytest.raises(InvalidOrder):
            await http.call(order(url))
    assert house.gates == []


async def test_lost_answers_and_failed_connects_count(start_peer, house):
    async def hang_up(call):
        call.hang_up()

    peer = await start_peer(hang_up)
    http = house.http()
    for _ in range(11):
        with pytest.raises(TryLater):
            await http.call(ask(peer.url()))
    with pytest.raises(GateClosed):
        await http.call(ask(peer.url()))
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        for _ in range(11):
            with pytest.raises(NotSent):
                await http.call(order(url))
        with pytest.raises(GateClosed):
            await http.call(order(url))


async def test_a_cancelled_probe_does_not_close_the_way_for_ever(start_peer, house):
    async def broken_then_silent_then_fine(call):
        number = len(peer.calls)
        if number <= 11:
            await call.answer(status="500 No")
        elif number == 12:
            await call.reader.read()
        else:
            await call.answer()

    peer = await start_peer(broken_then_silent_then_fine)
    http = house.http()
    for _ in range(11):
        await http.call(order(peer.url()))
    house.clock.advance(house.clock.timings.breaker_open)
    probe = asyncio.create_task(http.call(order(peer.url())))
    await peer.reached(12)
    with pytest.raises(GateClosed):
        await http.call(order(peer.url()))
    probe.cancel()
    await asyncio.wait([probe])
    house.clock.advance(house.clock.timings.call_deadline)
    assert (await http.call(order(peer.url()))).status == 200
    assert house.board.state("gateway", Traffic.WRITE, house.clock.now()) is BreakerState.CLOSED
    assert house.gates[-1] == ("gateway", Traffic.WRITE, None)


# reports ------------------------------------------------------------------------------------------


async def test_every_call_is_reported(start_peer, house):
    async def broken(call):
        await call.answer(status="503 Away")

    peer = await start_peer(broken)
    http = house.http()
    for _ in range(11):
        await http.call(order(peer.url()))
    with pytest.raises(GateClosed):
        await http.call(order(peer.url()))
    report = house.reports[0]
    assert (report.connection, report.operation, report.traffic) == ("gateway", "look", Traffic.WRITE)
    assert (report.outcome, report.status) == ("answered", 503)
    assert house.reports[-1].outcome == "GateClosed"


async def test_a_listener_that_fails_does_not_lose_an_answer(start_peer, house, caplog):
    def fail(_):
        raise RuntimeError("metrics are down")

    peer = await start_peer(fine)
    http = GuardedHttp("gateway", house.transport, house.board, house.clock, report=fail)
    assert (await http.call(order(peer.url()))).status == 200
    assert "a listener of the transport failed" in caplog.text


# the header Retry-After ---------------------------------------------------------------------------

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("999999999", 86400.0),
        ("Mon, 02 Mar 2026 09:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds(text, seconds):
    assert retry_after(HttpAnswer(429, {"retry-after": text}, b""), NOW) == seconds


def test_without_retry_after_there_is_no_wait():
    assert retry_after(HttpAnswer(429, {}, b""), NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [+-]?\w*"))
def test_a_hostile_retry_after_breaks_nothing(text):
    seconds = retry_after(HttpAnswer(429, {"retry-after": text}, b""), NOW)
    assert seconds is None or 0 <= seconds <= 86400
