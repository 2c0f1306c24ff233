"""What BankOne's response codes mean for a posting; an installation may say otherwise.

The sources disagree (06, 09, 91, 96, 97), so only a positively known final failure is a failure, and a code
not in the table is unknown. Source: banking contract §0, §3.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """The only outcomes a posting can have. Source: banking contract §0."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILED = "failed"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    REJECTED = "rejected_before_processing"


_OF_OUTCOME: Mapping[Outcome, str] = {
    Outcome.SUCCESS: "00",
    # 09 and 10: in progress, partly done. 02: the customer's bank is asked.
    Outcome.PENDING: "02 09 10",
    # Do-not-honour, invalid merchant, transaction, amount, account, name, bank; limits; restrictions.
    Outcome.FAILED: "03 05 07 08 12 13 14 15 16 17 34 57 58 61 63 65 69 92",
    Outcome.INSUFFICIENT_FUNDS: "51",
    Outcome.DUPLICATE: "26 94",
    # 25 is "not found": a fact of a status query, and even there no proof. The rest: time-outs, switch and
    # system errors, and codes that two vendors use for opposite things.
    Outcome.UNKNOWN: "01 06 21 25 68 91 96 97 99 -1",
    # The format of the message was refused.
    Outcome.REJECTED: "30",
}
CODES: Mapping[str, Outcome] = {
    code: outcome for outcome, listed in _OF_OUTCOME.items() for code in listed.split()
}

NOT_FOUND = "25"
"""Unable to locate the record. Source: banking contract, response codes."""

NEVER_DONE = frozenset({Outcome.FAILED, Outcome.INSUFFICIENT_FUNDS, Outcome.REJECTED})
"""Outcomes after which a new attempt with a new reference is allowed. Source: banking contract §0."""


def outcome(code: str, codes: Mapping[str, Outcome]) -> Outcome:
    """The outcome of a code in an installation's table."""
    return codes.get(code, Outcome.UNKNOWN)
