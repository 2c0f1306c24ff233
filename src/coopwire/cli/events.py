"""`coopwire events`: what is published of the event catalogue, and whether the catalogue still keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coopwire.cli import show
from coopwire.cli.failures import FAILED, BadInput

if TYPE_CHECKING:
    from coopwire.domain.publishing import Schema

app = typer.Typer(help="The event catalogue: list, check, publish.")

_COLUMNS = ("type", "published", "members", "says")
_File = Annotated[Path, typer.Option("--file", help="Where the published schemas are kept.")]
_HERE = Path("docs/events.lock.json")


@app.command("list")
def list_(
    file: _File = _HERE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with the schema.")] = False,
) -> None:
    """Show every event with its version, and whether that is published."""
    from coopwire.domain.events import CATALOGUE

    published = _published(file) if file.exists() else {}
    if as_json:
        show.json_lines(
            {"type": e.type, "published": e.type in published, "title": e.title, "schema": e.schema}
            for e in CATALOGUE
        )
        return
    rows = [(e.type, "yes" if e.type in published else "", ", ".join(e.data), e.title) for e in CATALOGUE]
    show.table(_COLUMNS, rows, none="the catalogue is empty")


@app.command()
def check(file: _File = _HERE) -> None:
    """Fail if the catalogue changes a published version otherwise than by an addition."""
    _refuse_breaking(_published(file))
    show.say("the catalogue keeps what is published")


@app.command()
def publish(file: _File = _HERE) -> None:
    """Keep the catalogue as it is now: from then on its versions change by additions alone."""
    from coopwire.domain.events import CATALOGUE

    published = _published(file) if file.exists() else {}
    _refuse_breaking(published)
    current = {event.type: event.schema for event in CATALOGUE}
    new = [type_ for type_ in current if type_ not in published]
    file.write_text(json.dumps(current, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    show.say(f"published {', '.join(new)}" if new else "no version is new")


def _refuse_breaking(published: dict[str, Schema]) -> None:
    from coopwire.domain.events import CATALOGUE
    from coopwire.domain.publishing import breaking_changes

    found = breaking_changes(published, CATALOGUE)
    for change in found:
        show.note(f"{change}: add a further version beside it")
    if found:
        raise typer.Exit(FAILED)


def _published(file: Path) -> dict[str, Schema]:
    """Type → schema. BadInput when the file is none of ours."""
    if not file.exists():
        raise BadInput(f"{file} is not there: run this beside docs/, or name it with --file")
    try:
        kept: Any = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise BadInput(f"{file} is not JSON") from None
    if not isinstance(kept, dict) or not all(isinstance(schema, dict) for schema in kept.values()):
        raise BadInput(f"{file} does not hold schemas by type")
    return kept
