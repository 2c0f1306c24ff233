"""What a payment costs at a gateway: effective-dated rules, the arithmetic of one case, and whose bill it is.

All is computed in fractions of a minor unit and rounded once, half-even; what rounding leaves is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from coopwire.domain.money import MAX_MINOR, Money, exponent
from coopwire.domain.receipts import FeeBearer

NOT = "!"
"""Before a country: a card of any other one."""
_DAY = timedelta(days=1)


class ChargedOn(StrEnum):
    """On which amount the fee is computed where the member bears it: what was paid, or what was asked."""

    PAID = "paid"
    ASKED = "asked"


class DutyPayer(StrEnum):
    """Who pays a stamp duty: the lender within the fee, the lender out of the settlement, or the member."""

    LENDER = "lender"
    SETTLEMENT = "settlement"
    MEMBER = "member"


class FeeRuleError(ValueError):
    """A rule, or a schedule of them, that cannot be; `row` counts from 0 and is None for a rule alone."""

    def __init__(self, field: str, message: str, row: int | None = None) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.row = row


@dataclass(frozen=True, slots=True)
class FeeRule:
    """What charges of one kind cost from a day on. Minor units of `currency`; percentages as fractions of 100.

    An empty `channels`, `card_country` or `card_brand` is any. `valid_until` is the last day; None: until the next
    rule for the same kind begins. The flat part is due from `flat_from_minor` on, `minimum_minor` and `cap_minor`
    bound percentage and flat part together, VAT comes on top of that, the duty from `duty_from_minor` on.
    """

    valid_from: date
    currency: str
    percent: Fraction
    valid_until: date | None = None
    channels: frozenset[str] = frozenset()
    card_country: str = ""
    card_brand: str = ""
    flat_minor: int = 0
    flat_from_minor: int = 0
    minimum_minor: int = 0
    cap_minor: int | None = None
    vat_percent: Fraction = Fraction(0)
    duty_minor: int = 0
    duty_from_minor: int = 0
    duty_payer: DutyPayer = DutyPayer.LENDER
    charged_on: ChargedOn = ChargedOn.PAID
    note: str = ""

    def __post_init__(self) -> None:
        if self.percent * (100 + self.vat_percent) >= 10_000:
            raise FeeRuleError("percent", "the fee and its VAT would be all that was paid")
        if self.cap_minor is not None and self.cap_minor < self.minimum_minor:
            raise FeeRuleError("cap", "is less than the minimum")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise FeeRuleError("valid_until", "is before valid_from")

    @property
    def kind(self) -> tuple[object, ...]:
        """What it is for; of two rules for the same kind the later one takes the place of the earlier."""
        return self.currency, self.channels, self.card_country, self.card_brand

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """How much it says about its case: of those that match, the highest counts."""
        return bool(self.channels), bool(self.card_country), bool(self.card_brand)

    @property
    def name(self) -> str:
        """The rule in a few words: NGN card (cards of any country but NG) from 2024-01-01."""
        channels = " or ".join(sorted(self.channels)) or "any channel"
        country = self.card_country.removeprefix(NOT)
        cards = [
            f"cards of {country}" if self.card_country == country else f"cards of any country but {country}"
        ]
        told = [*(cards if country else []), *([self.card_brand] if self.card_brand else [])]
        which = f" ({', '.join(told)})" if told else ""
        return f"{self.currency} {channels}{which} from {self.valid_from}"

    def matches(self, case: FeeCase, until: date | None) -> bool:
        """Whether it is for this case; `until` is its last day, None when it has none."""
        return (
            self.currency == case.currency
            and self.valid_from <= case.on
            and (until is None or case.on <= until)
            and (not self.channels or case.channel.casefold() in self.channels)
            and _is_from(case.card_country, self.card_country)
            and self.card_brand in ("", (case.card_brand or "").casefold())
        )

    def money(self, minor: int) -> Money:
        """An amount of the rule's currency."""
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class FeeCase:
    """One charge, as far as its price depends on it. Minor units; `on` is the business day on which it was paid.

    `asked_minor` is what counts for the member: `paid_minor` less a fee that came on top. What is not told of the
    card is None: a rule about it does not match then.
    """

    on: date
    currency: str
    channel: str
    paid_minor: int
    asked_minor: int
    card_country: str | None = None
    card_brand: str | None = None


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One step of the arithmetic: minor units as decimal text, and whether it is part of the fee."""

    text: str
    exact: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class ExpectedFee:
    """What a charge should have cost: the rounded fee, exact decimal text, and how it comes about.

    `residue` is what rounding took away, so that `exact = minor + residue`.
    """

    minor: int
    exact: str
    residue: str
    rule: str
    schedule: str
    lines: tuple[FeeLine, ...]


@dataclass(frozen=True, slots=True)
class FeeFacts:
    """What is kept about the fee of a gateway's receipt, beside the fee itself.

    `expected` is None where the connection has no price list, or its list no rule for such a charge.
    """

    expected: ExpectedFee | None
    card_country: str | None = None
    card_brand: str | None = None
    agreed: bool = True
    """False where live money is held against an example: nobody has agreed to these prices."""


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The rules of one gateway's price list. FeeRuleError when two of them speak of one case, or none of a day.

    `example` is true for the one that is shipped: published prices as they are remembered, not the lender's contract.
    """

    name: str
    rules: tuple[FeeRule, ...]
    example: bool = False
    last_days: Mapping[FeeRule, date | None] = field(init=False, repr=False, compare=False)
    """By rule, the last day on which it counts; None while nothing takes its place."""

    def __post_init__(self) -> None:
        for mistake in contradictions(self.rules):
            raise mistake
        object.__setattr__(self, "last_days", _last_days(self.rules))

    def rule_of(self, case: FeeCase) -> FeeRule | None:
        """The rule for a case, the one that says most about it; None when the schedule does not know such a case."""
        found = [rule for rule, until in self.last_days.items() if rule.matches(case, until)]
        return max(found, key=lambda rule: rule.rank, default=None)

    def expected(self, case: FeeCase) -> ExpectedFee | None:
        """The fee of a case; None when there is no rule for it."""
        rule = self.rule_of(case)
        if rule is None:
            return None
        return fee_of(
            rule, case.asked_minor if rule.charged_on is ChargedOn.ASKED else case.paid_minor, self.name
        )


def fee_of(rule: FeeRule, base_minor: int, schedule: str = "") -> ExpectedFee:
    """The fee on `base_minor`, with its arithmetic."""
    lines = tuple(_arithmetic(rule, base_minor))
    exact = sum((amount for _, amount, counts in lines if counts), Fraction(0))
    minor = round(exact)
    told = tuple(FeeLine(text, exact_text(amount), counts) for text, amount, counts in lines)
    return ExpectedFee(minor, exact_text(exact), exact_text(exact - minor), rule.name, schedule, told)


def grossed_up(rule: FeeRule, asked_minor: int) -> int:
    """The least that a member must pay who bears the fee, so that the lender has `asked_minor` after it."""
    if rule.charged_on is ChargedOn.ASKED:
        return asked_minor + fee_of(rule, asked_minor).minor
    thresholds = {t for t in (rule.flat_from_minor, rule.duty_from_minor) if t > asked_minor}
    for start, end in _between(asked_minor, sorted(thresholds)):
        if _left(rule, end) >= asked_minor:
            return _least(rule, asked_minor, start, end)
    raise FeeRuleError("percent", "no amount that the hub can keep leaves what was asked")


def differs(expected_exact: str, actual_exact: str) -> bool:
    """Whether a fee is another one: roundings of one exact fee are less than a minor unit away from it."""
    return abs(Fraction(expected_exact) - Fraction(actual_exact)) >= 1


@dataclass(frozen=True, slots=True)
class ExpectedTotal:
    """What the charges of a settlement should have cost together; `unpriced` of them no rule speaks of.

    `minor` is the sum of fees that were each rounded once, as a gateway charges them.
    """

    minor: int
    exact: str
    residue: str
    priced: int
    unpriced: int


def expected_total(fees: Iterable[ExpectedFee | None]) -> ExpectedTotal:
    """The sum over the charges of a settlement."""
    told = list(fees)
    priced = [fee for fee in told if fee is not None]
    minor = sum(fee.minor for fee in priced)
    exact = sum((Fraction(fee.exact) for fee in priced), Fraction(0))
    return ExpectedTotal(
        minor, exact_text(exact), exact_text(exact - minor), len(priced), len(told) - len(priced)
    )


def priced(rule: FeeRule, asked_minor: int, bearer: FeeBearer, schedule: str = "") -> tuple[int, ExpectedFee]:
    """What would be paid if this much is asked and `bearer` pays the fee, and that fee."""
    paid = asked_minor if bearer is FeeBearer.LENDER else grossed_up(rule, asked_minor)
    return paid, fee_of(rule, asked_minor if rule.charged_on is ChargedOn.ASKED else paid, schedule)


# -- the arithmetic ----------------------------------------------------------------------------------------

_Step = tuple[str, Fraction, bool]


def _arithmetic(rule: FeeRule, base: int) -> Iterator[_Step]:
    """Each step in words, what it adds in minor units, and whether that is part of the fee."""
    share = rule.percent * base / 100
    yield f"{exact_text(rule.percent)} % of {rule.money(base)}", share, True
    flat = Fraction(rule.flat_minor if base >= rule.flat_from_minor else 0)
    if rule.flat_minor:
        yield _flat_words(rule, waived=not flat), flat, True
    price = max(share + flat, Fraction(rule.minimum_minor))
    if price > share + flat:
        yield f"at least {rule.money(rule.minimum_minor)}", price - share - flat, True
    if rule.cap_minor is not None and price > rule.cap_minor:
        yield f"at most {rule.money(rule.cap_minor)}", rule.cap_minor - price, True
        price = Fraction(rule.cap_minor)
    if rule.vat_percent:
        yield f"VAT, {exact_text(rule.vat_percent)} % of the fee", price * rule.vat_percent / 100, True
    if rule.duty_minor and base >= rule.duty_from_minor:
        yield _duty_words(rule), Fraction(rule.duty_minor), rule.duty_payer is DutyPayer.LENDER


def _flat_words(rule: FeeRule, *, waived: bool) -> str:
    flat, start = rule.money(rule.flat_minor), rule.money(rule.flat_from_minor)
    if waived:
        return f"{flat} are waived below {start}"
    return f"{flat} from {start} on" if rule.flat_from_minor else f"{flat} for each charge"


def _duty_words(rule: FeeRule) -> str:
    whose = {
        DutyPayer.LENDER: "taken with the fee",
        DutyPayer.SETTLEMENT: "taken from the settlement, no part of the fee",
        DutyPayer.MEMBER: "borne by the member, no part of the fee",
    }[rule.duty_payer]
    return f"stamp duty from {rule.money(rule.duty_from_minor)} on, {whose}"


def _left(rule: FeeRule, paid: int) -> int:
    return paid - fee_of(rule, paid).minor


def _between(asked: int, thresholds: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Amounts from `asked` on in parts without a threshold in them: there, who pays more leaves more."""
    starts = [asked, *thresholds]
    ends = [threshold - 1 for threshold in thresholds]
    yield from zip(starts, [*ends, MAX_MINOR], strict=True)


def _least(rule: FeeRule, asked: int, start: int, end: int) -> int:
    while start < end:
        middle = (start + end) // 2
        if _left(rule, middle) >= asked:
            end = middle
        else:
            start = middle + 1
    return start


def exact_text(value: Fraction) -> str:
    """A fraction as decimal text, exact: what percentages of whole amounts come to always ends."""
    places, scaled = 0, value
    while scaled.denominator != 1:
        if places == _MOST_PLACES:
            raise ValueError("not a decimal number")
        places, scaled = places + 1, scaled * 10
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{'-' if value < 0 else ''}{whole}{'.' if part else ''}{part}"


_MOST_PLACES = 60


def in_major(exact: str, currency: str) -> str:
    """Exact minor units as an amount for people: `78750.5` in NGN is 787.505 NGN."""
    value = Fraction(exact)
    text = exact_text(abs(value) / 10 ** exponent(currency))
    whole, _, part = text.partition(".")
    part = part.ljust(exponent(currency), "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{int(whole):,}{'.' if part else ''}{part} {currency}"


# -- schedules that contradict themselves ------------------------------------------------------------------


def contradictions(rules: Sequence[FeeRule]) -> Iterator[FeeRuleError]:
    """What is wrong with rules beside each other, each with the row of the later one."""
    if not rules:
        yield FeeRuleError("valid_from", "there is no rule")
    for row, (earlier, later) in _followers(rules):
        yield from _follows(row, earlier, later)
    until = _last_days(rules)
    for (_, one), (row, other) in combinations(enumerate(rules), 2):
        if one.kind != other.kind and _ambiguous(one, other, until):
            yield FeeRuleError("channels", f"speaks of cases that the rule {one.name} speaks of, too", row)


def _followers(rules: Sequence[FeeRule]) -> Iterator[tuple[int, tuple[FeeRule, FeeRule]]]:
    """Rules for the same kind, each with the one before it, and its row."""
    by_day = sorted(enumerate(rules), key=lambda numbered: numbered[1].valid_from)
    last: dict[tuple[object, ...], FeeRule] = {}
    for row, rule in by_day:
        if rule.kind in last:
            yield row, (last[rule.kind], rule)
        last[rule.kind] = rule


def _follows(row: int, earlier: FeeRule, later: FeeRule) -> Iterator[FeeRuleError]:
    if later.valid_from == earlier.valid_from:
        yield FeeRuleError("valid_from", "is that of another rule for the same charges", row)
    elif earlier.valid_until is not None and earlier.valid_until >= later.valid_from:
        yield FeeRuleError(
            "valid_from", f"the rule before it for the same charges is valid until {earlier.valid_until}", row
        )
    elif earlier.valid_until is not None and earlier.valid_until + _DAY < later.valid_from:
        yield FeeRuleError(
            "valid_from", f"no rule for the same charges is valid on {earlier.valid_until + _DAY}", row
        )


def _last_days(rules: Sequence[FeeRule]) -> dict[FeeRule, date | None]:
    return {rule: rule.valid_until or _day_before_the_next(rule, rules) for rule in rules}


def _day_before_the_next(rule: FeeRule, rules: Sequence[FeeRule]) -> date | None:
    later = [r.valid_from for r in rules if r.kind == rule.kind and r.valid_from > rule.valid_from]
    return min(later) - _DAY if later else None


def _ambiguous(one: FeeRule, other: FeeRule, until: Mapping[FeeRule, date | None]) -> bool:
    """Whether a case may match both, and nothing says which of them counts."""
    return (
        one.rank == other.rank
        and one.currency == other.currency
        and (not one.channels or bool(one.channels & other.channels))
        and _may_meet(one.card_country, other.card_country)
        and one.card_brand == other.card_brand
        and other.valid_from <= (until[one] or date.max)
        and one.valid_from <= (until[other] or date.max)
    )


def _may_meet(one: str, other: str) -> bool:
    if one.startswith(NOT) and other.startswith(NOT):
        return True
    return _is_from(other, one) if one.startswith(NOT) else _is_from(one, other)


def _is_from(country: str | None, wanted: str) -> bool:
    if not wanted:
        return True
    if not country:
        return False
    return country != wanted.removeprefix(NOT) if wanted.startswith(NOT) else country == wanted
