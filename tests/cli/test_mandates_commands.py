"""Mandates at the command line: listed and shown without their codes, and not changed where that cannot be."""

from __future__ import annotations

from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import Deployment


def test_mandates_are_listed_and_one_is_shown(deployment: Deployment, within: Run) -> None:
    fetch(
        deployment.dsn,
        "INSERT INTO mandates (id, connection, member, currency, ceiling_minor, ends_on, state, bank, effect, "
        "asked_by, created_at, updated_at, debtor_mark) VALUES ('mandate77', 'paystack', 'M-77', 'NGN', "
        "6000000, '2027-02-28', 'ended', 'Some Bank', 'e77', 'one', now(), now(), 'mark') RETURNING 1",
    )
    [one] = within("mandates", "list", "--json", "--member", "M-77").rows
    assert (one["id"], one["state"], one["ends_on"]) == ("mandate77", "ended", "2027-02-28")
    assert "60,000.00" in within("mandates", "list", "--state", "ended").out
    assert within("mandates", "list", "--state", "gone").code == 2
    assert "Some Bank" in within("mandates", "show", "mandate77").out
    assert within("mandates", "show", "mandate77", "--json").rows == [one]
    assert within("mandates", "show", "nobody").code == 2
    for verb in ("suspend", "resume", "retry"):
        refused = within("mandates", verb, "mandate77", "--reason", "no")
        assert refused.code != 0 and "ended" in refused.out + refused.err
    # What is over is over, however often it is asked for.
    assert within("mandates", "end", "mandate77", "--reason", "the member left").code == 0
