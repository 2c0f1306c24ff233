"""`coopwire inspect`: how the hub reads a provider's payload, offline, without database or settings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Protocol

import typer

from coopwire.cli import show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.ports.providers import Connection, Inspection, ProviderSheet

LARGEST_PAYLOAD = 4 << 20
"""Bytes; far more than any provider sends."""
_MOST_HEADERS = 200
_HEADER = re.compile(r"(?P<name>:?[!#$%&'*+.^_`|~0-9A-Za-z-]+):(?P<value>.*)\Z", re.DOTALL)
_STATUS = ":status"


class _Verifies(Protocol):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None: ...


def inspect(
    provider: Annotated[str, typer.Argument(help="Which provider it comes from.")],
    kind: Annotated[str, typer.Argument(help="What it is: webhook, payment, error, journal …")],
    file: Annotated[str, typer.Argument(help="The payload; - reads standard input.")],
    header: Annotated[
        list[str] | None, typer.Option(help="A header that came with it, 'Name: value'; repeat for more.")
    ] = None,
    status: Annotated[
        int | None, typer.Option(min=100, max=599, help="HTTP status with which it came, for an error.")
    ] = None,
    secret: Annotated[str | None, typer.Option(help="The secret that signs: judge the signature.")] = None,
    secret_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take the secret from this environment variable.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take the secret from this connection of the file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how the hub reads a payload of a provider.

    Needs neither database nor settings. Exit code 2 when the payload cannot be read.
    """
    sheet = _sheet(provider)
    read = _inspector(sheet, kind)
    headers = _headers(header or [], status)
    judge = _judge(sheet, secret, secret_env, connection)
    body = _payload(file)
    told = [_members(one) for one in _read(read, body, headers, f"{provider} {kind}")]
    if judge is not None and headers:
        word = _signature(judge, headers, body)
        told = [{**one, "signature": word} for one in told or [{"object": kind}]]
    _show(told, as_json)


def _sheet(name: str) -> ProviderSheet:
    from coopwire.ports.providers import ConfigurationError
    from coopwire.providers import catalog

    try:
        return catalog.sheet(name)
    except ConfigurationError as error:
        raise BadInput(show.cell(error)) from None


def _inspector(sheet: ProviderSheet, kind: str) -> Callable[[bytes, Mapping[str, str]], list[Inspection]]:
    part = sheet.inspectors.get(kind)
    if part is None:
        known = ", ".join(sheet.inspectors) or "none"
        raise BadInput(
            f"{sheet.profile.name} has no kind {show.cell(kind)[:60]!r} to inspect; there are: {known}"
        )
    found: Callable[[bytes, Mapping[str, str]], list[Inspection]] = sheet.load(part)
    return found


def _headers(given: list[str], status: int | None) -> dict[str, str]:
    """Lower-case names; a name given twice is one list, as HTTP reads it."""
    if len(given) > _MOST_HEADERS:
        raise BadInput(f"more than {_MOST_HEADERS} headers")
    headers: dict[str, str] = {}
    for text in given:
        found = _HEADER.match(text)
        if found is None or not found["value"].isprintable():
            raise BadInput("--header must be 'Name: value' on one line")
        name, value = found["name"].lower(), found["value"].strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if status is not None:
        headers[_STATUS] = str(status)
    return headers


def _payload(file: str) -> bytes:
    try:
        if file == "-":
            return _limited(sys.stdin.buffer)
        with Path(file).open("rb") as stream:
            return _limited(stream)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be read"
        raise BadInput(f"{show.cell(file)}: {reason}") from None


def _limited(stream: BinaryIO) -> bytes:
    body = stream.read(LARGEST_PAYLOAD + 1)
    if len(body) > LARGEST_PAYLOAD:
        raise BadInput(f"the payload is larger than {LARGEST_PAYLOAD >> 20} MiB")
    return body


def _read(
    read: Callable[[bytes, Mapping[str, str]], list[Inspection]],
    body: bytes,
    headers: Mapping[str, str],
    what: str,
) -> list[Inspection]:
    """What the reader sees. A reader that fails is no reason for a traceback: plug-ins are read with, too."""
    from coopwire.ports.providers import InspectionError

    try:
        return read(body, headers)
    except InspectionError as error:
        raise BadInput(show.cell(error)) from None
    except Exception as error:
        raise BadInput(f"the reader of {what} fails on this payload ({type(error).__name__})") from error


def _members(one: Inspection) -> dict[str, object]:
    """The members that apply."""
    members = {field.name: getattr(one, field.name) for field in fields(one)}
    wait = one.retry_after
    if wait is not None and wait.is_integer():
        members["retry_after"] = int(wait)
    return {name: value for name, value in members.items() if value is not None}


# -- signatures -------------------------------------------------------------------------------------------


def _judge(
    sheet: ProviderSheet, secret: str | None, secret_env: str | None, connection: str | None
) -> _Verifies | None:
    """Who can judge the signature; None without a secret."""
    given = [word for word in (secret, secret_env, connection) if word is not None]
    if len(given) > 1:
        raise BadInput("give only one of --secret, --secret-env and --connection")
    if not given:
        return None
    if sheet.webhooks is None:
        raise BadInput(f"{sheet.profile.name} sends no signed webhooks")
    if connection is not None:
        return _built(sheet, [_configured(sheet, connection)])
    if secret_env is not None:
        secret = os.environ.get(secret_env, "")
        if not secret:
            raise BadInput(f"environment variable {show.cell(secret_env)} is not set")
    return _built(sheet, _with_secret(sheet, secret or ""))


def _configured(sheet: ProviderSheet, name: str) -> Connection:
    from coopwire.connections import load_one
    from coopwire.settings import read

    settings = read()
    if settings.connections is None:
        raise BadInput("--connection needs COOPWIRE_CONNECTIONS, the path of the connections file")
    found = load_one(settings.connections, name, settings.zone)
    if found.provider != sheet.profile.name:
        raise BadInput(f"connection {name} is one of {found.provider}, not of {sheet.profile.name}")
    return found


def _with_secret(sheet: ProviderSheet, secret: str) -> list[Connection]:
    """A use of the provider in either mode, every secret of it the one that was given."""
    from coopwire.domain.payments import Mode
    from coopwire.ports.providers import Connection

    settings = {field.name: secret if field.secret else field.default for field in sheet.profile.settings}
    return [Connection("inspected", sheet.profile.name, mode, settings) for mode in Mode]


def _built(sheet: ProviderSheet, uses: list[Connection]) -> _Verifies:
    """The first use that the provider accepts: its keys may tell in which mode they are."""
    from coopwire.ports.providers import ConfigurationError

    assert sheet.webhooks is not None
    build: Callable[[Connection], _Verifies] = sheet.load(sheet.webhooks)
    reason = ""
    for use in uses:
        try:
            return build(use)
        except ConfigurationError as error:
            reason = str(error)
    raise BadInput(f"this cannot be the secret: {reason}")


def _signature(judge: _Verifies, headers: Mapping[str, str], body: bytes) -> str:
    from coopwire.domain.errors import Forged

    try:
        judge.verify(headers, body)
    except Forged:
        return "forged"
    return "valid"


# -- showing ----------------------------------------------------------------------------------------------


def _show(told: list[dict[str, object]], as_json: bool) -> None:
    if not told:
        show.note("the payload is in order and tells nothing")
    elif as_json:
        show.json_lines(told)
    else:
        for number, one in enumerate(told):
            if number:
                show.say("")
            width = max(map(len, one))
            for name, value in one.items():
                show.say(f"{name:<{width}}  {show.cell(value)}")
