"""Reads a file that a command was given: whole, of a bearable size, as text."""

from __future__ import annotations

from pathlib import Path

from coopwire.cli.failures import BadInput


def text(file: Path, largest: int) -> str:
    """The file's text, a byte order mark left out. BadInput when it is no UTF-8 text of `largest` bytes."""
    try:
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    if len(content) > largest:
        raise BadInput(f"{file}: larger than {largest >> 20} MiB; is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{file}: it is not UTF-8 text") from None
