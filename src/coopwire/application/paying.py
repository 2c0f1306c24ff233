"""Accepts payments: everything is committed before the gateway hears of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from coopwire.application import announce
from coopwire.application.bells import EFFECTS, OUTBOX, Bells
from coopwire.application.executor import Executor, Ready, new_token
from coopwire.application.network import Network
from coopwire.application.planning import checkout_effect, saved_charge_effect
from coopwire.application.settling import Sent
from coopwire.domain.effects import Effect
from coopwire.domain.errors import InvalidOrder, Refused
from coopwire.domain.events import PAYMENT_INITIALIZED
from coopwire.domain.gates import Traffic
from coopwire.domain.mandates import Mandate, refusal
from coopwire.domain.money import Money
from coopwire.domain.payments import (
    Attempt,
    Dues,
    Payer,
    Payment,
    PaymentKind,
)
from coopwire.domain.references import derived_reference, new_reference, ours
from coopwire.domain.states import AuthorizationState, EffectState, PaymentState
from coopwire.ports.clock import Clock
from coopwire.ports.providers import Capability, Connected
from coopwire.ports.stores import Changes, Claim, CoreAccount, Database, Transaction
from coopwire.ports.tracing import SpanKind, Traces, untraced, working


class Rejected(Exception):
    """The request cannot be accepted; `field` names what to mend, `code` is stable for machines.

    `payment` is the payment that exists nevertheless, because the gateway's refusal came after the commit.
    """

    def __init__(self, field: str, message: str, code: str = "invalid", payment: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.code = code
        self.payment = payment


class KeyReused(Exception):
    """The idempotency key was used with another body, or so long ago that the body is forgotten."""


class StillWorking(Exception):
    """The first request under this idempotency key is still being sent."""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a client asks for, already well-formed; money in minor units."""

    kind: PaymentKind
    money: Money
    member: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str | None = field(repr=False)
    loan: str | None
    branch: str | None
    dues: Dues | None
    callback_url: str | None
    return_url: str | None
    metadata: Mapping[str, object]
    gateway: str | None = None
    save_authorization: bool = False
    """Whether what the member pays with is to be kept."""
    authorization: str | None = None
    """What the member left, or their mandate, to be charged instead of opening a page."""
    at_least_minor: int | None = None
    """So much is enough where the whole is not there; None: the whole or nothing."""


@dataclass(frozen=True, slots=True)
class Idempotent:
    """The client's key (scoped by its API key) and the digest of the body it stands for."""

    scope: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A payment that is stored; `url` is the page, None while the gateway's answer is not known."""

    payment: str
    attempt: str
    url: str | None = field(repr=False)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """What is charged instead of opening a page: the id of what a member left, or of a mandate."""

    id: str
    of_mandate: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    payment: Payment
    attempt: Attempt
    ready: Ready | None


class Desk:
    """Takes payment requests. Needs a running Executor to send through."""

    def __init__(
        self,
        worker: str,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        executor: Executor,
        traces: Traces = untraced,
    ) -> None:
        self._worker = worker
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._executor = executor
        self._traces = traces
        self._sending: set[asyncio.Future[Sent]] = set()

    async def accept(self, request: PaymentRequest, once: Idempotent) -> Accepted:
        """Store payment, attempt and a claimed effect, then open the page.

        Rejected names the field to mend (nothing is stored); KeyReused; StillWorking while the first request
        under the key is being sent. A gateway that gives no definite answer in time leaves `url` None.
        """
        gateway = self._gateway(request)
        self._check(request)
        reference = _name(request, once)
        facts = {"payment": reference, "loan": request.loan, "connection": gateway.connection.name}
        with working(self._traces, "accept payment", side=SpanKind.SERVER, **facts):
            return await self._accept(request, gateway, reference, once)

    async def _accept(
        self, request: PaymentRequest, gateway: Connected, reference: str, once: Idempotent
    ) -> Accepted:
        async with self._database.begin("accept payment") as tx:
            now = self._clock.now()
            made = await made_before(tx, once, reference, now)
            if made is not None:
                return await self._replay(tx, await tx.payments.first_attempt(made))
            if request.authorization is not None and await tx.payments.get([reference]):
                # The key is so old that it was forgotten. Nobody is charged twice for one.
                raise KeyReused
            stored = await self._store(tx, request, gateway, reference, now)
        return await self._open(stored)

    async def try_again(self, payment: str, once: Idempotent) -> Accepted:
        """A further attempt of a payment that is not paid; Rejected while an earlier one may still open.

        KeyReused and StillWorking as for `accept`: the same key never opens a second page.
        """
        with working(self._traces, "accept attempt", side=SpanKind.SERVER, payment=ours(payment)):
            return await self._try_again(payment, once)

    async def _try_again(self, payment: str, once: Idempotent) -> Accepted:
        async with self._database.begin("accept attempt") as tx:
            await tx.lock([f"attempts:{payment}"])
            found = (await tx.payments.get([payment])).get(payment)
            if found is None:
                raise Rejected("payment", "there is no such payment", "not_found")
            gateway = self._network.connections[self._network.routes.gateway]
            now = self._clock.now()
            attempt = _attempt(found, gateway, now)
            made = await made_before(tx, once, attempt.reference, now)
            if made is not None:
                earlier = await tx.payments.of_attempt(made)
                return await self._replay(tx, earlier[0] if earlier else None)
            await self._refuse_open_attempt(tx, found)
            await tx.payments.add_attempt(attempt)
            if payment not in await tx.payments.payers([payment]):
                message = (
                    "no payer is kept with it, or the secret key does not open it: ask for a new payment"
                )
                raise Rejected("payment", message, "conflict")
            ready = await self._claimed(tx, found, checkout_effect(found, attempt, now), gateway, now)
            stored = _Stored(found, attempt, ready)
        return await self._open(stored)

    # -- checks -------------------------------------------------------------------------------------------

    def _gateway(self, request: PaymentRequest) -> Connected:
        name = request.gateway or self._network.routes.gateway
        connected = self._network.connections.get(name)
        wanted = Capability.CHECKOUTS if request.authorization is None else Capability.SAVED_CHARGES
        if connected is None or not connected.sockets.has(wanted):
            known = ", ".join(self._network.gateways()) or "none"
            raise Rejected("gateway", f"no such gateway connection; there are: {known}")
        return connected

    def _check(self, request: PaymentRequest) -> None:
        if request.money.minor <= 0:
            raise Rejected("amount_minor", "must be more than 0")
        if request.kind is PaymentKind.LOAN_REPAYMENT and not request.loan:
            raise Rejected("loan", "a loan repayment needs the loan's reference")
        if request.at_least_minor is not None:
            _check_least(request, request.at_least_minor)
        if request.dues is not None:
            ids = [line.id for line in request.dues.lines]
            if len(ids) != len(set(ids)):
                raise Rejected("dues.lines", "every due needs an id of its own")

    async def _refuse_open_attempt(self, tx: Transaction, payment: Payment) -> None:
        if payment.state in (PaymentState.SUCCEEDED, PaymentState.PROCESSING):
            raise Rejected("payment", f"the payment is {payment.state.value}", "conflict")
        for effect in await tx.effects.of_payment(payment.reference):
            if effect.state in (EffectState.INTENDED, EffectState.SENDING, EffectState.UNKNOWN):
                raise Rejected("payment", "an earlier attempt is still being opened", "conflict")

    # -- storing ------------------------------------------------------------------------------------------

    async def _store(
        self,
        tx: Transaction,
        request: PaymentRequest,
        gateway: Connected,
        reference: str,
        now: datetime,
    ) -> _Stored:
        source = await self._source(tx, request, gateway, now)
        account = await linked_account(tx, self._network, gateway, request.member, request.loan)
        email = request.email or placeholder_email(request.member, gateway)
        payer = Payer(request.member, request.name, request.phone, email)
        payment = Payment(
            reference=reference,
            kind=request.kind,
            money=request.money,
            member=request.member,
            loan=request.loan,
            branch=request.branch,
            dues=request.dues,
            state=PaymentState.INTENDED,
            allocation=self._network.routes.allocation,
            callback_url=request.callback_url,
            created_at=now,
            save_authorization=request.save_authorization,
        )
        attempt = _attempt(payment, gateway, now, request.at_least_minor)
        if source is not None:
            attempt = replace(attempt, reference=derived_reference("attempt", reference))
            await _refuse_charged(tx, attempt)
        await tx.payments.create(
            payment,
            attempt,
            payer,
            core_account=account.id if account else None,
            return_url=request.return_url,
            metadata=request.metadata,
        )
        initialized = {
            "payment": reference,
            "kind": payment.kind.value,
            "member": payment.member,
            "amount_minor": payment.money.minor,
            "currency": payment.money.currency,
        }
        event = announce.event(PAYMENT_INITIALIZED, reference, payment.account_key, initialized, now)
        await tx.apply(Changes(events=[event]), now)
        effect = (
            saved_charge_effect(payment, attempt, source.id, now, of_mandate=source.of_mandate)
            if source is not None
            else checkout_effect(payment, attempt, now)
        )
        ready = await self._claimed(tx, payment, effect, gateway, now)
        return _Stored(payment, attempt, ready)

    async def _source(
        self, tx: Transaction, request: PaymentRequest, gateway: Connected, now: datetime
    ) -> _Source | None:
        """What is to be charged; None for a page. Rejected unless it is this member's, and alive at this gateway."""
        if request.authorization is None:
            return None
        mandate = await tx.mandates.get(request.authorization, lock=True)
        found = mandate or await tx.authorizations.get(request.authorization, lock=True)
        if found is None or found.member != request.member:
            raise Rejected("authorization", "this member left no such way to pay")
        if found.connection != gateway.connection.name:
            raise Rejected("gateway", f"the member left it at {found.connection}")
        if mandate is not None:
            self._refuse_beyond(mandate, request, now)
        elif found.state is not AuthorizationState.ACTIVE:
            raise Rejected("authorization", f"it is {found.state.value}", "conflict")
        return _Source(found.id, of_mandate=mandate is not None)

    def _refuse_beyond(self, mandate: Mandate, request: PaymentRequest, now: datetime) -> None:
        """Rejected for what the member's mandate does not allow."""
        refused = refusal(mandate, request.money, self._network.routes.business_day(now))
        if refused is not None:
            field, message = refused
            raise Rejected(field, message, "conflict" if field == "authorization" else "invalid")

    async def _claimed(
        self, tx: Transaction, payment: Payment, effect: Effect, gateway: Connected, now: datetime
    ) -> Ready | None:
        """The effect, claimed by this process; left to the workers while a gate is closed."""
        if not await tx.connections.is_open(gateway.connection.name, Traffic.WRITE, now):
            await tx.apply(Changes(effects=[effect]), now)
            return None
        until = now + self._clock.timings.claim_length
        token = new_token()
        claimed = replace(effect, state=EffectState.SENDING, claim_token=token, first_sent_at=now)
        claim = Claim(claimed, token, until, payment.loan)
        await tx.effects.insert_claimed(effect, claim, self._worker)
        [ready] = await self._executor.make_ready(tx, [claim])
        if isinstance(ready.problem, InvalidOrder):
            raise Rejected(ready.problem.field or "payment", ready.problem.message)
        return ready

    # -- opening ------------------------------------------------------------------------------------------

    async def _open(self, stored: _Stored) -> Accepted:
        self._bells.ring(OUTBOX, EFFECTS)
        payment, attempt = stored.payment.reference, stored.attempt.reference
        if stored.ready is None:
            return Accepted(payment, attempt, None)
        sending = asyncio.ensure_future(self._executor.perform(stored.ready))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        wait = self._clock.timings.create_answer_within.total_seconds()
        done, _ = await asyncio.wait([sending], timeout=wait)
        if not done:
            return Accepted(payment, attempt, None)
        result = sending.result().result
        if isinstance(result, Refused):
            raise Rejected("gateway", f"the gateway refused: {result.message}", "gateway_refused", payment)
        return Accepted(payment, attempt, getattr(result, "url", None))

    async def _replay(self, tx: Transaction, attempt: Attempt | None) -> Accepted:
        """The answer again, from the rows."""
        if attempt is None:
            raise StillWorking
        now = self._clock.now()
        for effect in await tx.effects.of_payment(attempt.payment):
            alive = effect.state is EffectState.SENDING and (effect.deadline_at or now) > now
            if alive and effect.reference == attempt.reference:
                raise StillWorking
        return Accepted(attempt.payment, attempt.reference, await tx.payments.page(attempt.reference), True)


async def made_before(tx: Transaction, once: Idempotent, makes: str, now: datetime) -> str | None:
    """What an earlier request under this key made; None when the key is taken now, for what this one `makes`.

    KeyReused for the key of another body.
    """
    earlier = await tx.idempotency.take(once.scope, once.key, once.digest, makes, now)
    if earlier is not None and earlier.digest != once.digest:
        raise KeyReused
    return None if earlier is None else earlier.made


def capable(network: Network, name: str | None, wanted: Capability, does: str) -> Connected:
    """The connection of this name, else the usual gateway. Rejected unless it has what is `wanted`; `does` says it."""
    connected = network.connections.get(name or network.routes.gateway)
    if connected is None or not connected.sockets.has(wanted):
        known = ", ".join(network.asked(wanted)) or "none"
        raise Rejected("gateway", f"no such connection {does}; there are: {known}")
    return connected


def _name(request: PaymentRequest, once: Idempotent) -> str:
    """A new payment's reference. One that charges what the member left has it from its key: a hub that was restored
    from a backup and is asked again must not charge under another name what the lost hub may have charged."""
    if request.authorization is None:
        return new_reference()
    return derived_reference("payment asked for", once.scope, once.key)


async def _refuse_charged(tx: Transaction, attempt: Attempt) -> None:
    """Rejected when a hub that is lost has charged this already: a gateway may take the same reference again."""
    known = await tx.receipts.under(attempt.connection, attempt.reference)
    if known:
        raise Rejected(
            "authorization", f"it was charged already: receipt {known[0]} holds the money", "conflict"
        )


async def linked_account(
    tx: Transaction, network: Network, gateway: Connected, member: str, loan: str | None
) -> CoreAccount | None:
    """The core account that money of this gateway is credited to; None where no core bank is connected.

    Rejected when there is none, or no GL to credit it against.
    """
    bank = network.routes.core_bank
    if bank is None:
        return None
    name = gateway.connection.name
    if name not in network.routes.receivable_gl:
        raise Rejected("gateway", f"no receivable GL is configured for {name}: add it under [receivable_gl]")
    account = await tx.connections.core_account(bank, member, loan)
    if account is None:
        raise Rejected(
            "member", "no core account is linked to this member: import it with `coopwire accounts`"
        )
    return account


def placeholder_email(member: str, gateway: Connected) -> str:
    """The address that is given to the gateway for a member without one. Rejected where none is configured."""
    template = gateway.connection.settings.get("placeholder_email", "")
    if not template:
        raise Rejected(
            "payer.email",
            "this gateway needs an e-mail: give one, or set placeholder_email on the connection",
        )
    local = "".join(c if c.isascii() and c.isalnum() else "-" for c in member.lower())
    return template.replace("{member}", local)


def _check_least(request: PaymentRequest, least: int) -> None:
    if request.authorization is None:
        message = "only what a member left is charged in part: name an authorization"
        raise Rejected("at_least_minor", message)
    if not 0 < least <= request.money.minor:
        raise Rejected("at_least_minor", "must lie between nothing and amount_minor")


def _attempt(
    payment: Payment, gateway: Connected, now: datetime, at_least_minor: int | None = None
) -> Attempt:
    return Attempt(
        reference=new_reference(),
        payment=payment.reference,
        connection=gateway.connection.name,
        money=payment.money,
        state=PaymentState.INTENDED,
        created_at=now,
        at_least_minor=at_least_minor,
    )


def new_worker_name(role: str) -> str:
    """A worker's identity, new at every start."""
    return f"{role}-{secrets.token_hex(6)}"
