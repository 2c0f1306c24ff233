"""Puts the two sides of a day beside each other: every section, every difference, and where the money has landed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coopwire.application.network import Network
from coopwire.application.reconciling import bank, books, clearing, gateway, landing, payouts
from coopwire.application.reconciling.sides import BusinessDay, Differences, Theirs
from coopwire.domain.books import SUSPENSE, clearing_key
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.reconciliation import Section
from coopwire.domain.states import UNDONE_REFUND
from coopwire.ports.days import DayQuestion, OurReceipt, Ours, Unsettled
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.stores import AccountMapping

NOT_CONNECTED = "no connection of this name can be asked any more"
"""Why a gateway that took money is not compared: its name is gone from the connections, or stands for another role."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a comparison needs beside the two sides: the day, the routes, and the accounts that only we move."""

    network: Network
    day: BusinessDay
    mapping: AccountMapping | None = None

    @property
    def watched(self) -> frozenset[str]:
        """Accounts of the books that only the hub should move: clearing of every gateway, and suspense."""
        keys = {SUSPENSE, *(clearing_key(name) for name in self.network.gateways())}
        entries = self.mapping.entries if self.mapping is not None else {}
        return frozenset(account for key, account in entries.items() if key in keys)


@dataclass(slots=True)
class Compared:
    """The sections of a day in a fixed order, and everything that differs."""

    sections: list[Section] = field(default_factory=list)
    differences: Differences = field(default_factory=Differences)

    def take(self, result: tuple[Section, Differences]) -> None:
        """One more section with its differences."""
        section, differences = result
        self.sections.append(section)
        self.differences.add(differences)


def question(setting: Setting, theirs: Theirs) -> DayQuestion:
    """Which of ours are wanted: those of the day, and those that the outside named."""
    routes = setting.network.routes
    return DayQuestion(
        day=setting.day.on,
        start=setting.day.start,
        end=setting.day.end,
        books=routes.books,
        core_bank=routes.core_bank,
        charges={name: [c.charge for c in charges] for name, charges in theirs.charges.items()},
        refunds={name: [r.provider_ref for r in refunds] for name, refunds in theirs.refunds.items()},
        journals=sorted({entry.reference for entry in theirs.journals}),
        postings=sorted({one.row.reference for one in theirs.rows} - {""}),
        payments=sorted(bank.named_payments(theirs.rows)),
        owed={name: [c.charge for c in charges] for name, charges in theirs.owed.items()},
        transfers={
            name: [t.retry_of or t.reference for t in transfers]
            for name, transfers in theirs.transfers.items()
        },
    )


def compare(setting: Setting, theirs: Theirs, ours: Ours) -> Compared:
    """Every section that could be listed."""
    compared = Compared()
    routes, taken_back = setting.network.routes, _taken_back(ours)
    for name in sorted(theirs.charges.keys() | _took_money(setting, ours)):
        if name in theirs.problems or name not in theirs.charges:
            compared.sections.append(_not_compared("gateway", name, theirs))
            continue
        compared.take(gateway.compare_charges(gateway_day(setting, name, theirs, ours, taken_back)))
        if name in theirs.refunds:
            compared.take(gateway.compare_refunds(refund_day(setting, name, theirs, ours)))
    for name in sorted(theirs.transfers.keys() | _paid_out(setting, ours)):
        if name in theirs.transfer_problems or name not in theirs.transfers:
            why = theirs.transfer_problems.get(name, NOT_CONNECTED)
            compared.sections.append(Section("payouts", name, (), (), False, why))
        else:
            compared.take(payouts.compare_payouts(payout_day(setting, name, theirs, ours)))
    if routes.books is not None:
        if routes.books in theirs.problems:
            compared.sections.append(_not_compared("books", routes.books, theirs))
        else:
            compared.take(books.compare_journals(books_day(setting, routes.books, theirs, ours)))
    if routes.core_bank is not None:
        if routes.core_bank in theirs.problems:
            compared.sections.append(_not_compared("bank", routes.core_bank, theirs))
        else:
            compared.take(bank.compare_postings(bank_day(setting, routes.core_bank, theirs, ours)))
    _add_landing(compared, setting, theirs, ours)
    for name in sorted(theirs.owed.keys() - theirs.problems.keys()):
        compared.take(clearing.compare_clearing(clearing_day(setting, name, theirs, ours)))
    compared.differences.findings.sort(key=lambda finding: (finding.type.value, finding.subject))
    return compared


def _add_landing(compared: Compared, setting: Setting, theirs: Theirs, ours: Ours) -> None:
    where = landing.landed(ours, compared.differences.contradicted)
    for name in sorted(theirs.charges.keys() - theirs.problems.keys()):
        compared.sections.append(landing.conservation(gateway_day(setting, name, theirs, ours, {}), where))
    no_gateway = [r for r in ours.receipts if r.source is not ReceiptSource.GATEWAY]
    for source in sorted({r.connection for r in no_gateway}):
        receipts = [r for r in no_gateway if r.connection == source and setting.day.holds(r.paid_at)]
        compared.sections.append(landing.elsewhere(source, receipts, where))


def _took_money(setting: Setting, ours: Ours) -> set[str]:
    """Gateways whose receipts of the day are here, also one that is connected no more."""
    of_gateways = (r for r in ours.receipts if r.source is ReceiptSource.GATEWAY)
    return {r.connection for r in of_gateways if setting.day.holds(r.paid_at)}


def _paid_out(setting: Setting, ours: Ours) -> set[str]:
    """Gateways that took a payout of the day on, also one that is connected no more."""
    accepted = (p for p in ours.payouts if p.accepted_at is not None and setting.day.holds(p.accepted_at))
    return {p.connection for p in accepted}


def _not_compared(source: str, name: str, theirs: Theirs) -> Section:
    return Section(source, name, (), (), False, theirs.problems.get(name, NOT_CONNECTED))


def _taken_back(ours: Ours) -> Mapping[str, int]:
    """By receipt, what refunds of ours take; the whole of one that is undone in the books and at the bank."""
    taken: Counter[str] = Counter()
    for refund in ours.refunds:
        if refund.state not in UNDONE_REFUND:
            taken[refund.receipt] += refund.amount_minor
    where = landing.landed(ours, ())
    undone = (r for r in ours.receipts if where.bucket(r) == landing.UNDONE)
    return {**taken, **{r.id: r.gross_minor for r in undone}}


# -- one outside system ------------------------------------------------------------------------------------


def gateway_day(
    setting: Setting, name: str, theirs: Theirs, ours: Ours, taken_back: Mapping[str, int]
) -> gateway.GatewayDay:
    """A gateway's charges beside our receipts."""
    receipts = [r for r in ours.receipts if r.connection == name]
    mode = setting.network.connections[name].connection.mode
    charges = _dated(setting, (c for c in theirs.charges[name] if c.mode is mode), receipts)
    because = {charge: told for (gateway_, charge), told in theirs.reversals.items() if gateway_ == name}
    return gateway.GatewayDay(name, setting.day, theirs.listed_at, charges, receipts, taken_back, because)


def refund_day(setting: Setting, name: str, theirs: Theirs, ours: Ours) -> gateway.RefundDay:
    """A gateway's refunds beside ours."""
    own = [r for r in ours.refunds if r.connection == name]
    return gateway.RefundDay(name, setting.day, theirs.refunds[name], own)


def payout_day(setting: Setting, name: str, theirs: Theirs, ours: Ours) -> payouts.PayoutDay:
    """A gateway's transfers beside our payouts; money of the other mode is not ours."""
    modes = (None, setting.network.connections[name].connection.mode)
    transfers = [t for t in theirs.transfers[name] if t.mode in modes]
    looked = {id: told for id, told in theirs.looked.get(name, {}).items() if told.mode in modes}
    own = [p for p in ours.payouts if p.connection == name]
    return payouts.PayoutDay(name, setting.day, theirs.listed_at, transfers, own, looked)


def clearing_day(setting: Setting, name: str, theirs: Theirs, ours: Ours) -> clearing.ClearingDay:
    """What a gateway owes beside its clearing account."""
    mode = setting.network.connections[name].connection.mode
    unsettled = [u for u in ours.owed.unsettled if u.connection == name]
    charges = _dated(setting, (c for c in theirs.owed[name] if c.mode is mode), unsettled)
    since = theirs.owed_since[name]
    return clearing.ClearingDay(name, setting.day, theirs.listed_at, since, charges, ours.owed)


def _dated(
    setting: Setting, charges: Iterable[ChargeSnapshot], ours: Iterable[OurReceipt | Unsettled]
) -> list[ChargeSnapshot]:
    return list(gateway.dated(charges, {one.charge: one.paid_at for one in ours}, setting.day.start))


def books_day(setting: Setting, name: str, theirs: Theirs, ours: Ours) -> books.BooksDay:
    """The books' entries beside ours."""
    return books.BooksDay(
        connection=name,
        on=setting.day.on,
        listed_at=theirs.listed_at,
        theirs=theirs.journals,
        ours=ours.journals,
        watched=setting.watched,
    )


def bank_day(setting: Setting, name: str, theirs: Theirs, ours: Ours) -> bank.BankDay:
    """The core's statement rows beside our postings."""
    return bank.BankDay(
        connection=name,
        day=setting.day,
        listed_at=theirs.listed_at,
        theirs=theirs.rows,
        ours=ours.postings,
        letter=setting.network.connections[name].connection.mode.value[:1].upper(),
        payments=ours.payments,
        statuses=theirs.statuses,
        business_dates=theirs.business_dates,
        unread=theirs.unread,
        accounts=theirs.accounts,
    )
