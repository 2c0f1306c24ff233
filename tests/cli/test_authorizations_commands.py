"""What members left at the command line: listed and shown without their codes."""

from __future__ import annotations

from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import Deployment


def test_what_members_left_is_listed_and_shown(deployment: Deployment, within: Run) -> None:
    fetch(
        deployment.dsn,
        "INSERT INTO payments (reference, kind, amount_minor, currency, member, account_key, state, allocation, "
        "metadata, created_at, updated_at) "
        "VALUES ('payment77', 'fee', 1, 'NGN', 'M-77', 'k', 'succeeded', 'hub', '{}', now(), now()) RETURNING 1",
    )
    fetch(
        deployment.dsn,
        "INSERT INTO authorizations (id, connection, member, channel, brand, expires, payment, state, created_at, "
        "code_mark) VALUES ('left77', 'paystack', 'M-77', 'card', 'visa', '2030-12', 'payment77', 'active', now(), "
        "'mark') RETURNING 1",
    )
    [one] = within("authorizations", "list", "--json", "--member", "M-77").rows
    assert (one["id"], one["state"], one["expires"]) == ("left77", "active", "2030-12")
    assert "visa" in within("authorizations", "list", "--state", "active").out
    assert within("authorizations", "list", "--state", "gone").code == 2
    assert "payment77" in within("authorizations", "show", "left77").out
    assert within("authorizations", "show", "left77", "--json").rows == [one]
    assert within("authorizations", "show", "nobody").code == 2
