"""What the API works with, and how its routes get at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from coopwire.application.account_desk import AccountDesk
from coopwire.application.accounts import AccountImport
from coopwire.application.correcting import Corrections
from coopwire.application.dispute_desk import DisputeDesk
from coopwire.application.keeping import AuthorizationDesk
from coopwire.application.letters import LetterDesk
from coopwire.application.mandate_desk import MandateDesk
from coopwire.application.network import Network
from coopwire.application.operating import Operator
from coopwire.application.paying import Desk
from coopwire.application.paying_out import PayoutDesk
from coopwire.application.receipt_desk import ReceiptDesk
from coopwire.application.reconciling.reconciler import Reconciler
from coopwire.application.settled import SettlementReader
from coopwire.ports.clock import Clock
from coopwire.ports.days import Days
from coopwire.ports.exports import ReportExports
from coopwire.ports.keys import ApiKeys
from coopwire.ports.meters import Meter
from coopwire.ports.queries import Queries


@dataclass(frozen=True)
class Office:
    """Everything that the API's routes call."""

    network: Network
    desk: Desk
    operator: Operator
    letters: LetterDesk
    corrections: Corrections
    reconciler: Reconciler
    days: Days
    exports: ReportExports
    receipts: ReceiptDesk
    disputes: DisputeDesk
    settlements: SettlementReader
    payouts: PayoutDesk
    accounts: AccountImport
    virtual_accounts: AccountDesk
    authorizations: AuthorizationDesk
    mandates: MandateDesk
    queries: Queries
    keys: ApiKeys
    clock: Clock
    meter: Meter


async def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


TheOffice = Annotated[Office, Depends(_office)]
"""The office of the application that a request came to."""
