"""The verbs of Flutterwave: open a checkout, find its charges, read them by day, give money back, read payouts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urlencode

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    ChargeSnapshot,
    CheckoutOrder,
    CheckoutSnapshot,
    RefundOrder,
    RefundSnapshot,
    SettlementLine,
    SettlementSnapshot,
)
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import Finding
from coopwire.providers.flutterwave.adapter.payouts import (
    FlutterwaveAccountNames,
    FlutterwaveBalances,
    FlutterwaveTransfers,
)
from coopwire.providers.flutterwave.wire import checkouts, pages, refunds, settlements
from coopwire.providers.flutterwave.wire.account import Account, account
from coopwire.providers.flutterwave.wire.answers import Said, denial, success
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.transport.http import retry_after
from coopwire.transport.markers import found_since
from coopwire.transport.passes import MOST_PASSES
from coopwire.transport.reading import at, identifier

_RowT = TypeVar("_RowT")


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The sockets of one Flutterwave account. ConfigurationError for bad settings."""
    api = _Api(account(connection), outside)
    charges = FlutterwaveCharges(api)
    return Sockets(
        checkouts=FlutterwaveCheckouts(api),
        charges=charges,
        refunds=FlutterwaveRefunds(api, charges),
        transfers=FlutterwaveTransfers(api),
        account_names=FlutterwaveAccountNames(api),
        balances=FlutterwaveBalances(api),
        settlements=FlutterwaveSettlements(api),
    )


class _Api:
    """One account's API: the address and the key on every request."""

    def __init__(self, of: Account, outside: Outside) -> None:
        self.account = of
        self.clock = outside.clock
        self._http = outside.http

    async def read(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> HttpAnswer:
        """GET below the base address."""
        url = f"{self.account.base_url}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._http.call(HttpRequest(operation, "GET", url, Traffic.READ, self._headers()))

    async def write(self, operation: str, path: str, body: bytes) -> HttpAnswer:
        """POST JSON below the base address."""
        return await self._post(operation, path, body, Traffic.WRITE)

    async def ask(self, operation: str, path: str, body: bytes) -> HttpAnswer:
        """POST JSON that writes nothing there."""
        return await self._post(operation, path, body, Traffic.READ)

    async def _post(self, operation: str, path: str, body: bytes, traffic: Traffic) -> HttpAnswer:
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, "POST", url, traffic, headers, body))

    async def verify(self, reference: str) -> tuple[Said, bytes] | None:
        """A transaction under a reference with the body that told it, whichever of several they choose; None when
        they have none."""
        answer = await self.read(
            "verify_reference", "/transactions/verify_by_reference", {"tx_ref": reference}
        )
        return self._there(answer)

    async def verify_id(self, charge: str) -> tuple[Said, bytes] | None:
        """The transaction of an id with the body that told it; None when they have none."""
        answer = await self.read("verify", f"/transactions/{charge}/verify")
        return self._there(answer)

    async def walk(self, operation: str, path: str, walk: pages.Walk[_RowT]) -> AsyncIterator[_RowT]:
        """Every row of a list, in as many passes as it takes."""
        for _ in range(MOST_PASSES):
            query: dict[str, str] | None = walk.first()
            while query is not None:
                page = pages.page(self.success(await self.read(operation, path, query), Traffic.READ))
                for row in walk.fresh(page.rows, page.total):
                    yield row
                query = walk.turn(page)
            if walk.complete:
                break
        walk.conclude()

    def success(self, answer: HttpAnswer, traffic: Traffic) -> Said:
        """The envelope of a success; raises what any other answer means."""
        return success(answer, traffic, retry_after(answer, self.clock.now()))

    def _there(self, answer: HttpAnswer) -> tuple[Said, bytes] | None:
        denied = denial(answer)
        if denied is not None and denied.absent:
            return None
        return self.success(answer, Traffic.READ), answer.body

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.secret_key}", "Accept": "application/json"}


class FlutterwaveCheckouts:
    """Hosted pages of Flutterwave. They take a reference again: see the trust in the data sheet."""

    def __init__(self, api: _Api) -> None:
        self._api = api

    def say(self, order: CheckoutOrder) -> bytes:
        """The body of POST /payments."""
        return checkouts.checkout_body(order, self._api.account)

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Open the page; `provider_ref` is None, for there is no transaction before the member begins to pay."""
        answer = await self._api.write("checkout", "/payments", said)
        return checkouts.opened(order, self._api.success(answer, Traffic.WRITE))

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """EXECUTED once a customer has opened a charge; before that ABSENT, which proves nothing here."""
        there = await self._api.verify(order.reference)
        return checkouts.found(order, None if there is None else there[0])


class FlutterwaveCharges:
    """Charges by reference, by id and by day."""

    def __init__(self, api: _Api) -> None:
        self._api = api
        self._kind = pages.charges_read_by(api.account)

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """Every transaction of the reference, the newest last, and those ids that carry it too.

        A reference is used by each try on a page and by each deposit on a static account (trap 6): what the
        look-up by reference tells is one of them, the list tells the others. Text that is no id is none.
        """
        known = {charge.charge: charge for charge in await self._under(reference)}
        for charge_id in dict.fromkeys(charges):
            if charge_id not in known and identifier(charge_id) == charge_id:
                other = await self.by_id(charge_id)
                if other is not None and other.reference == reference:
                    known[charge_id] = other
        return tuple(known[charge_id] for charge_id in sorted(known, key=int))

    async def _under(self, reference: str) -> list[ChargeSnapshot]:
        there = await self._api.verify(reference)
        if there is None:
            return []
        told, body = there
        one = charge_of(told.data, self._api.account, body)
        if one.reference != reference:
            raise ContractBroken("verify answered for another reference")
        walk = pages.Walk(self._kind, {"tx_ref": reference}, lambda charge: charge.reference == reference)
        return [
            one,
            *[c async for c in self._api.walk("list", "/transactions", walk) if c.charge != one.charge],
        ]

    async def by_id(self, charge_id: str) -> ChargeSnapshot | None:
        """The charge of an id; None when they have none."""
        there = await self._api.verify_id(charge_id)
        if there is None:
            return None
        told, body = there
        found = charge_of(told.data, self._api.account, body)
        if found.charge != charge_id:
            raise ContractBroken("verify answered for another id")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Charges created in [start, end), each once.

        Pages shift when a charge comes in meanwhile: they are walked again until one walk has seen all,
        TryLater when the list never stands still. A row that cannot be read does not hide the others:
        ContractBroken comes after the last of them.
        """
        async for charge in self._api.walk("list", "/transactions", pages.between(self._kind, start, end)):
            yield charge


class FlutterwaveRefunds:
    """Money back to the customer; ours are known by the marker in the comment.

    Their list of refunds knows no filter by transaction: it is read from the day on which the charge was begun.
    """

    def __init__(self, api: _Api, charges: FlutterwaveCharges) -> None:
        self._api = api
        self._charges = charges

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the charge now."""
        return tuple([refund.provider_ref async for refund in self._of(order)])

    def say(self, order: RefundOrder) -> bytes:
        """The body of POST /transactions/{id}/refund."""
        return refunds.refund_body(order)

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once; a refusal comes as HTTP 200 too."""
        answer = await self._api.write("refund", f"/transactions/{order.charge}/refund", said)
        data = self._api.success(answer, Traffic.WRITE).data
        return refunds.accepted(order, refunds.told(data, answer.body), self._api.account)

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """What the list says of the charge's refunds, beside the order's census."""
        return found_since(order, [refund async for refund in self._of(order)])

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id; ContractBroken when they do not know it."""
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a refund")
        told = await (
            self._by_id(provider_ref) if self._api.account.refunds_by_id else self._listed(provider_ref)
        )
        if told is None or told.id != provider_ref:
            raise ContractBroken("the refund asked for was not told")
        return refunds.refund_of(told, await self._currency(told.charge), self._api.account)

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), each once; as for charges, pages that shift are walked again."""
        currencies: dict[str, str] = {}
        async for told in self._walk(pages.between(pages.REFUNDS, start, end, dated=self._dated)):
            if told.charge not in currencies:
                currencies[told.charge] = await self._currency(told.charge)
            yield refunds.refund_of(told, currencies[told.charge], self._api.account)

    @property
    def _dated(self) -> bool:
        return self._api.account.refunds_by_date

    async def _of(self, order: RefundOrder) -> AsyncIterator[RefundSnapshot]:
        """The refunds of the order's charge; no refund is older than its charge."""
        charge = await self._charge(order.charge)
        begun, query = charge.created_at, {}
        if begun is not None and self._dated:
            query = pages.dates(begun, self._api.clock.now())
        walk = pages.Walk(pages.REFUNDS, query, lambda refund: refund.charge == order.charge)
        async for told in self._walk(walk):
            yield refunds.refund_of(told, charge.currency, self._api.account)

    async def _by_id(self, provider_ref: str) -> refunds.Told:
        answer = await self._api.read("fetch_refund", f"/refunds/{provider_ref}")
        return refunds.told(self._api.success(answer, Traffic.READ).data, answer.body)

    async def _listed(self, provider_ref: str) -> refunds.Told | None:
        walk = pages.Walk(pages.REFUNDS, {}, lambda refund: refund.id == provider_ref)
        rows = [told async for told in self._walk(walk)]
        return rows[0] if rows else None

    def _walk(self, walk: pages.Walk[refunds.Told]) -> AsyncIterator[refunds.Told]:
        return self._api.walk("list_refunds", "/refunds", walk)

    async def _currency(self, charge: str) -> str:
        return (await self._charge(charge)).currency

    async def _charge(self, charge: str) -> ChargeSnapshot:
        found = await self._charges.by_id(charge) if identifier(charge) == charge else None
        if found is None:
            raise ContractBroken("the transaction of a refund is not known there")
        return found


class FlutterwaveSettlements:
    """What Flutterwave pays out; one that is fetched tells its transactions too."""

    def __init__(self, api: _Api) -> None:
        self._api = api
        self._kind = pages.settlements_read_by(api.account)

    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        """Settlements of these days, each once; as for charges, pages that shift are walked again."""
        walk = pages.settled_on(self._kind, first, last)
        async for one in self._api.walk("list_settlements", "/settlements", walk):
            yield one

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        """The settlement of this id; ContractBroken when they do not know it."""
        data, raw = await self._told(provider_ref)
        return settlements.settlement_of(data, self._api.account.mode, raw)

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        """Every transaction in it."""
        data, raw = await self._told(provider_ref)
        for line in settlements.lines_of(data, raw):
            yield line

    async def _told(self, provider_ref: str) -> tuple[object, bytes]:
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a settlement")
        answer = await self._api.read("fetch_settlement", f"/settlements/{provider_ref}")
        data = self._api.success(answer, Traffic.READ).data
        if identifier(at(data, "id")) != provider_ref:
            raise ContractBroken("the settlement asked for was not told")
        return data, answer.body
