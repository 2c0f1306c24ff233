"""`coopwire audit`: check the audit trail against every row, show its end and its entries."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import FAILED, BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.ports.stores import AuditHead
    from coopwire.storage.audit.chain import Entry
    from coopwire.storage.audit.verify import Verdict, Wrong
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="The audit trail over money records and operator actions: verify, head, list.")

_HASH = re.compile(r"[0-9a-f]{64}\Z")


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="The end of the trail at an earlier time; it must be part of it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every entry, and every row against its entry. Exit code 1 when something is wrong.

    Says which row was changed, removed or inserted, and which entry was forged, moved or removed; never what
    stands in it. Without --head a trail whose end was cut off, with the rows it was about, looks whole.
    """
    if head is not None and not _HASH.match(head):
        raise BadInput(
            "a head is 64 hexadecimal digits: coopwire audit head, or a report of a day, shows one"
        )

    def tell(wrong: Wrong) -> None:
        if as_json:
            show.json_lines([asdict(wrong)])
        else:
            show.say(_in_words(wrong))

    async def check(database: PostgresDatabase) -> Verdict:
        from coopwire.storage.audit.verify import Verification

        async with database.unhurried() as connection:
            return await Verification(connection, database.marker, tell).run(head)

    verdict = hub.on_database(check)
    if as_json:
        show.json_lines([asdict(verdict)])
    else:
        _conclude(verdict)
    if verdict.wrong:
        raise typer.Exit(FAILED)


def _in_words(wrong: Wrong) -> str:
    place = f", place {wrong.position} of the chain" if wrong.position is not None and wrong.key else ""
    return f"{wrong.trouble.value}: {' '.join(filter(None, (wrong.noun, show.cell(wrong.key))))}{place}"


def _conclude(verdict: Verdict) -> None:
    for one in verdict.nouns:
        older = f", {one.older} older than the trail" if one.older else ""
        show.say(f"{one.noun}: {one.right} right{older}")
    end = f", the last is {verdict.position} {verdict.head}" if verdict.chained else ""
    show.say(f"chain: {verdict.chained} entries{end}")
    if verdict.waiting:
        show.say(f"{verdict.waiting} entries wait for their place in the chain")
    show.say(f"{verdict.wrong} things are wrong" if verdict.wrong else "nothing is wrong")


@app.command()
def head(as_json: Json = False) -> None:
    """Show the last place of the chain and its hash, when everything committed so far has its place.

    Keep it outside of the database: verify --head tells later whether the trail was cut off behind it.
    """

    async def read(database: PostgresDatabase) -> AuditHead:
        from coopwire.application.chaining import audit_head

        return await audit_head(database)

    found = hub.on_database(read)
    if as_json:
        show.json_lines([asdict(found)])
    else:
        show.say(f"{found.position} {found.hash}")


@app.command("list")
def list_(
    noun: Annotated[str | None, typer.Option(help="Only entries about this noun.")] = None,
    key: Annotated[str | None, typer.Option(help="Only entries about the row with this key.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show what was recorded and when, the newest first; never what stands in it."""
    from coopwire.storage.audit.nouns import EXTENSION, GENESIS, NOUNS

    known = [*NOUNS, GENESIS, EXTENSION]
    if noun is not None and noun not in known:
        raise BadInput(f"there is no noun {show.cell(noun)}; there are: {', '.join(known)}")

    async def read(database: PostgresDatabase) -> list[Entry]:
        from coopwire.storage.audit.chain import newest

        async with database.pool.acquire() as connection:
            return await newest(connection, noun, key, limit)

    found = hub.on_database(read)
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    rows = [(one.position, one.noun, one.key, one.version, one.at) for one in found]
    show.table(("place", "noun", "key", "version", "at"), rows, none="there are no entries")
