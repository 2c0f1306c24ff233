"""`coopwire fees`: what payments cost, by which arithmetic, and what they would cost at another gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import files, hub, show
from coopwire.cli.failures import FAILED, BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.fees import FeeQuote, JudgedFee, PriceLists
    from coopwire.domain.fees import ExpectedFee, FeeRule, FeeSchedule
    from coopwire.domain.money import Money
    from coopwire.domain.receipts import FeeBearer

app = typer.Typer(help="What payments cost: explain, quote, schedules, check.")

_LARGEST_FILE = 1 << 20
_QUOTE = ("connection", "member pays", "fee", "lender gets", "rule", "note")
_RULES = (
    "connection", "from", "until", "currency", "channels", "cards", "percent", "flat", "from amount", "at least",
    "at most", "VAT %", "stamp duty", "paid by", "of what was", "note",
)  # fmt: skip
_On = Annotated[str | None, typer.Option(metavar="DAY", help="Prices of this day; left out: today.")]


@app.command()
def explain(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's reference.")],
    as_json: Json = False,
) -> None:
    """Show what the gateway took for a payment, how much it should have taken and why, and the price elsewhere."""
    found = hub.on_hub(lambda opened: _judged(opened, payment))
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    if not found:
        show.say("no gateway took a fee for this payment")
    for one in found:
        _explain(one)


@app.command()
def quote(
    amount: Annotated[str, typer.Argument(help="What the lender asks for, in major units such as 52500.00.")],
    currency: Annotated[str, typer.Argument(help="ISO 4217, such as NGN.")],
    channel: Annotated[str, typer.Option(help="The gateway's word for the way to pay.")] = "card",
    bearer: Annotated[str, typer.Option(help="Who pays the fee: lender or member.")] = "lender",
    card_country: Annotated[str | None, typer.Option(help="Where the card was issued, such as NG.")] = None,
    card_brand: Annotated[str | None, typer.Option(help="The gateway's word, such as visa.")] = None,
    on: _On = None,
    as_json: Json = False,
) -> None:
    """Show what a charge would cost at every gateway by its price list; nobody is asked."""
    from coopwire.application.fees import quotes
    from coopwire.domain.fees import FeeCase

    asked = _money(amount, currency)
    case = FeeCase(
        _day(on),
        asked.currency,
        channel,
        asked.minor,
        asked.minor,
        card_country,
        card_brand and card_brand.casefold(),
    )
    found = quotes(_price_lists(), case, _bearer(bearer))
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    show.table(_QUOTE, (_quoted(one, asked.currency) for one in found), none="there is no gateway")


@app.command()
def schedules(
    on: _On = None,
    every: Annotated[bool, typer.Option("--all", help="Also those of other days.")] = False,
    as_json: Json = False,
) -> None:
    """Show the price list of every gateway, as it is in force."""
    day = None if every else _day(on)
    rules = [
        (name, listed, rule) for name, listed, rule in _rules(_price_lists()) if _counts(listed, rule, day)
    ]
    if as_json:
        show.json_lines(_rule_facts(name, listed, rule) for name, listed, rule in rules)
        return
    show.table(_RULES, (_rule_row(*one) for one in rules), none="there is no price list")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A price list; docs/fees.md says which columns.")],
) -> None:
    """Check a price list before a connection uses it; exit code 1 with every mistake by line and column."""
    from coopwire.application.fee_files import FeeFileError, schedule_of

    try:
        listed = schedule_of(files.text(file, _LARGEST_FILE), file.name)
    except FeeFileError as error:
        for mistake in error.mistakes:
            show.note(f"{file}: {mistake}")
        raise typer.Exit(FAILED) from None
    show.say(f"{file}: {len(listed.rules)} rules can be used")
    show.table(_RULES, (_rule_row(file.name, listed, rule) for rule in listed.rules), none="")


async def _judged(opened: App, payment: str) -> tuple[JudgedFee, ...]:
    from coopwire.application.fees import judged
    from coopwire.domain.references import REFERENCE

    queries = hub.queries(opened.database)
    if not REFERENCE.match(payment) or await queries.payment(payment) is None:
        raise BadInput(f"there is no payment {show.cell(payment)}")
    return tuple(judged(opened.network, fee) for fee in await queries.fees(payment))


def _explain(one: JudgedFee) -> None:
    from coopwire.application.fees import FeeVerdict
    from coopwire.domain.fees import in_major
    from coopwire.domain.money import Money

    fee = one.fee
    paid, took = Money(fee.gross_minor, fee.currency), in_major(fee.fee_exact, fee.currency)
    show.say(
        f"receipt {fee.receipt}: {paid} by {show.cell(fee.channel) or 'an unknown way'} at {fee.connection}"
    )
    show.say(f"  taken     {took if fee.fee_known else 'not told'}, borne by the {fee.fee_bearer.value}")
    if fee.expected is None:
        show.say("  expected  no schedule: the price list had no rule for such a charge")
    else:
        _arithmetic(fee.expected, fee.currency)
    if one.verdict is FeeVerdict.DIFFERS and one.difference_minor is not None:
        much = "too much" if one.difference_minor > 0 else "too little"
        show.say(f"  DIFFERS   {Money(abs(one.difference_minor), fee.currency)} {much}")
    if one.elsewhere:
        show.part("the same elsewhere", _QUOTE, (_quoted(quote, fee.currency) for quote in one.elsewhere))
    show.say("")


def _arithmetic(expected: ExpectedFee, currency: str) -> None:
    from coopwire.domain.fees import in_major
    from coopwire.domain.money import Money

    show.say(f"  expected  {Money(expected.minor, currency)} by {expected.schedule}: {expected.rule}")
    for line in expected.lines:
        amount = in_major(line.exact, currency)
        show.say(f"    {amount if line.counts else f'({amount})':>22}  {line.text}")
    if expected.residue != "0":
        show.say(f"    {in_major(expected.exact, currency):>22}  exact, rounded once (half to even)")


def _quoted(one: FeeQuote, currency: str) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    note = "example, not your contract" if one.example else ""
    if one.fee is None or one.paid_minor is None:
        return one.connection, "", "", "", "", one.reason
    amounts = (one.paid_minor, one.fee.minor, one.paid_minor - one.fee.minor)
    return one.connection, *(Money(amount, currency) for amount in amounts), one.fee.rule, note


def _price_lists() -> PriceLists:
    from coopwire.ports.providers import Role
    from coopwire.providers import catalog

    told = hub.configured(hub.settings()).connections.values()
    return {one.name: one.fees for one in told if catalog.sheet(one.provider).profile.role is Role.GATEWAY}


def _rules(lists: PriceLists) -> Iterator[tuple[str, FeeSchedule, FeeRule]]:
    for name, listed in sorted(lists.items()):
        if listed is not None:
            yield from ((name, listed, rule) for rule in listed.rules)


def _counts(listed: FeeSchedule, rule: FeeRule, day: date | None) -> bool:
    until = listed.last_days[rule]
    return day is None or (rule.valid_from <= day and (until is None or day <= until))


def _rule_row(name: str, listed: FeeSchedule, rule: FeeRule) -> tuple[object, ...]:
    told = _rule_facts(name, listed, rule)
    return tuple(told[column] for column in _RULES)


def _rule_facts(name: str, listed: FeeSchedule, rule: FeeRule) -> dict[str, object]:
    from coopwire.application.fee_files import cells

    told = cells(rule)
    values: Iterable[object] = (
        name, rule.valid_from, listed.last_days[rule], rule.currency, told["channels"],
        " ".join(filter(None, (told["card_country"], told["card_brand"]))), told["percent"], told["flat"],
        told["flat_from"], told["minimum"], told["cap"], told["vat_percent"],
        f"{told['stamp_duty']} from {told['stamp_duty_from'] or 0}" if told["stamp_duty"] else "",
        told["stamp_duty_payer"], told["charged_on"], rule.note,
    )  # fmt: skip
    return dict(zip(_RULES, values, strict=True))


def _money(amount: str, currency: str) -> Money:
    from coopwire.domain.money import MoneyError, from_major

    try:
        money = from_major(Decimal(amount), currency.upper())
    except (MoneyError, InvalidOperation):
        raise BadInput("write an amount and its currency, such as 52500.00 NGN") from None
    if money.minor <= 0:
        raise BadInput("the amount must be more than 0")
    return money


def _bearer(word: str) -> FeeBearer:
    from coopwire.domain.receipts import FeeBearer

    try:
        return FeeBearer(word)
    except ValueError:
        raise BadInput(f"--bearer must be {' or '.join(FeeBearer)}") from None


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).astimezone(hub.settings().zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"write a day like 2026-03-02, not {show.cell(text)}") from None
