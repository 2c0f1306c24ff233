"""The verbs of Flutterwave, one module for each capability."""

from __future__ import annotations

from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.flutterwave.adapter.accounts import (
    FlutterwaveAccountClosings,
    FlutterwaveVirtualAccounts,
)
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.adapter.charges import FlutterwaveCharges
from coopwire.providers.flutterwave.adapter.checkouts import FlutterwaveCheckouts
from coopwire.providers.flutterwave.adapter.disputes import FlutterwaveDisputes
from coopwire.providers.flutterwave.adapter.mandates import (
    FlutterwaveMandateChanges,
    FlutterwaveMandates,
)
from coopwire.providers.flutterwave.adapter.payouts import (
    FlutterwaveAccountNames,
    FlutterwaveBalances,
    FlutterwaveTransfers,
)
from coopwire.providers.flutterwave.adapter.refunds import FlutterwaveRefunds
from coopwire.providers.flutterwave.adapter.saved import FlutterwaveSavedCharges
from coopwire.providers.flutterwave.adapter.settlements import FlutterwaveSettlements
from coopwire.providers.flutterwave.wire.account import account


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The sockets of one Flutterwave account. ConfigurationError for bad settings."""
    api = Api(account(connection), outside)
    charges = FlutterwaveCharges(api)
    return Sockets(
        checkouts=FlutterwaveCheckouts(api),
        charges=charges,
        refunds=FlutterwaveRefunds(api, charges),
        transfers=FlutterwaveTransfers(api),
        account_names=FlutterwaveAccountNames(api),
        balances=FlutterwaveBalances(api),
        settlements=FlutterwaveSettlements(api),
        virtual_accounts=FlutterwaveVirtualAccounts(api),
        account_closings=FlutterwaveAccountClosings(api),
        saved_charges=FlutterwaveSavedCharges(api, charges),
        mandates=FlutterwaveMandates(api),
        mandate_changes=FlutterwaveMandateChanges(api),
        disputes=FlutterwaveDisputes(api, charges),
    )
