"""Reads a file that a command was given: whole, of a bearable size."""

from __future__ import annotations

from pathlib import Path

from coopwire.cli.failures import BadInput


def text(file: Path, largest: int) -> str:
    """The file's text, a byte order mark left out. BadInput when it is no UTF-8 text of `largest` bytes."""
    try:
        return content(file, largest).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{file}: it is not UTF-8 text") from None


def content(file: Path, largest: int) -> bytes:
    """The file's bytes. BadInput when it cannot be read or has more than `largest`."""
    try:
        with file.open("rb") as stream:
            found = stream.read(largest + 1)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    if len(found) > largest:
        raise BadInput(f"{file}: larger than {largest >> 20} MiB; is it the right file?")
    return found
