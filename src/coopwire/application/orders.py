"""Turns a stored effect into the order that an adapter understands, with what it needs from the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, cast

from coopwire.application.network import CAPABILITY_OF
from coopwire.domain.authorizations import Left
from coopwire.domain.books import Side
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.errors import InvalidOrder
from coopwire.domain.mandates import Debtor, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.payouts import Beneficiary
from coopwire.domain.virtual_accounts import Holder
from coopwire.ports.books import JournalOrder, JournalOrderLine
from coopwire.ports.corebank import PostingOrder, ReversalOrder
from coopwire.ports.gateways import (
    AccountClosingOrder,
    CheckoutOrder,
    DeactivationOrder,
    DisputeOrder,
    MandateChangeOrder,
    MandateKey,
    MandateOrder,
    RecipientOrder,
    RefundOrder,
    SavedChargeOrder,
    TransferOrder,
    VirtualAccountOrder,
)
from coopwire.ports.lms import CallbackOrder
from coopwire.ports.providers import Connected
from coopwire.ports.stores import AccountMapping, AnswerWords, CoreAccount, Transaction
from coopwire.ports.writes import Finding

Order = (
    CheckoutOrder
    | JournalOrder
    | PostingOrder
    | ReversalOrder
    | RefundOrder
    | DisputeOrder
    | VirtualAccountOrder
    | AccountClosingOrder
    | SavedChargeOrder
    | DeactivationOrder
    | CallbackOrder
    | RecipientOrder
    | TransferOrder
    | MandateOrder
    | MandateChangeOrder
)
CountedOrder = ReversalOrder | RefundOrder | VirtualAccountOrder
"""Orders that carry no reference of ours: before one is sent, what stands at its target is counted."""


class Socket(Protocol):
    """What every writing capability has in common: say it, send it, find it."""

    def say(self, order: Any) -> bytes: ...
    async def send(self, order: Any, said: bytes) -> Any: ...
    async def find(self, order: Any, sent_at: datetime) -> Finding[Any]: ...


class CountingSocket(Socket, Protocol):
    """A socket whose orders carry no reference of ours."""

    async def count(self, order: Any) -> tuple[str, ...]: ...


def socket_of(connected: Connected, kind: EffectKind) -> Socket:
    """The socket through which this kind of effect is sent."""
    return cast(Socket, getattr(connected.sockets, CAPABILITY_OF[kind].value))


class MappingMissing(InvalidOrder):
    """A neutral key has no account in the books' mapping: the effect is held until it has."""


@dataclass(frozen=True, slots=True)
class Material:
    """What the orders of a batch of effects need beside the effects; `mappings` by effect id."""

    mappings: Mapping[str, AccountMapping] = field(default_factory=dict)
    core_accounts: Mapping[int, CoreAccount] = field(default_factory=dict)
    payers: Mapping[str, Payer] = field(default_factory=dict)
    return_urls: Mapping[str, str | None] = field(default_factory=dict)
    answers: Mapping[str, AnswerWords] = field(default_factory=dict)
    """By effect."""
    beneficiaries: Mapping[str, Beneficiary] = field(default_factory=dict)
    recipients: Mapping[str, str] = field(default_factory=dict)
    """The gateway's ids of accounts that were made known, by payout."""
    holders: Mapping[str, Holder] = field(default_factory=dict)
    left: Mapping[str, Left] = field(default_factory=dict, repr=False)
    """By authorization or mandate."""
    debtors: Mapping[str, Debtor] = field(default_factory=dict, repr=False)
    """By mandate."""
    sent: bool = False
    """Whether the effects were sent, and are looked up now."""


async def gather(tx: Transaction, effects: Sequence[Effect], *, sent: bool) -> Material:
    """Read the material of these effects: with the active mapping, or that of their last try if `sent`."""
    of_kind = {kind: [e for e in effects if e.kind is kind] for kind in EffectKind}
    at_the_bank = (*of_kind[EffectKind.POSTING], *of_kind[EffectKind.REVERSAL])
    accounts = [cast(int, e.order["core_account"]) for e in at_the_bank]
    payouts = [payout_of(e) for kind in (EffectKind.RECIPIENT, EffectKind.TRANSFER) for e in of_kind[kind]]
    payments = [e.payment for e in of_kind[EffectKind.CHECKOUT] if e.payment is not None]
    answers = [e.id for e in of_kind[EffectKind.DISPUTE_ANSWER]]
    asked = [cast(str, e.order["virtual_account"]) for e in of_kind[EffectKind.VIRTUAL_ACCOUNT]]
    of_members = (*of_kind[EffectKind.SAVED_CHARGE], *of_kind[EffectKind.DEACTIVATION])
    kept = [cast(str, e.order["authorization"]) for e in of_members if not e.order.get("of_mandate")]
    debited = [cast(str, e.order["authorization"]) for e in of_members if e.order.get("of_mandate")]
    debited += [mandate_of(e) for e in of_kind[EffectKind.MANDATE_CHANGE]]
    begun = [mandate_of(e) for e in of_kind[EffectKind.MANDATE]]
    return Material(
        mappings=await _mappings(tx, of_kind[EffectKind.JOURNAL], sent),
        core_accounts=await tx.connections.core_accounts(accounts) if accounts else {},
        payers=await tx.payments.payers(payments) if payments else {},
        return_urls=await tx.payments.return_urls(payments) if payments else {},
        answers=await tx.disputes.words(answers) if answers else {},
        beneficiaries=await tx.payouts.beneficiaries(payouts) if payouts else {},
        recipients=await tx.payouts.recipients(payouts) if of_kind[EffectKind.TRANSFER] else {},
        holders=await tx.virtual_accounts.holders(asked) if asked else {},
        left={
            **(await tx.authorizations.left(kept) if kept else {}),
            **(await tx.mandates.left(debited) if debited else {}),
        },
        debtors=await tx.mandates.debtors(begun) if begun else {},
        sent=sent,
    )


async def _mappings(tx: Transaction, journals: Sequence[Effect], sent: bool) -> dict[str, AccountMapping]:
    """By effect. What was never tried here may have been sent by a hub that is lost: by the active mapping, if any."""
    known = await tx.effects.sent_mappings([e.id for e in journals]) if sent and journals else {}
    journals = [e for e in journals if e.id not in known]
    wanted = {(e.connection, _pinned(e)) for e in journals}
    found = {one: await tx.connections.mapping(*one) for one in wanted}
    active = {e.id: mapping for e in journals if (mapping := found[e.connection, _pinned(e)]) is not None}
    return known | active


def _pinned(journal: Effect) -> int | None:
    """A reversal goes to the accounts of its original, whatever the mapping says by now."""
    return cast("int | None", journal.order.get("mapping"))


def mapping_version(effect: Effect, material: Material) -> int | None:
    """The version of the mapping behind an entry's body."""
    mapping = material.mappings.get(effect.id)
    return mapping.version if mapping is not None else None


def order_of(effect: Effect, material: Material) -> Order:
    """The order behind an effect. MappingMissing or InvalidOrder say what to mend."""
    return _BUILDERS[effect.kind](effect, material)


def _checkout(effect: Effect, material: Material) -> Order:
    assert effect.payment is not None
    payer = material.payers.get(effect.payment)
    if payer is None:
        raise InvalidOrder("the payer's record cannot be opened: is the secret key right?", field="payer")
    return CheckoutOrder(
        reference=effect.reference,
        amount_minor=cast(int, effect.order["amount_minor"]),
        currency=cast(str, effect.order["currency"]),
        payer=payer,
        return_url=material.return_urls.get(effect.payment),
        facts=(("payment", effect.payment),),
        save=effect.order.get("save") is True,
    )


def _journal(effect: Effect, material: Material) -> Order:
    mapping = material.mappings.get(effect.id)
    if mapping is None:
        raise MappingMissing(
            f"connection {effect.connection} has no active mapping: load one with `coopwire mapping load`"
        )
    order = effect.order
    lines = cast(list[tuple[str, str, int]], order["lines"])
    return JournalOrder(
        reference=effect.reference,
        on=date.fromisoformat(cast(str, order["on"])),
        currency=cast(str, order["currency"]),
        narrative=cast(str, order["narrative"]),
        lines=tuple(
            JournalOrderLine(_account(mapping, key), Side(side), amount, key) for key, side, amount in lines
        ),
        branch=cast("str | None", order["branch"]),
    )


def _account(mapping: AccountMapping, key: str) -> str:
    account = mapping.entries.get(key)
    if account is None:
        raise MappingMissing(
            f"mapping version {mapping.version} of {mapping.connection} has no account for {key!r}", field=key
        )
    return account


def _number(effect: Effect, material: Material) -> str:
    account = material.core_accounts.get(cast(int, effect.order["core_account"]))
    if account is None:
        raise InvalidOrder(
            "the member's core account is not in the table, or no secret key opens it", field="core_account"
        )
    return account.number


def _posting(effect: Effect, material: Material) -> Order:
    order = effect.order
    return PostingOrder(
        reference=effect.reference,
        account=_number(effect, material),
        amount_minor=cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        narration=cast(str, order["narration"]),
        value_on=date.fromisoformat(cast(str, order["value_on"])),
        gl=cast(str, order["gl"]),
        side=Side(cast(str, order.get("side", Side.CREDIT))),
    )


def _reversal(effect: Effect, material: Material) -> Order:
    order = effect.order
    return ReversalOrder(
        reference=effect.reference,
        original=cast(str, order["original"]),
        account=_number(effect, material),
        amount_minor=cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        posted_on=date.fromisoformat(cast(str, order["posted_on"])),
        side=Side(cast(str, order.get("side", Side.CREDIT))),
        census=tuple(effect.census or ()),
    )


def _refund(effect: Effect, material: Material) -> Order:
    order = effect.order
    return RefundOrder(
        reference=effect.reference,
        charge=cast(str, order["charge"]),
        amount_minor=cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        whole=bool(order["whole"]),
        census=tuple(effect.census or ()),
    )


def dispute_order(effect: Effect, words: AnswerWords) -> DisputeOrder:
    """The answer to a dispute behind an effect."""
    order = effect.order
    return DisputeOrder(
        reference=effect.reference,
        dispute=cast(str, order["dispute"]),
        verdict=DisputeVerdict(cast(str, order["verdict"])),
        refund_minor=cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        message=words.message,
        evidence_file=words.evidence_file,
        whole=bool(order.get("whole")),
    )


def _dispute_answer(effect: Effect, material: Material) -> Order:
    words = material.answers.get(effect.id)
    if words is None:
        raise InvalidOrder("the answer's words cannot be opened: is the secret key right?", field="answer")
    return dispute_order(effect, words)


def _virtual_account(effect: Effect, material: Material) -> Order:
    order = effect.order
    holder = material.holders.get(cast(str, order["virtual_account"]))
    if holder is None:
        raise InvalidOrder("the holder's record is forgotten, or no secret key opens it", field="holder")
    return account_order(effect, holder)


def account_order(effect: Effect, holder: Holder) -> VirtualAccountOrder:
    """The order for a virtual account, with what was counted before its last send."""
    return VirtualAccountOrder(
        reference=effect.reference,
        holder=holder.payer,
        currency=cast(str, effect.order["currency"]),
        bank=cast(str, effect.order["bank"]),
        identity=holder.identity,
        census=tuple(effect.census or ()),
    )


def _account_closing(effect: Effect, material: Material) -> Order:
    return AccountClosingOrder(reference=effect.reference, account=cast(str, effect.order["account"]))


_NOTHING_LEFT = Left("", "", active=False)


def _left(effect: Effect, material: Material) -> Left:
    left = material.left.get(cast(str, effect.order["authorization"]))
    if left is None:
        raise InvalidOrder("the authorization is forgotten, or no secret key opens it", field="authorization")
    return left


def _saved_charge(effect: Effect, material: Material) -> Order:
    # A look-up asks by the reference alone, so an authorization that is gone by now does not stand in its way.
    left = _NOTHING_LEFT if material.sent else _left(effect, material)
    if not (left.active or material.sent):
        raise InvalidOrder("the member's authorization was ended", field="authorization")
    return SavedChargeOrder(
        reference=effect.reference,
        authorization=left.code,
        email=left.email,
        amount_minor=cast(int, effect.order["amount_minor"]),
        currency=cast(str, effect.order["currency"]),
        at_least_minor=cast("int | None", effect.order.get("at_least_minor")),
        of_mandate=bool(effect.order.get("of_mandate")),
    )


def _deactivation(effect: Effect, material: Material) -> Order:
    return DeactivationOrder(effect.reference, _left(effect, material).code)


def mandate_of(effect: Effect) -> str:
    """The mandate that an effect starts or changes."""
    return cast(str, effect.order["mandate"])


def _mandate(effect: Effect, material: Material) -> Order:
    debtor = material.debtors.get(mandate_of(effect))
    if debtor is None:
        raise InvalidOrder("the member's record is forgotten, or no secret key opens it", field="payer")
    return mandate_order(effect, debtor)


def mandate_order(effect: Effect, debtor: Debtor) -> MandateOrder:
    """The order for a mandate behind an effect."""
    order = effect.order
    return MandateOrder(
        reference=effect.reference,
        payer=debtor.payer,
        currency=cast(str, order["currency"]),
        account=debtor.account,
        address=debtor.address,
        return_url=cast("str | None", order["return_url"]),
        customer=cast("str | None", order["customer"]),
        ceiling_minor=cast("int | None", order["ceiling_minor"]),
        starts_on=_day(order["starts_on"]),
        ends_on=_day(order["ends_on"]),
        purpose=cast(str, order["purpose"]),
    )


def _day(told: object) -> date | None:
    return None if told is None else date.fromisoformat(cast(str, told))


def _mandate_change(effect: Effect, material: Material) -> Order:
    order, left = effect.order, material.left.get(mandate_of(effect))
    return MandateChangeOrder(
        reference=effect.reference,
        change=MandateChange(cast(str, order["change"])),
        mandate=MandateKey(cast(str, order["provider_ref"]), left.code if left is not None else None),
        customer=cast("str | None", order["customer"]),
    )


def _callback(effect: Effect, material: Material) -> Order:
    order = effect.order
    return CallbackOrder(
        reference=effect.reference,
        url=cast("str | None", order["url"]),
        payload=cast(Mapping[str, object], order["payload"]),
        wants_allocation=bool(order["wants_allocation"]),
    )


def payout_of(effect: Effect) -> str:
    """The payout that an effect makes an account known for, or pays."""
    return cast(str, effect.order["payout"])


def _beneficiary(effect: Effect, material: Material) -> Beneficiary:
    found = material.beneficiaries.get(payout_of(effect))
    if found is None:
        raise InvalidOrder(
            "the beneficiary's record cannot be opened: is the secret key right?", field="account"
        )
    return found


def _recipient(effect: Effect, material: Material) -> Order:
    person = _beneficiary(effect, material)
    return RecipientOrder(
        reference=effect.reference,
        account=person.account,
        bank=cast(str, effect.order["bank"]),
        name=person.known_as,
        currency=cast(str, effect.order["currency"]),
    )


def _transfer(effect: Effect, material: Material) -> Order:
    person, order = _beneficiary(effect, material), effect.order
    recipient = material.recipients.get(payout_of(effect))
    if order["to_recipient"] and recipient is None:
        raise InvalidOrder("the gateway was not told of the account", field="recipient")
    return TransferOrder(
        reference=effect.reference,
        amount_minor=cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        account=person.account,
        bank=cast(str, order["bank"]),
        name=person.known_as,
        narration=cast(str, order["narration"]),
        recipient=recipient,
    )


_BUILDERS = {
    EffectKind.CHECKOUT: _checkout,
    EffectKind.JOURNAL: _journal,
    EffectKind.POSTING: _posting,
    EffectKind.REVERSAL: _reversal,
    EffectKind.REFUND: _refund,
    EffectKind.DISPUTE_ANSWER: _dispute_answer,
    EffectKind.CALLBACK: _callback,
    EffectKind.RECIPIENT: _recipient,
    EffectKind.TRANSFER: _transfer,
    EffectKind.VIRTUAL_ACCOUNT: _virtual_account,
    EffectKind.ACCOUNT_CLOSING: _account_closing,
    EffectKind.SAVED_CHARGE: _saved_charge,
    EffectKind.DEACTIVATION: _deactivation,
    EffectKind.MANDATE: _mandate,
    EffectKind.MANDATE_CHANGE: _mandate_change,
}
