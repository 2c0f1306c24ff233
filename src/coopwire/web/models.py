"""The bodies and filters that clients send: shapes and bounds, checked before anything else is."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
)

from coopwire.application.letters import FASTEST
from coopwire.application.paying_out import MOST_PAYOUTS
from coopwire.domain.arrivals import BatchState, LineState
from coopwire.domain.breaks import BreakType
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.payments import Component, PaymentKind
from coopwire.domain.receipts import AllocationState, FeeBearer
from coopwire.domain.states import (
    AccountState,
    AuthorizationState,
    BreakState,
    DeliveryState,
    DisputeState,
    EffectState,
    MandateState,
    PaymentState,
    PayoutState,
    RefundState,
    SettlementStand,
)
from coopwire.ports.keys import Scope
from coopwire.ports.queries import Filter

YEARS = range(2000, 2100)
"""Years that an instant or a date may lie in."""
LARGEST_AMOUNT = 2**53 - 1
"""Minor units; what every JSON reader keeps exactly."""
_LARGEST_METADATA = 4096
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def _written(pattern: re.Pattern[str], example: str) -> Any:
    def check(value: object) -> object:
        if not isinstance(value, str) or not pattern.match(value):
            raise ValueError(f"write it like {example}")
        return value

    return BeforeValidator(check)


def _near(value: Any) -> Any:
    if value.year not in YEARS:
        raise ValueError(f"must lie between {YEARS.start} and {YEARS.stop}")
    return value


Instant = Annotated[AwareDatetime, _written(_INSTANT, "2026-03-02T09:15:00Z"), AfterValidator(_near)]
"""An instant with its offset (RFC 3339)."""
Day = Annotated[date, _written(_DAY, "2026-03-02"), AfterValidator(_near)]
"""A calendar day."""
Ref = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
"""A reference of the loan system: printable ASCII."""
Ours = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{20}$")]
"""A reference of the hub."""
Named = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=120,
        pattern=r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f]"
        r"[^\u0000-\u001f\u007f-\u009f]*$",
    ),
]
"""Text of one line."""
Connection = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{4,22}$")]
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$")
]
Url = Annotated[str, StringConstraints(min_length=8, max_length=2048, pattern=r"^https?://[!-~]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[int, Field(strict=True, gt=0, le=LARGEST_AMOUNT)]
Owed = Annotated[int, Field(strict=True, ge=0, le=LARGEST_AMOUNT)]
BankAccount = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{4,34}$")]
"""A bank account's number: text, for it may begin with a nought."""
BankCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{2,20}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]

LARGEST_COUNT = 1_000_000
"""Rows that one request may mean."""
ConsumerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
LetterGroup = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
LetterId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}:[A-Za-z0-9-]{1,64}$")]
"""`CONSUMER:EVENT`."""
Rate = Annotated[float, Field(strict=True, gt=0, le=FASTEST)]


def _small(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(value, ensure_ascii=False, default=str).encode()) > _LARGEST_METADATA:
        raise ValueError(f"may be {_LARGEST_METADATA} bytes of JSON at most")
    return value


def _exact(value: object) -> object:
    """Numbers with decimals lose digits on their way through JSON; whoever needs them writes text."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif not isinstance(one, str | int | None):
            raise ValueError("numbers must be whole: write others as text")
    return value


Metadata = Annotated[dict[str, JsonValue], BeforeValidator(_exact), AfterValidator(_small)]


class _Body(BaseModel):
    """A body: a member that nobody knows is an error, since it may be a known one misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PayerBody(_Body):
    """Who pays. Kept sealed, never repeated."""

    member: Ref = Field(description="the loan system's reference of the member")
    name: Named = Field(repr=False)
    phone: Phone = Field(repr=False)
    email: Email | None = Field(
        None, repr=False, description="without it the connection's placeholder is given to the gateway"
    )


class DueBody(_Body):
    """One amount that is owed; `id` is the loan system's own name for it. Minor units."""

    id: Ref
    component: Literal[Component.PENALTY, Component.FEES, Component.INTEREST, Component.PRINCIPAL]
    amount_minor: Owed
    due_on: Day


class DuesBody(_Body):
    """What the loan owed at `as_of`, by the loan system's version `version`."""

    as_of: Instant
    version: Ref
    valid_until: Instant | None = Field(None, description="default: 30 days after `as_of`")
    lines: list[DueBody] = Field(max_length=500)


class PaymentBody(_Body):
    """Ask a member to pay. Amounts in minor units (kobo, cent)."""

    kind: PaymentKind
    amount_minor: Amount
    currency: Currency
    payer: PayerBody
    loan: Ref | None = Field(None, description="the loan, for a repayment or a fee")
    account: Ref | None = Field(None, description="the account, for savings and shares")
    branch: Ref | None = None
    dues: DuesBody | None = Field(
        None, description="for a repayment; without dues the money goes to suspense"
    )
    callback_url: Url | None = Field(
        None, description="https (or http on loopback) on a host that the deployment allows"
    )
    return_url: Url | None = Field(None, description="where the member's browser goes after paying")
    metadata: Metadata = Field(default_factory=dict, description="at most 4096 bytes of JSON, kept as it is")
    gateway: Connection | None = Field(None, description="a gateway connection, if not the usual one")
    save_authorization: bool = Field(
        False, description="keep what the member pays with, to charge it again: with the member's leave only"
    )
    authorization: Ours | None = Field(
        None, description="charge what the member left, or debit their mandate, instead of opening a page"
    )
    at_least_minor: Amount | None = Field(
        None,
        description="with `authorization`: so much is enough where the whole is not there. What is taken is booked, "
        "the rest stays due",
    )


class IdentityBody(_Body):
    """What a bank wants to know of the holder; which of it depends on the gateway.

    Kept sealed until the account is open, then forgotten.
    """

    bvn: Annotated[str, StringConstraints(pattern=r"^[0-9]{11}$")] | None = Field(None, repr=False)
    nin: Annotated[str, StringConstraints(pattern=r"^[0-9]{11}$")] | None = Field(None, repr=False)
    account_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")] | None = Field(
        None, repr=False
    )
    bank_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{3,11}$")] | None = Field(
        None, repr=False
    )


class VirtualAccountBody(_Body):
    """Ask for an account in a member's name: whatever is transferred to it is the member's money, for `kind`."""

    kind: PaymentKind
    currency: Currency
    holder: PayerBody = Field(description="whose money it will be, and in whose name the account stands")
    loan: Ref | None = Field(None, description="the loan, for repayments and fees")
    account: Ref | None = Field(None, description="the account, for savings and shares")
    branch: Ref | None = None
    bank: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")] | None = Field(
        None, description="the gateway's word for a bank, if not the connection's usual one"
    )
    identity: IdentityBody | None = Field(None, repr=False)
    callback_url: Url | None = Field(
        None, description="where the loan system is told of the account and of each transfer"
    )
    gateway: Connection | None = Field(None, description="a gateway connection, if not the usual one")


class DebitedAccountBody(_Body):
    """The bank account that is debited. Kept sealed until the mandate is there, then forgotten."""

    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")] = Field(repr=False)
    bank: BankCode = Field(description="the bank's code, text as the gateway lists it")


class AddressBody(_Body):
    """Where the member lives, for banks that want to know. Kept like the account."""

    street: Named = Field(repr=False)
    city: Named = Field(repr=False)
    state: Named = Field(repr=False)


class MandateBody(_Body):
    """Ask for a member's leave to debit their bank account. Amounts in minor units (kobo, cent)."""

    currency: Currency
    payer: PayerBody = Field(description="who gives it")
    account: DebitedAccountBody | None = Field(
        None, repr=False, description="the account; without it the member names one on the page"
    )
    address: AddressBody | None = Field(None, repr=False)
    customer: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_]{1,40}$")] | None = Field(
        None, description="the gateway's id of a customer whom it knows, in place of the e-mail"
    )
    ceiling_minor: Amount | None = Field(
        None, description="the most that one debit may take; more is refused before it is sent"
    )
    starts_on: Day | None = None
    ends_on: Day | None = None
    purpose: Annotated[str, StringConstraints(max_length=100, pattern=r"^[ -~]*$")] = Field(
        "", description="what the bank shows the member, in one line"
    )
    return_url: Url | None = Field(None, description="where the member's browser goes after approving")
    callback_url: Url | None = Field(None, description="where the loan system is told how the mandate stands")
    gateway: Connection | None = Field(None, description="a gateway connection, if not the usual one")


class RequeryBody(_Body):
    """Have transfers of this day looked for."""

    on: Day


class BeneficiaryBody(_Body):
    """Who is paid. Kept sealed, never repeated."""

    account: BankAccount = Field(repr=False, description="text: its leading noughts count")
    bank: BankCode = Field(description="the bank's code, text as the gateway lists it")
    name: Named = Field(repr=False, description="who should hold the account")


class PayoutBody(_Body):
    """Pay out to a bank account. Amounts in minor units (kobo, cent)."""

    connection: Connection = Field(description="the gateway connection that pays")
    amount_minor: Amount
    currency: Currency
    beneficiary: BeneficiaryBody
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="what the beneficiary reads, in one line"
    )
    member: Ref | None = Field(None, description="the loan system's reference of the member")
    loan: Ref | None = Field(None, description="the loan that is paid out")


class PayoutsBody(_Body):
    """Pay out to many bank accounts: each line is a payout of its own, and all are stored or none is."""

    payouts: list[PayoutBody] = Field(min_length=1, max_length=MOST_PAYOUTS)


class OtpBody(_Body):
    """The one-time password that the gateway sent to the lender's phone. It is kept nowhere."""

    otp: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,10}$")] = Field(repr=False)


class AccountNameBody(_Body):
    """Which account's holder is asked for."""

    account: BankAccount = Field(repr=False, description="text: its leading noughts count")
    bank: BankCode = Field(description="the bank's code, text as the gateway lists it")


class ReceiptBody(_Body):
    """Money that no gateway saw. It belongs to a `payment` that was asked for, or to a `member` for a `kind` of
    payment, or to nobody that is known: then it goes to suspense. Amounts in minor units (kobo, cent)."""

    source: Connection = Field(description="a source of the connections file")
    external_id: Ref = Field(description="its id at the source; unique there")
    received_at: Instant | None = Field(None, description="when the money was received; or `received_on`")
    received_on: Day | None = Field(None, description="the business day, where the time of day is not known")
    amount_minor: Amount
    currency: Currency
    payment: Ours | None = Field(None, description="the payment that it is for")
    member: Ref | None = Field(None, description="the loan system's reference of the member")
    kind: PaymentKind | None = None
    loan: Ref | None = Field(None, description="the loan, for a repayment or a fee")
    account: Ref | None = Field(None, description="the account, for savings and shares")
    branch: Ref | None = None
    dues: DuesBody | None = Field(
        None, description="for a repayment; without dues the money goes to suspense"
    )


class ReasonBody(_Body):
    """Why an operator does something; kept in the audit with the key's name."""

    reason: Reason


class DayBody(_Body):
    """Compare a business day with the outside."""

    day: Day


class CloseGateBody(_Body):
    """Close the manual gate of a connection."""

    connection: Connection
    traffic: list[Traffic] = Field(min_length=1, max_length=2)
    reason: Reason
    until: Instant | None = Field(None, description="default: until somebody opens it")


class OpenGateBody(_Body):
    """Open a gate of a connection."""

    connection: Connection
    kind: GateKind
    traffic: list[Traffic] = Field(min_length=1, max_length=2)
    reason: Reason


class LettersBody(_Body):
    """Which dead letters: exactly one of `ids`, `group`, `consumer` and `all`; `limit` takes the oldest of them."""

    ids: list[LetterId] | None = Field(None, min_length=1, max_length=200)
    group: LetterGroup | None = None
    consumer: ConsumerName | None = None
    all: Literal[True] | None = None
    limit: Annotated[int, Field(strict=True, gt=0, le=LARGEST_COUNT)] | None = None


class PlanLettersBody(LettersBody):
    """Look ahead at a redrive."""

    per_second: Rate | None = Field(None, description="at most so many a second to each consumer")


class RedriveLettersBody(PlanLettersBody):
    """Deliver dead letters again."""

    reason: Reason


class DiscardLettersBody(LettersBody):
    """Let dead letters be delivered to nobody."""

    reason: Reason


class OpenBreakerBody(_Body):
    """Let no call pass to a connection, in any process."""

    connection: Connection
    traffic: list[Traffic] = Field(min_length=1, max_length=2)
    reason: Reason
    until: Instant | None = Field(None, description="default: until somebody closes it")


class CloseBreakerBody(_Body):
    """Let calls pass to a connection again."""

    connection: Connection
    traffic: list[Traffic] = Field(min_length=1, max_length=2)
    reason: Reason


class CommentBody(_Body):
    """Say something about a break; kept in its history with the key's name."""

    text: Reason


class AssignBody(_Body):
    """Say who cares for a break."""

    owner: Named | None = Field(description="null: nobody")


class LineBody(_Body):
    """A part of the money and the due that it satisfies. Minor units."""

    component: Literal[
        Component.PENALTY,
        Component.FEES,
        Component.INTEREST,
        Component.PRINCIPAL,
        Component.SAVINGS,
        Component.SHARES,
        Component.OVERPAYMENT,
    ]
    amount_minor: Amount
    due: Ref | None = None


class AllocateBody(_Body):
    """Give what a receipt has in suspense to a payment, or to a member's loan or product."""

    action: Literal["allocate"]
    receipt: Ref
    payment: Ref | None = Field(None, description="a payment; else member, kind and loan")
    member: Ref | None = None
    kind: PaymentKind | None = None
    loan: Ref | None = Field(None, description="the loan, or the account for savings and shares")
    branch: Ref | None = None
    lines: list[LineBody] | None = Field(
        None, min_length=1, max_length=500, description="where every minor unit goes"
    )
    dues: DuesBody | None = Field(
        None, description="in place of lines: the hub's waterfall over what the loan owes"
    )


class ReverseJournalBody(_Body):
    """Post the mirror of an entry that stands in the books."""

    action: Literal["reverse_journal"]
    journal: Ref = Field(description="the effect's id")
    on: Day | None = Field(None, description="default: today's business day")


class PostJournalAgainBody(_Body):
    """Post an entry again that does not stand in the books."""

    action: Literal["post_journal_again"]
    journal: Ref = Field(description="the effect's id")
    on: Day | None = Field(None, description="default: the day that it had")


class ReversePostingBody(_Body):
    """Undo a posting that stands in the core bank, whole."""

    action: Literal["reverse_posting"]
    posting: Ref = Field(description="the effect's id")


class PostPostingAgainBody(_Body):
    """Post a posting again that does not stand in the core bank."""

    action: Literal["post_posting_again"]
    posting: Ref = Field(description="the effect's id")


class CreditAgainBody(_Body):
    """Credit the member again with a refund that was debited and did not arrive."""

    action: Literal["credit_again"]
    refund: Ref


class RefundBody(_Body):
    """Give a part of a receipt, or all of it, back to the member. Minor units."""

    action: Literal["refund"]
    receipt: Ref
    amount_minor: Amount


class WriteOffBody(_Body):
    """Book a difference to the write-offs: of a receipt, or of a gateway's clearing account. Minor units."""

    action: Literal["write_off"]
    amount_minor: Amount
    receipt: Ref | None = Field(None, description="money in suspense, else overpaid, that nobody will claim")
    connection: Connection | None = Field(
        None, description="a gateway that does not have money of its clearing account"
    )


class BookSettlementBody(_Body):
    """Book a settlement that does not tie: what ties as it ties, the difference to suspense."""

    action: Literal["book_settlement"]
    settlement: Ref = Field(description="our id of it")


CorrectionBody = Annotated[
    AllocateBody
    | ReverseJournalBody
    | PostJournalAgainBody
    | ReversePostingBody
    | PostPostingAgainBody
    | CreditAgainBody
    | RefundBody
    | WriteOffBody
    | BookSettlementBody,
    Field(discriminator="action"),
]
"""What two persons may do about a break."""


class ProposeBody(_Body):
    """Propose a correction; another person must approve it."""

    correction: CorrectionBody
    reason: Reason


class DisputeAnswerBody(_Body):
    """What the lender says to a dispute."""

    verdict: DisputeVerdict = Field(
        description="accept gives money back and takes a second person; contest does not"
    )
    message: str = Field(min_length=1, max_length=2000, description="what the gateway is told")
    refund_minor: Amount | None = Field(
        None,
        description="minor units that are given back; left out: all that is claimed. Not when it is contested",
    )
    evidence_file: Named | None = Field(
        None, description="the name of an uploaded file, from `evidence-place`, where the gateway wants one"
    )


class CorrectionRequestBody(_Body):
    """Ask for a correction of a receipt or an effect that no rule complains about."""

    subject: Ref = Field(description="a receipt's or an effect's id")
    reason: Reason


class KeyBody(_Body):
    """Make an API key."""

    name: Named
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))


class FeeQuestion(BaseModel):
    """A charge that could be made; `amount_minor` is what the lender asks for, in minor units."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    amount_minor: int = Field(gt=0, le=LARGEST_AMOUNT)
    currency: Currency
    channel: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9_.-]*$")] = Field(
        "card", description="the gateway's word for the way to pay"
    )
    bearer: FeeBearer = Field(FeeBearer.LENDER, description="who pays the fee")
    on: Day | None = Field(None, description="by the prices of this day; default: today")
    card_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    card_brand: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9 _-]+$")] | None = None


# -- filters of lists --------------------------------------------------------------------------------------


class PageOf(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, description="`next` of the page before, with the same filters")

    def filter(self) -> Filter:
        """The filter, without the part of the list."""
        return Filter(**self.model_dump(exclude={"limit", "cursor"}))


class _Timed(PageOf):
    member: Ref | None = None
    loan: Ref | None = Field(None, description="the loan's or account's reference")
    connection: Connection | None = None
    since: Instant | None = Field(None, description="from this instant on")
    until: Instant | None = Field(None, description="before this instant")


class PaymentFilter(_Timed):
    """Which payments; `connection` is one at which it was tried."""

    state: PaymentState | None = None
    kind: PaymentKind | None = None


class AttemptFilter(_Timed):
    """Which attempts."""

    state: PaymentState | None = None
    payment: Ref | None = None


class ReceiptFilter(_Timed):
    """Which receipts; `state` is that of the allocation."""

    state: AllocationState | None = None
    payment: Ref | None = None


class RefundFilter(_Timed):
    """Which refunds."""

    state: RefundState | None = None
    payment: Ref | None = None
    receipt: Ref | None = None


class DisputeFilter(_Timed):
    """Which disputes."""

    state: DisputeState | None = None
    payment: Ref | None = None
    receipt: Ref | None = None


class SettlementFilter(PageOf):
    """Which settlements; `state` is where they stand here."""

    state: SettlementStand | None = None
    connection: Connection | None = None
    receipt: Ref | None = Field(None, description="that has this receipt")
    since: Instant | None = Field(None, description="recorded from this instant on")
    until: Instant | None = Field(None, description="recorded before this instant")


class SettlementWindow(BaseModel):
    """Settlements of which gateway and of which days, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    connection: Connection
    from_: Day = Field(alias="from")
    to: Day


class SettlementOf(BaseModel):
    """Whose settlement."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    connection: Connection


class PayoutFilter(_Timed):
    """Which payouts."""

    state: PayoutState | None = None


class BanksOf(BaseModel):
    """Which banks."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    currency: Currency = Field("NGN", description="banks that take this currency")


class VirtualAccountFilter(_Timed):
    """Which virtual accounts."""

    state: AccountState | None = None
    kind: PaymentKind | None = None


class MandateFilter(PageOf):
    """Which mandates."""

    state: MandateState | None = None
    member: Ref | None = None
    connection: Connection | None = None
    since: Instant | None = Field(None, description="from this instant on")
    until: Instant | None = Field(None, description="before this instant")


class AuthorizationFilter(PageOf):
    """Which ways to pay that members left."""

    state: AuthorizationState | None = None
    member: Ref | None = None
    connection: Connection | None = None
    payment: Ref | None = None


class WriteFilter(_Timed):
    """Which journals or postings."""

    state: EffectState | None = None
    payment: Ref | None = None
    receipt: Ref | None = None


class EffectFilter(WriteFilter):
    """Which effects."""

    kind: EffectKind | None = None


class BreakFilter(_Timed):
    """Which breaks; their age by `since` and `until`."""

    state: BreakState | None = None
    closed: bool | None = Field(None, description="false: those that still ask for somebody")
    owner: Named | None = None
    type: BreakType | None = None
    payment: Ref | None = None
    receipt: Ref | None = None


class LetterFilter(PageOf):
    """Which letters; without a state also those that were delivered since."""

    state: DeliveryState | None = None
    consumer: ConsumerName | None = None
    group: LetterGroup | None = None
    type: Named | None = Field(None, description="the type of the event")
    since: Instant | None = Field(None, description="failed first from this instant on")
    until: Instant | None = Field(None, description="failed first before this instant")


class ReconciliationFilter(PageOf):
    """Which comparisons."""

    day: Day | None = Field(None, description="the business day that was compared")
    state: Literal["running", "complete", "incomplete", "failed"] | None = None
    since: Instant | None = Field(None, description="begun from this instant on")
    until: Instant | None = Field(None, description="begun before this instant")


class BatchFilter(PageOf):
    """Which batches of receipts; `connection` is their source."""

    state: BatchState | None = None
    connection: Connection | None = None
    since: Instant | None = Field(None, description="from this instant on")
    until: Instant | None = Field(None, description="before this instant")


class BatchLineFilter(PageOf):
    """Which lines of a batch."""

    state: LineState | None = None


class UploadOf(BaseModel):
    """Where a file comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    source: Connection = Field(description="a source of the connections file")
    name: Named | None = Field(None, description="the file's name, for people")


class CoreAccountFilter(PageOf):
    """Which lines of the table of core accounts."""

    connection: Connection | None = None
    member: Ref | None = None
    loan: Ref | None = None
