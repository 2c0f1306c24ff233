"""`coopwire simulate`: one provider imitated over HTTP, to develop and to test against."""

from __future__ import annotations

from typing import Annotated

import typer

from coopwire.cli.failures import BadInput


def simulate(
    provider: Annotated[str, typer.Argument(help="Which provider to imitate.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0: a free one.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the simulator; repeat for more."),
    ] = None,
) -> None:
    """Imitate a provider on this machine.

    Prints the address when it listens, and runs until interrupted. It keeps
    state, sends webhooks and misbehaves on command: POST /_sim/faults.
    """
    from coopwire.ports.providers import ConfigurationError
    from coopwire.providers import catalog
    from coopwire.simulation import kernel

    try:
        sheet = catalog.sheet(provider)
    except ConfigurationError as error:
        raise BadInput(str(error)) from None
    kernel.run(sheet.load(sheet.simulator)(_words(set_ or [])), port=port)


def _words(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(name and equals for name, equals, _ in pairs):
        raise BadInput("--set must be NAME=VALUE")
    return {name: value for name, _, value in pairs}
