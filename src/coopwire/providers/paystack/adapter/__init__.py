"""The verbs of Paystack, one module for each capability."""

from __future__ import annotations

from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.paystack.adapter.accounts import PaystackAccountClosings, PaystackVirtualAccounts
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.adapter.bank_accounts import PaystackAccountNames, PaystackBalances
from coopwire.providers.paystack.adapter.charges import PaystackCharges
from coopwire.providers.paystack.adapter.checkouts import PaystackCheckouts
from coopwire.providers.paystack.adapter.disputes import PaystackDisputes
from coopwire.providers.paystack.adapter.mandates import PaystackMandateChanges, PaystackMandates
from coopwire.providers.paystack.adapter.refunds import PaystackRefunds
from coopwire.providers.paystack.adapter.saved import PaystackDeactivations, PaystackSavedCharges
from coopwire.providers.paystack.adapter.settlements import PaystackSettlements
from coopwire.providers.paystack.adapter.transfers import PaystackRecipients, PaystackTransfers
from coopwire.providers.paystack.wire.account import account


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The sockets of one Paystack account. ConfigurationError for bad settings."""
    api = Api(account(connection), outside)
    return Sockets(
        checkouts=PaystackCheckouts(api),
        charges=PaystackCharges(api),
        refunds=PaystackRefunds(api),
        settlements=PaystackSettlements(api),
        disputes=PaystackDisputes(api),
        recipients=PaystackRecipients(api),
        transfers=PaystackTransfers(api),
        account_names=PaystackAccountNames(api),
        balances=PaystackBalances(api),
        virtual_accounts=PaystackVirtualAccounts(api),
        account_closings=PaystackAccountClosings(api),
        saved_charges=PaystackSavedCharges(api),
        deactivations=PaystackDeactivations(api),
        mandates=PaystackMandates(api),
        mandate_changes=PaystackMandateChanges(api),
    )
