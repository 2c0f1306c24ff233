"""Finds out whose a transfer to a virtual account is.

The number that was credited names the account; where a gateway tells none, the reference does, if it is that of an
order for an account: such a gateway repeats it with each transfer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coopwire.application.booking import Owner
from coopwire.application.network import Network
from coopwire.domain.breaks import BreakType
from coopwire.domain.money import Money
from coopwire.domain.payments import Dues, Payment
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.references import ours
from coopwire.domain.states import PaymentState
from coopwire.domain.virtual_accounts import VirtualAccount, deposit_payment
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.stores import LookContext, NewPayment, Transaction

Where = tuple[str, str]
"""A connection, and a number, a reference or a charge there."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A charge that no payment of ours asked for, so that it may have come to an account."""

    connection: str
    charge: ChargeSnapshot

    @property
    def number(self) -> Where | None:
        """The connection, and the number that was credited, where it is told."""
        told = self.charge.credited_account
        return None if told is None else (self.connection, told)

    @property
    def order(self) -> Where | None:
        """The connection, and the reference that may be the order's for an account, where no number is told."""
        reference = ours(self.charge.reference)
        return None if reference is None or self.number is not None else (self.connection, reference)

    @property
    def key(self) -> Where:
        """The connection, and the charge's id."""
        return self.connection, self.charge.charge

    def paid_at(self, now: datetime) -> datetime:
        """When it was paid, as for a receipt."""
        return self.charge.paid_at or self.charge.created_at or now


@dataclass(frozen=True, slots=True)
class Deposit:
    """Whose a transfer is: a payment that comes with it; None where the account was closed before."""

    account: VirtualAccount
    payment: Payment | None

    def owner(self) -> Owner:
        """The owner as booking wants to know it."""
        facts = {"virtual_account": self.account.id, "member": self.account.member}
        if self.payment is None:
            closed = BreakType.DEPOSIT_ON_CLOSED_ACCOUNT
            return Owner(None, None, None, paid_before=False, doubt=closed, facts=facts)
        money = self.payment.money
        return Owner(self.payment, money, self.account.core_account, paid_before=False, facts=facts)

    def new_payment(self) -> NewPayment | None:
        """The payment to store with the receipt."""
        if self.payment is None:
            return None
        return NewPayment(self.payment, self.account.core_account, {"virtual_account": self.account.id})


def credits(
    connection: str, charges: Sequence[ChargeSnapshot], context: LookContext | None
) -> Iterator[Credit]:
    """What may be transfers to accounts among what a look-up told: not recorded yet, and of no attempt."""
    if context is None or context.payment is not None:
        return
    known = {(one.connection, one.charge) for one in context.known}
    for charge in charges:
        paid = charge.state is PaymentState.SUCCEEDED and charge.amount_minor > 0
        if paid and (connection, charge.charge) not in known:
            yield Credit(connection, charge)


async def deposits(
    tx: Transaction, found: Sequence[Credit], network: Network, now: datetime
) -> dict[Where, Deposit]:
    """By connection and charge, whose these are; absent for what is nobody's."""
    owners = await _owners(tx, found)
    if not owners:
        return {}
    known = {one.key: account for one in found if (account := _owner(one, owners, now)) is not None}
    dues = await tx.virtual_accounts.latest_dues({account.account_key for account, _ in known.values()})
    return {one.key: _deposit(one, *known[one.key], dues, network, now) for one in found if one.key in known}


async def _owners(tx: Transaction, found: Sequence[Credit]) -> Mapping[Where, Sequence[VirtualAccount]]:
    """By connection and charge, the accounts that the number or the reference names."""
    numbers = {one.key: one.number for one in found if one.number is not None}
    orders = {one.key: one.order for one in found if one.order is not None}
    of_numbers = await tx.virtual_accounts.of_numbers(list(numbers.values()))
    of_orders = await tx.virtual_accounts.of_orders(set(orders.values()))
    named = {key: of_numbers[number] for key, number in numbers.items() if number in of_numbers}
    return named | {key: (of_orders[order],) for key, order in orders.items() if order in of_orders}


def _owner(
    one: Credit, owners: Mapping[Where, Sequence[VirtualAccount]], now: datetime
) -> tuple[VirtualAccount, bool] | None:
    """The account that had the number when the money was paid, else the last that had it; None for nobody's."""
    accounts = owners.get(one.key, ())
    at = one.paid_at(now)
    mine = next((account for account in accounts if account.takes(at)), None)
    if mine is not None:
        return mine, True
    return (accounts[0], False) if accounts else None


def _deposit(
    one: Credit,
    account: VirtualAccount,
    takes: bool,
    dues: Mapping[str, Dues],
    network: Network,
    now: datetime,
) -> Deposit:
    if not takes:
        return Deposit(account, None)
    charge = one.charge
    on_top = charge.fee_bearer is FeeBearer.MEMBER
    money = Money(charge.amount_minor - (charge.fee_minor if on_top else 0), account.currency)
    told = dues.get(account.account_key)
    payment = deposit_payment(account, charge.charge, money, told, network.routes.allocation, now)
    return Deposit(account, payment)
