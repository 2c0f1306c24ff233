"""The states of our nouns and the one table each that says which move is allowed."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar


class PaymentState(StrEnum):
    """Where a payment, or one attempt of it, stands."""

    INTENDED = "intended"
    PENDING = "pending"
    PROCESSING = "processing"
    FAILED = "failed"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"


class EffectState(StrEnum):
    """Where one outgoing write stands."""

    INTENDED = "intended"
    SENDING = "sending"
    UNKNOWN = "unknown"
    HELD = "held"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Where a refund stands, from the approval to the gateway's last word."""

    INTENDED = "intended"
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DisputeState(StrEnum):
    """Where money that a member's bank claims back stands: `open` waits for the lender's answer."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class SettlementState(StrEnum):
    """Where a payout of the gateway to the lender's bank stands; nothing of it is moved by the hub."""

    PENDING = "pending"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"


class SettlementStand(StrEnum):
    """Where a settlement stands in the hub: `differs` was paid and does not tie, `tied` waits for its entry."""

    WAITING = "waiting"
    DIFFERS = "differs"
    TIED = "tied"
    BOOKED = "booked"
    FAILED = "failed"


class PayoutState(StrEnum):
    """Where money that is paid out stands, from the wish to the gateway's last word."""

    CHECKING = "checking"
    HELD = "held"
    INTENDED = "intended"
    AWAITING_OTP = "awaiting_otp"
    AWAITING_APPROVAL = "awaiting_approval"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    REVERSED = "reversed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AccountState(StrEnum):
    """Where a member's virtual account stands."""

    INTENDED = "intended"
    PENDING = "pending"
    ACTIVE = "active"
    CLOSED = "closed"
    FAILED = "failed"


class AuthorizationState(StrEnum):
    """Whether a way to pay that a member left may be charged."""

    ACTIVE = "active"
    ENDED = "ended"


class MandateState(StrEnum):
    """Where a member's leave to debit their bank account stands."""

    INTENDED = "intended"
    PENDING = "pending"
    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"
    FAILED = "failed"


class BreakState(StrEnum):
    """Where a difference stands between its finding and its end."""

    OPEN = "open"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"


class DeliveryState(StrEnum):
    """Where the delivery of one event to one consumer stands."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"
    DISCARDED = "discarded"


_P = PaymentState
_E = EffectState
_R = RefundState
_C = DisputeState
_O = PayoutState
_T = SettlementState
_W = SettlementStand


_A = AccountState
_M = MandateState
_B = BreakState
_D = DeliveryState

PAYMENT_MOVES: dict[PaymentState, frozenset[PaymentState]] = {
    _P.INTENDED: frozenset({_P.PENDING, _P.PROCESSING, _P.SUCCEEDED, _P.FAILED, _P.ABANDONED, _P.CANCELLED}),
    _P.PENDING: frozenset({_P.PROCESSING, _P.SUCCEEDED, _P.FAILED, _P.ABANDONED, _P.CANCELLED}),
    _P.PROCESSING: frozenset({_P.SUCCEEDED, _P.FAILED, _P.ABANDONED, _P.CANCELLED}),
    # The member may try again on the same page, so these three are not the end.
    _P.FAILED: frozenset({_P.SUCCEEDED, _P.PROCESSING, _P.ABANDONED, _P.CANCELLED}),
    _P.ABANDONED: frozenset({_P.SUCCEEDED, _P.PROCESSING, _P.FAILED, _P.CANCELLED}),
    _P.CANCELLED: frozenset({_P.SUCCEEDED}),
    _P.SUCCEEDED: frozenset(),
}
"""Moves of a payment and of an attempt. Success is final here; refunds are rows of their own."""

EFFECT_MOVES: dict[EffectState, frozenset[EffectState]] = {
    _E.INTENDED: frozenset({_E.SENDING, _E.HELD, _E.CANCELLED, _E.UNKNOWN}),
    # Back to intended only when it is proved that they did not do it.
    _E.SENDING: frozenset({_E.DONE, _E.REFUSED, _E.UNKNOWN, _E.HELD, _E.INTENDED}),
    _E.UNKNOWN: frozenset({_E.DONE, _E.REFUSED, _E.HELD, _E.INTENDED, _E.CANCELLED}),
    # Back to unknown when a late answer shows that it may have been done.
    _E.HELD: frozenset({_E.INTENDED, _E.CANCELLED, _E.DONE, _E.UNKNOWN}),
    _E.DONE: frozenset(),
    _E.REFUSED: frozenset(),
    _E.CANCELLED: frozenset(),
}
FINISHED_EFFECT = frozenset({_E.DONE, _E.REFUSED, _E.CANCELLED})
"""States that let the successor in a lane go on."""

REFUND_MOVES: dict[RefundState, frozenset[RefundState]] = {
    _R.INTENDED: frozenset({_R.PENDING, _R.PROCESSING, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.PENDING: frozenset({_R.PROCESSING, _R.SUCCEEDED, _R.FAILED}),
    _R.PROCESSING: frozenset({_R.PENDING, _R.SUCCEEDED, _R.FAILED}),
    # Some gateways take a success back, and tell so.
    _R.SUCCEEDED: frozenset({_R.FAILED}),
    _R.FAILED: frozenset({_R.SUCCEEDED}),
    _R.CANCELLED: frozenset(),
}
"""Moves of a refund. `pending` waits for somebody, `processing` for the gateway. Source: payments contract 1.2."""
ENDED_REFUND = frozenset({_R.SUCCEEDED, _R.FAILED, _R.CANCELLED})
"""States in which nothing more is expected of a refund by itself."""
UNDONE_REFUND = frozenset({_R.FAILED, _R.CANCELLED})
"""States in which a refund takes nothing from what may still be refunded."""

DISPUTE_MOVES: dict[DisputeState, frozenset[DisputeState]] = {
    _C.OPEN: frozenset({_C.UNDER_REVIEW, _C.WON, _C.LOST}),
    # The bank may ask again.
    _C.UNDER_REVIEW: frozenset({_C.OPEN, _C.WON, _C.LOST}),
    # What was decided may be decided otherwise, but is never open again.
    _C.WON: frozenset({_C.LOST}),
    _C.LOST: frozenset({_C.WON}),
}
"""Moves of a dispute. Source: payments contract 0 (canonical model) and 1.2."""
ENDED_DISPUTE = frozenset({_C.WON, _C.LOST})
"""States in which nobody is waited for."""

SETTLEMENT_MOVES: dict[SettlementState, frozenset[SettlementState]] = {
    _T.PENDING: frozenset({_T.PROCESSING, _T.PAID, _T.FAILED}),
    # A word that was never seen before is processing, so that it may turn out to have been pending.
    _T.PROCESSING: frozenset({_T.PENDING, _T.PAID, _T.FAILED}),
    # The bank may send it back days later.
    _T.PAID: frozenset({_T.FAILED}),
    # The gateway tries again.
    _T.FAILED: frozenset({_T.PROCESSING, _T.PAID}),
}
"""Moves of a settlement by the gateway's words. Source: payments contract 1.1, 2.1, 3.1."""
STAND_MOVES: dict[SettlementStand, frozenset[SettlementStand]] = {
    _W.WAITING: frozenset({_W.DIFFERS, _W.TIED, _W.FAILED}),
    # Until it ties, a person approves of the difference, or the bank sends it back.
    _W.DIFFERS: frozenset({_W.TIED, _W.FAILED}),
    # What is ordered or booked is never taken back here: what changes then is a person's.
    _W.TIED: frozenset({_W.BOOKED}),
    _W.BOOKED: frozenset(),
    _W.FAILED: frozenset({_W.WAITING, _W.DIFFERS, _W.TIED}),
}
"""Moves of a settlement in the hub."""
ORDERED_SETTLEMENT = frozenset({_W.TIED, _W.BOOKED})
"""Stands in which the entry is ordered: what the gateway tells otherwise from then on is a break."""


_O_AT_THE_GATEWAY = frozenset(
    {_O.AWAITING_OTP, _O.AWAITING_APPROVAL, _O.PROCESSING, _O.SUCCEEDED, _O.REVERSED, _O.FAILED, _O.CANCELLED}
)
PAYOUT_MOVES: dict[PayoutState, frozenset[PayoutState]] = {
    _O.CHECKING: frozenset({_O.HELD, _O.INTENDED, _O.CANCELLED}),
    # Released or cancelled by a second person.
    _O.HELD: frozenset({_O.INTENDED, _O.CANCELLED}),
    # Its effects are stored; from here on only the gateway, or an operator who skips them, ends it.
    _O.INTENDED: _O_AT_THE_GATEWAY,
    _O.AWAITING_OTP: _O_AT_THE_GATEWAY - {_O.AWAITING_OTP},
    _O.AWAITING_APPROVAL: _O_AT_THE_GATEWAY - {_O.AWAITING_APPROVAL},
    _O.PROCESSING: frozenset({_O.SUCCEEDED, _O.REVERSED, _O.FAILED, _O.CANCELLED}),
    # Paid out, and then it came back.
    _O.SUCCEEDED: frozenset({_O.REVERSED}),
    _O.REVERSED: frozenset(),
    # Nothing is resent by itself, and a failure that is taken back is for a person.
    _O.FAILED: frozenset(),
    _O.CANCELLED: frozenset(),
}
"""Moves of a payout. Sources: payments contract 0 (canonical model) and 1.2 (words of transfers)."""
ENDED_PAYOUT = frozenset({_O.SUCCEEDED, _O.REVERSED, _O.FAILED, _O.CANCELLED})
"""States in which a payout takes nothing of the float any more."""
ORDERED_PAYOUT = frozenset({_O.INTENDED, _O.AWAITING_OTP, _O.AWAITING_APPROVAL, _O.PROCESSING})
"""States in which the money may leave, or has left, and the gateway has not said how it ended."""
ACCOUNT_MOVES: dict[AccountState, frozenset[AccountState]] = {
    _A.INTENDED: frozenset({_A.PENDING, _A.ACTIVE, _A.FAILED}),
    _A.PENDING: frozenset({_A.ACTIVE, _A.FAILED}),
    _A.ACTIVE: frozenset({_A.CLOSED}),
    # It may be assigned after all, later than anybody waited for it.
    _A.FAILED: frozenset({_A.ACTIVE}),
    _A.CLOSED: frozenset(),
}
"""Moves of a virtual account. `pending` waits for the bank to assign it. A closed number is never opened again."""

MANDATE_MOVES: dict[MandateState, frozenset[MandateState]] = {
    _M.INTENDED: frozenset({_M.PENDING, _M.APPROVED, _M.ACTIVE, _M.ENDED, _M.FAILED}),
    _M.PENDING: frozenset({_M.APPROVED, _M.ACTIVE, _M.SUSPENDED, _M.ENDED, _M.FAILED}),
    _M.APPROVED: frozenset({_M.ACTIVE, _M.SUSPENDED, _M.ENDED, _M.FAILED}),
    _M.ACTIVE: frozenset({_M.SUSPENDED, _M.ENDED}),
    _M.SUSPENDED: frozenset({_M.ACTIVE, _M.ENDED}),
    # The member may approve after all, later than anybody waited for it.
    _M.FAILED: frozenset({_M.APPROVED, _M.ACTIVE, _M.ENDED}),
    _M.ENDED: frozenset(),
}
"""Moves of a mandate. `pending` waits for the member, `approved` for the bank. Sources: payments contract 1.1 (verify,
list) and 2.1 (e-mandate)."""

BREAK_MOVES: dict[BreakState, frozenset[BreakState]] = {
    _B.OPEN: frozenset({_B.PROPOSED, _B.RESOLVED}),
    # Back to open when it is withdrawn or rejected.
    _B.PROPOSED: frozenset({_B.OPEN, _B.APPROVED}),
    # Back to open when the correcting write was refused or skipped.
    _B.APPROVED: frozenset({_B.RESOLVED, _B.WRITTEN_OFF, _B.OPEN}),
    # Back to open when the difference is found again with other facts.
    _B.RESOLVED: frozenset({_B.OPEN}),
    _B.WRITTEN_OFF: frozenset(),
}
"""Moves of a break. What moves or books money goes over `proposed` and `approved`, by two persons."""
CLOSED_BREAK = frozenset({_B.RESOLVED, _B.WRITTEN_OFF})
"""States in which a break asks for nobody any more."""

DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    _D.WAITING: frozenset({_D.DONE, _D.DEAD}),
    _D.DEAD: frozenset({_D.WAITING, _D.DISCARDED}),
    # A person may change their mind: what was discarded is kept.
    _D.DISCARDED: frozenset({_D.WAITING}),
    _D.DONE: frozenset(),
}
"""Moves of a delivery. `dead` was given up by the bus and waits for a person, who redrives or discards it."""

_S = TypeVar(
    "_S",
    PaymentState,
    EffectState,
    RefundState,
    DisputeState,
    SettlementState,
    SettlementStand,
    PayoutState,
    AccountState,
    MandateState,
    BreakState,
    DeliveryState,
)


class ForbiddenMove(Exception):
    """The table forbids this move; the caller opens a break."""

    def __init__(self, noun: str, old: str, new: str) -> None:
        super().__init__(f"{noun} may not move from {old} to {new}")
        self.noun, self.old, self.new = noun, old, new


def may_move(table: dict[_S, frozenset[_S]], old: _S, new: _S) -> bool:
    """True if `new` is `old` or an allowed successor of it."""
    return new == old or new in table[old]


def before(table: dict[_S, frozenset[_S]], new: _S) -> list[_S]:
    """The states from which the table leads to `new`, in the order of their words."""
    return sorted(old for old, news in table.items() if new in news)


def move(noun: str, table: dict[_S, frozenset[_S]], old: _S, new: _S) -> _S:
    """`new`, or ForbiddenMove if the table does not allow it."""
    if not may_move(table, old, new):
        raise ForbiddenMove(noun, old, new)
    return new
