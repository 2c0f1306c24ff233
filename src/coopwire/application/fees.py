"""What charges should have cost by the price list of their connection, and what they would have cost elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from coopwire.application.network import Network
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.fees import ExpectedFee, FeeCase, FeeFacts, FeeSchedule, differs, priced
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer, Receipt
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.queries import FeeView

NO_LIST = "the connection has no price list"
NO_RULE = "no schedule: the price list has no rule for such a charge"


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """What a charge would cost at one connection: what the member pays, and the fee of it; `reason` without one.

    `example` says that the price list is the one that is shipped, and not the lender's own.
    """

    connection: str
    example: bool
    paid_minor: int | None
    fee: ExpectedFee | None
    reason: str = ""


def fee_facts(network: Network, receipt: Receipt, charge: ChargeSnapshot) -> FeeFacts:
    """What is kept beside the fee of a gateway's receipt: what it should have been.

    The rule is that of the business day on which it was paid.
    """
    country, brand = (charge.card.country, charge.card.brand) if charge.card is not None else (None, None)
    listed = network.connections[receipt.connection].connection.fees
    case = FeeCase(
        on=network.routes.business_day(receipt.paid_at),
        currency=receipt.currency,
        channel=receipt.channel,
        paid_minor=receipt.gross_minor,
        asked_minor=receipt.value_minor,
        card_country=country,
        card_brand=brand,
    )
    expected = listed.expected(case) if listed is not None else None
    return FeeFacts(expected, country, brand, agreed(network, receipt.connection))


def agreed(network: Network, name: str) -> bool:
    """Whether anybody has agreed to the prices of a connection: nobody has to an example for live money."""
    connection = network.connections[name].connection
    return connection.fees is not None and not (connection.fees.example and connection.mode is Mode.LIVE)


def fee_doubt(receipt: Receipt, fee: FeeFacts) -> Iterator[Break]:
    """The break about a fee that was told and that is not the agreed one by more than rounding."""
    expected = fee.expected
    if (
        expected is None
        or not receipt.fee_known
        or not fee.agreed
        or not differs(expected.exact, receipt.fee_exact)
    ):
        return
    ours = {
        "receipt": receipt.id,
        "expected_fee_minor": expected.minor,
        "expected_fee_exact": expected.exact,
        "schedule": expected.schedule,
        "rule": expected.rule,
    }
    theirs = {"charge": receipt.charge, "fee_minor": receipt.fee_minor, "fee_exact": receipt.fee_exact}
    yield Break(
        BreakType.FEE_DIFFERS,
        receipt.id,
        # The close of the day tells a fee that changed under the same name: one charge has one break about its fee.
        once=f"{BreakType.FEE_DIFFERS.value}:{receipt.connection}:{receipt.charge}",
        payment=receipt.payment,
        receipt=receipt.id,
        evidence={"connection": receipt.connection, "charge": receipt.charge, "ours": ours, "theirs": theirs},
        amount_minor=receipt.fee_minor - expected.minor,
        currency=receipt.currency,
    )


class FeeVerdict(StrEnum):
    """How a fee stands to the expected one; a difference of less than a minor unit is rounding."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_TOLD = "not_told"
    NO_SCHEDULE = "no_schedule"


@dataclass(frozen=True, slots=True)
class JudgedFee:
    """The fee of one receipt beside the expected one, and what such a charge would cost elsewhere today.

    `difference_minor` is what was taken too much; None where there is nothing to compare.
    """

    fee: FeeView
    verdict: FeeVerdict
    difference_minor: int | None
    elsewhere: tuple[FeeQuote, ...]


def judged(network: Network, fee: FeeView) -> JudgedFee:
    """A fee with its verdict, and the price lists of the other gateways on the day on which it was paid."""
    case = FeeCase(
        on=network.routes.business_day(fee.paid_at),
        currency=fee.currency,
        channel=fee.channel,
        paid_minor=fee.gross_minor,
        asked_minor=fee.value_minor,
        card_country=fee.card_country,
        card_brand=fee.card_brand,
    )
    lists = {name: listed for name, listed in price_lists(network).items() if name != fee.connection}
    verdict = _verdict(fee)
    expected = fee.expected
    difference = fee.fee_minor - expected.minor if expected is not None and fee.fee_known else None
    return JudgedFee(fee, verdict, difference, quotes(lists, case, fee.fee_bearer))


def _verdict(fee: FeeView) -> FeeVerdict:
    if fee.expected is None:
        return FeeVerdict.NO_SCHEDULE
    if not fee.fee_known:
        return FeeVerdict.NOT_TOLD
    other = differs(fee.expected.exact, fee.fee_exact)
    return FeeVerdict.DIFFERS if other else FeeVerdict.AGREES


PriceLists = Mapping[str, FeeSchedule | None]
"""By gateway connection, its price list."""


def price_lists(network: Network) -> PriceLists:
    """The price list of every gateway, None where it has none."""
    return {name: network.connections[name].connection.fees for name in network.gateways()}


def quotes(lists: PriceLists, case: FeeCase, bearer: FeeBearer) -> tuple[FeeQuote, ...]:
    """What such a charge would cost at each gateway, in the order of their names.

    `case.asked_minor` is what is asked, whatever would be paid there if the member bears the fee.
    """
    return tuple(_quote(name, lists[name], case, bearer) for name in sorted(lists))


def _quote(connection: str, listed: FeeSchedule | None, case: FeeCase, bearer: FeeBearer) -> FeeQuote:
    if listed is None:
        return FeeQuote(connection, False, None, None, NO_LIST)
    rule = listed.rule_of(case)
    if rule is None:
        return FeeQuote(connection, listed.example, None, None, NO_RULE)
    paid, fee = priced(rule, case.asked_minor, bearer, listed.name)
    return FeeQuote(connection, listed.example, paid, fee)
