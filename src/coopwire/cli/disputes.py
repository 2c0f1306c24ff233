"""`coopwire disputes`: what members' banks claim back, and the lender's answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.dispute_desk import Wanted
    from coopwire.domain.disputes import DisputeAnswer
    from coopwire.ports.queries import DisputeView

app = typer.Typer(
    help="What members' banks claim back: list, show, evidence, answer; and to accept, by a second person: approve, "
    "reject."
)

_COLUMNS = ("id", "opened", "deadline", "state", "answer", "amount", "charge", "payment", "reason")
_ANSWERS = ("id", "verdict", "refund_minor", "state", "asked by", "approved by", "effect")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="open, under_review, won or lost.")] = None,
    payment: Annotated[str | None, typer.Option(help="Only about this payment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show disputes, the newest first."""
    from coopwire.domain.states import DisputeState
    from coopwire.ports.queries import Filter

    listing.check_state(state, DisputeState)
    which = Filter(state=state, payment=payment)
    found = hub.read(lambda queries: queries.disputes(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="there are no disputes", as_json=as_json)


@app.command("show")
def show_(dispute: Id, as_json: Json = False) -> None:
    """Show one dispute with its deadline, and every answer that was asked for."""
    found = listing.there(hub.read(lambda queries: queries.dispute(dispute)), "dispute", dispute)
    if as_json:
        show.json_lines([asdict(found)])
        return
    listing.members(asdict(found.dispute))
    rows = (
        (
            one.id,
            one.verdict.value,
            one.refund_minor,
            one.state.value,
            one.asked_by,
            one.approved_by,
            one.effect,
        )
        for one in found.answers
    )
    show.say("\nanswers")
    show.table(_ANSWERS, rows, none="nobody has asked for one")


@app.command()
def evidence(dispute: Id) -> None:
    """Tell where a file of evidence is put at the gateway, and its name for the answer.

    The address is a secret that runs out soon: whoever has it can put the file there.
    """
    place = hub.on_hub(lambda opened: hub.dispute_desk(opened).evidence_place(dispute))
    show.say(f"put the file to   {place.url}")
    show.say(f"name it           {place.name}")


@app.command()
def answer(
    dispute: Id,
    verdict: Annotated[str, typer.Argument(help="accept (money goes back) or contest.")],
    message: Annotated[str, typer.Option(help="What the gateway is told.")],
    file: Annotated[str | None, typer.Option(help="The name of an uploaded file of evidence.")] = None,
    refund: Annotated[
        int | None, typer.Option(metavar="MINOR", min=1, help="Minor units that go back; left out: all.")
    ] = None,
) -> None:
    """Answer a dispute: contested, it is said at once; accepted, a second person has to approve it."""
    from coopwire.application.dispute_desk import Wanted
    from coopwire.domain.disputes import DisputeVerdict

    if verdict not in [one.value for one in DisputeVerdict]:
        raise BadInput("say accept or contest")
    wanted = Wanted(DisputeVerdict(verdict), message, refund, file)
    _tell(hub.on_hub(lambda opened: _answered(opened, dispute, wanted)))


@app.command()
def approve(dispute: Id, reason: Reason) -> None:
    """Let another person's acceptance be said to the gateway."""
    _tell(hub.on_hub(lambda opened: hub.dispute_desk(opened).approve(dispute, hub.person(), reason)))


@app.command()
def reject(dispute: Id, reason: Reason) -> None:
    """Say no to an acceptance that waits; the dispute may be answered otherwise."""
    _tell(hub.on_hub(lambda opened: hub.dispute_desk(opened).reject(dispute, hub.person(), reason)))


async def _answered(opened: App, dispute: str, wanted: Wanted) -> DisputeAnswer:
    return (await hub.dispute_desk(opened).answer(dispute, wanted, hub.person())).answer


def _tell(answer: DisputeAnswer) -> None:
    waits = ": a second person has to approve it" if answer.state.value == "proposed" else ""
    show.say(f"the answer {answer.id} ({answer.verdict.value}) is {answer.state.value}{waits}")


def _row(dispute: DisputeView) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    return (
        dispute.id,
        dispute.opened_at,
        dispute.deadline_at,
        dispute.state.value,
        dispute.answer.value if dispute.answer is not None else "",
        Money(dispute.amount_minor, dispute.currency),
        dispute.charge,
        dispute.payment,
        dispute.reason,
    )
