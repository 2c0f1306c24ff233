"""`coopwire recover`: what a hub that was restored from a backup must do before it sends anything again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show, times
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.recovering import Recovered


def recover(
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the backup was taken, as 2026-11-30T18:00:00+01:00."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the lost hub stopped; now when left out.")
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds to wait for look-ups, each time they are needed.")
    ] = 900,
    release: Annotated[
        bool, typer.Option("--release", help="Open the connections again: what the lost hours did is known.")
    ] = False,
) -> None:
    """Find out what happened since the backup, with every connection closed for writes.

    Run it before `serve` or any worker. Writes that may have been sent are looked up, the providers' days are
    listed again, and differences become breaks. Run it again as often as you like, then with --release.
    """
    if release:
        _release()
        return
    if since is None:
        raise BadInput("say when the backup was taken: --since TIME, or --release at the end")
    begin, end = times.instant(since, "--since"), times.instant(until, "--until") if until else None

    async def run(open_hub: App) -> Recovered:
        from coopwire import app

        looking = asyncio.create_task(open_hub.look())
        try:
            return await app.recovery(open_hub).recover(
                begin, end, hub.actor(), patience=timedelta(seconds=wait), progress=show.note
            )
        finally:
            open_hub.stop()
            await looking

    _tell(hub.on_hub(run))


def _release() -> None:
    async def run(open_hub: App) -> bool:
        from coopwire import app

        return await app.recovery(open_hub).release(hub.actor())

    show.say("all connections are open again" if hub.on_hub(run) else "no connection was closed")


def _tell(done: Recovered) -> None:
    show.say(f"{done.reentered} writes may have been sent and were entered as unknown")
    rows = [(kind.value, state.value, count) for (kind, state), count in sorted(done.left.items())]
    show.table(("kind", "state", "writes"), rows, none="every write is finished")
    days = [
        (
            one.report.day,
            one.state,
            "yes" if one.report.holds else "no",
            len(one.report.findings),
            one.waiting,
        )
        for one in done.days
    ]
    show.table(("day", "compared", "adds up", "differences", "breaks that wait"), days, none="no day")
    if done.unread:
        show.say(f"{', '.join(done.unread)} could not be listed: run it again before anything is released")
    if done.unknown:
        show.say(f"{done.unknown} outcomes are not known: wait and run it again, or decide them one by one")
    show.say("The connections stay closed for writes until `coopwire recover --release`.")
