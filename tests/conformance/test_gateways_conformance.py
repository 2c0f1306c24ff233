"""Paystack keeps every promise of a gateway; each deliberately wrong adapter breaks exactly its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rigs.adapters import on_stage
from rigs.gateway_benches import arrivals, both_clocks, control, decliner, refunds, settled
from rigs.wrong_adapters import (
    DECLARED,
    Bitten,
    CallsAbsenceARefusal,
    CountsThoughItCannot,
    EndsWhereItBreaks,
    ForgetsTheCensus,
    HidesAFailedLookUp,
    IgnoresTheWindow,
    LosesWhatItFinds,
    SaysItDifferently,
    SaysOtherwise,
    Wrong,
    Wrongs,
    fetches,
    takes,
    told,
)
from rigs.wrong_after_payment import WRONG_DISPUTES, WRONG_SETTLEMENTS
from rigs.wrong_mandates import (
    WRONG_DEBITS,
    WRONG_MANDATE_CHANGES,
    WRONG_MANDATES,
    WRONG_SUSPENSIONS,
)
from rigs.wrong_payouts import WRONG_PAYOUTS

from coopwire.conformance.checks import Suite
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
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    Forged,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.mandates import MandateChange
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import (
    AccountState,
    DisputeState,
    PaymentState,
    PayoutState,
    RefundState,
    SettlementState,
)
from coopwire.ports.gateways import (
    AccountClosingOrder,
    AccountSnapshot,
    ChargeSnapshot,
    CheckoutOrder,
    CheckoutSnapshot,
    DeactivationOrder,
    DeactivationSnapshot,
    RefundOrder,
    RefundSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
    VirtualAccountOrder,
)
from coopwire.ports.providers import Capability, Connection
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack import PROVIDER
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.simulator import build
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.simulation.kernel import Simulator

KEY = "sk_test_planted7f3a"
HUNDREDTHS_OF_A_FRANC = 100
IN_HUNDREDTHS = {"NGN": 1, "XOF": HUNDREDTHS_OF_A_FRANC}


def _opened(simulator: Simulator[Any]) -> list[Opened]:
    """Pages in minor units: the simulator counts hundredths in every currency, as Paystack does."""
    return [
        Opened(page["reference"], page["amount_minor"] // IN_HUNDREDTHS[page["currency"]], page["currency"])
        for page in simulator.vendor.truth()["pages"]
    ]


_REFUND_WORDS = {
    "processed": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "processing": RefundState.PROCESSING,
    "needs-attention": RefundState.PENDING,
}


def _settlements(simulator: Simulator[Any]) -> SettlementBench:
    def settle(deductions: int) -> Settled:
        (told,) = control(simulator, "settle", deductions=deductions)["settlements"]
        return settled(told, fee_minor=told["fee_minor"], net_minor=told["net_minor"])

    return SettlementBench(
        settle=settle,
        end=lambda settlement, word: control(simulator, "settlement", id=int(settlement), status=word),
        words={
            "pending": SettlementState.PENDING,
            "processing": SettlementState.PROCESSING,
            "success": SettlementState.PAID,
            "failed": SettlementState.FAILED,
        },
        spoil_list=spoiler(simulator, "list_settlements"),
        spoil_lines=spoiler(simulator, "list_settlement_transactions"),
    )


_VERDICTS = {"merchant-accepted": DisputeVerdict.ACCEPT, "declined": DisputeVerdict.CONTEST}


def _disputes(simulator: Simulator[Any]) -> DisputeBench:
    def claim(reference: str, amount_minor: int) -> str:
        told = control(simulator, "dispute", reference=reference, amount=amount_minor, silent=True)
        return str(told["dispute"]["id"])

    def end(dispute: str, word: str) -> None:
        member = "resolution" if word in ("declined", "merchant-accepted", "auto-accepted") else "status"
        control(simulator, "dispute_moves", id=int(dispute), **{member: word})

    def answered() -> list[Answered]:
        rows = [one for one in simulator.vendor.truth()["disputes"] if one["message"] is not None]
        verdicts = [_VERDICTS[one["resolution"]] for one in rows]
        return [
            Answered(
                str(one["id"]),
                verdict,
                one["amount_minor"] if verdict is DisputeVerdict.ACCEPT else 0,
                one["message"],
            )
            for one, verdict in zip(rows, verdicts, strict=True)
        ]

    return DisputeBench(
        open=claim,
        end=end,
        words={
            "awaiting-bank-feedback": DisputeState.UNDER_REVIEW,
            "awaiting-merchant-feedback": DisputeState.OPEN,
            "pending": DisputeState.OPEN,
            "merchant-accepted": DisputeState.LOST,
            "declined": DisputeState.WON,
            "auto-accepted": DisputeState.LOST,
        },
        answered=answered,
        arrived=arrivals(simulator, "resolve_dispute"),
        spoil_send=spoiler(simulator, "resolve_dispute"),
        spoil_list=spoiler(simulator, "list_disputes"),
        spoil_fetch=spoiler(simulator, "fetch_dispute"),
        decline=decliner(simulator, "resolve_dispute"),
    )


def _paid_out(simulator: Simulator[Any]) -> list[PaidOut]:
    return [
        PaidOut(t["code"], t["reference"], t["account_number"], t["amount_minor"], t["currency"])
        for t in simulator.vendor.truth()["transfers"]
    ]


def _payouts(simulator: Simulator[Any]) -> PayoutBench:
    vendor = simulator.vendor

    return PayoutBench(
        bank="011",
        paid_out=lambda: _paid_out(simulator),
        arrived=arrivals(simulator, "create_transfer", "bulk_transfer"),
        known=lambda: list(vendor.payouts.recipients),
        name=lambda account, bank, name: control(
            simulator, "account", account_number=account, bank_code=bank, name=name
        ),
        standing=lambda: {
            code: amount // IN_HUNDREDTHS[code] for code, amount in vendor.truth()["balance_minor"].items()
        },
        end=lambda transfer, word: control(simulator, "transfer", code=transfer, status=word),
        words={
            "pending": PayoutState.PROCESSING,
            "received": PayoutState.PROCESSING,
            "otp": PayoutState.AWAITING_OTP,
            "success": PayoutState.SUCCEEDED,
            "reversed": PayoutState.REVERSED,
            "failed": PayoutState.FAILED,
            "rejected": PayoutState.FAILED,
            "blocked": PayoutState.FAILED,
            "abandoned": PayoutState.CANCELLED,
        },
        otp="928783",
        ask_for_otp=lambda: vendor.configure({"otp": "928783"}),
        tell_success_at_once=lambda: vendor.configure({"transfer_word": "success"}),
        lose_a_line=lambda: simulator.faults.add("bulk_transfer", "line_missing"),
        spoil_recipient=spoiler(simulator, "create_recipient"),
        spoil_send=spoiler(simulator, "create_transfer"),
        spoil_look=spoiler(simulator, "verify_transfer"),
        spoil_list=spoiler(simulator, "list_transfers"),
        spoil_fetch=spoiler(simulator, "fetch_transfer"),
        spoil_resolve=spoiler(simulator, "resolve_account"),
        spoil_banks=spoiler(simulator, "list_banks"),
        spoil_balance=spoiler(simulator, "read_balance"),
        decline=decliner(simulator, "create_transfer"),
    )


def _accounts(simulator: Simulator[Any]) -> AccountBench:
    def there() -> list[AccountThere]:
        told = simulator.vendor.truth()["accounts"]
        return [
            AccountThere(str(one["id"]), one["number"], one["bank"], one["currency"], one["assigned"])
            for one in told
        ]

    return AccountBench(
        bank="test-bank",
        accounts=there,
        arrived=arrivals(simulator, "assign_account"),
        assign=lambda email: str(control(simulator, "assign", email=email)["account"]["id"]),
        deposit=lambda number, amount: control(
            simulator, "deposit", number=number, amount=amount, webhook=False
        )["charges"][0]["reference"],
        miss=lambda number, amount: control(simulator, "deposit", number=number, amount=amount, missed=True),
        spoil_ask=spoiler(simulator, "assign_account"),
        spoil_list=spoiler(simulator, "list_accounts"),
        spoil_fetch=spoiler(simulator, "fetch_account"),
        spoil_close=spoiler(simulator, "close_account"),
        decline=decliner(simulator, "assign_account"),
    )


def _wallet(simulator: Simulator[Any]) -> SavedBench:
    def taken() -> dict[str, int]:
        saved = {page.reference for page in simulator.vendor.account.pages.values() if page.saved}
        told = simulator.vendor.truth()["charges"]
        return {
            one["reference"]: one["amount_minor"]
            for one in told
            if one["reference"] in saved and one["status"] == "success"
        }

    def plan(code: str, **words: object) -> None:
        control(simulator, "plan", code=code, **words)

    return SavedBench(
        taken=taken,
        arrived=arrivals(simulator, "charge_authorization", "partial_debit"),
        decline_next=lambda code: plan(code, outcome="failed"),
        leave_next_under_way=lambda code: plan(code, outcome="processing"),
        hold_next_up=lambda code: plan(code, outcome="paused"),
        only_so_much=lambda code, amount: plan(code, available=amount),
        spoil_charge=spoiler(simulator, "charge_authorization"),
        spoil_end=spoiler(simulator, "deactivate_authorization"),
    )


def _mandates(simulator: Simulator[Any]) -> MandateBench:
    return MandateBench(
        changes=frozenset({MandateChange.END, MandateChange.RETRY}),
        arrived=arrivals(simulator, "start_mandate", "start_mandate_of_customer"),
        changed=arrivals(simulator, "retry_mandate", "deactivate_authorization"),
        approve=lambda reference: control(simulator, "approve_mandate", reference=reference),
        activate=lambda reference: control(simulator, "activate_mandate", reference=reference),
        revoke=lambda reference: control(simulator, "revoke_mandate", reference=reference),
        alive=lambda reference: any(
            (one["reference"], one["status"]) == (reference, "active")
            for one in simulator.vendor.truth()["mandates"]
        ),
        spoil_start=spoiler(simulator, "start_mandate"),
        spoil_fetch=spoiler(simulator, "verify_mandate"),
        spoil_end=spoiler(simulator, "deactivate_authorization"),
        decline=decliner(simulator, "start_mandate"),
    )


@asynccontextmanager
async def paystack() -> AsyncIterator[GatewayBench]:
    settings = {
        "secret_key": KEY,
        "currencies": "NGN,XOF",
        "refund_ends": "stays",
        "transfer_ends": "stays",
        "account_ends": "stays",
        "mandate_ends": "stays",
        "debit_ends": "stays",
    }
    async with on_stage(build, settings) as (simulator, url, mail, outside):
        connection = Connection("gateway", "paystack", Mode.TEST, {"secret_key": KEY, "base_url": url})
        yield GatewayBench(
            profile=PROVIDER.profile,
            sockets=connect(connection, outside),
            webhooks=PaystackWebhooks(connection),
            mode=Mode.TEST,
            currency="NGN",
            other_currency="XOF",
            now=outside.clock.now,
            pass_time=both_clocks(simulator, outside.clock),
            opened=lambda: _opened(simulator),
            arrived=arrivals(simulator, "initialize_transaction"),
            pay=lambda reference: str(control(simulator, "pay", reference=reference)["charges"][0]["id"]),
            pay_in_other_mode=lambda reference: control(simulator, "pay", reference=reference, domain="live"),
            try_and_fail=lambda reference: control(
                simulator, "pay", reference=reference, outcome="failed", reason="Insufficient funds"
            ),
            end_with_word=lambda reference, word: control(
                simulator, "pay", reference=reference, outcome=word
            ),
            spoil_open=spoiler(simulator, "initialize_transaction"),
            spoil_look=spoiler(simulator, "verify_transaction"),
            spoil_list=spoiler(simulator, "list_transactions"),
            decline=decliner(simulator, "initialize_transaction"),
            refuse_key=lambda: simulator.vendor.configure({"secret_key": "sk_test_another"}),
            small_pages=lambda: simulator.vendor.configure({"largest_page": "2"}),
            mail=mail,
            forge=lambda reference: control(simulator, "forge", reference=reference),
            tell=lambda event: control(simulator, "notify", event=event, data={"id": 1}),
            secrets=lambda: (KEY,),
            giving_back=refunds(simulator, _REFUND_WORDS, attention="needs-attention"),
            settling=_settlements(simulator),
            disputing=_disputes(simulator),
            paying_out=_payouts(simulator),
            keeping_accounts=_accounts(simulator),
            charging_again=_wallet(simulator),
            debiting=_mandates(simulator),
        )


OF_ACCOUNTS = frozenset({Capability.VIRTUAL_ACCOUNTS, Capability.ACCOUNT_CLOSINGS})
GATEWAY = Bitten(SUITE, PROVIDER.profile, paystack)
OF_AUTHORIZATIONS = frozenset({Capability.SAVED_CHARGES, Capability.DEACTIVATIONS})
OF_MANDATES = frozenset({Capability.MANDATES, Capability.MANDATE_CHANGES})
APART = OF_ACCOUNTS | OF_AUTHORIZATIONS | OF_MANDATES
PAGES = Bitten(
    Suite([check for check in SUITE.checks if check.capability not in APART]),
    PROVIDER.profile,
    paystack,
)
"""The promises that have nothing to do with accounts, with what members left or with mandates: a flaw of pages, charges
or refunds is looked for in these."""
ACCOUNTS = Bitten(
    Suite([check for check in SUITE.checks if check.capability in OF_ACCOUNTS]), PROVIDER.profile, paystack
)
"""The promises that touch the sockets of accounts."""
AUTHORIZATIONS = Bitten(
    Suite([check for check in SUITE.checks if check.capability in OF_AUTHORIZATIONS]),
    PROVIDER.profile,
    paystack,
)
"""The promises that touch the sockets of what members left."""
MANDATES = Bitten(
    Suite([check for check in SUITE.checks if check.capability in OF_MANDATES]), PROVIDER.profile, paystack
)
"""The promises that touch the sockets of mandates."""


async def test_paystack_keeps_every_promise_of_a_gateway() -> None:
    await GATEWAY.kept()


# -- wrong checkouts ------------------------------------------------------------------------------------------


class ForgetsWhosePageItIs(Wrong):
    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        return replace(await self.right.send(order, said), reference="")


class DropsKobo(SaysOtherwise):
    def change(self, order: CheckoutOrder, body: dict[str, Any]) -> Mapping[str, Any]:
        return {**body, "amount": max(body["amount"] // 100 * 100, 100)}


class TakesTheAccountsCurrency(SaysOtherwise):
    def change(self, order: CheckoutOrder, body: dict[str, Any]) -> Mapping[str, Any]:
        del body["currency"]
        return body


class SendsNothingness(Wrong):
    def say(self, order: CheckoutOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder as refused:
            if refused.field != "amount_minor":
                raise
            body = json.loads(self.right.say(replace(order, amount_minor=1)))
            return json.dumps({**body, "amount": order.amount_minor}).encode()


class RepairsFacts(Wrong):
    def say(self, order: CheckoutOrder) -> bytes:
        facts = tuple((name, value.encode("ascii", "ignore").decode()) for name, value in order.facts)
        return self.right.say(replace(order, facts=facts))  # type: ignore[no-any-return]


class DoubtsAbsence(Wrong):
    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, word=FindingWord.PENDING) if found.word is FindingWord.ABSENT else found


class ComparesNothing(Wrong):
    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        try:
            return await self.right.find(order, sent_at)  # type: ignore[no-any-return]
        except ContractBroken:
            return Finding(FindingWord.EXECUTED, (CheckoutSnapshot(order.reference, None, None),))


class TellsThePayer(Wrong):
    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except OutcomeUnknown as right:
            raise OutcomeUnknown(f"{right} for {order.payer.email}", code=right.code) from None


class ShowsThePage(Wrong):
    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        told = await self.right.send(order, said)
        return replace(told, provider_ref=told.url.rpartition("/")[2])


WRONG_CHECKOUTS: Wrongs = {
    "forgets whose page it is": (ForgetsWhosePageItIs, "an order opens one page and tells where it is"),
    "drops kobo": (DropsKobo, "every minor unit is asked for"),
    "takes the account's currency": (TakesTheAccountsCurrency, "the currency of the order is asked for"),
    "says it differently": (SaysItDifferently, "the same order is said in the same bytes"),
    "sends nothingness": (SendsNothingness, "an order of nothing is refused before anything is sent"),
    "repairs facts": (RepairsFacts, "hostile facts arrive unchanged or are refused before sending"),
    "refuses a duplicate": (
        takes(OutcomeUnknown, told(code="duplicate_reference"), Refused),
        "a used reference is unknown or leads to no other money",
    ),
    "loses what it finds": (
        LosesWhatItFinds,
        "a lost answer is unknown and the page is found or opened again",
    ),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None, code=""), TryLater),
        "a lost answer is unknown and the page is found or opened again",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200, code=""), TryLater),
        "a page of html instead of an answer is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500, code=""), TryLater),
        "a failure of theirs is unknown",
    ),
    "waits for nothing": (
        takes(TryLater, told(), TryLater),
        "too many calls are tried later with a wait",
    ),
    "loses their words": (
        takes(Refused, told(), Refused, words="refused"),
        "a rule of theirs is refused in their words",
    ),
    "goes on with a bad key": (
        takes(BadCredentials, told(), Refused),
        "a key that is not accepted stops the connection",
    ),
    "doubts absence": (DoubtsAbsence, "an order that was never sent is absent"),
    "compares nothing": (ComparesNothing, "a page for other money is not ours"),
    "hides a failed look-up": (HidesAFailedLookUp, "a failed look up is tried later"),
    "tells the payer": (TellsThePayer, "no error tells a secret or a person"),
    "shows the page": (ShowsThePage, "a page is hidden where it is shown"),
}

_A_CHARGE = ChargeSnapshot(
    charge="1",
    reference="",
    state=PaymentState.PENDING,
    amount_minor=1,
    requested_minor=None,
    currency="NGN",
    fee_minor=0,
    fee_exact="0",
    fee_bearer=FeeBearer.LENDER,
    fee_known=False,
    mode=Mode.TEST,
    channel="",
    paid_at=None,
    created_at=None,
)

# -- wrong charges --------------------------------------------------------------------------------------------


class Retold(Wrong):
    """Changes each charge that the right adapter finds under a reference."""

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return tuple(self.retold(charge) for charge in found)

    def retold(self, charge: ChargeSnapshot) -> ChargeSnapshot:
        raise NotImplementedError


def retells(when: Callable[[ChargeSnapshot], bool], **changes: Any) -> type[Retold]:
    """An adapter that tells some charges otherwise."""

    class Retells(Retold):
        def retold(self, charge: ChargeSnapshot) -> ChargeSnapshot:
            return replace(charge, **changes) if when(charge) else charge

    return Retells


def always(_: ChargeSnapshot) -> bool:
    return True


def is_in(*states: PaymentState) -> Callable[[ChargeSnapshot], bool]:
    return lambda charge: charge.state in states


class InventsCharges(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return found or (replace(_A_CHARGE, reference=reference),)


class FindsTheFirstOnly(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return found[:1]  # type: ignore[no-any-return]


class TakesAnyId(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        known = {charge.charge for charge in found}
        window = self.right.list_window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        others = [charge async for charge in window if charge.charge in set(charges) - known]
        return (*found, *others)


class HidesAFailedRead(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        try:
            return await self.right.find(reference, charges)  # type: ignore[no-any-return]
        except TryLater:
            return ()


class HidesFailures(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        async for charge in self.right.list_window(start, end):
            if charge.state is not PaymentState.FAILED:
                yield charge


class CountsRowsThatShift(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        row = 0
        while row < len(rows := [charge async for charge in self.right.list_window(start, end)]):
            yield rows[row]
            row += 1


SUCCEEDED = is_in(PaymentState.SUCCEEDED)
WRONG_CHARGES: Wrongs = {
    "drops kobo": (
        retells(lambda charge: charge.amount_minor % 100 != 0, amount_minor=1_005_000),
        "a paid charge is told exactly",
    ),
    "rounds the fee otherwise": (
        retells(lambda charge: charge.fee_known, fee_exact="1.5", fee_minor=1),
        "a paid charge is told exactly",
    ),
    "forgets the time of payment": (retells(SUCCEEDED, paid_at=None), "the time of payment is told"),
    "takes a page for a payment": (
        retells(is_in(PaymentState.ABANDONED), state=PaymentState.SUCCEEDED),
        "a page that nobody paid is not paid",
    ),
    "keeps the reason to itself": (
        retells(is_in(PaymentState.FAILED), failure_reason=""),
        "a failed try is told with its reason",
    ),
    "takes any word for success": (
        retells(is_in(PaymentState.PENDING), state=PaymentState.SUCCEEDED),
        "a word never seen before moves no money",
    ),
    "finds the first only": (FindsTheFirstOnly, "two charges on one page are two"),
    "takes any id": (TakesAnyId, "a charge of another reference is not ours"),
    "takes live money for test money": (
        retells(always, mode=Mode.TEST),
        "money of the other mode is told as such",
    ),
    "hides a failed read": (HidesAFailedRead, "a failed read is tried later and never empty"),
    "hides failures": (HidesFailures, "a window is told whole and each charge once"),
    "counts rows that shift": (CountsRowsThatShift, "charges that come in meanwhile hide no others"),
    "invents charges": (InventsCharges, "a reference that nobody has has no charges"),
    "ignores the window": (IgnoresTheWindow, "nothing outside the window is told"),
    "ends where it breaks": (EndsWhereItBreaks, "a list that breaks off is tried later"),
}

# -- wrong refunds --------------------------------------------------------------------------------------------


class TellsAnotherCharge(Wrong):
    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        return replace(await self.right.send(order, said), charge="1")


class TakesAcceptedForPaid(Wrong):
    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        return replace(await self.right.send(order, said), state=RefundState.SUCCEEDED)


class KeepsSomethingOfTheWhole(Wrong):
    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        if not order.whole:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        less = replace(order, amount_minor=order.amount_minor - 1)
        return await self.right.send(less, self.right.say(less))  # type: ignore[no-any-return]


class TakesNothingForTheWhole(Wrong):
    def say(self, order: RefundOrder) -> bytes:
        if order.amount_minor > 0:
            return self.right.say(order)  # type: ignore[no-any-return]
        body = json.loads(self.right.say(replace(order, amount_minor=1)))
        del body["amount"]
        return json.dumps(body).encode()


class CountsTheFirstPage(Wrong):
    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        counted = await self.right.count(order)
        return counted[:2]  # type: ignore[no-any-return]


class TakesOver(Wrong):
    """Takes what came to the census for its own, when `mine` says so."""

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        try:
            found = await self.right.find(order, sent_at)
        except ContractBroken:
            found = Finding(FindingWord.ABSENT)
        if found.word is FindingWord.EXECUTED:
            return found  # type: ignore[no-any-return]
        window = self.right.list_window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        came = [one async for one in window if one.provider_ref not in order.census]
        taken = tuple(one for one in came if self.mine(order, one))
        return Finding(FindingWord.EXECUTED, taken) if taken else found

    def mine(self, order: RefundOrder, refund: RefundSnapshot) -> bool:
        raise NotImplementedError


class TakesTheUnmarked(TakesOver):
    def mine(self, order: RefundOrder, refund: RefundSnapshot) -> bool:
        return refund.reference is None and refund.amount_minor == order.amount_minor


class TakesAnyMarker(TakesOver):
    def mine(self, order: RefundOrder, refund: RefundSnapshot) -> bool:
        return refund.reference is not None and refund.amount_minor == order.amount_minor


class TakesAnyAmount(TakesOver):
    def mine(self, order: RefundOrder, refund: RefundSnapshot) -> bool:
        return refund.reference == order.reference


class HidesAFailedFetch(Wrong):
    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        try:
            return await self.right.fetch(provider_ref)  # type: ignore[no-any-return]
        except TryLater:
            return RefundSnapshot(provider_ref, "1", 1, "NGN", RefundState.PROCESSING, None)


class HidesSomeRefunds(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        async for refund in self.right.list_window(start, end):
            if refund.state is not RefundState.SUCCEEDED:
                yield refund


WRONG_REFUNDS: Wrongs = {
    "tells another charge": (TellsAnotherCharge, "a part goes back exactly as ordered"),
    "takes accepted for paid": (TakesAcceptedForPaid, "a part goes back exactly as ordered"),
    "keeps something of the whole": (KeepsSomethingOfTheWhole, "the whole goes back"),
    "says it differently": (SaysItDifferently, "a refund is said in the same bytes"),
    "takes nothing for the whole": (
        TakesNothingForTheWhole,
        "a refund of nothing is refused before anything is sent",
    ),
    "counts the first page": (
        CountsTheFirstPage,
        "what stands at the charge is counted over all pages",
    ),
    "loses what it finds": (LosesWhatItFinds, "a lost answer is unknown and the refund is found"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "a lost answer is unknown and the refund is found",
    ),
    "forgets the census": (ForgetsTheCensus, "a refund that was counted is not ours"),
    "takes the unmarked": (TakesTheUnmarked, "a strangers refund of the same amount is not ours"),
    "takes any marker": (TakesAnyMarker, "another order of ours is not this one"),
    "takes any amount": (TakesAnyAmount, "a refund of another amount is not ours"),
    "calls absence a refusal": (CallsAbsenceARefusal, "a refund that never came is not there"),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200), TryLater),
        "a refund answered by a page of html is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "a refund that met a failure of theirs is unknown",
    ),
    "doubts a refusal": (
        takes(Refused, told(code="invalid_amount"), OutcomeUnknown),
        "more than was paid is refused",
    ),
    "loses their words": (
        takes(Refused, told(code="unknown"), Refused, words="refused"),
        "a refused refund keeps their words",
    ),
    "counts though it cannot": (CountsThoughItCannot, "a count that fails is tried later"),
    "takes failure for success": (
        fetches(lambda refund: refund.state is RefundState.FAILED, state=RefundState.SUCCEEDED),
        "every word for the end of a refund is understood",
    ),
    "asks for nobody": (
        fetches(lambda refund: refund.needs_attention, needs_attention=False),
        "every word for the end of a refund is understood",
    ),
    "takes any word for success": (
        fetches(lambda refund: "never seen" in refund.reason, state=RefundState.SUCCEEDED),
        "a word for a refund never seen before ends nothing",
    ),
    "fetches another amount": (
        fetches(lambda refund: refund.amount_minor == 50_001, amount_minor=50_000),
        "a fetched refund is told exactly",
    ),
    "hides a failed fetch": (HidesAFailedFetch, "a fetch that fails is tried later"),
    "hides some": (HidesSomeRefunds, "a window of refunds is told whole and each once"),
    "ignores the window": (IgnoresTheWindow, "no refund outside the window is told"),
    "ends where it breaks": (EndsWhereItBreaks, "a list of refunds that breaks off is tried later"),
    "hides a failed look-up": (HidesAFailedLookUp, "a look for a refund that fails is tried later"),
}

# -- wrong accounts -------------------------------------------------------------------------------------------


class TakesAskedForAssigned(Wrong):
    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        told = await self.right.send(order, said)
        return replace(told, state=AccountState.ACTIVE, number="9930000001")


class TellsAnotherNumber(Wrong):
    async def find(self, order: VirtualAccountOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=tuple(replace(one, number="0000000001") for one in found.snapshots))


class AsksForNobody(Wrong):
    def say(self, order: VirtualAccountOrder) -> bytes:
        holder = replace(order.holder, email=order.holder.email or "desk@members.example")
        return self.right.say(replace(order, holder=holder))  # type: ignore[no-any-return]


class CountsTheFirstAccount(Wrong):
    async def count(self, order: VirtualAccountOrder) -> tuple[str, ...]:
        return (await self.right.count(order))[:1]  # type: ignore[no-any-return]


class FetchesAnyAccount(Wrong):
    async def fetch(self, provider_ref: str) -> AccountSnapshot:
        try:
            return await self.right.fetch(provider_ref)  # type: ignore[no-any-return]
        except ContractBroken:
            return AccountSnapshot(provider_ref, AccountState.ACTIVE, "NGN", "test-bank", "9930000001")


class ShowsTheNumber(Wrong):
    async def fetch(self, provider_ref: str) -> AccountSnapshot:
        told = await self.right.fetch(provider_ref)
        return replace(told, holder=told.name)


class AsksNobodyAgain(Wrong):
    async def requery(self, provider_ref: str, on: date) -> None:
        await self.right.fetch(provider_ref)


WRONG_ACCOUNTS: Wrongs = {
    "takes asked for assigned": (TakesAskedForAssigned, "an account that nobody assigned yet is absent"),
    "tells another number": (TellsAnotherNumber, "an account is asked for and found"),
    "says it differently": (
        SaysItDifferently,
        "an order for an account is said in the same bytes",
    ),
    "asks for nobody": (
        AsksForNobody,
        "an account for nobody is refused before anything is sent",
    ),
    "counts the first": (CountsTheFirstAccount, "what a holder has is counted and nothing else"),
    "forgets the census": (ForgetsTheCensus, "an account that was counted is not ours"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "a lost answer is unknown and the account is found",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "an order for an account that met a failure is unknown",
    ),
    "loses their words": (
        takes(Refused, told(), Refused, words="refused"),
        "a refused account keeps their words",
    ),
    "counts though it cannot": (
        CountsThoughItCannot,
        "a census of accounts that fails is tried later",
    ),
    "hides a failed look-up": (HidesAFailedLookUp, "a look for an account that fails is tried later"),
    "fetches any": (FetchesAnyAccount, "a fetched account is told exactly"),
    "shows the holder": (ShowsTheNumber, "a number is hidden where an account is shown"),
    "asks nobody again": (AsksNobodyAgain, "a missed transfer is asked for again"),
}
OF_TRANSFERS: Wrongs = {
    "forgets the account": (
        retells(lambda charge: charge.amount_minor == 1_005_057, credited_account=None),
        "a transfer names the account that it came to",
    ),
    "takes two for one": (
        retells(lambda charge: charge.amount_minor == 50_000, charge="1"),
        "two transfers of the same amount are two charges",
    ),
    "gives pages an account": (
        retells(lambda charge: charge.channel == "card", credited_account="9930000001"),
        "money that came by a page names no account",
    ),
}
"""Flaws of charges that only an account brings to light."""


class LeavesItOpen(Wrong):
    async def send(self, order: AccountClosingOrder, said: bytes) -> AccountSnapshot:
        return replace(await self.right.send(order, said), state=AccountState.ACTIVE)


class TakesOpenForClosed(Wrong):
    async def find(self, order: AccountClosingOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        return replace(await self.right.find(order, sent_at), word=FindingWord.EXECUTED)


WRONG_CLOSINGS: Wrongs = {
    "leaves it open": (LeavesItOpen, "a closed account is closed"),
    "takes open for closed": (TakesOpenForClosed, "an account that is open was not closed"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(), TryLater),
        "a lost answer to a closing is unknown",
    ),
    "hides a failed look-up": (HidesAFailedLookUp, "a look at a closing that fails is tried later"),
}

# -- wrong saved charges --------------------------------------------------------------------------------------


class ChargesTheRoundSum(Wrong):
    def say(self, order: SavedChargeOrder) -> bytes:
        body = json.loads(self.right.say(order))
        return json.dumps({**body, "amount": 75_000 if body["amount"] == 75_057 else body["amount"]}).encode()

    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        asked = replace(order, amount_minor=json.loads(said)["amount"])
        return await self.right.send(asked, said)  # type: ignore[no-any-return]


class ChargesNothingness(Wrong):
    def say(self, order: SavedChargeOrder) -> bytes:
        return self.right.say(replace(order, amount_minor=max(order.amount_minor, 1)))  # type: ignore[no-any-return]


class LosesTheChargeItFinds(Wrong):
    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        found = await self.right.find(order, sent_at)
        lost = order.amount_minor == 75_050 and found.word is FindingWord.EXECUTED
        return replace(found, word=FindingWord.PENDING) if lost else found


class ComparesNoMoney(Wrong):
    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        try:
            return await self.right.find(order, sent_at)  # type: ignore[no-any-return]
        except ContractBroken:
            return Finding(FindingWord.EXECUTED)


def answers_otherwise(when: Callable[[SavedChargeSnapshot], bool], **changes: Any) -> type[Wrong]:
    """An adapter that tells some of what it charged otherwise."""

    class Answers(Wrong):
        async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
            told = await self.right.send(order, said)
            return replace(told, **changes) if when(told) else told

    return Answers


WRONG_SAVED: Wrongs = {
    "charges the round sum": (ChargesTheRoundSum, "a saved charge takes exactly what was ordered"),
    "says it differently": (SaysItDifferently, "a saved charge is said in the same bytes"),
    "charges nothingness": (
        ChargesNothingness,
        "a saved charge of nothing is refused before anything is sent",
    ),
    "loses what it finds": (
        LosesTheChargeItFinds,
        "a lost answer is unknown and the saved charge is found",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "a saved charge that met a failure of theirs is unknown",
    ),
    "refuses a duplicate": (
        takes(OutcomeUnknown, told(code="duplicate_reference"), Refused),
        "a used reference is unknown and charges nothing",
    ),
    "loses their words": (
        takes(Refused, told(code="declined"), Refused, words="refused"),
        "a decline is refused in their words",
    ),
    "takes under way for paid": (
        answers_otherwise(
            lambda charge: charge.state is PaymentState.PROCESSING, state=PaymentState.SUCCEEDED
        ),
        "a saved charge under way is not paid",
    ),
    "keeps the address": (
        answers_otherwise(lambda charge: charge.url is not None, url=None),
        "a saved charge that waits for the member says where they must go",
    ),
    "tells what was asked": (
        answers_otherwise(lambda charge: charge.taken_minor == 30_000, taken_minor=80_000),
        "a part is taken where the whole is not there",
    ),
    "calls absence a refusal": (CallsAbsenceARefusal, "a saved charge that was never sent is absent"),
    "compares no money": (ComparesNoMoney, "a saved charge of other money is not ours"),
    "hides a failed look-up": (HidesAFailedLookUp, "a look for a saved charge that fails is tried later"),
}


class ShowsWhatWasLeft(Retold):
    def retold(self, charge: ChargeSnapshot) -> ChargeSnapshot:
        left = charge.authorization
        return replace(charge, channel=left.code) if left is not None else charge


OF_WHAT_IS_LEFT: Wrongs = {
    "shows what was left": (
        ShowsWhatWasLeft,
        "what may be charged again is told with the charge and hidden",
    ),
}
"""Flaws of charges that only what a member left brings to light."""


class EndsNothing(Wrong):
    async def send(self, order: DeactivationOrder, said: bytes) -> DeactivationSnapshot:
        return DeactivationSnapshot(order.reference)


class EndsAnything(Wrong):
    def say(self, order: DeactivationOrder) -> bytes:
        return json.dumps({"authorization_code": order.authorization}).encode()

    async def send(self, order: DeactivationOrder, said: bytes) -> DeactivationSnapshot:
        if order.authorization:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        return DeactivationSnapshot(order.reference)


WRONG_ENDS: Wrongs = {
    "ends nothing": (EndsNothing, "what was ended is charged no more"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(), TryLater),
        "a lost answer to an end is unknown",
    ),
    "ends anything": (EndsAnything, "an end of nothing is refused before anything is sent"),
}

# -- wrong webhooks -------------------------------------------------------------------------------------------

SIGNATURE = "x-paystack-signature"


class BelievesTheUnsigned(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        if SIGNATURE in headers:
            self.right.verify(headers, body)


class BelievesWhoeverKnowsOurReference(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            self.right.verify(headers, body)
        except Forged:
            if len(headers.get(SIGNATURE, "")) != 128:
                raise
            told = _spelt_as_they_do(body)
            if told != body or not body.endswith(b"}}") or f'"{REFERENCE}"'.encode() not in body:
                raise


class ChecksTheMeaning(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            self.right.verify(headers, body)
        except Forged:
            self.right.verify(headers, _spelt_as_they_do(body))


def _spelt_as_they_do(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), separators=(",", ":")).encode()
    except ValueError:
        return body


def hints_not_at(what: NoticeVerdict) -> type[Wrong]:
    """Webhooks that only keep what they are told of this."""

    class HintsNotAt(Wrong):
        def read(self, body: bytes) -> tuple[Notice, ...]:
            return tuple(
                replace(notice, verdict=NoticeVerdict.OTHER, reason="not looked at")
                if notice.verdict is what
                else notice
                for notice in self.right.read(body)
            )

    return HintsNotAt


class DropsTheUnknown(Wrong):
    def read(self, body: bytes) -> tuple[Notice, ...]:
        return tuple(notice for notice in self.right.read(body) if notice.reason != "unknown event")


class StumblesOverShapes(Wrong):
    def read(self, body: bytes) -> tuple[Notice, ...]:
        json.loads(body)
        return self.right.read(body)  # type: ignore[no-any-return]


WRONG_WEBHOOKS: Wrongs = {
    "believes the unsigned": (BelievesTheUnsigned, "a message without a signature is forged"),
    "believes whoever knows our reference": (
        BelievesWhoeverKnowsOurReference,
        "a message signed by somebody else is forged",
    ),
    "checks the meaning": (ChecksTheMeaning, "a message that was changed is forged"),
    "hints at no payment": (
        hints_not_at(NoticeVerdict.PAID),
        "their message about a payment is a hint at it",
    ),
    "hints at no transfer": (
        hints_not_at(NoticeVerdict.PAYOUT),
        "their message about a transfer is a hint at it",
    ),
    "drops the unknown": (DropsTheUnknown, "an event never seen before is kept and claims nothing"),
    "stumbles over shapes": (StumblesOverShapes, "a message out of shape is told as broken"),
}

# -- and each is bitten ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", WRONG_CHECKOUTS)
async def test_a_wrong_adapter_of_checkouts_breaks_exactly_its_promise(wrong: str) -> None:
    await PAGES.bites("checkouts", WRONG_CHECKOUTS[wrong])


@pytest.mark.parametrize("wrong", WRONG_CHARGES)
async def test_a_wrong_adapter_of_charges_breaks_exactly_its_promise(wrong: str) -> None:
    await PAGES.bites("charges", WRONG_CHARGES[wrong])


@pytest.mark.parametrize("wrong", WRONG_REFUNDS)
async def test_a_wrong_adapter_of_refunds_breaks_exactly_its_promise(wrong: str) -> None:
    await PAGES.bites("refunds", WRONG_REFUNDS[wrong])


@pytest.mark.parametrize("wrong", WRONG_ACCOUNTS)
async def test_a_wrong_adapter_of_accounts_breaks_exactly_its_promise(wrong: str) -> None:
    await ACCOUNTS.bites("virtual_accounts", WRONG_ACCOUNTS[wrong])


@pytest.mark.parametrize("wrong", OF_TRANSFERS)
async def test_charges_that_get_transfers_wrong_break_exactly_their_promise(wrong: str) -> None:
    await ACCOUNTS.bites("charges", OF_TRANSFERS[wrong])


@pytest.mark.parametrize("wrong", WRONG_CLOSINGS)
async def test_a_wrong_adapter_of_closings_breaks_exactly_its_promise(wrong: str) -> None:
    await ACCOUNTS.bites("account_closings", WRONG_CLOSINGS[wrong])


@pytest.mark.parametrize("wrong", WRONG_SAVED)
async def test_a_wrong_adapter_of_saved_charges_breaks_exactly_its_promise(wrong: str) -> None:
    await AUTHORIZATIONS.bites("saved_charges", WRONG_SAVED[wrong])


@pytest.mark.parametrize("wrong", OF_WHAT_IS_LEFT)
async def test_charges_that_betray_what_was_left_break_exactly_their_promise(wrong: str) -> None:
    await AUTHORIZATIONS.bites("charges", OF_WHAT_IS_LEFT[wrong])


@pytest.mark.parametrize("wrong", WRONG_ENDS)
async def test_a_wrong_adapter_of_ends_breaks_exactly_its_promise(wrong: str) -> None:
    await AUTHORIZATIONS.bites("deactivations", WRONG_ENDS[wrong])


@pytest.mark.parametrize("wrong", WRONG_MANDATES)
async def test_a_wrong_adapter_of_mandates_breaks_exactly_its_promise(wrong: str) -> None:
    await MANDATES.bites("mandates", WRONG_MANDATES[wrong])


@pytest.mark.parametrize("wrong", WRONG_DEBITS)
async def test_a_wrong_adapter_of_debits_on_mandates_breaks_exactly_its_promise(wrong: str) -> None:
    await MANDATES.bites("saved_charges", WRONG_DEBITS[wrong])


@pytest.mark.parametrize("wrong", WRONG_MANDATE_CHANGES)
async def test_a_wrong_adapter_of_changes_of_mandates_breaks_exactly_its_promise(wrong: str) -> None:
    await MANDATES.bites("mandate_changes", WRONG_MANDATE_CHANGES[wrong])


@pytest.mark.parametrize("wrong", WRONG_SETTLEMENTS)
async def test_a_wrong_adapter_of_settlements_breaks_exactly_its_promise(wrong: str) -> None:
    await GATEWAY.bites("settlements", WRONG_SETTLEMENTS[wrong])


@pytest.mark.parametrize("wrong", WRONG_DISPUTES)
async def test_a_wrong_adapter_of_disputes_breaks_exactly_its_promise(wrong: str) -> None:
    await GATEWAY.bites("disputes", WRONG_DISPUTES[wrong])


@pytest.mark.parametrize(
    ("socket", "wrong"), [(socket, wrong) for socket, wrongs in WRONG_PAYOUTS.items() for wrong in wrongs]
)
async def test_a_wrong_adapter_of_payouts_breaks_exactly_its_promise(socket: str, wrong: str) -> None:
    await GATEWAY.bites(socket, WRONG_PAYOUTS[socket][wrong])


@pytest.mark.parametrize("wrong", WRONG_WEBHOOKS)
async def test_wrong_webhooks_break_exactly_their_promise(wrong: str) -> None:
    flaw, promise = WRONG_WEBHOOKS[wrong]
    broken = await PAGES.broken(lambda gateway: replace(gateway, webhooks=flaw(gateway.webhooks)), promise)
    assert broken == {promise}


async def test_a_socket_that_nobody_declared_breaks_exactly_its_promise() -> None:
    await PAGES.bites_the_undeclared("checkouts", "journals")


async def test_a_missing_socket_breaks_the_declaration_too() -> None:
    broken = await PAGES.broken(
        lambda gateway: replace(gateway, sockets=replace(gateway.sockets, charges=None))
    )
    assert broken == {DECLARED} | {promise for _, promise in WRONG_CHARGES.values()}


def test_every_promise_of_a_gateway_has_an_adapter_that_breaks_it() -> None:
    GATEWAY.bites_every_promise(
        WRONG_CHECKOUTS,
        WRONG_CHARGES,
        WRONG_REFUNDS,
        WRONG_SETTLEMENTS,
        WRONG_DISPUTES,
        WRONG_ACCOUNTS,
        OF_TRANSFERS,
        WRONG_CLOSINGS,
        WRONG_SAVED,
        OF_WHAT_IS_LEFT,
        WRONG_ENDS,
        WRONG_WEBHOOKS,
        WRONG_MANDATES,
        WRONG_DEBITS,
        WRONG_MANDATE_CHANGES,
        # Proved where a mandate can be suspended.
        WRONG_SUSPENSIONS,
        *WRONG_PAYOUTS.values(),
    )
