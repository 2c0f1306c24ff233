"""Fingerprints of a comparison: the same inputs and the same outcome give the same ones, whoever runs it and when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from coopwire.application.reconciling.sides import Theirs
from coopwire.domain.reconciliation import Finding, Section
from coopwire.ports.days import Ours


def inputs_digest(theirs: Theirs, ours: Ours) -> str:
    """SHA-256 over what both sides say, in any order of listing."""
    digest = hashlib.sha256()
    for rows in (*_told(theirs), *_own(ours)):
        for row in sorted(map(repr, rows)):
            digest.update(row.encode())
            digest.update(b"\n")
        digest.update(b"\0")
    return digest.hexdigest()


def _told(theirs: Theirs) -> Iterable[Iterable[tuple[object, ...]]]:
    yield [
        (
            name,
            c.charge,
            c.reference,
            c.state.value,
            c.amount_minor,
            c.currency,
            c.fee_minor,
            c.paid_at,
            c.reversed,
        )
        for name, charges in theirs.charges.items()
        for c in charges
    ]
    yield [
        (name, c.charge, c.state.value, c.amount_minor, c.currency, c.fee_minor, c.paid_at)
        for name, charges in theirs.owed.items()
        for c in charges
    ]
    yield [(name, charge, told) for (name, charge), told in theirs.reversals.items()]
    yield [
        (name, r.provider_ref, r.charge, r.amount_minor, r.currency, r.state.value, r.created_at)
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
    yield [
        (one.core_account, r.id, r.on, r.side, r.amount_minor, r.reference, r.reversed, r.reverses)
        for one in theirs.rows
        for r in (one.row,)
    ]
    yield sorted(theirs.statuses.items())
    yield sorted(theirs.problems.items())
    yield sorted(theirs.unread.items())


def _own(ours: Ours) -> Iterable[Iterable[tuple[object, ...]]]:
    yield [(r.id, r.charge, r.gross_minor, r.fee_minor, r.currency, r.paid_at) for r in ours.receipts]
    yield [(j.effect, j.state.value, j.on, j.currency, sorted(j.lines)) for j in ours.journals]
    yield [
        (p.effect, p.state.value, p.core_account, p.side, p.amount_minor, p.currency, p.value_on, p.undone)
        for p in ours.postings
    ]
    yield [(r.id, r.state.value, r.amount_minor, r.currency, r.provider_ref) for r in ours.refunds]
    owed = ours.owed
    yield [(u.connection, u.charge, u.currency, u.net_minor, u.fee_known) for u in owed.unsettled]
    yield [(o.connection, o.id, o.currency, o.amount_minor) for o in owed.refunded]
    yield [(c.connection, c.currency, c.standing_minor, c.ordered_minor) for c in owed.clearing]
    yield owed.settled
    yield owed.unbooked


def outcome_digest(sections: Sequence[Section], findings: Sequence[Finding]) -> str:
    """SHA-256 over the sums and the differences."""
    told = {
        "sections": [asdict(section) for section in sections],
        "findings": [asdict(finding) for finding in findings],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
