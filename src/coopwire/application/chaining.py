"""Gives the entries of the audit trail their places in the chain, less than a second behind their commit."""

from __future__ import annotations

from coopwire.application import rounds
from coopwire.application.bells import AUDIT, Bells
from coopwire.ports.stores import AuditHead, Database

BATCH = 2000
"""Entries that get their places with one commit."""


class Chainer:
    """One loop a worker; of all workers one is at it at a time, and the others go on without waiting."""

    def __init__(self, database: Database, bells: Bells) -> None:
        self._database = database
        self._bells = bells

    async def run(self) -> None:
        """Chain what waits until the bells close."""
        await rounds.repeat("audit", self.round, self._bells, AUDIT)

    async def round(self) -> bool:
        """Chain one batch; whether more may wait."""
        async with self._database.begin("chain audit") as tx:
            chained = await tx.chain.extend(BATCH)
        return chained == BATCH


async def audit_head(database: Database) -> AuditHead:
    """The end of the chain, when everything that was committed before this call has its place."""
    while True:
        async with database.begin("read audit head") as tx:
            chained = await tx.chain.extend(BATCH, wait=True)
            head = await tx.chain.head()
        if chained < BATCH:
            # The trail begins with the tables, so that there is an end from the first call on.
            assert head is not None
            return head
