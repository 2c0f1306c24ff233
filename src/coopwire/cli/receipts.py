"""`coopwire receipts`: money that no gateway saw, brought as files, released by a second person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from coopwire.cli import files, hub, show
from coopwire.cli.failures import BAD_INPUT, FAILED, BadInput
from coopwire.cli.options import Json, Reason

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.receipt_desk import FileReport, ReceiptDesk
    from coopwire.ports.queries import BatchLineView, BatchView
    from coopwire.ports.stores import Batch
    from coopwire.storage.database import PostgresDatabase

StateT = TypeVar("StateT", bound=StrEnum)

app = typer.Typer(help="Receipts from elsewhere: import, approve, reject, resume, list, show.")

_LARGEST_FILE = 64 << 20
_MOST_REFUSALS_SHOWN = 50
_STEPS_BETWEEN_LOOKS = 20
"""Groups that are booked before the progress bar asks what other processes did beside them."""
_OTHERS_AT_IT_S = 0.2
"""How long to wait while other processes hold every line that is left."""
_LINE_COLUMNS = ("line", "external id", "amount", "member or payment", "state", "receipt", "problem")
_BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The id that the list shows.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; docs/receipts.md says which columns.")],
    source: Annotated[str, typer.Option(help="The source of the connections file that tells of the money.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what would be booked.")] = False,
) -> None:
    """Check a whole file of receipts and book it: every line of it, or none with a reason per line.

    Killed in the middle, the same command goes on where it was. Where the source wants a checker, the file waits
    for `receipts approve`.
    """
    from coopwire.application.receipt_desk import File

    show.note(f"reading {show.cell(file.name)}")
    brought = File(file.name, files.content(file, _LARGEST_FILE))

    async def take(open_hub: App) -> tuple[FileReport, BatchView | None]:
        desk = _desk(open_hub)
        report = await desk.take_file(source, brought, hub.actor(), check_only=check)
        if report.batch is None:
            return report, None
        return report, await _book(open_hub, report.batch)

    report, batch = hub.on_hub(take)
    for note in report.notes:
        show.note(note)
    _refuse(report)
    if batch is None:
        show.say(f"{report.lines} lines can be booked, {report.known} of them are booked already")
        return
    if report.replayed:
        show.note(f"this file was brought before, as batch {batch.id} by {show.cell(batch.created_by)}")
    _tell(batch)


@app.command()
def approve(batch: _BatchId) -> None:
    """Release a batch that another person brought, and book it."""
    _judge_and_book(lambda desk: desk.approve(batch, hub.actor()))


@app.command()
def resume(batch: _BatchId) -> None:
    """Go on with a batch that stands still; lines that were refused are tried again."""
    _judge_and_book(lambda desk: desk.resume(batch, hub.actor()))


@app.command()
def reject(batch: _BatchId, reason: Reason) -> None:
    """Book nothing of a batch that waits for a second person. It cannot be undone, but brought again."""

    async def end(open_hub: App) -> None:
        await _desk(open_hub).reject(batch, hub.actor(), reason)

    hub.on_hub(end)
    show.say(f"batch {batch} is rejected")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only in this state, such as proposed.")] = None,
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show batches, the newest first."""
    from coopwire.domain.arrivals import BatchState
    from coopwire.ports.queries import Filter

    which = Filter(state=_state(BatchState, state), connection=source)
    found = hub.read(lambda queries: queries.batches(which, limit, None)).items
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    columns = ("id", "source", "file", "state", "lines", "waiting", "refused", "brought by", "at")
    rows = [
        (b.id, b.source, b.name, b.state.value, b.lines, b.waiting, b.refused, b.created_by, b.created_at)
        for b in found
    ]
    show.table(columns, rows, none="there are no batches: coopwire receipts import FILE --source NAME")


@app.command("show")
def show_(
    batch: _BatchId,
    state: Annotated[str | None, typer.Option(help="Only lines in this state, such as refused.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many lines.")] = 100,
    as_json: Json = False,
) -> None:
    """Show a batch with its lines, in their order."""
    from coopwire.domain.arrivals import LineState
    from coopwire.domain.money import Money
    from coopwire.ports.queries import Filter

    which = Filter(batch=batch, state=_state(LineState, state))

    async def read(database: PostgresDatabase) -> tuple[BatchView | None, tuple[BatchLineView, ...]]:
        queries = hub.queries(database)
        return await queries.batch(batch), (await queries.batch_lines(which, limit, None)).items

    found, lines = hub.on_database(read)
    if found is None:
        raise BadInput(f"there is no batch {show.cell(batch)}")
    if as_json:
        show.json_lines([asdict(found), *(asdict(line) for line in lines)])
        return
    rows = [
        (
            n.line,
            n.external_id,
            Money(n.amount_minor, n.currency),
            n.member or n.payment,
            n.state.value,
            n.receipt,
            n.problem,
        )
        for n in lines
    ]
    show.table(_LINE_COLUMNS, rows, none="it has no such lines")
    _tell(found)


# -- booking -----------------------------------------------------------------------------------------------


def _desk(open_hub: App) -> ReceiptDesk:
    from coopwire import app as composition

    return composition.receipt_desk(open_hub)


def _judge_and_book(judge: Callable[[ReceiptDesk], Awaitable[Batch]]) -> None:
    """Let a person judge a batch; then its lines are booked here, beside the workers that may be at it too."""

    async def work(open_hub: App) -> BatchView:
        return await _book(open_hub, await judge(_desk(open_hub)))

    _tell(hub.on_hub(work))


async def _book(open_hub: App, batch: Batch) -> BatchView:
    """Book what waits of a released batch, with a progress bar; the batch as it stands then."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from coopwire.application.bells import EFFECTS, OUTBOX
    from coopwire.domain.arrivals import BatchState

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("booking", total=batch.lines)
        while (view := await _view(open_hub, batch)).state is BatchState.BOOKING:
            progress.update(task, completed=view.lines - view.waiting)
            for _ in range(_STEPS_BETWEEN_LOOKS):
                booked = await open_hub.importing.step(batch.id)
                progress.advance(task, booked)
                if not booked:
                    break
            if not booked and view.waiting:
                await asyncio.sleep(_OTHERS_AT_IT_S)
        progress.update(task, completed=view.lines - view.waiting)
    with suppress(OSError):
        # What was booked is committed; the workers look by themselves, so a lost ring only delays.
        await open_hub.database.ring(EFFECTS, OUTBOX)
    return view


async def _view(open_hub: App, batch: Batch) -> BatchView:
    view = await hub.queries(open_hub.database).batch(batch.id)
    assert view is not None
    return view


# -- telling -----------------------------------------------------------------------------------------------


def _refuse(report: FileReport) -> None:
    for one in report.refused[:_MOST_REFUSALS_SHOWN]:
        show.note(f"line {one.line}, {one.field}: {one.message}")
    if report.refused:
        show.note(f"{len(report.refused)} things must be mended; nothing was stored")
        raise typer.Exit(BAD_INPUT)


def _tell(batch: BatchView) -> None:
    """Where the batch stands; exit code 1 when lines of it could not be booked."""
    from coopwire.domain.arrivals import BatchState

    if batch.state is BatchState.PROPOSED:
        show.say(f"batch {batch.id}: {batch.lines} lines wait for a second person")
        show.note(f"coopwire receipts approve {batch.id}")
        return
    if batch.state is BatchState.REJECTED:
        show.say(f"batch {batch.id} was rejected: {show.cell(batch.reason)}")
        return
    booked = batch.lines - batch.waiting - batch.refused
    show.say(f"batch {batch.id}: {booked} of {batch.lines} lines are booked")
    if batch.refused:
        show.note(f"{batch.refused} lines were refused: coopwire receipts show {batch.id} --state refused")
        raise typer.Exit(FAILED)


def _state(states: type[StateT], word: str | None) -> str | None:
    """The word, when it is one of the states."""
    known = [one.value for one in states]
    if word is not None and word not in known:
        raise BadInput(f"there is no state {show.cell(word)}; there are: {', '.join(known)}")
    return word
