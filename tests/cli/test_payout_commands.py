"""`coopwire payouts`, `banks`, `name`, `balances`: a person's verbs, over a simulated gateway."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator

import asyncpg
import pytest
from rigs.command_line import COMMAND, Run
from rigs.database import fetch
from rigs.deployment import SEALING_KEY, Deployment

from coopwire.app import sealer
from coopwire.settings import read

GATEWAY_KEY = "sk_test_0123456789abcdef"


@pytest.fixture
def gateway() -> Iterator[str]:
    """The address of a Paystack simulator, started as a person would start it."""
    words = [*COMMAND, "simulate", "paystack", "--set", f"secret_key={GATEWAY_KEY}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def hub(deployment: Deployment, gateway: str) -> Deployment:
    """A deployment whose gateway answers, with one payout that somebody asked for and that is held."""
    text = deployment.connections.read_text(encoding="utf-8")
    key = f'secret_key = "{GATEWAY_KEY}"\n'
    deployment.connections.write_text(text.replace(key, f'{key}base_url = "{gateway}"\n'), encoding="utf-8")
    asyncio.run(_held(deployment.dsn))
    return deployment


async def _held(dsn: str) -> None:
    db = await asyncpg.connect(dsn)
    await db.execute(
        "INSERT INTO payouts (id, connection, amount_minor, currency, bank, purpose, loan, state, hold, reason, asker, "
        "asked_by, created_at, updated_at) VALUES ('payout00000000000007', 'paystack', 250050, 'NGN', '011', "
        "'Loan LN-1', 'LN-1', 'held', 'name_mismatch', 'the names agree by 50 of 100', 'key 1', 'key 1', now(), now())"
    )
    sealed = sealer(read()).seal(b'{"account": "0000014579", "name": "A Member", "holder": null}')
    await db.execute("INSERT INTO payout_beneficiaries VALUES ('payout00000000000007', $1)", sealed)
    await db.close()


def test_payouts_are_listed_shown_and_released_by_a_second_person(hub: Deployment, within: Run) -> None:
    assert SEALING_KEY
    [one] = within("payouts", "list", "--json", "--state", "held").rows
    assert (one["id"], one["hold"], one["amount_minor"]) == ("payout00000000000007", "name_mismatch", 250_050)
    assert "2,500.50 NGN" in within("payouts", "list", "--loan", "LN-1").out
    shown = within("payouts", "show", one["id"]).out
    assert "the names agree by 50 of 100" in shown
    assert "0000014579" not in shown
    assert within("payouts", "list", "--state", "paid").code == 2
    assert within("payouts", "show", "nobody").code == 2
    released = within("payouts", "release", one["id"], "--reason", "her maiden name")
    assert (released.code, released.out) == (0, "payout payout00000000000007 is intended\n")
    assert within("payouts", "release", one["id"], "--reason", "again").code != 0
    assert within("payouts", "cancel", one["id"], "--reason", "again").code != 0
    [told] = fetch(hub.dsn, "SELECT count(*) AS n FROM effects WHERE kind IN ('recipient', 'transfer')")
    assert told["n"] == 2


def test_a_held_payout_is_cancelled(hub: Deployment, within: Run) -> None:
    ran = within("payouts", "cancel", "payout00000000000007", "--reason", "the loan was withdrawn")
    assert (ran.code, ran.out) == (0, "payout payout00000000000007 is cancelled\n")
    assert within("payouts", "otp", "payout00000000000007", "--resend").code != 0


def test_banks_names_and_balances_are_shown(hub: Deployment, within: Run) -> None:
    assert {"code": "011", "name": "First Bank of Nigeria"}.items() <= within(
        "banks", "paystack", "--json"
    ).rows[1].items()
    assert "First Bank of Nigeria" in within("banks", "paystack").out
    assert within("banks", "paystack", "--currency", "ZAR").out == "it pays to no bank in this currency\n"
    assert within("name", "paystack", "011", "0000014579").out == "SIMULATED HOLDER\n"
    nobody = within("name", "paystack", "999", "0000014579")
    assert (nobody.code, "Could not resolve account name" in nobody.err) == (2, True)
    assert "100,000,000.00 NGN" in within("balances").out
    assert within("balances", "paystack", "--json").rows == [
        {"connection": "paystack", "currency": "NGN", "available_minor": 10_000_000_000}
    ]
    assert within("balances", "books").code != 0
