"""`coopwire docs`: writes the generated pages again, or tells which of them are out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopwire.cli import show
from coopwire.cli.failures import FAILED, BadInput


def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a page is old.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the pages are.")] = Path("docs"),
) -> None:
    """Write the generated pages of docs/ again."""
    from coopwire.cli.pages import MARK, pages

    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder: run this beside docs/, or name it with --folder")
    found = {name: _content(folder / name) for name in pages()}
    strange = [str(folder / name) for name, text in found.items() if text is not None and MARK not in text]
    if strange:
        raise BadInput(f"{', '.join(strange)} was written by hand: move it away first")
    old = {name: text for name, page in pages().items() if (text := page()) != found[name]}
    for name, text in old.items():
        if check:
            show.note(f"{folder / name} is out of date: run `coopwire docs`")
        else:
            (folder / name).write_text(text, encoding="utf-8")
            show.say(f"wrote {folder / name}")
    if check and old:
        raise typer.Exit(FAILED)


def _content(page: Path) -> str | None:
    return page.read_text(encoding="utf-8") if page.exists() else None
