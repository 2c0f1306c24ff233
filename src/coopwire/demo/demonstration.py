"""Sets a hub up beside simulated systems, plays a day on it, proves the day and takes everything down."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

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


def run(
    keep: bool = False, repayments: int | None = None, seed: int = SEED, folder: Path | None = None
) -> int:
    """Play a day and prove it; the exit code is 0 only if the proof holds. Call from the main thread.

    `keep` leaves everything running until Ctrl-C. `repayments`: how many rows of the day (None: all); `seed`:
    how long the members think. `folder`, new or empty, is used and kept; without one a temporary folder is
    used and removed.
    """
    console = Console(highlight=False)
    began = time.monotonic()
    try:
        rows = day.chosen(day.read(), repayments)
        with _interrupted_by_signals(), _place(folder) as place:
            return _show(console, place, rows, seed, keep, began)
    except KeyboardInterrupt:
        console.print("interrupted: everything is taken down")
        return _INTERRUPTED
    except (DemoFailure, EmbeddedError) as failure:
        console.print(f"The demonstration cannot go on: {failure}", style="red", markup=False)
        return 1


def _show(
    console: Console, place: Path, rows: Sequence[Repayment], seed: int, keep: bool, began: float
) -> int:
    console.print(f"[bold]A day of {len(rows)} payments[/bold], in {place}")
    console.print(
        f"Timing profile [bold]demo[/bold]: every length of time is divided by {DEMO.speed}, those that the "
        "machine's own speed bounds by 5.\nThe code, the thresholds and the number of steps stay the same."
    )
    with Children(_made(place / LOGS), _environment(place)) as children:
        systems = simulated.start(children)
        with embedded.start(place / "data"):
            try:
                return asyncio.run(_day(console, place, children, systems, rows, seed, keep, began))
            finally:
                # Before the database ends, so that nobody misses it.
                children.end()


async def _day(
    console: Console,
    place: Path,
    children: Children,
    systems: Mapping[str, Child],
    rows: Sequence[Repayment],
    seed: int,
    keep: bool,
    began: float,
) -> int:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as web:
        began_at = datetime.now(UTC)
        stage = await set_up(place, children, systems, web, rows, began_at)
        console.print(f"Set up in {time.monotonic() - began:.0f} s: {_addresses(stage)}")
        played, rested = await _play(console, stage, rows, seed, began_at)
        findings = await find(stage, played, rested)
        report.tell(console, findings)
        console.print(f"\n{_conclusion(findings)} ({time.monotonic() - began:.0f} s in all)")
        if keep:
            await _stay(console, stage)
        return 0 if findings.holds else 1


async def _play(
    console: Console, stage: Stage, rows: Sequence[Repayment], seed: int, began_at: datetime
) -> tuple[Played, bool]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[open]}"), console=console) as progress:
        task = progress.add_task("members pay", total=len(rows), open="")
        watch = Watch(stage, lambda n: progress.update(task, open=f"{n} writes under way"))
        player = Player(stage, began_at, seed, lambda: progress.advance(task))
        watching = asyncio.create_task(watch.run())
        try:
            played = await _unless_ended(watching, player.play(rows))
        finally:
            watching.cancel()
        progress.update(task, description="the hub comes to rest")
        return played, await watch.rest(played.charges)


async def _unless_ended(watching: asyncio.Task[None], work: Coroutine[Any, Any, Played]) -> Played:
    """The result of `work`, unless the watch raises first."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            await watching
        return await task
    finally:
        task.cancel()


def _conclusion(findings: Findings) -> str:
    if findings.holds:
        return "[bold green]Everything holds.[/bold green]"
    return "[bold red]It does not hold.[/bold red]"


def _addresses(stage: Stage) -> str:
    systems = ", ".join(f"{name} {url}" for name, url in stage.outside.urls.items())
    return f"hub {stage.hub.url}, {systems}"


async def _stay(console: Console, stage: Stage) -> None:
    """Leave everything running until somebody ends it."""
    ended = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    console.print("\nEverything goes on; Ctrl-C ends it.")
    for name, place in (
        ("API", f"{stage.hub.url}/v1/payments   key {stage.hub.key}"),
        ("its description", f"{stage.hub.url}/docs"),
        *((f"simulated {name}", url) for name, url in stage.outside.urls.items()),
        ("connections", str(stage.folder / CONNECTIONS)),
        ("logs", str(stage.folder / LOGS)),
    ):
        console.print(f"  {name:<22}{place}", soft_wrap=True)
    console.print(
        f"  {'the proof again':<22}OUTSIDE_HUB_KEY={stage.hub.key} {' '.join(command(stage))}", soft_wrap=True
    )
    while not ended.is_set():
        stage.children.check()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _LOOK_EVERY)


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
        shutil.rmtree(made, ignore_errors=True)


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


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """The signals that end a program end this one as Ctrl-C does, so that everything is taken down."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS if number is not signal.SIGINT}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
