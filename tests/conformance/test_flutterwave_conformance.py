"""Flutterwave keeps every promise of a gateway, and its own; each lie about it that others do not have is bitten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rigs.adapters import on_stage
from rigs.gateway_benches import arrivals, both_clocks, control, decliner, refunds, settled
from rigs.wrong_adapters import Bitten, Wrong, Wrongs
from rigs.wrong_mandates import WRONG_SUSPENSIONS

from coopwire.conformance.checks import Suite, require, require_equal
from coopwire.conformance.gateways import (
    REFERENCE,
    SUITE,
    AccountBench,
    AccountThere,
    Answered,
    DisputeBench,
    GatewayBench,
    MandateBench,
    Opened,
    PaidOut,
    PayoutBench,
    SavedBench,
    Settled,
    SettlementBench,
)
from coopwire.conformance.mischief import spoiler
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import Forged, OutcomeUnknown, Refused
from coopwire.domain.mandates import MandateChange
from coopwire.domain.money import exponent
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import (
    DisputeState,
    PaymentState,
    PayoutState,
    RefundState,
    SettlementState,
)
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import (
    AccountClosingOrder,
    AccountSnapshot,
    ChargeSnapshot,
    CheckoutOrder,
    CheckoutSnapshot,
    DisputeOrder,
    DisputeSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
    VirtualAccountOrder,
)
from coopwire.ports.providers import Capability, Connection
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave import PROVIDER
from coopwire.providers.flutterwave.adapter import connect
from coopwire.providers.flutterwave.simulator import build
from coopwire.providers.flutterwave.webhooks import FlutterwaveWebhooks
from coopwire.simulation.kernel import Simulator

KEY = "FLWSECK-planted7f3a-X"
HASH = "planted-hash-5d1c"
SIGNED = {"webhook_signature": "flutterwave-signature"}
_REFUND_WORDS = {
    "pending-momo": RefundState.PROCESSING,
    "completed": RefundState.SUCCEEDED,
    "completed-mpgs": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
}


def _settlements(simulator: Simulator[Any]) -> SettlementBench:
    def settle(deductions: int) -> Settled:
        (told,) = control(simulator, "settle", refunds=deductions)["settlements"]
        fee, net = (round(Decimal(told[name])) for name in ("fee_exact", "net_exact"))
        return settled(told, fee_minor=fee, net_minor=net)

    return SettlementBench(
        settle=settle,
        end=lambda settlement, word: control(simulator, "settlement", id=int(settlement), status=word),
        words={"pending": SettlementState.PENDING, "completed": SettlementState.PAID},
        spoil_list=spoiler(simulator, "list_settlements"),
        spoil_lines=spoiler(simulator, "fetch_settlement"),
    )


def _payouts(simulator: Simulator[Any]) -> PayoutBench:
    vendor = simulator.vendor

    return PayoutBench(
        bank="011",
        paid_out=lambda: [
            PaidOut(str(t["id"]), t["reference"], t["account_number"], t["amount_minor"], t["currency"])
            for t in vendor.truth()["transfers"]
        ],
        arrived=arrivals(simulator, "create_transfer"),
        known=list,
        name=lambda account, bank, name: control(
            simulator, "account", account_number=account, bank_code=bank, name=name
        ),
        standing=lambda: {
            code: int(amount.scaleb(exponent(code)) // 1)
            for code, amount in vendor.payouts.available().items()
        },
        end=lambda transfer, word: control(simulator, "transfer", id=int(transfer), status=word),
        words={
            "PENDING": PayoutState.PROCESSING,
            "SUCCESSFUL": PayoutState.SUCCEEDED,
            "FAILED": PayoutState.FAILED,
        },
        otp="",
        ask_for_otp=lambda: None,
        tell_success_at_once=lambda: vendor.configure({"transfer_word": "SUCCESSFUL"}),
        lose_a_line=None,
        spoil_recipient=lambda _: None,
        spoil_send=spoiler(simulator, "create_transfer"),
        spoil_look=spoiler(simulator, "list_transfers"),
        spoil_list=spoiler(simulator, "list_transfers"),
        spoil_fetch=spoiler(simulator, "fetch_transfer"),
        spoil_resolve=spoiler(simulator, "resolve_account"),
        spoil_banks=spoiler(simulator, "list_banks"),
        spoil_balance=spoiler(simulator, "read_balances"),
        decline=decliner(simulator, "create_transfer"),
    )


def _accounts(simulator: Simulator[Any]) -> AccountBench:
    def there() -> list[AccountThere]:
        told = simulator.vendor.truth()["accounts"]
        return [
            AccountThere(one["id"], one["number"], one["bank"], one["currency"], one["open"]) for one in told
        ]

    def assign(email: str) -> str:
        return str(next(one["id"] for one in simulator.vendor.truth()["accounts"] if one["email"] == email))

    def deposit(number: str, amount: int) -> str:
        told = control(simulator, "deposit", number=number, amount=amount, silent=True)
        return str(told["charges"][0]["reference"])

    return AccountBench(
        bank="",
        accounts=there,
        arrived=arrivals(simulator, "open_account"),
        assign=assign,
        deposit=deposit,
        miss=None,
        spoil_ask=spoiler(simulator, "open_account"),
        spoil_list=lambda _: None,
        spoil_fetch=spoiler(simulator, "fetch_account"),
        spoil_close=spoiler(simulator, "close_account"),
        decline=decliner(simulator, "open_account"),
        identity=Identity(bvn="22200000011"),
        repeats_our_reference=True,
    )


def _wallet(simulator: Simulator[Any]) -> SavedBench:
    def taken() -> dict[str, int]:
        sums: dict[str, int] = {}
        for charge in simulator.vendor.account.charges:
            if charge.saved and charge.status == "successful":
                sums[charge.tx_ref] = sums.get(charge.tx_ref, 0) + charge.charged
        return sums

    def plan(outcome: str) -> Callable[[str], None]:
        return lambda token: control(simulator, "plan", token=token, outcome=outcome)

    return SavedBench(
        taken=taken,
        arrived=arrivals(simulator, "charge_token"),
        decline_next=plan("failed"),
        leave_next_under_way=plan("pending"),
        hold_next_up=plan("redirect"),
        only_so_much=None,
        spoil_charge=spoiler(simulator, "charge_token"),
        spoil_end=lambda _: None,
        reference_is_key=False,
    )


def _disputes(simulator: Simulator[Any]) -> DisputeBench:
    def claim(reference: str, amount: int) -> str:
        told = control(simulator, "chargeback", reference=reference, amount=amount, silent=True)
        return str(told["chargeback"]["id"])

    def answered() -> list[Answered]:
        verdicts = {"accepted": DisputeVerdict.ACCEPT, "declined": DisputeVerdict.CONTEST}
        return [
            Answered(
                str(one["id"]),
                verdicts[one["status"]],
                one["amount_minor"] if one["status"] == "accepted" else 0,
                one["comment"],
            )
            for one in simulator.vendor.truth()["chargebacks"]
            if one["status"] in verdicts
        ]

    return DisputeBench(
        open=claim,
        end=lambda dispute, word: control(simulator, "chargeback_moves", id=int(dispute), status=word),
        words={
            "pending": DisputeState.OPEN,
            "initiated": DisputeState.OPEN,
            "declined": DisputeState.UNDER_REVIEW,
            "accepted": DisputeState.LOST,
            "lost": DisputeState.LOST,
            "won": DisputeState.WON,
            "reversed": DisputeState.WON,
        },
        answered=answered,
        arrived=arrivals(simulator, "answer_chargeback"),
        spoil_send=spoiler(simulator, "answer_chargeback"),
        spoil_list=spoiler(simulator, "list_chargebacks"),
        spoil_fetch=spoiler(simulator, "list_chargebacks"),
        decline=decliner(simulator, "answer_chargeback"),
        takes_parts=False,
    )


def _mandates(simulator: Simulator[Any]) -> MandateBench:
    return MandateBench(
        changes=frozenset({MandateChange.END, MandateChange.SUSPEND, MandateChange.RESUME}),
        arrived=arrivals(simulator, "start_mandate"),
        changed=arrivals(simulator, "change_mandate"),
        approve=lambda reference: control(simulator, "approve_mandate", reference=reference),
        activate=lambda reference: control(simulator, "activate_mandate", reference=reference),
        revoke=lambda reference: control(simulator, "revoke_mandate", reference=reference),
        alive=lambda reference: any(
            (one["reference"], one["status"]) == (reference, "ACTIVE")
            for one in simulator.vendor.truth()["mandates"]
        ),
        spoil_start=spoiler(simulator, "start_mandate"),
        spoil_fetch=spoiler(simulator, "fetch_mandate"),
        spoil_end=spoiler(simulator, "change_mandate"),
        decline=decliner(simulator, "start_mandate"),
    )


@asynccontextmanager
async def flutterwave(**more: str) -> AsyncIterator[GatewayBench]:
    keys = {"secret_key": KEY, "secret_hash": HASH}
    stays = dict.fromkeys(("refund_ends", "transfer_ends", "mandate_ends"), "stays")
    settings = {**keys, "mode": "live", "currencies": "NGN,XOF", **SIGNED, **stays, **more}
    async with on_stage(build, settings) as (simulator, url, mail, outside):
        given = {**keys, "signature": "flutterwave-signature", "base_url": f"{url}/v3"}
        connection = Connection("gateway", "flutterwave", Mode.LIVE, given)

        def pay(reference: str, **how: object) -> str:
            return str(control(simulator, "pay", reference=reference, **how)["charges"][0]["id"])

        yield GatewayBench(
            profile=PROVIDER.profile,
            sockets=connect(connection, outside),
            webhooks=FlutterwaveWebhooks(connection),
            mode=Mode.LIVE,
            currency="NGN",
            other_currency="XOF",
            now=outside.clock.now,
            pass_time=both_clocks(simulator, outside.clock),
            opened=lambda: [Opened(**page) for page in simulator.vendor.truth()["pages"]],
            arrived=arrivals(simulator, "create_payment"),
            pay=pay,
            pay_in_other_mode=lambda reference: pay(reference, mode="test"),
            try_and_fail=lambda reference: pay(reference, outcome="failed", reason="Insufficient funds"),
            end_with_word=lambda reference, word: pay(reference, outcome=word),
            spoil_open=spoiler(simulator, "create_payment"),
            spoil_look=spoiler(simulator, "verify_by_reference"),
            spoil_list=spoiler(simulator, "list_transactions"),
            decline=decliner(simulator, "create_payment"),
            refuse_key=lambda: simulator.vendor.configure({"secret_key": "FLWSECK-another-X"}),
            small_pages=lambda: simulator.vendor.configure({"page_size": "2", "refund_page_size": "2"}),
            mail=mail,
            forge=lambda reference: control(simulator, "forge", reference=reference),
            tell=lambda event: control(simulator, "notify", event=event, data={"id": 1}),
            secrets=lambda: (KEY, HASH),
            giving_back=refunds(simulator, _REFUND_WORDS, attention=""),
            paying_out=_payouts(simulator),
            settling=_settlements(simulator),
            disputing=_disputes(simulator),
            keeping_accounts=_accounts(simulator),
            charging_again=_wallet(simulator),
            debiting=_mandates(simulator),
            start=lambda reference: control(simulator, "begin", reference=reference),
        )


GATEWAY = Bitten(SUITE, PROVIDER.profile, flutterwave)
NOT_DECLARED = frozenset(
    {
        Capability.DEACTIVATIONS,
        Capability.RECIPIENTS,
    }
)
_OF_STANDING = frozenset(
    {
        Capability.VIRTUAL_ACCOUNTS,
        Capability.ACCOUNT_CLOSINGS,
        Capability.SAVED_CHARGES,
        Capability.DISPUTES,
    }
)


async def test_flutterwave_keeps_every_promise_of_a_gateway() -> None:
    await GATEWAY.kept(NOT_DECLARED)


# -- what is promised otherwise where a reference names the account, and a claim is given back whole ------------


class TellsAnotherNumber(Wrong):
    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        return replace(await self.right.send(order, said), number="0000000001")


class ForgetsWhatWasNotAnswered(Wrong):
    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except OutcomeUnknown as lost:
            if lost.http_status is not None:
                raise
            raise Refused("nobody answered") from None


class NamesTransfersByTheirIds(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return tuple(replace(one, reference=one.charge) for one in found)


class TellsTheNewestAlone(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        return (await self.right.find(reference, charges))[-1:]  # type: ignore[no-any-return]


class PretendsToAskAgain(Wrong):
    async def requery(self, provider_ref: str, on: date) -> None:
        await self.right.fetch(provider_ref)


class TakesOpenForClosed(Wrong):
    async def find(self, order: AccountClosingOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        return replace(await self.right.find(order, sent_at), word=FindingWord.EXECUTED)


class GivesTheWholeForAPart(Wrong):
    def say(self, order: DisputeOrder) -> bytes:
        return self.right.say(replace(order, whole=True))  # type: ignore[no-any-return]


class TakesAPartForTheWhole(Wrong):
    def say(self, order: SavedChargeOrder) -> bytes:
        return self.right.say(replace(order, at_least_minor=None))  # type: ignore[no-any-return]


OTHERWISE: Mapping[str, Wrongs] = {
    "virtual_accounts": {
        "tells another number": (TellsAnotherNumber, "an account is asked for and found"),
        "forgets what was not answered": (
            ForgetsWhatWasNotAnswered,
            "a lost answer is unknown and the account is found",
        ),
        "pretends to ask again": (PretendsToAskAgain, "a missed transfer is asked for again"),
    },
    "account_closings": {
        "takes open for closed": (TakesOpenForClosed, "an account that is open was not closed")
    },
    "charges": {
        "names transfers by their ids": (
            NamesTransfersByTheirIds,
            "a transfer names the account that it came to",
        ),
        "tells the newest transfer alone": (
            TellsTheNewestAlone,
            "two transfers of the same amount are two charges",
        ),
    },
    "disputes": {
        "gives the whole for a part": (
            GivesTheWholeForAPart,
            "a part is given back exactly or refused before anything is sent",
        ),
    },
    "saved_charges": {
        "takes a part for the whole": (
            TakesAPartForTheWhole,
            "a part is taken where the whole is not there",
        ),
    },
}
STANDING = Bitten(
    Suite([check for check in SUITE.checks if check.capability in _OF_STANDING]),
    PROVIDER.profile,
    flutterwave,
)
"""The promises about accounts, saved cards and chargebacks."""


@pytest.mark.parametrize(
    ("socket", "wrong"), [(socket, wrong) for socket, wrongs in OTHERWISE.items() for wrong in wrongs]
)
async def test_an_adapter_that_is_wrong_in_flutterwaves_own_way_breaks_exactly_its_promise(
    socket: str, wrong: str
) -> None:
    await STANDING.bites(socket, OTHERWISE[socket][wrong])


# -- what Flutterwave alone can be told wrongly ---------------------------------------------------------------

OWN: Suite[GatewayBench] = Suite()
"""Promises about what only Flutterwave does."""


@OWN.check(Capability.CHARGES)
async def every_success_of_a_reference_is_told(gateway: GatewayBench) -> None:
    """Whether or not a webhook named its id: a failed try, two payments and a deposit share one tx_ref."""
    await gateway.open(gateway.order())
    gateway.try_and_fail(REFERENCE)
    paid = {gateway.pay(REFERENCE), gateway.pay(REFERENCE)}
    found = await gateway.charges.find(REFERENCE)
    told = [charge.charge for charge in found if charge.state is PaymentState.SUCCEEDED]
    require_equal((set(told), len(told)), (paid, 2), "successful charges")


@OWN.check(Capability.CHARGES)
async def the_newest_charge_of_a_reference_is_told_last(gateway: GatewayBench) -> None:
    """What the last try came to is what the attempt came to."""
    await gateway.open(gateway.order())
    gateway.try_and_fail(REFERENCE)
    gateway.start(REFERENCE)
    found = await gateway.charges.find(REFERENCE)
    require_equal(found[-1].state, PaymentState.PROCESSING, "the last one told")


@OWN.check(Capability.CHARGES)
async def success_in_capital_letters_is_success(gateway: GatewayBench) -> None:
    """Their words come in both cases."""
    await gateway.open(gateway.order())
    gateway.end_with_word(REFERENCE, "SUCCESSFUL")
    (charge,) = await gateway.charges.find(REFERENCE)
    require_equal(charge.state, PaymentState.SUCCEEDED, "state")


@OWN.check(Capability.CHECKOUTS)
async def a_page_that_nobody_tried_is_neither_there_nor_refused(gateway: GatewayBench) -> None:
    """That there is no transaction says nothing about the page."""
    await gateway.open(gateway.order())
    found = await gateway.checkouts.find(gateway.order(), gateway.now())
    require_equal(found.word, FindingWord.ABSENT, "finding")


@OWN.check(Capability.REFUNDS)
async def a_refusal_under_http_200_is_no_success(gateway: GatewayBench) -> None:
    """And one that carries a record says nothing about what was done."""
    charge = await gateway.paid()
    try:
        await gateway.give_back(gateway.refund_order(charge, 10_000_000))
    except Refused as refused:
        require("greater than the charged amount" in refused.message, "their words are lost")
        return
    require(False, "a refusal under HTTP 200 was taken for a success")


@OWN.check(Capability.SAVED_CHARGES)
async def every_payment_under_a_saved_charges_reference_is_told(gateway: GatewayBench) -> None:
    """A reference is no key there: who charged twice must hear of both."""
    order = gateway.saved_order(await gateway.authorized())
    told = {(await gateway.charge_again(order)).provider_ref for _ in range(2)}
    found = await gateway.saved.find(order, gateway.now())
    require_equal({one.provider_ref for one in found.snapshots}, told, "payments found")


@OWN.check(Capability.DISPUTES)
async def an_answer_is_told_after_the_chargeback_was_decided(gateway: GatewayBench) -> None:
    """Its status has moved on by then; the history has not."""
    dispute = await gateway.claimed()
    await gateway.answer(await gateway.answer_order(dispute, DisputeVerdict.CONTEST))
    gateway.claims.end(dispute, "won")
    told = await gateway.disputes.fetch(dispute)
    require_equal((told.state, told.answer), (DisputeState.WON, DisputeVerdict.CONTEST), "told")


@OWN.check(Capability.DISPUTES)
async def silence_is_no_answer(gateway: GatewayBench) -> None:
    """Who said nothing in time has lost, and has not accepted."""
    dispute = await gateway.claimed()
    gateway.claims.end(dispute, "lost")
    require_equal((await gateway.disputes.fetch(dispute)).answer, None, "answer")


@OWN.check(Capability.WEBHOOKS)
async def a_chargeback_is_told_by_its_id(gateway: GatewayBench) -> None:
    """So that it is read at once."""
    dispute = await gateway.claimed()
    await gateway.mail.next()
    gateway.claims.end(dispute, "lost")
    (notice,) = gateway.door.read((await gateway.mail.next()).body)
    require_equal((notice.verdict, notice.dispute), (NoticeVerdict.DISPUTE, dispute), "the hint")


@OWN.check(Capability.WEBHOOKS)
async def a_completed_charge_that_failed_is_not_told_as_paid(gateway: GatewayBench) -> None:
    """charge.completed is sent of failed tries, too."""
    await gateway.open(gateway.order())
    gateway.try_and_fail(REFERENCE)
    mail = await gateway.mail.next()
    (notice,) = gateway.door.read(mail.body)
    require_equal((notice.verdict, notice.reference), (NoticeVerdict.FAILED, REFERENCE), "the hint")


@OWN.check(Capability.WEBHOOKS)
async def a_wrong_verif_hash_beside_a_right_signature_is_forged(gateway: GatewayBench) -> None:
    """Where both headers are there, both must be right."""
    _, mail = await gateway.paid_mail()
    headers = {**mail.headers, "verif-hash": "another"}
    try:
        gateway.door.verify(headers, mail.body)
    except Forged:
        return
    require(False, "a message with a wrong hash was believed")


ON_TOP: Suite[GatewayBench] = Suite()
"""Promises about an account whose customers bear the fee."""


@ON_TOP.check(Capability.CHARGES)
async def a_fee_on_top_is_the_members_and_no_part_of_what_was_asked(gateway: GatewayBench) -> None:
    """`charged_amount` left the pocket, `amount` was asked, the fee lies between them."""
    await gateway.paid(100_000)
    (charge,) = await gateway.charges.find(REFERENCE)
    require_equal((charge.amount_minor, charge.requested_minor), (101_400, 100_000), "charged and asked")
    require_equal((charge.fee_minor, charge.fee_bearer), (1_400, FeeBearer.MEMBER), "the fee")


def fee_on_top() -> Any:
    return flutterwave(bearer="customer")


OWN_GATEWAY = Bitten(OWN, PROVIDER.profile, flutterwave)
OWN_ON_TOP = Bitten(ON_TOP, PROVIDER.profile, fee_on_top)


async def test_flutterwave_keeps_its_own_promises() -> None:
    await OWN_GATEWAY.kept()
    await OWN_ON_TOP.kept()


class TellsTheOldestLast(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        return (await self.right.find(reference, charges))[::-1]  # type: ignore[no-any-return]


class KnowsSmallLettersOnly(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return tuple(
            replace(one, state=PaymentState.PENDING) if b"SUCCESSFUL" in one.raw else one for one in found
        )


class TakesChargedForAsked(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return tuple(
            replace(one, requested_minor=one.amount_minor, fee_bearer=FeeBearer.LENDER) for one in found
        )


class TakesALinkForATransaction(Wrong):
    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        return Finding(FindingWord.EXECUTED, (CheckoutSnapshot(order.reference, None, None),))


class BelievesHttp200(Wrong):
    async def send(self, order: Any, said: bytes) -> Any:
        try:
            return await self.right.send(order, said)
        except (Refused, OutcomeUnknown) as right:
            if right.http_status != 200:
                raise
            return None


class FindsOneOfTwoPayments(Wrong):
    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=found.snapshots[:1])


class ReadsTheStatusAlone(Wrong):
    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        told = await self.right.fetch(provider_ref)
        return replace(told, answer=None) if told.state is DisputeState.WON else told


class TakesSilenceForAYes(Wrong):
    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        told = await self.right.fetch(provider_ref)
        silent = told.state is DisputeState.LOST and told.answer is None
        return replace(told, answer=DisputeVerdict.ACCEPT) if silent else told


class ForgetsTheChargebacksId(Wrong):
    def read(self, body: bytes) -> tuple[Notice, ...]:
        return tuple(replace(notice, dispute=None) for notice in self.right.read(body))


class TakesCompletedForPaid(Wrong):
    def read(self, body: bytes) -> tuple[Notice, ...]:
        return tuple(
            replace(one, verdict=NoticeVerdict.PAID) if one.verdict is NoticeVerdict.FAILED else one
            for one in self.right.read(body)
        )


class ChecksOneHeaderOnly(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        one = {name: value for name, value in headers.items() if name != "verif-hash"}
        self.right.verify(one, body)


OWN_CHARGES: Wrongs = {
    "takes one of a reference": (TellsTheNewestAlone, "every success of a reference is told"),
    "tells the oldest last": (TellsTheOldestLast, "the newest charge of a reference is told last"),
    "knows small letters only": (KnowsSmallLettersOnly, "success in capital letters is success"),
}
OWN_CHECKOUTS: Wrongs = {
    "takes a link for a transaction": (
        TakesALinkForATransaction,
        "a page that nobody tried is neither there nor refused",
    ),
}
OWN_REFUNDS: Wrongs = {"believes HTTP 200": (BelievesHttp200, "a refusal under http 200 is no success")}
OWN_SAVED: Wrongs = {
    "finds one of two payments": (
        FindsOneOfTwoPayments,
        "every payment under a saved charges reference is told",
    ),
}
OWN_DISPUTES: Wrongs = {
    "reads the status alone": (
        ReadsTheStatusAlone,
        "an answer is told after the chargeback was decided",
    ),
    "takes silence for a yes": (TakesSilenceForAYes, "silence is no answer"),
}
OWN_WEBHOOKS: Wrongs = {
    "forgets the chargeback's id": (ForgetsTheChargebacksId, "a chargeback is told by its id"),
    "takes completed for paid": (
        TakesCompletedForPaid,
        "a completed charge that failed is not told as paid",
    ),
    "checks one header only": (
        ChecksOneHeaderOnly,
        "a wrong verif hash beside a right signature is forged",
    ),
}


@pytest.mark.parametrize("wrong", OWN_CHARGES)
async def test_a_lie_about_charges_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("charges", OWN_CHARGES[wrong])


async def test_taking_charged_for_asked_breaks_exactly_its_promise() -> None:
    promise = "a fee on top is the members and no part of what was asked"
    await OWN_ON_TOP.bites("charges", (TakesChargedForAsked, promise))


@pytest.mark.parametrize("wrong", OWN_CHECKOUTS)
async def test_a_lie_about_checkouts_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("checkouts", OWN_CHECKOUTS[wrong])


@pytest.mark.parametrize("wrong", OWN_REFUNDS)
async def test_a_lie_about_refunds_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("refunds", OWN_REFUNDS[wrong])


@pytest.mark.parametrize("wrong", OWN_SAVED)
async def test_a_lie_about_saved_cards_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("saved_charges", OWN_SAVED[wrong])


@pytest.mark.parametrize("wrong", OWN_DISPUTES)
async def test_a_lie_about_chargebacks_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("disputes", OWN_DISPUTES[wrong])


@pytest.mark.parametrize("wrong", OWN_WEBHOOKS)
async def test_a_lie_about_webhooks_breaks_exactly_its_promise(wrong: str) -> None:
    flaw, promise = OWN_WEBHOOKS[wrong]
    broken = await OWN_GATEWAY.broken(lambda gateway: replace(gateway, webhooks=flaw(gateway.webhooks)))
    assert broken == {promise}


def test_every_promise_of_flutterwave_has_a_lie_that_breaks_it() -> None:
    bitten = {
        promise
        for table in (OWN_CHARGES, OWN_CHECKOUTS, OWN_REFUNDS, OWN_SAVED, OWN_DISPUTES, OWN_WEBHOOKS)
        for _, promise in table.values()
    }
    assert {check.name for check in OWN.checks} == bitten


@pytest.mark.parametrize("wrong", WRONG_SUSPENSIONS)
async def test_a_wrong_adapter_of_suspensions_breaks_exactly_its_promise(wrong: str) -> None:
    await GATEWAY.bites("mandate_changes", WRONG_SUSPENSIONS[wrong])
