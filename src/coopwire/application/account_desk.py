"""Takes orders for virtual accounts, closes them, and has missed transfers to them looked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from coopwire.application import announce
from coopwire.application.account_moves import moved_facts
from coopwire.application.bells import EFFECTS, OUTBOX, Bells
from coopwire.application.network import Network
from coopwire.application.paying import (
    Idempotent,
    Rejected,
    capable,
    linked_account,
    made_before,
    placeholder_email,
)
from coopwire.application.people import given_reason
from coopwire.application.planning import account_closing_effect, virtual_account_effect
from coopwire.domain.errors import HubError, InvalidOrder
from coopwire.domain.events import VIRTUAL_ACCOUNT_MOVED
from coopwire.domain.payments import Payer, PaymentKind
from coopwire.domain.references import new_reference
from coopwire.domain.states import AccountState, EffectState
from coopwire.domain.virtual_accounts import Holder, Identity, VirtualAccount
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import VirtualAccountOrder
from coopwire.ports.providers import Capability, Connected
from coopwire.ports.stores import AccountMove, Changes, Database, NewAccount, Transaction

_GIVEN_UP = frozenset({EffectState.REFUSED, EffectState.CANCELLED})


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """An account that a client wants for a member, and what money on it is for."""

    kind: PaymentKind
    currency: str
    member: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str | None = field(repr=False)
    loan: str | None
    branch: str | None
    bank: str = ""
    identity: Identity | None = field(default=None, repr=False)
    callback_url: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An account that is asked for; `replayed` when the same request asked for it before."""

    account: str
    replayed: bool = False


class AccountDesk:
    """The desk of virtual accounts. Every verb raises Rejected naming what to mend."""

    def __init__(self, network: Network, database: Database, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells

    async def open(self, request: AccountRequest, once: Idempotent, asked_by: str) -> Opened:
        """Store an account with the effect that asks for it; nothing is stored when it is Rejected. KeyReused."""
        gateway = self._gateway(request.gateway)
        if request.kind is PaymentKind.LOAN_REPAYMENT and not request.loan:
            raise Rejected("loan", "an account for repayments needs the loan's reference")
        reference = new_reference()
        async with self._database.begin("open account") as tx:
            made = await made_before(tx, once, reference, self._clock.now())
            if made is not None:
                return Opened(made, replayed=True)
            await self._store(tx, request, gateway, reference, asked_by)
        self._bells.ring(EFFECTS, OUTBOX)
        await self._database.ring(EFFECTS)
        return Opened(reference)

    async def close(self, account: str, actor: str, reason: str) -> VirtualAccount:
        """Have an open account closed at the gateway; once, however often it is asked for."""
        reason = given_reason(actor, reason)
        async with self._database.begin("close account") as tx:
            found = await tx.virtual_accounts.get(account, lock=True)
            if found is None:
                raise Rejected("account", "there is no such virtual account", "not_found")
            if await self._is_closing(tx, found):
                return found
            if found.state is not AccountState.ACTIVE:
                raise Rejected("account", f"it is {found.state.value}", "conflict")
            now = self._clock.now()
            effect = account_closing_effect(found, new_reference(), now)
            closing = replace(found, closing=effect.id)
            await tx.apply(Changes(account_moves=[AccountMove(closing, None)], effects=[effect]), now)
            await tx.audit(actor, "close virtual account", account, reason, now)
        self._bells.ring(EFFECTS)
        await self._database.ring(EFFECTS)
        return closing

    async def requery(self, account: str, on: date, actor: str) -> None:
        """Ask the gateway to look for transfers of that day which it missed: they come by webhook, as others do."""
        async with self._database.begin("requery account") as tx:
            found = await tx.virtual_accounts.get(account)
            if found is None:
                raise Rejected("account", "there is no such virtual account", "not_found")
            if found.provider_ref is None:
                raise Rejected("account", f"it is {found.state.value}", "conflict")
            why = f"for transfers of {on.isoformat()}"
            await tx.audit(actor, "requery virtual account", account, why, self._clock.now())
        sockets = self._gateway(found.connection).sockets
        assert sockets.virtual_accounts is not None
        try:
            await sockets.virtual_accounts.requery(found.provider_ref, on)
        except HubError as error:
            raise Rejected(
                "account", f"the gateway did not take it on: {error.message}", "conflict"
            ) from None

    # -- storing ------------------------------------------------------------------------------------------

    def _gateway(self, name: str | None) -> Connected:
        return capable(self._network, name, Capability.VIRTUAL_ACCOUNTS, "keeps accounts for members")

    async def _store(
        self, tx: Transaction, request: AccountRequest, gateway: Connected, reference: str, asked_by: str
    ) -> None:
        core = await linked_account(tx, self._network, gateway, request.member, request.loan)
        email = request.email or placeholder_email(request.member, gateway)
        payer = Payer(request.member, request.name, request.phone, email)
        holder = Holder(payer, request.identity)
        _check(request, gateway, holder)
        now, name = self._clock.now(), gateway.connection.name
        account = VirtualAccount(
            id=reference,
            connection=name,
            member=request.member,
            kind=request.kind,
            loan=request.loan,
            branch=request.branch,
            currency=request.currency,
            core_account=core.id if core else None,
            callback_url=request.callback_url,
            state=AccountState.INTENDED,
            reason="",
            bank=request.bank,
            provider_ref=None,
            effect=new_reference(),
            closing=None,
            created_at=now,
        )
        lane = tx.virtual_accounts.lane(name, payer.email)
        await tx.lock([lane])
        after = (await tx.effects.lane_tails([lane])).get(lane)
        effect = virtual_account_effect(account, lane, after=after)
        data = moved_facts(account, AccountState.INTENDED)
        event = announce.event(VIRTUAL_ACCOUNT_MOVED, account.id, account.account_key, data, now)
        new = NewAccount(account, holder, asked_by)
        await tx.apply(Changes(accounts=[new], effects=[effect], events=[event]), now)

    async def _is_closing(self, tx: Transaction, account: VirtualAccount) -> bool:
        if account.closing is None:
            return False
        effect = await tx.effects.get(account.closing)
        return effect is not None and effect.state not in _GIVEN_UP


def _check(request: AccountRequest, gateway: Connected, holder: Holder) -> None:
    """Rejected when the gateway is known to refuse the order: said once before anything is stored."""
    assert gateway.sockets.virtual_accounts is not None
    order = VirtualAccountOrder("", holder.payer, request.currency, request.bank, holder.identity)
    try:
        gateway.sockets.virtual_accounts.say(order)
    except InvalidOrder as refused:
        raise Rejected(refused.field or "account", refused.message) from None
