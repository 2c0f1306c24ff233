"""Hostile webhooks by the thousand, half of them signed with the right key: nothing breaks, nothing is booked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from rigs.api import FrontDoor
from rigs.gateways import PAYSTACK_SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECTIONS = 8
REFERENCES = [f"fuzz{n:016d}" for n in range(40)]
EXTREMES: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, -0.0, 1e308, "", " ", "0", "null", "\x00", "\ud800",
    "é" * 50, "x" * 5000, "\u202e", "'; DROP TABLE receipts; --", "{{7*7}}", [], {}, [[]], [None], {"": ""},
    {"__proto__": 1}, "success", "failed", "charge.success", "NGN", "USD", "live", "test",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Knock:
    """One request at the door; `signed` when its signature is right."""

    head: bytes
    body: bytes
    signed: bool


def events(dice: random.Random) -> dict[str, Any]:
    """A webhook as the gateway words it, about a charge that it does not know."""
    reference = dice.choice(REFERENCES)
    charge = {
        "id": dice.randrange(10**10),
        "domain": "test",
        "status": "success",
        "reference": reference,
        "amount": 5_250_000,
        "currency": "NGN",
        "fees": 88_750,
        "channel": dice.choice(["card", "bank_transfer", "ussd"]),
        "paid_at": "2026-03-02T09:17:40.000Z",
        "metadata": dice.choice([None, "", {"custom_fields": []}, "0"]),
        "customer": {"email": "someone@members.example", "phone": None},
        "authorization": {"authorization_code": "AUTH_x", "last4": "4081", "reusable": True},
    }
    event = dice.choice(
        ["charge.success", "charge.success", "charge.success", "charge.failed", "transfer.success", "transfer.failed",
         "refund.processed", "refund.failed", "charge.dispute.create", "invoice.update", "never.heard.of"]
    )  # fmt: skip
    return {"event": event, "data": charge}


# -- mutations ---------------------------------------------------------------------------------------------


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _member(dice: random.Random, told: dict[str, Any]) -> bytes:
    """One member becomes something else, or goes, or is there under another name."""
    owner, key = dice.choice(list(_places(told)))
    match dice.randrange(4):
        case 0:
            del owner[key]
        case 1 if isinstance(owner, dict):
            owner[str(dice.choice(EXTREMES))] = owner.pop(key)
        case _:
            owner[key] = dice.choice(EXTREMES)
    return json.dumps(told).encode()


def _bytes(dice: random.Random, told: dict[str, Any]) -> bytes:
    """Bytes are changed, cut, doubled or put in."""
    body = bytearray(json.dumps(told).encode())
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(body) or 1)
        match dice.randrange(4):
            case 0:
                body[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del body[at : at + dice.randint(1, 40)]
            case 2:
                body[at:at] = body[at : at + dice.randint(1, 40)]
            case _:
                body[at:at] = dice.randbytes(dice.randint(1, 20))
    return bytes(body)


def _shape(dice: random.Random, told: dict[str, Any]) -> bytes:
    """The whole is something else."""
    text = json.dumps(told)
    return dice.choice(
        [
            b"", b"null", b"[]", b"{}", b"0", b'"x"', b"\xff\xfe\x00", b"[" * 5000, b'{"event":' * 500,
            text.encode("utf-16"), text.encode("utf-8-sig"), text.replace('"data"', '"data":{},"data"').encode(),
            text.replace("5250000", "NaN").encode(), text.replace("5250000", "9" * 5000).encode(),
            json.dumps([told] * 3).encode(), json.dumps({"event": told}).encode(), (text + "\n" + text).encode(),
            json.dumps({**told, "data": [told["data"]]}).encode(), b" " * 3000 + text.encode(), text.encode()[::-1],
        ]
    )  # fmt: skip


MUTATIONS: list[Callable[[random.Random, dict[str, Any]], bytes]] = [_member, _member, _bytes, _shape]


def _sign(body: bytes) -> bytes:
    return hmac.new(PAYSTACK_SECRET.encode(), body, "sha512").hexdigest().encode()


def _false_signatures(dice: random.Random, original: bytes, body: bytes) -> list[bytes]:
    """Header lines that must not be believed."""
    right = _sign(body)
    return dice.choice(
        [
            [],
            [b"x-paystack-signature: " + _sign(original + b"?")],
            [b"x-paystack-signature: " + right[:-1]],
            [b"x-paystack-signature: " + right[:-1] + (b"0" if right[-1:] != b"0" else b"1")],
            [b"x-paystack-signature:"],
            [b"x-paystack-signature: " + b"f" * 128],
            [b"x-paystack-signature: sha512=" + right],
            [b"x-paystack-signature: " + right, b"x-paystack-signature: " + right],
            [b"x-paystack-signature: \xe9\xff" + right],
            [b"x-signature: " + right],
            [b"x-paystack-signature: " + hmac.new(b"", body, "sha512").hexdigest().encode()],
            [b"x-paystack-signature: " + hashlib.sha512(body).hexdigest().encode()],
            [b"x-paystack-signature: " + right.decode().encode("utf-16-le").replace(b"\n", b"")],
        ]
    )


def _odd_headers(dice: random.Random) -> list[bytes]:
    return dice.choice(
        [
            [],
            [],
            [b"content-type: application/json"],
            [b"content-type: \xff\xfe; charset=\xc3\x28"],
            [b"content-encoding: gzip"],
            [b"x-junk: " + b"j" * dice.randrange(8000)],
            [b"x-%d: %d" % (n, n) for n in range(dice.randrange(60))],
            [b"cookie: a=b", b"cookie: a=b"],
            [b"x-forwarded-for: 1.2.3.4, \xe9"],
            [b"expect: nothing"],
            [b"upgrade: websocket"],
        ]
    )


def knocks(seed: int, count: int) -> Iterator[Knock]:
    """Mutated webhooks; every other one is signed again after its mutation."""
    dice = random.Random(seed)
    for number in range(count):
        told = events(dice)
        original = json.dumps(told).encode()
        body = dice.choice(MUTATIONS)(dice, told)
        signed = number % 2 == 0
        signature = (
            [b"x-paystack-signature: " + _sign(body)] if signed else _false_signatures(dice, original, body)
        )
        lines = [
            b"POST /webhooks/paystack HTTP/1.1",
            b"host: hub",
            *_odd_headers(dice),
            *signature,
            b"content-length: %d" % len(body),
        ]
        yield Knock(b"\r\n".join(lines) + b"\r\n\r\n", body, signed)


# -- the proof ---------------------------------------------------------------------------------------------


class _Line:
    """One kept connection to the door, opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, knock: Knock) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._place.hostname, self._place.port)
        reader, writer = self._streams
        writer.write(knock.head + knock.body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next((li for li in head.split(b"\r\n") if li.startswith(b"content-length:")), None)
        if length is not None:
            await reader.readexactly(int(length.partition(b":")[2]))
        if length is None or b"connection: close" in head:
            await self.close()
        return int(head.split(b" ", 2)[1])

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@pytest.mark.timeout(3600)
async def test_hostile_webhooks_break_nothing_and_book_nothing(
    front: FrontDoor,
    proof_count: Callable[[int, int], int],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count = proof_count(3_000, 100_000)
    told: Counter[tuple[bool, int]] = Counter()
    waiting = knocks(20260302, count)

    async def knock_on() -> None:
        line = _Line(front.url)
        for knock in waiting:
            told[knock.signed, await line.send(knock)] += 1
        await line.close()

    await asyncio.gather(*(knock_on() for _ in range(CONNECTIONS)))

    assert sum(told.values()) == count
    assert told[True, 200] == -(-count // 2), told
    assert {status for signed, status in told if not signed} <= {400, 401}, told
    assert told[False, 401] > count // 3

    stored = await front.hub.value("SELECT count(*) FROM webhooks")
    assert 0 < stored <= told[True, 200]
    await front.hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0, seconds=900)
    await front.hub.until("SELECT count(*) FROM lookups WHERE looks = 0", expected=0, seconds=1800)
    assert await front.hub.value("SELECT count(*) FROM looks") > 0
    for table in ("receipts", "effects", "allocations", "payments"):
        assert await front.hub.value(f"SELECT count(*) FROM {table}") == 0

    printed = capsys.readouterr()
    logged = printed.out + printed.err + caplog.text
    assert "Traceback" not in logged
    assert "[error" not in printed.out
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert "AUTH_x" not in logged
    assert "someone@" not in logged
