"""The verbs of Stripe, one module for each capability."""

from __future__ import annotations

from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.adapter.charges import StripeCharges
from coopwire.providers.stripe.adapter.checkouts import StripeCheckouts
from coopwire.providers.stripe.adapter.disputes import StripeDisputes
from coopwire.providers.stripe.adapter.mandates import StripeMandateChanges, StripeMandates
from coopwire.providers.stripe.adapter.refunds import StripeRefunds
from coopwire.providers.stripe.adapter.saved import StripeDeactivations, StripeSavedCharges
from coopwire.providers.stripe.adapter.settlements import StripeSettlements
from coopwire.providers.stripe.wire.account import account


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The sockets of one Stripe account. ConfigurationError for bad settings."""
    api = Api(account(connection), outside)
    return Sockets(
        checkouts=StripeCheckouts(api),
        charges=StripeCharges(api),
        refunds=StripeRefunds(api),
        settlements=StripeSettlements(api),
        disputes=StripeDisputes(api),
        saved_charges=StripeSavedCharges(api),
        deactivations=StripeDeactivations(api),
        mandates=StripeMandates(api),
        mandate_changes=StripeMandateChanges(api),
    )
