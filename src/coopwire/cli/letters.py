"""`coopwire letters`: events that a consumer could not take, and another delivery of one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.storage.database import PostgresDatabase
    from coopwire.storage.letters import DeadLetter

app = typer.Typer(help="Dead letters of the bus: list, redrive.")

_COLUMNS = ("consumer", "event", "type", "subject", "first failed", "tries", "cause")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the dead letters, the oldest first, with what the consumer raised."""

    async def read(database: PostgresDatabase) -> list[DeadLetter]:
        from coopwire.storage.letters import dead_letters

        async with database.pool.acquire() as connection:
            return await dead_letters(connection, limit)

    found = hub.on_database(read)
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    rows = [(d.consumer, d.event, d.type, d.subject, d.first_failed_at, d.tries, d.cause) for d in found]
    show.table(_COLUMNS, rows, none="there are no dead letters")


@app.command()
def redrive(
    consumer: Annotated[str, typer.Argument(help="Who could not take it.")],
    event: Annotated[str, typer.Argument(help="Id of the event.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit with your name.")],
) -> None:
    """Deliver a dead letter again, when its cause is mended."""

    async def deliver(database: PostgresDatabase) -> bool:
        from coopwire.application.bells import DELIVERIES

        now = await database.now()
        async with database.begin("redrive dead letter") as tx:
            revived = await tx.outbox.revive(consumer, event, now)
            if revived:
                await tx.audit(hub.actor(), "redrive dead letter", f"{consumer} {event}", reason, now)
        await database.ring(DELIVERIES)
        return revived

    if not hub.on_database(deliver):
        raise BadInput(f"{show.cell(consumer)} has no dead letter {show.cell(event)}")
    show.say(f"event {event} is delivered to {consumer} again")
