"""The processes of the demonstration: started, heard, killed on purpose, and ended in every case."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

COMMAND = (sys.executable, "-m", "coopwire.cli")
"""The product's own command line, by the interpreter that runs us."""

_PATIENCE_AT_START = 60.0
_PATIENCE_AT_END = 15.0
_PATIENCE_OF_COMMANDS = 60.0
_POLL = 0.02
_LINES_SHOWN = 15
_PR_SET_PDEATHSIG = 1


class DemoFailure(Exception):
    """The demonstration cannot go on; the message says what happened, with the last words of the process."""


class Child:
    """One process whose words go to files of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.name = name
        self.process = process
        self._out = out
        self._err = err

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    async def first_word(self, start: str) -> str:
        """The first word on its output that begins with `start`, such as its address. DemoFailure if it ends."""
        deadline = time.monotonic() + _PATIENCE_AT_START
        while True:
            said = self._out.read_text(errors="replace").rpartition("\n")[0]
            found = next((word for word in said.split() if word.startswith(start)), None)
            if found is not None:
                return found.rstrip(".,;")
            if not self.running or time.monotonic() > deadline:
                state = "did not say where it listens" if self.running else self.ending()
                raise DemoFailure(f"{self.name} {state}")
            await asyncio.sleep(_POLL)

    def ending(self) -> str:
        """How it ended, with its last words."""
        words = (self._out.read_text(errors="replace") + self._err.read_text(errors="replace")).splitlines()
        last = "".join(f"\n    {line}" for line in words[-_LINES_SHOWN:])
        return f"ended with exit code {self.process.poll()}{':' if last else ''}{last}"


class Children:
    """Every process that we started; the end of the block is the end of all of them.

    They live in sessions of their own, so that Ctrl-C reaches only us and they are ended in order: who was
    started last goes first. On Linux they also end when we are killed.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._children: list[Child] = []
        self._names: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, name: str, *words: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start `coopwire words…` and go on at once."""
        out, err = self._files(name)
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*COMMAND, *words],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**self._environment, **(environment or {})},
                start_new_session=True,
                preexec_fn=_tie_to(os.getpid()),
            )
        child = Child(name, process, out, err)
        self._children.append(child)
        return child

    async def run(self, *words: str, answer: Callable[[str], Awaitable[str]] | None = None) -> str:
        """Run `coopwire words…` to its end; what it wrote to its output. DemoFailure unless it went well.

        `answer` makes what is typed in from the first line that it shows.
        """
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            preexec_fn=_tie_to(os.getpid()),
        )
        try:
            async with asyncio.timeout(_PATIENCE_OF_COMMANDS):
                shown, typed = b"", None
                if answer is not None:
                    assert process.stdout is not None
                    shown = await process.stdout.readline()
                    typed = (await answer(shown.decode().strip())).encode() + b"\n"
                out, err = await process.communicate(typed)
        except TimeoutError:
            raise DemoFailure(f"coopwire {' '.join(words[:2])} did not end") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise DemoFailure(
                f"coopwire {' '.join(words[:2])} failed: {err.decode(errors='replace').strip()}"
            )
        return (shown + out).decode()

    def kill(self, child: Child) -> None:
        """SIGKILL, and wait until it is gone."""
        child.process.kill()
        child.process.wait()
        self._children.remove(child)

    def end(self) -> None:
        """End whatever still runs: in good order first, by force where that takes too long."""
        children, self._children = self._children[::-1], []
        for child in children:
            child.process.terminate()
        deadline = time.monotonic() + _PATIENCE_AT_END
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(deadline - time.monotonic(), 0.0))
        for child in children:
            child.process.kill()
            child.process.wait()

    def check(self) -> None:
        """DemoFailure when one of them ended without being asked to."""
        for child in self._children:
            if not child.running:
                raise DemoFailure(f"{child.name} {child.ending()}")

    def _files(self, name: str) -> tuple[Path, Path]:
        """Files for the words of a process; a second one of the same name does not overwrite the first."""
        number = self._names[name] = self._names.get(name, 0) + 1
        stem = name if number == 1 else f"{name}-{number}"
        return self._folder / f"{stem}.out", self._folder / f"{stem}.err"


def _tie_to(parent: int) -> Callable[[], None] | None:
    """On Linux: what a child runs before its program starts, so that it ends when we are killed."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        if prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return tie
