"""Puts the commands together and runs the one that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from coopwire.cli import (
    accounts,
    audit,
    authorizations,
    breakers,
    breaks,
    budgets,
    bus,
    disputes,
    effects,
    events,
    failures,
    fees,
    gates,
    keys,
    letters,
    mandates,
    mapping,
    payouts,
    receipts,
    refunds,
    settlements,
    virtual_accounts,
)
from coopwire.cli.connect import connect
from coopwire.cli.demo import demo
from coopwire.cli.docs import docs
from coopwire.cli.doctor import doctor
from coopwire.cli.inspect import inspect
from coopwire.cli.providers import providers
from coopwire.cli.reconcile import reconcile
from coopwire.cli.recover import recover
from coopwire.cli.serve import serve, worker
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


for _command in (
    serve,
    worker,
    demo,
    doctor,
    connect,
    inspect,
    simulate,
    providers,
    reconcile,
    recover,
    docs,
    payouts.banks,
    payouts.name,
    payouts.balances,
):
    app.command()(_command)
for _name, _group in (
    ("effects", effects.app),
    ("breakers", breakers.app),
    ("budgets", budgets.app),
    ("gates", gates.app),
    ("breaks", breaks.app),
    ("refunds", refunds.app),
    ("disputes", disputes.app),
    ("settlements", settlements.app),
    ("fees", fees.app),
    ("payouts", payouts.app),
    ("virtual-accounts", virtual_accounts.app),
    ("authorizations", authorizations.app),
    ("mandates", mandates.app),
    ("letters", letters.app),
    ("events", events.app),
    ("bus", bus.app),
    ("accounts", accounts.app),
    ("receipts", receipts.app),
    ("mapping", mapping.app),
    ("keys", keys.app),
    ("audit", audit.app),
):
    app.add_typer(_group, name=_name, no_args_is_help=True)


def main(words: Sequence[str] | None = None) -> None:
    """The console script. Exit code 0, 1 when it failed, 2 when what was given cannot be used."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that has no ✓ must not end a command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(words, prog_name="coopwire")
    except Exception as error:
        sys.exit(failures.report(error))
