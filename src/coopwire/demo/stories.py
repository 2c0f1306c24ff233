"""What can happen to a repayment: what the member does, and which of the systems misbehaves meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from coopwire.demo.day import Repayment


class About(Enum):
    """By which words a simulator recognises the call or the message that it is to spoil."""

    ATTEMPT = "attempt"
    """Our reference at the gateway: it stands in its webhooks."""
    PAYMENT = "payment"
    """The payment's reference: it stands in the narration at the core bank and in messages to the loan system."""
    BOOKING = "booking"
    """Loan and member as they stand in the note of a journal."""
    ANY = "any"
    """Whatever comes next."""


@dataclass(frozen=True, slots=True)
class Accident:
    """One fault for the control plane of a simulator; `times` that often, for calls that match."""

    provider: str
    operation: str
    kind: str
    about: About
    times: int = 1
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """How a repayment goes. `tries` are the outcomes on the gateway's page, one after the other."""

    title: str
    accidents: tuple[Accident, ...] = ()
    tries: tuple[str, ...] = ("success",)
    at_once: bool = False
    """The tries follow each other without a pause."""
    short_percent: int = 0
    """So much less is paid than was asked."""
    extra_fee_minor: int = 0
    """So much more fee than agreed does the gateway keep."""
    forged: bool = False
    """Somebody tells the hub in the gateway's name that it is paid."""
    kills_worker: bool = False
    """A worker of the hub is killed while the money is on its way."""


def _webhook(kind: str, **params: object) -> Accident:
    return Accident("paystack", "webhook", kind, About.ATTEMPT, params=params)


def _journal(kind: str, **params: object) -> Accident:
    return Accident("quickbooks", "create_journal_entry", kind, About.BOOKING, params=params)


IN_THE_AIR = 14
"""So many credits must be held up when a worker is killed: one of two workers can hold ten at most."""

STORIES: Mapping[str, Story] = {
    "full": Story("paid in full"),
    "partial": Story("paid in part"),
    "over": Story("paid more than is due"),
    "early": Story("paid before it is due"),
    "two_charges": Story("paid twice on one page", tries=("success", "success")),
    "abandoned": Story("left the page", tries=()),
    "failed": Story("card refused, not tried again", tries=("failed",)),
    "failed_then_paid": Story("card refused, then paid", tries=("failed", "success")),
    "webhook_twice": Story("webhook comes twice", (_webhook("duplicate", copies=2),)),
    "webhook_out_of_order": Story(
        "two charges, webhooks in the wrong order",
        (_webhook("out_of_order"),),
        tries=("success", "success"),
        at_once=True,
    ),
    "webhook_late": Story("webhook comes late", (_webhook("delayed", seconds=4.0),)),
    "webhook_missing": Story("webhook never comes", (_webhook("missing"),)),
    "webhook_forged": Story("forged webhook, not paid", tries=(), forged=True),
    "wrong_amount": Story("paid another amount than asked", short_percent=10),
    "wrong_fee": Story("gateway keeps more fee than agreed", extra_fee_minor=7_500),
    "books_error": Story("QuickBooks answers 500, not booked", (_journal("http_500", done=False),)),
    "books_error_after_posting": Story(
        "QuickBooks answers 500, but booked", (_journal("http_500", done=True),)
    ),
    "books_busy": Story("QuickBooks answers 429", (_journal("http_429", retry_after=20),)),
    "books_token_expired": Story("QuickBooks' token has expired", (_journal("token_expired"),)),
    "bank_silent": Story(
        "BankOne silent after it posted", (Accident("bankone", "credit", "silence_after", About.PAYMENT),)
    ),
    "lms_down": Story("loan system answers 503", (Accident("lms", "callback", "http_503", About.PAYMENT),)),
    "worker_killed": Story(
        "worker killed in mid-flow",
        (Accident("bankone", "credit", "slow", About.ANY, IN_THE_AIR, {"seconds": 3.0}),),
        kills_worker=True,
    ),
}
"""By the word in the column `story` of the day."""


def words_of(about: About, row: Repayment, payment: str, attempt: str) -> str:
    """The text by which the call that belongs to this repayment is recognised."""
    match about:
        case About.ATTEMPT:
            return attempt
        case About.PAYMENT:
            return payment
        case About.BOOKING:
            return f"{row.loan or row.account}, member {row.member},"
        case About.ANY:
            return ""
