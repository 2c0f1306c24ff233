"""Builds the effects that the hub intends, one function for each kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import cast

from coopwire.domain.authorizations import SavedAuthorization
from coopwire.domain.books import JournalEntry, JournalLine, Side, reversal_entry, settlement_entry, total
from coopwire.domain.disputes import Dispute, DisputeAnswer
from coopwire.domain.effects import Effect, EffectKind, fingerprint
from coopwire.domain.errors import InvalidOrder
from coopwire.domain.mandates import Mandate, MandateChange
from coopwire.domain.payments import Attempt, Payment
from coopwire.domain.payouts import Payout
from coopwire.domain.receipts import Receipt
from coopwire.domain.references import derived_reference, derived_short_reference, new_reference
from coopwire.domain.refunds import Refund
from coopwire.domain.settlements import Settlement
from coopwire.domain.states import EffectState
from coopwire.domain.virtual_accounts import VirtualAccount
from coopwire.ports.providers import Connected
from coopwire.ports.tracing import here

_Lines = list[tuple[str, str, int]]


def _intended(
    kind: EffectKind,
    connection: str,
    reference: str,
    order: Mapping[str, object],
    now: datetime,
    *,
    id: str | None = None,
    content: Mapping[str, object] | None = None,
    lane: str | None = None,
    after: str | None = None,
    payment: str | None = None,
    receipt: str | None = None,
) -> Effect:
    """An effect that is due at once, of the trace in which it is wanted.

    `id` is the reference and `content`, what it says economically, the whole order unless they are given.
    """
    return Effect(
        id=reference if id is None else id,
        kind=kind,
        connection=connection,
        reference=reference,
        order=order,
        fingerprint=fingerprint(order if content is None else content),
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        lane=lane,
        after=after,
        payment=payment,
        receipt=receipt,
        traceparent=here(),
    )


def checkout_effect(payment: Payment, attempt: Attempt, now: datetime) -> Effect:
    """Open a page for an attempt; its reference is the attempt's."""
    order: dict[str, object] = {"amount_minor": attempt.money.minor, "currency": attempt.money.currency}
    if payment.save_authorization:
        order["save"] = True
    return _intended(
        EffectKind.CHECKOUT,
        attempt.connection,
        attempt.reference,
        order,
        now,
        id=new_reference(),
        payment=payment.reference,
    )


def saved_charge_effect(
    payment: Payment, attempt: Attempt, authorization: str, now: datetime, *, of_mandate: bool = False
) -> Effect:
    """Charge what the member left, or debit their mandate, for an attempt; its reference is the attempt's."""
    order: dict[str, object] = {
        "amount_minor": attempt.money.minor,
        "currency": attempt.money.currency,
        "authorization": authorization,
    }
    if attempt.at_least_minor is not None:
        order["at_least_minor"] = attempt.at_least_minor
    if of_mandate:
        order["of_mandate"] = True
    return _intended(
        EffectKind.SAVED_CHARGE,
        attempt.connection,
        attempt.reference,
        order,
        now,
        id=new_reference(),
        payment=payment.reference,
    )


def deactivation_effect(authorization: SavedAuthorization, reference: str, now: datetime) -> Effect:
    """End at the gateway what a member left there."""
    order: dict[str, object] = {"authorization": authorization.id}
    return _intended(EffectKind.DEACTIVATION, authorization.connection, reference, order, now)


def journal_effect(
    entry: JournalEntry,
    connection: str,
    now: datetime,
    *,
    about: tuple[str, ...],
    receipt: str | None,
    payment: str | None,
    after: str | None = None,
    mapping: int | None = None,
) -> Effect:
    """Post an entry on neutral keys; the mapping turns keys into accounts when it is sent.

    `about` names what the entry says, and gives the reference: the same fact is never booked under two.
    `mapping` is the version to use, for an entry that has to meet another one's accounts.
    """
    lines = [[line.key, line.side.value, line.amount_minor] for line in entry.lines]
    content: dict[str, object] = {"on": entry.on.isoformat(), "currency": entry.currency, "lines": lines}
    reference = derived_reference("journal", connection, *about)
    pinned: dict[str, object] = {} if mapping is None else {"mapping": mapping}
    return _intended(
        EffectKind.JOURNAL,
        connection,
        reference,
        {
            **content,
            "kind": entry.kind,
            "narrative": entry.narrative,
            "branch": entry.branch,
            **pinned,
        },
        now,
        content=content,
        after=after,
        payment=payment,
        receipt=receipt,
    )


def settlement_effect(
    settlement: Settlement, parts: Mapping[str, int], books: str, now: datetime, on: date
) -> Effect | None:
    """Post a settlement's entry, once whatever its parts are; None for one that moves nothing.

    `parts` are minor units by key, debits above nought; `on` is its day where the gateway does not say one.
    """
    entry = settlement_entry(
        parts,
        on=settlement.settled_on or on,
        currency=settlement.currency,
        narrative=f"Settlement {settlement.provider_ref} of {settlement.connection}",
    )
    if entry is None:
        return None
    about = ("settlement", settlement.id)
    return journal_effect(entry, books, now, about=about, receipt=None, payment=None)


def entry_of(journal: Effect) -> JournalEntry:
    """The entry that an effect of kind journal posts; which member it is about is not kept there."""
    order = journal.order
    lines = cast(_Lines, order["lines"])
    return JournalEntry(
        kind=cast(str, order["kind"]),
        on=date.fromisoformat(cast(str, order["on"])),
        currency=cast(str, order["currency"]),
        narrative=cast(str, order["narrative"]),
        lines=tuple(JournalLine(key, Side(side), amount) for key, side, amount in lines),
        branch=cast("str | None", order["branch"]),
    )


def journal_reversal_effect(
    journal: Effect, *, on: date, mapping: int, about: tuple[str, ...], now: datetime
) -> Effect:
    """Undo a journal that is done by its mirror, dated `on`.

    `mapping` is the version with which the original was sent (`Effects.sent_mappings`): the mirror meets the
    same accounts, though the mapping may have changed since. ValueError for anything but a journal that is done.
    """
    if journal.kind is not EffectKind.JOURNAL or journal.state is not EffectState.DONE:
        raise ValueError(f"only a journal that is done can be reversed, not a {journal.state} {journal.kind}")
    order = journal.order
    entry = reversal_entry(
        [JournalLine(key, Side(side), amount) for key, side, amount in cast(_Lines, order["lines"])],
        on=on,
        currency=cast(str, order["currency"]),
        narrative=f"Reversal of {journal.reference}: {order['narrative']}",
        branch=cast("str | None", order["branch"]),
        member=None,
    )
    return journal_effect(
        entry,
        journal.connection,
        now,
        about=about,
        receipt=journal.receipt,
        payment=journal.payment,
        after=journal.id,
        mapping=mapping,
    )


def instead_of(original: Effect, effect: Effect) -> Effect:
    """The effect, marked as the one that does what `original` did not, or does not any more."""
    return replace(effect, order={**effect.order, "instead_of": original.id})


def posting_effect(
    bank: Connected,
    *,
    core_account: int,
    gl: str,
    amount_minor: int,
    currency: str,
    value_on: date,
    narration: str,
    now: datetime,
    after: str | None,
    about: tuple[str, ...],
    receipt: str,
    payment: str | None,
    side: Side = Side.CREDIT,
) -> Effect:
    """Credit the member's core account against the receivable GL (or debit it), in the account's lane.

    `about` names what is posted, and gives the reference: the same fact is never posted under two.
    """
    name = bank.connection.name
    content: dict[str, object] = {
        "core_account": core_account,
        "gl": gl,
        "amount_minor": amount_minor,
        "currency": currency,
        **({} if side is Side.CREDIT else {"side": side.value}),
    }
    short = bank.profile.short_references
    what = ("posting", name, *about)
    return _intended(
        EffectKind.POSTING,
        name,
        derived_short_reference(bank.connection.mode, *what) if short else derived_reference(*what),
        {**content, "value_on": value_on.isoformat(), "narration": narration},
        now,
        id=derived_reference(*what),
        content=content,
        lane=posting_lane(name, core_account),
        after=after,
        payment=payment,
        receipt=receipt,
    )


def reversal_effect(posting: Effect, posted_on: date, now: datetime, *, after: str | None) -> Effect:
    """Undo a posting that is done, whole, in the lane of its account and behind what is in it.

    `posted_on` is the day on which it was sent, by the bank's calendar. InvalidOrder unless the posting is done:
    what is unknown may not have happened, and the reversal would take money that was never there.
    """
    if posting.state is not EffectState.DONE:
        raise InvalidOrder(
            f"only a posting that is done is reversed; this one is {posting.state}", field="posting"
        )
    content: dict[str, object] = {
        name: posting.order[name]
        for name in ("core_account", "amount_minor", "currency", "side")
        if name in posting.order
    }
    content |= {"original": posting.reference, "posted_on": posted_on.isoformat()}
    reference = derived_reference("reversal", posting.id)
    return _intended(
        EffectKind.REVERSAL,
        posting.connection,
        reference,
        content,
        now,
        lane=posting.lane,
        after=after,
        payment=posting.payment,
        receipt=posting.receipt,
    )


def money_of(effect: Effect) -> tuple[int | None, str | None]:
    """The minor units that an effect moves and their currency; None for a message."""
    if effect.kind is EffectKind.CALLBACK:
        return None, None
    if effect.kind is EffectKind.JOURNAL:
        entry = entry_of(effect)
        return total(entry.lines, Side.DEBIT), entry.currency
    return cast("int | None", effect.order.get("amount_minor")), cast(
        "str | None", effect.order.get("currency")
    )


def side_of(posting: Effect) -> Side:
    """Whether a posting credits the member or debits it."""
    return Side(cast(str, posting.order.get("side", Side.CREDIT)))


def refund_effect(refund: Refund, receipt: Receipt, now: datetime, *, after: str | None) -> Effect:
    """Ask the gateway to give money back, in the lane of the charge: one unresolved refund of it at a time."""
    content: dict[str, object] = {
        "charge": receipt.charge,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "whole": refund.amount_minor == receipt.gross_minor,
    }
    reference = derived_reference("refund", refund.id)
    return _intended(
        EffectKind.REFUND,
        refund.connection,
        reference,
        content,
        now,
        lane=refund_lane(refund.connection, receipt.charge),
        after=after,
        payment=receipt.payment,
        receipt=receipt.id,
    )


def answer_effect(answer: DisputeAnswer, dispute: Dispute, now: datetime) -> Effect:
    """Give the lender's answer to a dispute; what it says in words stands apart, sealed."""
    content: dict[str, object] = {
        "dispute": dispute.provider_ref,
        "verdict": answer.verdict.value,
        "amount_minor": answer.refund_minor,
        "currency": dispute.currency,
        "whole": answer.refund_minor == dispute.amount_minor,
    }
    reference = derived_reference("dispute_answer", answer.id)
    return _intended(
        EffectKind.DISPUTE_ANSWER,
        dispute.connection,
        reference,
        content,
        now,
        payment=dispute.payment,
        receipt=dispute.receipt,
    )


def recipient_effect(payout: Payout, now: datetime) -> Effect:
    """Make the account of a payout known to the gateway; which account it is stands in the sealed record alone."""
    content: dict[str, object] = {"payout": payout.id, "bank": payout.bank, "currency": payout.currency}
    return _of_payout(EffectKind.RECIPIENT, payout, content, now, after=None)


def transfer_effect(payout: Payout, now: datetime, *, recipient: Effect | None) -> Effect:
    """Pay it out, once the account is known where the gateway wants that. The reference follows from the payout."""
    content: dict[str, object] = {
        "payout": payout.id,
        "bank": payout.bank,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "narration": payout.purpose,
        "to_recipient": recipient is not None,
    }
    after = recipient.id if recipient is not None else None
    return _of_payout(EffectKind.TRANSFER, payout, content, now, after=after)


def _of_payout(
    kind: EffectKind, payout: Payout, content: Mapping[str, object], now: datetime, *, after: str | None
) -> Effect:
    reference = derived_reference(kind.value, payout.id)
    return _intended(kind, payout.connection, reference, content, now, after=after)


def refund_lane(connection: str, charge: str) -> str:
    """Refunds of one charge go one after the other: only so can the gateway's list tell them apart."""
    return f"refund:{connection}:{charge}"


def virtual_account_effect(account: VirtualAccount, lane: str, *, after: str | None) -> Effect:
    """Ask the gateway for an account, in the lane of its holder: one unresolved order of theirs at a time."""
    order: dict[str, object] = {
        "virtual_account": account.id,
        "currency": account.currency,
        "bank": account.bank,
    }
    return _intended(
        EffectKind.VIRTUAL_ACCOUNT,
        account.connection,
        account.effect,
        order,
        account.created_at,
        lane=lane,
        after=after,
    )


def account_closing_effect(account: VirtualAccount, reference: str, now: datetime) -> Effect:
    """Close an account that is open. InvalidOrder while the gateway has not told its id."""
    if account.provider_ref is None:
        raise InvalidOrder("the gateway has not told the id of this account", field="account")
    order: dict[str, object] = {"virtual_account": account.id, "account": account.provider_ref}
    return _intended(EffectKind.ACCOUNT_CLOSING, account.connection, reference, order, now)


def mandate_effect(mandate: Mandate, *, return_url: str | None, customer: str | None, purpose: str) -> Effect:
    """Ask the gateway for a mandate; who gives it stands in the sealed record alone."""
    order: dict[str, object] = {
        "mandate": mandate.id,
        "currency": mandate.currency,
        "ceiling_minor": mandate.ceiling_minor,
        "starts_on": mandate.starts_on.isoformat() if mandate.starts_on is not None else None,
        "ends_on": mandate.ends_on.isoformat() if mandate.ends_on is not None else None,
        "return_url": return_url,
        "customer": customer,
        "purpose": purpose,
    }
    return _intended(
        EffectKind.MANDATE,
        mandate.connection,
        mandate.effect,
        order,
        mandate.created_at,
        lane=mandate.lane,
    )


def mandate_change_effect(
    mandate: Mandate, change: MandateChange, reference: str, now: datetime, *, after: str | None
) -> Effect:
    """Have the gateway change a mandate, behind what was asked for before."""
    order: dict[str, object] = {
        "mandate": mandate.id,
        "change": change.value,
        "provider_ref": mandate.provider_ref,
        "customer": mandate.customer,
    }
    return _intended(
        EffectKind.MANDATE_CHANGE,
        mandate.connection,
        reference,
        order,
        now,
        lane=mandate.lane,
        after=after,
    )


def posting_lane(connection: str, core_account: int) -> str:
    """Credits of one core account keep the order of their receipts."""
    return f"core:{connection}:{core_account}"


def callback_effect(
    lms: str,
    type_: str,
    data: Mapping[str, object],
    now: datetime,
    *,
    subject: str,
    url: str | None,
    at: datetime | None = None,
    allocation: str | None = None,
    receipt: str | None = None,
    payment: str | None = None,
) -> Effect:
    """Tell the loan system what happened, `at` another time than now; `allocation` of a receipt: requested or decided.

    The same type about the same subject is the same message for ever.
    """
    text = f"{type_}|{subject}"
    reference = hashlib.sha256(text.encode()).hexdigest()[:20]
    stands = {} if allocation is None else {"allocation": allocation}
    payload = {"type": type_, "timestamp": (at or now).isoformat(), **stands, "data": data}
    return _intended(
        EffectKind.CALLBACK,
        lms,
        reference,
        {"payload": payload, "url": url, "wants_allocation": allocation == "requested"},
        now,
        content={"message": text},
        payment=payment,
        receipt=receipt,
    )


def fresh_copy(effect: Effect, reference: str, now: datetime) -> Effect:
    """The same order as a new intent under another reference."""
    return Effect(
        id=reference,
        kind=effect.kind,
        connection=effect.connection,
        reference=reference,
        order=effect.order,
        fingerprint=effect.fingerprint,
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        payment=effect.payment,
        receipt=effect.receipt,
        traceparent=here(),
    )
