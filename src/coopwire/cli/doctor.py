"""`coopwire doctor`: what is wrong with this set-up, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from coopwire.cli import show
from coopwire.cli.failures import FAILED
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.cli.checks import Finding

_MARKS = {"fine": "✓", "notice": "!", "wrong": "✗", "skipped": "–"}


def doctor(as_json: Json = False) -> None:
    """Say what is wrong with this set-up, and how to mend it.

    Asks no provider anything. Exit code 1 when something is wrong; a ! is only worth knowing.
    """
    from coopwire.cli.checks import Verdict, examine

    wrong = 0
    for finding in examine():
        wrong += finding.verdict is Verdict.WRONG
        if as_json:
            show.json_lines([asdict(finding)])
        else:
            _tell(finding)
    if not as_json:
        show.say(f"{wrong} things are wrong" if wrong else "nothing is wrong")
    if wrong:
        raise typer.Exit(FAILED)


def _tell(finding: Finding) -> None:
    first, *further = finding.says.splitlines() or [""]
    show.say(f"{_MARKS[finding.verdict.value]} {finding.check}: {first}")
    for line in further:
        show.say(f"    {line}")
    if finding.mend:
        show.say(f"    → {finding.mend}")
