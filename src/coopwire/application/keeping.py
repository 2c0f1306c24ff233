"""Keeps what a member paid with, where the payment asked for it; and ends it when the member wants that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from coopwire.application import announce
from coopwire.application.bells import EFFECTS, Bells
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.people import given_reason
from coopwire.application.planning import deactivation_effect
from coopwire.application.receiving import Look
from coopwire.domain.authorizations import Left, SavedAuthorization
from coopwire.domain.events import AUTHORIZATION_MOVED, Event
from coopwire.domain.payments import Payment
from coopwire.domain.references import new_reference
from coopwire.domain.states import AuthorizationState, PaymentState
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import Authorization
from coopwire.ports.providers import Capability
from coopwire.ports.stores import Changes, Database, LookContext, NewAuthorization, Transaction


async def kept(
    tx: Transaction,
    looks: Sequence[Look],
    contexts: Mapping[str, LookContext],
    network: Network,
    clock: Clock,
) -> Changes:
    """What these looks tell that is to be kept, and was not kept before."""
    told = {
        (look.lookup.connection, payment.member, left.code): (payment, left)
        for look in looks
        for payment, left in _left(look, contexts.get(look.lookup.token), network)
    }
    changes, now = Changes(), clock.now()
    for key in told.keys() - await tx.authorizations.known(list(told)):
        payment, left = told[key]
        saved = SavedAuthorization(
            id=new_reference(),
            connection=key[0],
            member=payment.member,
            channel=left.channel,
            brand=left.brand,
            expires=f"{left.expires[0]:04}-{left.expires[1]:02}" if left.expires else None,
            payment=payment.reference,
            state=AuthorizationState.ACTIVE,
            created_at=now,
        )
        changes.authorizations.append(NewAuthorization(saved, Left(left.code, left.email)))
        changes.events.append(_moved(saved, clock))
    return changes


def _left(
    look: Look, context: LookContext | None, network: Network
) -> Iterator[tuple[Payment, Authorization]]:
    if context is None or context.payment is None or not context.payment.save_authorization:
        return
    lookup = look.lookup
    mode = network.connections[lookup.connection].connection.mode
    for charge in look.charges:
        ours = charge.reference == lookup.reference and charge.mode is mode
        if ours and charge.state is PaymentState.SUCCEEDED and charge.authorization is not None:
            yield context.payment, charge.authorization


class AuthorizationDesk:
    """Ends what members left. Every verb raises Rejected naming what to mend."""

    def __init__(self, network: Network, database: Database, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells

    async def end(self, authorization: str, actor: str, reason: str) -> SavedAuthorization:
        """From now on it is charged no more, and the gateway is told; once, however often it is asked for."""
        reason = given_reason(actor, reason)
        async with self._database.begin("end authorization") as tx:
            found = await tx.authorizations.get(authorization, lock=True)
            if found is None:
                raise Rejected("authorization", "there is no such authorization", "not_found")
            if found.state is AuthorizationState.ENDED:
                return found
            now, reference = self._clock.now(), new_reference()
            ended = replace(found, state=AuthorizationState.ENDED, ended_at=now)
            changes = Changes(events=[_moved(ended, self._clock)])
            connected = self._network.connections.get(found.connection)
            if connected is not None and connected.sockets.has(Capability.DEACTIVATIONS):
                ended = replace(ended, ending=reference)
                changes.effects.append(deactivation_effect(ended, reference, now))
            else:
                await tx.authorizations.forget([authorization])
            await tx.authorizations.end(ended)
            await tx.apply(changes, now)
            await tx.audit(actor, "end authorization", authorization, reason, now)
        self._bells.ring(EFFECTS)
        await self._database.ring(EFFECTS)
        return ended


def _moved(saved: SavedAuthorization, clock: Clock) -> Event:
    data = {
        "authorization": saved.id,
        "member": saved.member,
        "payment": saved.payment,
        "connection": saved.connection,
        "channel": saved.channel,
        "state": saved.state.value,
    }
    return announce.event(AUTHORIZATION_MOVED, saved.id, f"member:{saved.member}", data, clock.now())
