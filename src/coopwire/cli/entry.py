"""Puts the commands together and runs the one that was asked for."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coopwire.cli import failures
from coopwire.cli.docs import docs
from coopwire.cli.inspect import inspect
from coopwire.cli.providers import providers
from coopwire.cli.simulate import simulate

app = typer.Typer(
    name="coopwire",
    help="The integration hub of a co-operative lender: each repayment lands exactly once.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"coopwire {version('coopwire')}\n")
        raise typer.Exit


@app.callback()
def _coopwire(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


for _command in (inspect, simulate, providers, docs):
    app.command()(_command)


def main() -> None:
    """The console script. Exit code 0, 1 when it failed, 2 when what was given cannot be used."""
    try:
        app()
    except Exception as error:
        sys.exit(failures.report(error))
