"""The part of the simulated Paystack that keeps customers' accounts: its operations, its faults and its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from coopwire.providers.paystack.simulator import accounts, reading
from coopwire.providers.paystack.simulator.account import Charge, Page
from coopwire.providers.paystack.simulator.accounts import DedicatedAccount, DedicatedAccounts
from coopwire.providers.paystack.simulator.counter import Counter, success
from coopwire.providers.paystack.simulator.telling import as_truth
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Stage

ASSIGN: Final = "assign_account"
CLOSE: Final = "close_account"
READS: Final = frozenset({"fetch_customer", "list_accounts", "fetch_account", "requery_account"})


class Branch:
    """Accounts of customers, and the transfers that come to them."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self._counter = counter
        self._stage = stage
        self.accounts = DedicatedAccounts()
        self.operations: Sequence[Operation] = (
            Operation("fetch_customer", "GET", "/customer/{code}", self._fetch_customer),
            Operation(ASSIGN, "POST", "/dedicated_account/assign", self._assign),
            Operation("requery_account", "GET", "/dedicated_account/requery", self._requery),
            Operation("list_accounts", "GET", "/dedicated_account", self._list),
            Operation("fetch_account", "GET", "/dedicated_account/{id}", self._fetch),
            Operation(CLOSE, "DELETE", "/dedicated_account/{id}", self._close),
        )
        self.controls: Mapping[str, Control] = {
            "assign": self._control_assign,
            "deposit": self._control_deposit,
            "reject": self._control_reject,
        }

    def reset(self) -> None:
        """Forget customers and accounts."""
        self.accounts = DedicatedAccounts()

    # The API

    def _assign(self, call: Call) -> Answer:
        self._counter.authorise(call)
        asked = reading.assignment(call)
        self.accounts.ask(asked)
        if self._counter.settings().account_ends != accounts.STAYS:
            self._stage.backstage.start(self._answer_later(asked, self._counter.settings().account_ends))
        return success("Assign dedicated account in progress", None)

    async def _answer_later(self, asked: reading.Assignment, end: str) -> None:
        await self._stage.clock.sleep(self._counter.settings().account_seconds)
        if asked in self.accounts.waiting:
            self._answer_bank(asked, end)

    def _answer_bank(self, asked: reading.Assignment, end: str) -> DedicatedAccount | None:
        if end == accounts.FAILED:
            self.accounts.refuse(asked)
            customer = self.accounts.customers[asked.email.casefold()]
            self._tell("dedicatedaccount.assign.failed", accounts.as_not_assigned(customer), customer.id)
            return None
        account = self.accounts.assign(asked, self._counter.now())
        self._tell("dedicatedaccount.assign.success", accounts.as_assigned(account), account.id)
        return account

    def _fetch_customer(self, call: Call) -> Answer:
        self._counter.authorise(call)
        wanted = call.place["code"].casefold()
        every = self.accounts.customers.values()
        customer = next(
            (c for c in every if wanted in (c.email.casefold(), f"cus_{c.id:x}", str(c.id))), None
        )
        if customer is None:
            raise reading.refused("Customer not found", "customer_not_found", status=404)
        told = accounts.as_fetched_customer(customer, self.accounts.listed(str(customer.id)))
        return success("Customer retrieved", told)

    def _list(self, call: Call) -> Answer:
        self._counter.authorise(call)
        rows = self.accounts.listed(call.query.get("customer"))
        return self._counter.listed(call, "Managed accounts successfully retrieved", rows, accounts.as_listed)

    def _fetch(self, call: Call) -> Answer:
        self._counter.authorise(call)
        told = accounts.as_listed(self._account(call))
        return success("Managed account successfully retrieved", told)

    def _close(self, call: Call) -> Answer:
        self._counter.authorise(call)
        account = self._account(call)
        self.accounts.close(account, self._counter.now())
        return success("Managed Account Successfully Unassigned", accounts.as_closed(account))

    def _account(self, call: Call) -> DedicatedAccount:
        wanted = call.place["id"]
        account = self.accounts.by_id.get(int(wanted[:19])) if wanted.isdecimal() else None
        if account is None:
            raise reading.refused("Dedicated account not found", "account_not_found", status=404)
        return account

    def _requery(self, call: Call) -> Answer:
        self._counter.authorise(call)
        for missed in self.accounts.found_again(call.query.get("account_number", "")):
            self._counter.tell_success(self.deposit(missed.account.number, missed.amount))
        return success(
            "We are checking the status of your transfer. We will send you a notification once it is confirmed",
            None,
        )

    def _tell(self, event: str, data: object, about: object) -> bool:
        return self._counter.tell(event, data, f"{event} {about}")

    # What banks and members do

    def deposit(self, number: str, amount: int) -> Charge:
        """Somebody transfers `amount` subunits to this number, also to one that is closed or that nobody has."""
        account = self.accounts.by_number.get(number)
        page = Page(
            reference=accounts.new_reference(),
            access_code="",
            amount=amount,
            currency=account.currency if account else self._counter.settings().served_currencies[0],
            email=account.customer.email if account else "nobody@example.com",
            metadata={"receiver_account_number": number, "receiver_bank": "Simulated Bank"},
            bearer=self._counter.settings().bearer,
            credited=number,
        )
        return self._counter.account().receive(page, self._counter.settings(), self._counter.now())

    def _control_assign(self, given: Given) -> object:
        email = given.only(("email", "outcome")).word("email").casefold()
        asked = next((one for one in self.accounts.waiting if one.email.casefold() == email), None)
        if asked is None:
            raise ControlError("nobody of this e-mail waits for an account")
        account = self._answer_bank(asked, given.word("outcome", accounts.SUCCESS))
        return {"account": accounts.as_truth(account) if account else None}

    def _control_deposit(self, given: Given) -> object:
        number = given.only(("number", "amount", "times", "missed", "webhook")).word("number")
        amount = given.whole("amount")
        if amount <= 0:
            raise ControlError("name a positive amount in subunits")
        if given.flag("missed", False):
            account = self.accounts.by_number.get(number)
            if account is None:
                raise ControlError("nobody has this number, so nobody can ask for it again")
            self.accounts.missed.append(accounts.Missed(account, amount))
            return {"charges": []}
        charges = [self.deposit(number, amount) for _ in range(given.whole("times", 1))]
        for charge in charges if given.flag("webhook", True) else ():
            self._counter.tell_success(charge)
        return {"charges": [as_truth(charge) for charge in charges]}

    def _control_reject(self, given: Given) -> object:
        number = given.only(("number", "amount", "why")).word("number")
        account = self.accounts.by_number.get(number)
        if account is None:
            raise ControlError("nobody has this number")
        told = accounts.as_rejected(
            account, given.whole("amount"), given.word("why", "incorrect amount sent")
        )
        return {"sent": self._tell("bank.transfer.rejected", told, number)}
