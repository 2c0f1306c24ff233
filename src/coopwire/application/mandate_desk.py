"""Takes orders for mandates, and has them suspended, resumed, tried again and ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from coopwire.application.bells import EFFECTS, OUTBOX, Bells
from coopwire.application.mandate_moves import MandateMoves, mandate_lock
from coopwire.application.network import Network
from coopwire.application.orders import mandate_order
from coopwire.application.paying import Idempotent, Rejected, capable, made_before, placeholder_email
from coopwire.application.people import given_reason
from coopwire.application.planning import mandate_change_effect, mandate_effect
from coopwire.application.writing import write
from coopwire.domain.effects import Effect
from coopwire.domain.errors import InvalidOrder
from coopwire.domain.mandates import Address, DebitedAccount, Debtor, Mandate, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.references import new_reference
from coopwire.domain.states import FINISHED_EFFECT, MandateState
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import MandateChangeOrder, MandateKey
from coopwire.ports.providers import Capability, Connected
from coopwire.ports.stores import Changes, Database, NewMandate, Transaction

_M = MandateState
_MAY = {
    MandateChange.SUSPEND: frozenset({_M.APPROVED, _M.ACTIVE}),
    MandateChange.RESUME: frozenset({_M.SUSPENDED}),
    MandateChange.RETRY: frozenset({_M.APPROVED, _M.SUSPENDED}),
    MandateChange.END: frozenset({_M.PENDING, _M.APPROVED, _M.ACTIVE, _M.SUSPENDED}),
}
"""In which states a change can be asked for."""
_BECOMES = {MandateChange.SUSPEND: _M.SUSPENDED, MandateChange.END: _M.ENDED}
"""Where it stands from the moment that the change is asked for: nothing is debited any more."""


@dataclass(frozen=True, slots=True)
class MandateRequest:
    """A mandate that a client wants of a member; `customer` is the gateway's id of a customer whom it knows."""

    currency: str
    member: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str | None = field(repr=False)
    account: DebitedAccount | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)
    customer: str | None = None
    ceiling_minor: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    purpose: str = ""
    return_url: str | None = None
    callback_url: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A mandate that is asked for; `replayed` when the same request asked for it before."""

    mandate: str
    replayed: bool = False


class MandateDesk:
    """The desk of mandates. Every verb raises Rejected naming what to mend."""

    def __init__(self, network: Network, database: Database, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._moves = MandateMoves(network, clock)

    async def start(self, request: MandateRequest, once: Idempotent, asked_by: str) -> Begun:
        """Store a mandate with the effect that starts it; nothing is stored when it is Rejected. KeyReused."""
        gateway = capable(self._network, request.gateway, Capability.MANDATES, "takes mandates")
        reference = new_reference()
        async with self._database.begin("begin mandate") as tx:
            made = await made_before(tx, once, reference, self._clock.now())
            if made is not None:
                return Begun(made, replayed=True)
            await self._store(tx, request, gateway, reference, asked_by)
        self._bells.ring(EFFECTS, OUTBOX)
        await self._database.ring(EFFECTS)
        return Begun(reference)

    async def change(self, mandate: str, change: MandateChange, actor: str, reason: str) -> Mandate:
        """Have the gateway change a mandate; what stops debits does so at once. Once, however often it is asked for."""
        reason = given_reason(actor, reason)
        async with self._database.begin("change mandate") as tx:
            await tx.lock([mandate_lock(mandate)])
            found = await tx.mandates.get(mandate, lock=True)
            if found is None:
                raise Rejected("mandate", "there is no such mandate", "not_found")
            if await self._is_asked_for(tx, found, change):
                return found
            if found.state not in _MAY[change]:
                raise Rejected("mandate", f"it is {found.state.value}", "conflict")
            changed = await self._change(tx, found, change)
            await tx.audit(actor, f"{change.value} mandate", mandate, reason, self._clock.now())
        self._bells.ring(EFFECTS, OUTBOX)
        await self._database.ring(EFFECTS)
        return changed

    # -- storing ------------------------------------------------------------------------------------------

    async def _store(
        self, tx: Transaction, request: MandateRequest, gateway: Connected, reference: str, asked_by: str
    ) -> None:
        now, name = self._clock.now(), gateway.connection.name
        email = request.email or placeholder_email(request.member, gateway)
        payer = Payer(request.member, request.name, request.phone, email)
        debtor = Debtor(payer, request.account, request.address)
        mandate = Mandate(
            id=reference,
            connection=name,
            member=request.member,
            currency=request.currency,
            ceiling_minor=request.ceiling_minor,
            starts_on=request.starts_on,
            ends_on=request.ends_on,
            callback_url=request.callback_url,
            state=MandateState.INTENDED,
            reason="",
            bank="",
            provider_ref=None,
            customer=None,
            effect=new_reference(),
            changing=None,
            change=None,
            created_at=now,
        )
        effect = mandate_effect(
            mandate, return_url=request.return_url, customer=request.customer, purpose=request.purpose
        )
        _check(gateway, effect, debtor)
        await tx.apply(Changes(mandates=[NewMandate(mandate, debtor, asked_by)], effects=[effect]), now)

    # -- changing -----------------------------------------------------------------------------------------

    async def _is_asked_for(self, tx: Transaction, mandate: Mandate, change: MandateChange) -> bool:
        """Whether it stands as wished, or the same is being asked for."""
        if change is MandateChange.END and mandate.state is MandateState.ENDED:
            return True
        if mandate.change is not change or mandate.changing is None:
            return False
        if change is MandateChange.SUSPEND:
            return mandate.state is MandateState.SUSPENDED
        effect = await tx.effects.get(mandate.changing)
        return effect is not None and effect.state not in FINISHED_EFFECT

    async def _change(self, tx: Transaction, mandate: Mandate, change: MandateChange) -> Mandate:
        await self._check_change(tx, mandate, change)
        now, reference = self._clock.now(), new_reference()
        after = (await tx.effects.lane_tails([mandate.lane])).get(mandate.lane)
        effect = mandate_change_effect(mandate, change, reference, now, after=after)
        asked = replace(mandate, changing=reference, change=change)
        changes = self._moves.move(asked, _BECOMES.get(change, mandate.state), "")
        changes.effects.append(effect)
        await write(tx, changes, now)
        return changes.mandate_moves[0].mandate

    async def _check_change(self, tx: Transaction, mandate: Mandate, change: MandateChange) -> None:
        """Rejected when the gateway is known not to make this change."""
        connected = self._network.connections.get(mandate.connection)
        socket = connected.sockets.mandate_changes if connected is not None else None
        if socket is None:
            raise Rejected("mandate", "this gateway changes no mandates", "conflict")
        if mandate.provider_ref is None:
            raise Rejected("mandate", f"it is {mandate.state.value}", "conflict")
        left = (await tx.mandates.left([mandate.id])).get(mandate.id)
        key = MandateKey(mandate.provider_ref, left.code if left is not None else None)
        try:
            socket.say(MandateChangeOrder("", change, key, mandate.customer))
        except InvalidOrder as refused:
            raise Rejected("mandate", refused.message, "conflict") from None


def _check(gateway: Connected, effect: Effect, debtor: Debtor) -> None:
    """Rejected when the gateway is known to refuse the order: said once before anything is stored."""
    assert gateway.sockets.mandates is not None
    try:
        gateway.sockets.mandates.say(mandate_order(effect, debtor))
    except InvalidOrder as refused:
        raise Rejected(refused.field or "mandate", refused.message) from None
