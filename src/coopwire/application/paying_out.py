"""Takes wishes to pay out, one or many, and what persons decide about them: release, cancel, the one-time password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from coopwire.application.bells import EFFECTS, OUTBOX, PAYOUTS
from coopwire.application.network import Network
from coopwire.application.paying import Idempotent, KeyReused, Rejected, made_before
from coopwire.application.payout_moves import PayoutMoves, float_of, payout_event
from coopwire.application.people import Person, given_reason, given_text
from coopwire.application.tables import Refusal
from coopwire.application.writing import write
from coopwire.domain.cards import holds_card_number
from coopwire.domain.errors import HubError, InvalidOrder, NotSent, Refused
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.domain.payouts import Beneficiary, Payout
from coopwire.domain.references import derived_reference
from coopwire.domain.states import PayoutState
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import Balance, Bank, Transfers
from coopwire.ports.providers import Connected
from coopwire.ports.stores import Changes, Database, NewPayout, PayoutNudge, Transaction

_AnswerT = TypeVar("_AnswerT")
_log = structlog.get_logger()
_LONGEST_PURPOSE = 100
_LONGEST_NAME = 120
MOST_PAYOUTS = 100
"""Of one batch of payouts."""


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """What a client asks for; the account is text with its leading noughts, `name` who should hold it."""

    connection: str
    money: Money
    account: str = field(repr=False)
    bank: str
    name: str = field(repr=False)
    purpose: str
    member: str | None = None
    loan: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """A payout that is stored."""

    payout: Payout
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RequestedMany:
    """The payouts of a batch, in the order of its lines: all are stored, or none and `refused` says why."""

    payouts: tuple[Payout, ...] = ()
    refused: tuple[Refusal, ...] = ()
    replayed: bool = False


class PayoutDesk:
    """The desk of payouts. Every verb raises Rejected: `not_found`, `conflict` or `invalid` with a field."""

    def __init__(self, network: Network, database: Database, clock: Clock) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._moves = PayoutMoves(network, clock)

    async def request(self, wish: PayoutRequest, once: Idempotent, asker: Person) -> Requested:
        """Store the wish; it is checked before anything is sent. KeyReused for another wish under the same key."""
        # A hub that was restored from a backup gives the same wish the name under which it may have been paid.
        name = derived_reference("payout asked for", once.scope, once.key)
        stored = await self._store([self._new(wish, asker, name)], once, name, lambda made: [made])
        return Requested(stored.payouts[0], stored.replayed)

    async def request_many(
        self, wishes: Sequence[PayoutRequest], once: Idempotent, asker: Person
    ) -> RequestedMany:
        """Store all of these wishes, each a payout of its own, or none of them. KeyReused.

        They have nothing in common from then on: each is checked, held and sent by itself. Rejected when there are
        too many lines, or none.
        """
        if not 0 < len(wishes) <= MOST_PAYOUTS:
            raise Rejected("payouts", f"give 1 to {MOST_PAYOUTS} payouts")
        name, new = derived_reference("payouts asked for", once.scope, once.key), []
        refused = _said_twice(wishes)
        for line, wish in enumerate(wishes):
            try:
                new.append(self._new(wish, asker, _of_batch(name, line)))
            except Rejected as rejected:
                refused.append(Refusal(line, rejected.field, rejected.message))
        if refused:
            return RequestedMany(refused=tuple(sorted(refused, key=lambda one: one.line)))
        return await self._store(
            new, once, name, lambda made: [_of_batch(made, line) for line in range(len(new))]
        )

    async def _store(
        self,
        new: Sequence[NewPayout],
        once: Idempotent,
        name: str,
        ids_of: Callable[[str], Sequence[str]],
    ) -> RequestedMany:
        """Store them under a name, or find what the same key has stored under another: `ids_of` a name."""
        async with self._database.begin("request payout") as tx:
            now = self._clock.now()
            made = await made_before(tx, once, name, now)
            if made is not None:
                found = [await tx.payouts.get(id) for id in ids_of(made)]
                payouts = tuple(payout for payout in found if payout is not None)
                if len(payouts) < len(found):
                    raise KeyReused
                return RequestedMany(payouts, replayed=True)
            if any([await tx.payouts.get(one.payout.id) for one in new]):
                # The key is so old that it was forgotten. Nobody is paid twice for one.
                raise KeyReused
            events = [payout_event(one.payout, None, now) for one in new]
            told = [event for event in events if event is not None]
            await tx.apply(Changes(payouts=list(new), events=told), now)
        await self._database.ring(PAYOUTS, OUTBOX)
        return RequestedMany(tuple(one.payout for one in new))

    def _new(self, wish: PayoutRequest, asker: Person, id: str) -> NewPayout:
        """The payout of a wish. Rejected naming the field to mend."""
        self._payer(wish.connection)
        if wish.money.minor <= 0:
            raise Rejected("amount_minor", "must be more than 0")
        purpose = given_text("purpose", wish.purpose, _LONGEST_PURPOSE)
        name = given_text("name", wish.name, _LONGEST_NAME)
        if holds_card_number(wish.account):
            raise Rejected("account", "holds a card number: leave it out", "card_number")
        payout = Payout(
            id=id,
            connection=wish.connection,
            amount_minor=wish.money.minor,
            currency=wish.money.currency,
            bank=wish.bank,
            purpose=purpose,
            state=PayoutState.CHECKING,
            created_at=self._clock.now(),
            asker=asker.id,
            asked_by=asker.shown,
            member=wish.member,
            loan=wish.loan,
        )
        return NewPayout(payout, Beneficiary(wish.account, name))

    # -- what persons decide ------------------------------------------------------------------------------

    async def release(self, payout: str, who: Person, reason: str) -> Payout:
        """A second person lets a held payout go out as it was asked for."""
        reason = given_reason(who.shown, reason)
        async with self._database.begin("release payout") as tx:
            # Whoever decides about the float meanwhile must see what is released.
            asked = await tx.payouts.get(payout)
            await tx.lock([float_of(asked)] if asked is not None else [])
            held = await self._locked(tx, payout)
            if held.state is not PayoutState.HELD:
                raise Rejected("payout", f"it is {held.state.value}: there is nothing to release", "conflict")
            if held.asker == who.id:
                raise Rejected("payout", "who asked for a payout cannot release it", "conflict")
            self._payer(held.connection)
            now = self._clock.now()
            changes = self._moves.order(replace(held, released_by=who.shown))
            await write(tx, changes, now)
            await tx.audit(who.shown, f"release payout held for {held.hold}", held.id, reason, now)
            released = await self._locked(tx, payout)
        await self._database.ring(EFFECTS, OUTBOX)
        return released

    async def cancel(self, payout: str, who: Person, reason: str) -> Payout:
        """A payout of which nothing was sent is not to go out; it cannot be undone."""
        reason = given_reason(who.shown, reason)
        async with self._database.begin("cancel payout") as tx:
            found = await self._locked(tx, payout)
            if found.state not in (PayoutState.CHECKING, PayoutState.HELD):
                told = f"it is {found.state.value}: skip its effect, or speak with the gateway"
                raise Rejected("payout", told, "conflict")
            now = self._clock.now()
            await write(tx, self._moves.cancel(found, f"cancelled: {reason}"), now)
            await tx.audit(who.shown, "cancel payout", found.id, reason, now)
            cancelled = await self._locked(tx, payout)
        await self._database.ring(OUTBOX)
        return cancelled

    # -- the one-time password ----------------------------------------------------------------------------

    async def give_otp(self, payout: str, otp: str, who: Person) -> Payout:
        """Give the gateway the one-time password that it waits for; it is kept nowhere, and given once.

        What came of it is never taken from the answer: the payout is looked at now. Rejected with their words when
        the password was refused.
        """
        waiting = await self._about_to(payout, who, "give one-time password")
        assert waiting.provider_ref is not None
        try:
            await self._payer(waiting.connection).finalise(waiting.provider_ref, otp)
        except (InvalidOrder, Refused) as error:
            raise Rejected("otp", f"the gateway refused: {error.message}", "conflict") from None
        except NotSent as error:
            raise Rejected("otp", f"nothing was sent: {error.message}", "conflict") from None
        except HubError as error:
            # Nobody knows whether it was taken: the look says so, and a person may give another.
            _log.warning("one_time_password_unanswered", payout=payout, error=type(error).__name__)
        finally:
            await self._look_now(waiting)
        return await self._found(payout)

    async def resend_otp(self, payout: str, who: Person) -> Payout:
        """Have the gateway send another one-time password to the lender's phone."""
        waiting = await self._about_to(payout, who, "ask for another one-time password")
        assert waiting.provider_ref is not None
        try:
            await self._payer(waiting.connection).resend_otp(waiting.provider_ref)
        except HubError as error:
            raise Rejected("payout", f"the gateway did not send it: {error.message}", "conflict") from None
        return waiting

    async def _about_to(self, payout: str, who: Person, action: str) -> Payout:
        """The payout that waits for a password; that somebody acts is committed before the gateway hears of it."""
        async with self._database.begin("note one-time password") as tx:
            found = await self._locked(tx, payout)
            if found.state is not PayoutState.AWAITING_OTP:
                told = f"it is {found.state.value}: no one-time password is wanted"
                raise Rejected("payout", told, "conflict")
            now = self._clock.now()
            closed = await tx.connections.closed(found.connection, Traffic.WRITE, now)
            if closed is not None:
                raise Rejected("payout", f"its connection is closed: {closed}", "conflict")
            await tx.audit(who.shown, action, found.id, "the gateway waits for it", now)
        return found

    async def _look_now(self, payout: Payout) -> None:
        assert payout.transfer is not None
        now = self._clock.now()
        async with self._database.begin("nudge payout") as tx:
            nudge = PayoutNudge(payout.connection, payout.transfer, now)
            await tx.apply(Changes(payout_nudges=[nudge]), now)
        await self._database.ring(PAYOUTS)

    # -- reads at the gateway -----------------------------------------------------------------------------

    async def banks(self, connection: str, currency: str) -> tuple[Bank, ...]:
        """The banks that it pays to. Rejected, `gateway_away`, when it does not answer."""
        names = self._known(connection).sockets.account_names
        if names is None:
            raise Rejected("connection", "this connection tells nothing of banks", "conflict")
        return await _answered(names.banks(currency))

    async def holder(self, connection: str, account: str, bank: str) -> tuple[str | None, str]:
        """The name of the account's holder, None with the gateway's reason. Rejected, `gateway_away`."""
        names = self._known(connection).sockets.account_names
        if names is None:
            raise Rejected("connection", "this connection tells no names of accounts", "conflict")
        told = await _answered(names.resolve(account, bank))
        return told.name, told.reason

    async def balances(self, connection: str) -> tuple[Balance, ...]:
        """What can be paid out there. Rejected, `gateway_away`, when it does not answer."""
        balances = self._known(connection).sockets.balances
        if balances is None:
            raise Rejected("connection", "this connection tells no balances", "conflict")
        return await _answered(balances.balances())

    # -- rows ---------------------------------------------------------------------------------------------

    def _known(self, connection: str) -> Connected:
        connected = self._network.connections.get(connection)
        if connected is None:
            raise Rejected("connection", "there is no such connection", "not_found")
        return connected

    def _payer(self, connection: str) -> Transfers:
        connected = self._network.connections.get(connection)
        transfers = connected.sockets.transfers if connected is not None else None
        if transfers is None:
            raise Rejected("connection", "no such connection pays out")
        return transfers

    async def _locked(self, tx: Transaction, payout: str) -> Payout:
        found = await tx.payouts.get(payout, lock=True)
        if found is None:
            raise Rejected("payout", "there is no such payout", "not_found")
        return found

    async def _found(self, payout: str) -> Payout:
        async with self._database.begin("read payout") as tx:
            found = await tx.payouts.get(payout)
        assert found is not None
        return found


def _of_batch(name: str, line: int) -> str:
    """The id of a line's payout: whoever asks again under the same key finds the same ones."""
    return derived_reference("payout", name, str(line))


def _said_twice(wishes: Sequence[PayoutRequest]) -> list[Refusal]:
    """Lines that say the same as one before: nobody is paid twice by a slip of the hand."""
    first: dict[PayoutRequest, int] = {}
    return [
        Refusal(line, "payout", f"says the same as line {first[wish]}: say in its purpose what it is for")
        for line, wish in enumerate(wishes)
        if first.setdefault(wish, line) != line
    ]


async def _answered(asked: Awaitable[_AnswerT]) -> _AnswerT:
    try:
        return await asked
    except HubError as error:
        told = f"the gateway gave no answer ({type(error).__name__}): {error.message}"
        raise Rejected("connection", told, "gateway_away") from None
