"""Fingerprints of a comparison: the same inputs and the same outcome give the same ones, whoever runs it and when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from coopwire.application.reconciling.comparing import Setting
from coopwire.application.reconciling.sides import Theirs
from coopwire.domain.reconciliation import Finding, Section
from coopwire.ports.days import Ours
from coopwire.ports.gateways import ChargeSnapshot, TransferSnapshot


def inputs_digest(setting: Setting, theirs: Theirs, ours: Ours) -> str:
    """SHA-256 over all that the outcome hangs on: the day, what is watched, and both sides in any order of listing.

    When the lists were made is no part of it, only which of ours are newer.
    """
    digest = hashlib.sha256()
    for rows in (_setting(setting), *_told(theirs), *_own(ours, theirs.listed_at)):
        for row in sorted(map(repr, rows)):
            digest.update(row.encode())
            digest.update(b"\n")
        digest.update(b"\0")
    return digest.hexdigest()


def _setting(setting: Setting) -> Iterable[tuple[object, ...]]:
    network, routes = setting.network, setting.network.routes
    yield ("day", setting.day.on, setting.day.zone.key)
    yield ("routes", routes.books, routes.core_bank)
    for name in (*network.gateways(), *((routes.core_bank,) if routes.core_bank else ())):
        yield ("mode", name, network.connections[name].connection.mode.value)
    for account in setting.watched:
        yield ("watched", account)


def _told(theirs: Theirs) -> Iterable[Iterable[tuple[object, ...]]]:
    yield [(name,) for name in theirs.charges]
    yield [_charge(name, c) for name, charges in theirs.charges.items() for c in charges]
    yield [_charge(name, c) for name, charges in theirs.owed.items() for c in charges]
    yield list(theirs.owed_since.items())
    yield [(name, charge, told) for (name, charge), told in theirs.reversals.items()]
    yield [(name,) for name in theirs.refunds]
    yield [
        (
            *(name, r.provider_ref, r.charge, r.amount_minor, r.currency, r.state.value, r.created_at),
            r.reference is not None,
        )
        for name, refunds in theirs.refunds.items()
        for r in refunds
    ]
    yield [
        (
            j.provider_ref,
            j.reference,
            j.on,
            j.currency,
            sorted((x.account, x.side, x.amount_minor) for x in j.lines),
        )
        for j in theirs.journals
    ]
    yield [(one.core_account, one.row, one.row.narration) for one in theirs.rows]
    yield [(effect, sorted(dates)) for effect, dates in theirs.business_dates.items()]
    yield [(name,) for name in theirs.transfers]
    yield [_transfer(name, t.provider_ref, t) for name, listed in theirs.transfers.items() for t in listed]
    yield [_transfer(name, id, t) for name, looked in theirs.looked.items() for id, t in looked.items()]
    yield list(theirs.transfer_problems.items())
    yield list(theirs.statuses.items())
    yield list(theirs.problems.items())
    yield list(theirs.unread.items())
    yield list(theirs.accounts.items())


def _charge(name: str, c: ChargeSnapshot) -> tuple[object, ...]:
    return (
        *(name, c.charge, c.reference, c.state.value, c.mode.value, c.amount_minor, c.currency),
        *(c.fee_minor, c.fee_known, c.paid_at, c.created_at, c.reversed),
    )


def _transfer(name: str, asked: str, t: TransferSnapshot) -> tuple[object, ...]:
    return (
        *(name, asked, t.provider_ref, t.reference, t.retry_of, t.state.value, t.mode),
        *(t.amount_minor, t.currency, t.fee_minor, t.created_at),
    )


def _own(ours: Ours, listed_at: datetime) -> Iterable[Iterable[tuple[object, ...]]]:
    yield [(r, r.recorded_at >= listed_at) for r in ours.receipts]
    yield [(j, _is_newer(j.finished_at, listed_at)) for j in ours.journals]
    yield [(p, _is_newer(p.finished_at, listed_at)) for p in ours.postings]
    yield [(r,) for r in ours.refunds]
    yield [(p, p.moved_at >= listed_at, _is_newer(p.accepted_at, listed_at)) for p in ours.payouts]
    yield [(reference,) for reference in ours.payments]
    owed = ours.owed
    yield [(u, u.recorded_at >= listed_at) for u in owed.unsettled]
    yield [(o,) for o in owed.refunded]
    yield [(c,) for c in owed.clearing]
    yield owed.settled
    yield owed.unbooked


def _is_newer(finished_at: datetime | None, listed_at: datetime) -> bool:
    return finished_at is not None and finished_at >= listed_at


def outcome_digest(sections: Sequence[Section], findings: Sequence[Finding]) -> str:
    """SHA-256 over the sums and the differences."""
    told = {
        "sections": [asdict(section) for section in sections],
        "findings": [asdict(finding) for finding in findings],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
