"""Sets a hub up beside simulated systems, plays a day on it, proves the day and takes everything down."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from coopwire.demo import day, report, simulated
from coopwire.demo.children import Child, Children, DemoFailure
from coopwire.demo.day import Repayment
from coopwire.demo.findings import Findings, find
from coopwire.demo.play import Played, Player
from coopwire.demo.proof import command
from coopwire.demo.stage import CONNECTIONS, Stage, set_up
from coopwire.demo.watch import Watch
from coopwire.domain.timings import DEMO
from coopwire.settings import EMBEDDED, PREFIX
from coopwire.storage import embedded
from coopwire.storage.embedded import EmbeddedError

SEED = 20251121
LOGS = "logs"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130
_LOOK_EVERY = 1.0
_TRIES_TO_REMOVE = 50
_PAUSE = 0.1
_WIDTH = 120


def run(
    keep: bool = False, repayments: int | None = None, seed: int = SEED, folder: Path | None = None
) -> int:
    """Play a day and prove it; the exit code is 0 only if the proof holds. Call from the main thread.

    `keep` leaves everything running until Ctrl-C. `repayments`: how many rows of the day (None: all); `seed`:
    how long the members think. `folder`, new or empty, is used and kept; without one a temporary folder is
    used and removed.
    """
    console = _console()
    try:
        with _interrupted_by_signals() as told_to_end, _place(folder) as place:
            rows = day.chosen(day.read(), repayments)
            return _Demonstration(console, place, rows, seed, keep, told_to_end).show()
    except (KeyboardInterrupt, _Interrupted):
        console.print("interrupted: everything is taken down")
        return _INTERRUPTED
    except (DemoFailure, EmbeddedError) as failure:
        console.print(f"The demonstration cannot go on: {failure}", style="red", markup=False)
        return 1


@dataclass(frozen=True)
class _Demonstration:
    """One day in one folder."""

    console: Console
    place: Path
    rows: Sequence[Repayment]
    seed: int
    keep: bool
    told_to_end: Callable[[], bool]
    began: float = field(default_factory=time.monotonic)

    def show(self) -> int:
        """Everything from the first process to the end of the last one; the exit code."""
        self.console.print(f"[bold]A day of {len(self.rows)} payments[/bold], in {self.place}")
        self.console.print(
            f"Timing profile [bold]demo[/bold]: every length of time is divided by {DEMO.speed}, those that the "
            "machine's own speed bounds by 5.\nThe code, the thresholds and the number of steps stay the same."
        )
        with Children(_made(self.place / LOGS), _environment(self.place)) as children:
            systems = simulated.start(children)
            with embedded.start(self.place / "data"):
                try:
                    return asyncio.run(self._until_told_to_end(self._day(children, systems)))
                except DemoFailure:
                    # A process that has ended explains more than the connection that broke.
                    children.check()
                    raise
                finally:
                    # Before the database ends, so that nobody misses it.
                    children.end()

    async def _until_told_to_end(self, day: Coroutine[Any, Any, int]) -> int:
        """The day, cancelled in good order when a signal comes: _Interrupted."""
        loop, whole = asyncio.get_running_loop(), asyncio.ensure_future(day)
        interrupted = self.told_to_end()

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            whole.cancel()

        # Ctrl-C itself is asyncio's: it cancels this task.
        for number in _heeded():
            if number != signal.SIGINT:
                loop.add_signal_handler(number, interrupt)
        if interrupted:
            interrupt()
        try:
            return await whole
        except asyncio.CancelledError:
            if interrupted:
                raise _Interrupted from None
            raise

    async def _day(self, children: Children, systems: Mapping[str, Child]) -> int:
        began_at = datetime.now(UTC)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as web:
            with self.console.status("setting up: simulated systems and the hub"):
                stage = await set_up(self.place, children, systems, web, self.rows, began_at)
            self.console.print(f"Set up in {self._seconds()} s: the hub listens on {stage.hub.url}")
            findings = await find(stage, await self._play(stage, began_at))
            report.tell(self.console, findings)
            self.console.print(f"\n{_conclusion(findings)} ({self._seconds()} s in all)")
            if self.keep:
                await self._stay(stage)
            return 0 if findings.holds else 1

    async def _play(self, stage: Stage, began_at: datetime) -> Played:
        """The members pay, then the hub comes to rest."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.fields[open]}"), console=self.console) as progress:
            task = progress.add_task("members pay", total=len(self.rows), open="")
            watch = Watch(stage, lambda n: progress.update(task, open=f"{n} writes under way"))
            player = Player(stage, began_at, self.seed, lambda: progress.advance(task))
            played = await _watched(watch, player.play(self.rows))
            progress.update(task, description="the hub comes to rest")
            await watch.rest(played.charges)
        return played

    async def _stay(self, stage: Stage) -> None:
        """Leave everything running until somebody ends it."""
        ended = asyncio.Event()
        for number in _heeded():
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        self.console.print("\nEverything goes on; Ctrl-C ends it.")
        for name, words in _addresses(stage).items():
            self.console.print(f"  {name:<22}{words}", soft_wrap=True)
        while not ended.is_set():
            stage.children.check()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK_EVERY)

    def _seconds(self) -> str:
        return f"{time.monotonic() - self.began:.0f}"


async def _watched(watch: Watch, work: Coroutine[Any, Any, Played]) -> Played:
    """The result of `work`, unless the watch raises first."""
    watching, working = asyncio.create_task(watch.run()), asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
        if watching in done:
            watching.result()
        return await working
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.wait({watching, working})


def _conclusion(findings: Findings) -> str:
    if findings.holds:
        return "[bold green]Everything holds.[/bold green]"
    return "[bold red]It does not hold.[/bold red] With --folder the data and the logs are kept."


def _addresses(stage: Stage) -> dict[str, str]:
    """Where everything is, by what it is."""
    hub = stage.hub
    return {
        "API": f"{hub.url}/v1/payments",
        "its key": hub.key,
        "its description": f"{hub.url}/openapi.json",
        **{f"simulated {name}": url for name, url in stage.outside.urls.items()},
        "connections": str(stage.folder / CONNECTIONS),
        "logs": str(stage.folder / LOGS),
        "the proof again": f"OUTSIDE_HUB_KEY={hub.key} {shlex.join(command(stage))}",
    }


def _console() -> Console:
    """The terminal; in a pipe or a file the tables keep their width."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder given, new or empty; else a temporary one for as long as the block."""
    if folder is not None:
        folder = folder.expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DemoFailure(f"{folder} is not empty: name a new folder")
        yield folder
        return
    made = Path(tempfile.mkdtemp(prefix="coopwire-demo-"))
    try:
        # The database of a root user runs as somebody else, who must be able to pass. It is our own folder.
        made.chmod(0o711)
        yield made
    finally:
        _remove(made)


def _remove(folder: Path) -> None:
    """Remove it with everything in it; a server that was stopped while it was made may write for a moment."""
    for _ in range(_TRIES_TO_REMOVE):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _environment(place: Path) -> dict[str, str]:
    """Of our own variables only those that this hub needs: nothing that is configured here shall be touched."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {
        f"{PREFIX}DATABASE": f"{EMBEDDED}{place / 'data'}",
        f"{PREFIX}CONNECTIONS": str(place / CONNECTIONS),
        f"{PREFIX}TIMINGS": "demo",
        f"{PREFIX}PORT": "0",
    }


def _heeded() -> list[signal.Signals]:
    """The signals that end us; who started us with one ignored (nohup) wants it ignored."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


class _Interrupted(Exception):
    """A signal has ended the day."""


@contextmanager
def _interrupted_by_signals() -> Iterator[Callable[[], bool]]:
    """The signals that end a program end this one as Ctrl-C does, so that everything is taken down.

    An exception out of a handler is lost where Python ignores exceptions, as while it makes a process: whoever
    goes on asks whether one came.
    """
    came = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        # It is not lost here: whoever goes on asks.
        if not (came and lost.exc_type is KeyboardInterrupt):
            sys.__unraisablehook__(lost)

    before = {number: signal.signal(number, interrupt) for number in _heeded() if number != signal.SIGINT}
    sys.unraisablehook = unraisable
    try:
        yield lambda: came
    finally:
        sys.unraisablehook = sys.__unraisablehook__
        for number, handler in before.items():
            signal.signal(number, handler)
