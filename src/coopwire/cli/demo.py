"""`coopwire demo`: a day of repayments, played and proved from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running and print the addresses, until Ctrl-C.")
    ] = False,
    repayments: Annotated[
        int | None, typer.Option(min=1, help="How many repayments of the day; all when not given.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="How long the members think between steps.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Use and keep this new or empty folder; else a temporary one.")
    ] = None,
) -> None:
    """Play a day of repayments over simulators and prove from outside that each landed exactly once."""
    from coopwire.demo import SEED, run

    chosen = SEED if seed is None else seed
    raise typer.Exit(run(keep=keep, repayments=repayments, seed=chosen, folder=folder))
