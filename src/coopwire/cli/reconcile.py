"""`coopwire reconcile`: closes a business day by comparing it with everything that holds its money."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show, times
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.reconciling.reconciler import Reconciled
    from coopwire.domain.reconciliation import DayReport, Section
    from coopwire.ports.exports import ExportFormat

_MOST_SHOWN = 50


def reconcile(
    on: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="The business day; yesterday when left out."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds to wait for look-ups that may mend a difference.")
    ] = 90,
    export: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write the report as .csv, .xlsx or .pdf too; repeat for more."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as one JSON object.")] = False,
) -> None:
    """Compare a business day with gateways, books and core bank, in both directions.

    What a look-up can mend is mended; each difference that stays is a break. Exit code 0 when everything adds
    up, 1 when not. It may be run again, and while the hub is at work.
    """

    named = times.day(on) if on is not None else None
    files = [(path, _format(path)) for path in export or ()]

    async def run(open_hub: App) -> Reconciled:
        from coopwire import app

        today = open_hub.network.routes.business_day(open_hub.clock.now())
        day = named or today - timedelta(days=1)
        looking = asyncio.create_task(open_hub.look())
        try:
            return await app.reconciler(open_hub).run(
                day, hub.actor(), patience=timedelta(seconds=wait), progress=show.note
            )
        finally:
            open_hub.stop()
            await looking

    done = hub.on_hub(run)
    for path, format_ in files:
        _write(done.report, path, format_)
    if as_json:
        show.json_lines([asdict(done.report)])
    else:
        _tell(done)
    raise typer.Exit(0 if done.report.holds else 1)


def _format(path: Path) -> ExportFormat:
    """What the file's ending says. BadInput before anything is compared."""
    from coopwire.ports.exports import ExportFormat

    endings = {f".{one.value}": one for one in ExportFormat}
    found = endings.get(path.suffix.lower())
    if found is None:
        raise BadInput(f"{show.cell(path.name)} must end with {', '.join(endings)}")
    if not path.parent.is_dir():
        raise BadInput(f"{show.cell(path.parent)} is no folder")
    return found


def _write(report: DayReport, path: Path, format_: ExportFormat) -> None:
    from coopwire.exports import export_report

    path.write_bytes(export_report(report, format_).content)
    show.note(f"wrote {path}")


def _tell(done: Reconciled) -> None:
    report = done.report
    show.say(f"Business day {report.day} ({report.zone}), run {report.run}")
    rows = [row for section in report.sections for row in _rows(section)]
    show.table(("source", "connection", "side", "part", "currency", "count", "amount"), rows, none="nothing")
    for section in report.sections:
        if section.problem:
            show.note(f"{section.source} {section.connection} could not be compared: {section.problem}")
    differences = [
        (f.type.value, f.connection, f.subject, f.currency, _amount(f.amount_minor, f.currency))
        for f in report.findings[:_MOST_SHOWN]
    ]
    columns = ("difference", "connection", "subject", "currency", "amount")
    show.table(columns, differences, none="no differences")
    if len(report.findings) > _MOST_SHOWN:
        show.note(f"and {len(report.findings) - _MOST_SHOWN} more")
    show.say(
        f"{len(report.healed)} mended by look-ups, {done.waiting} breaks wait for somebody, "
        f"{done.resolved} earlier ones are resolved"
    )
    show.say(f"inputs  {report.inputs_digest}\noutcome {report.outcome_digest}")
    if not report.over:
        show.note("the day is not over: money may still come in, and a later run may say otherwise")
    show.say("Everything adds up." if report.holds else "It does not add up.")


def _rows(section: Section) -> list[tuple[object, ...]]:
    where = (section.source, section.connection)
    rows: list[tuple[object, ...]] = [
        (
            *where,
            side,
            bucket.name,
            bucket.currency,
            bucket.sum.count,
            _amount(bucket.sum.minor, bucket.currency),
        )
        for side, buckets in (("theirs", section.theirs), ("ours", section.ours))
        for bucket in buckets
    ]
    # What was compared is named where there is nothing to count too: a quiet day differs from one nobody looked at.
    return rows or [(*where, "", "not compared" if section.problem else "nothing on either side", "", "", "")]


def _amount(minor: int | None, currency: str | None) -> str:
    from coopwire.exports.cells import major, places

    decimals = places(currency)
    return "" if minor is None or decimals is None else major(minor, decimals, thousands=",")
