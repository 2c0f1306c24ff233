"""Takes in money from elsewhere: one line at once, files as batches that are checked, released and booked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import structlog

from coopwire.application.arrivals import COLUMNS, ReadLines, Setting, read_lines
from coopwire.application.bells import EFFECTS, OUTBOX, RECEIPTS, Bells
from coopwire.application.network import Network
from coopwire.application.paying import Idempotent, Rejected, made_before
from coopwire.application.people import given_reason
from coopwire.application.tables import Refusal, csv_rows, named
from coopwire.application.takings import Taken, Takings
from coopwire.domain.arrivals import Arrival, BatchState, LineState, differing_field
from coopwire.domain.cards import holds_card_number
from coopwire.domain.receipts import Source, receipt_id
from coopwire.domain.references import new_reference
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Batch, Database, Transaction
from coopwire.ports.tables import NumberedRow, Spreadsheets, TableError

MOST_LINES = 100_000
_JUDGED_AT_ONCE = 2000
_LONGEST_NAME = 120
_ZIP = b"PK\x03\x04"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one line: its receipt, or the batch in which it waits for a second person."""

    receipt: str | None = None
    batch: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file as it came. `name` is for people."""

    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content: the same file again is the same batch."""
        return hashlib.sha256(self.content).digest()


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of a file: its batch, or why nothing of it was stored; `notes` is what its sender should know.

    Without a batch and refusals it was only checked, and is good: `lines` would be booked, `known` of them are
    booked already.
    """

    batch: Batch | None = None
    refused: Sequence[Refusal] = ()
    notes: Sequence[str] = ()
    lines: int = 0
    known: int = 0
    replayed: bool = False


class ReceiptDesk:
    """Takes receipts of the sources that the connections file names, and lets persons judge batches.

    `actor` names who asks. Every verb raises Rejected: `not_found`, `conflict` or `invalid` with a field.
    """

    def __init__(
        self, network: Network, database: Database, clock: Clock, bells: Bells, spreadsheets: Spreadsheets
    ) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._spreadsheets = spreadsheets
        self._takings = Takings(network, clock)

    @property
    def setting(self) -> Setting:
        """What reading a line needs."""
        return Setting(self._network.routes.zone, self._clock.timings, self._clock.now())

    def source(self, name: str) -> Source:
        """The source of this name."""
        found = self._network.routes.sources.get(name)
        if found is None:
            known = ", ".join(sorted(self._network.routes.sources)) or "none"
            raise Rejected("source", f"there is no such source; there are: {known}")
        return found

    # -- one line -----------------------------------------------------------------------------------------

    async def take(self, name: str, arrival: Arrival, once: Idempotent, actor: str) -> Answered:
        """Book one line, or propose it where the source has a checker. KeyReused for the key of another body."""
        source = self.source(name)
        receipt = receipt_id(source.name, arrival.external_id)
        async with self._database.begin("take receipt") as tx:
            made = await made_before(tx, once, receipt, self._clock.now())
            # The same id told by two at once: the second one sees what the first one did.
            await tx.lock([f"arrival:{source.name}:{arrival.external_id}"])
            if source.checker:
                answered = await self._propose(tx, source, arrival, actor, asked_before=made is not None)
            else:
                answered = await self._book(tx, source, arrival, actor)
        self._bells.ring(EFFECTS, OUTBOX)
        return answered

    async def _book(self, tx: Transaction, source: Source, arrival: Arrival, actor: str) -> Answered:
        await self._refuse_waiting(tx, source, arrival)
        [taken] = await self._takings.record(tx, source, [arrival])
        _refuse(taken)
        if taken.state is LineState.BOOKED and taken.receipt is not None:
            await tx.audit(actor, "tell receipt", taken.receipt, f"source {source.name}", self._clock.now())
        return Answered(receipt=taken.receipt, replayed=taken.state is LineState.KNOWN)

    async def _refuse_waiting(self, tx: Transaction, source: Source, arrival: Arrival) -> None:
        """What a batch of the source says of the id, but is not booked yet, is a fact too."""
        waiting = (await tx.arrivals.waiting(source.name, [arrival.external_id])).get(arrival.external_id)
        if waiting is not None and (field := differing_field(arrival, waiting.arrival)) is not None:
            where = f"line {waiting.line} of batch {waiting.batch}"
            raise Rejected("external_id", f"{field} differs from {where}, which waits", "conflict")

    async def _propose(
        self, tx: Transaction, source: Source, arrival: Arrival, actor: str, *, asked_before: bool
    ) -> Answered:
        [taken] = await self._takings.judge(tx, source, [arrival])
        if taken is not None:
            _refuse(taken)
            return Answered(receipt=taken.receipt, replayed=True)
        there = await tx.arrivals.latest_batch(source.name, arrival.external_id)
        if there is not None and (asked_before or there.state in (BatchState.PROPOSED, BatchState.BOOKING)):
            return Answered(batch=there.id, replayed=True)
        batch = self._batch(source, _digest(arrival), arrival.external_id, 1, actor)
        stored = await tx.arrivals.add(batch, [(1, arrival)])
        if stored.id == batch.id:
            await tx.audit(
                actor, "propose receipts", batch.id, f"source {source.name}, 1 line", batch.created_at
            )
        return Answered(batch=stored.id, replayed=stored.id != batch.id)

    # -- files --------------------------------------------------------------------------------------------

    async def take_file(self, name: str, file: File, actor: str, *, check_only: bool = False) -> FileReport:
        """Check a whole file, and store it as a batch: every line of it, or none with a reason per line.

        The batch waits for a second person where the source has a checker, and is booked otherwise. The same
        file again is the same batch.
        """
        source = self.source(name)
        async with self._database.begin("find receipt batch") as tx:
            there = await tx.arrivals.same(source.name, file.digest)
        if there is not None:
            return FileReport(there, lines=there.lines, replayed=True)
        read, notes = await asyncio.to_thread(self._read, file)
        known = 0
        if not read.refused:
            known = await self._judge(source, read)
        if read.refused or check_only:
            refused = sorted(read.refused, key=lambda one: one.line)
            return FileReport(refused=refused, notes=notes, lines=len(read.arrivals), known=known)
        batch = await self._store(source, file, read, actor)
        return FileReport(batch[0], notes=notes, lines=len(read.arrivals), known=known, replayed=not batch[1])

    def _read(self, file: File) -> tuple[ReadLines, tuple[str, ...]]:
        rows, notes = self._rows(file.content)
        return read_lines(named(rows, COLUMNS), self.setting, MOST_LINES), notes

    def _rows(self, content: bytes) -> tuple[Iterable[NumberedRow], tuple[str, ...]]:
        if content.startswith(_ZIP):
            try:
                sheet = self._spreadsheets.first_sheet(content)
            except TableError as error:
                raise Rejected(COLUMNS.file, str(error)) from None
            note = f"only the first sheet was read, {sheet.others} more were not"
            return sheet.rows, (note,) if sheet.others else ()
        try:
            return csv_rows(content.decode("utf-8-sig"), COLUMNS.file), ()
        except UnicodeDecodeError:
            raise Rejected(COLUMNS.file, "is neither a spreadsheet nor UTF-8 text") from None

    async def _judge(self, source: Source, read: ReadLines) -> int:
        """Hold every line against what is there, adding refusals; how many are booked already."""
        known = 0
        for start in range(0, len(read.arrivals), _JUDGED_AT_ONCE):
            part = read.arrivals[start : start + _JUDGED_AT_ONCE]
            async with self._database.begin("judge receipt lines") as tx:
                judged = await self._takings.judge(tx, source, [one for _, one in part])
            for (line, _), taken in zip(part, judged, strict=True):
                if taken is not None and taken.state is LineState.REFUSED:
                    read.refused.append(Refusal(line, taken.field, taken.message))
                known += taken is not None and taken.state is LineState.KNOWN
        return known

    async def _store(self, source: Source, file: File, read: ReadLines, actor: str) -> tuple[Batch, bool]:
        """The batch, and whether it is new."""
        batch = self._batch(source, file.digest, _shown(file.name), len(read.arrivals), actor)
        async with self._database.begin("store receipt batch") as tx:
            stored = await tx.arrivals.add(batch, read.arrivals)
            new = stored.id == batch.id
            if new:
                verb = "propose receipts" if source.checker else "import receipts"
                told = f"source {source.name}, {batch.lines} lines"
                await tx.audit(actor, verb, batch.id, told, batch.created_at)
        if stored.state is BatchState.BOOKING:
            await self._ring()
        return stored, new

    def _batch(self, source: Source, digest: bytes, name: str, lines: int, actor: str) -> Batch:
        return Batch(
            id=new_reference(),
            source=source.name,
            digest=digest,
            name=name,
            state=BatchState.PROPOSED if source.checker else BatchState.BOOKING,
            lines=lines,
            created_by=actor,
            created_at=self._clock.now(),
        )

    # -- judging batches ----------------------------------------------------------------------------------

    async def approve(self, id: str, actor: str) -> Batch:
        """Release a batch: its lines are booked from now on. Never by the one who brought it."""
        async with self._database.begin("approve receipts") as tx:
            batch = await self._proposed(tx, id)
            if batch.created_by == actor:
                raise Rejected("batch", "who brought it cannot approve it: ask a second person", "conflict")
            now = self._clock.now()
            await tx.arrivals.move(id, BatchState.BOOKING, now, approved_by=actor)
            await tx.audit(actor, "approve receipts", id, f"source {batch.source}, {batch.lines} lines", now)
        await self._ring()
        return replace(batch, state=BatchState.BOOKING)

    async def reject(self, id: str, actor: str, reason: str) -> Batch:
        """Nothing of the batch is booked; the same content may be brought again. Its maker may do so, too."""
        reason = given_reason(actor, reason)
        async with self._database.begin("reject receipts") as tx:
            batch = await self._proposed(tx, id)
            now = self._clock.now()
            await tx.arrivals.move(id, BatchState.REJECTED, now, reason=reason)
            await tx.audit(actor, "reject receipts", id, reason, now)
        return replace(batch, state=BatchState.REJECTED, reason=reason)

    async def resume(self, id: str, actor: str) -> Batch:
        """Go on with a released batch: what waits is booked, what was refused is tried again."""
        async with self._database.begin("resume receipts") as tx:
            batch = await self._locked(tx, id)
            if batch.state not in (BatchState.BOOKING, BatchState.DONE):
                raise Rejected("batch", f"it is {batch.state.value}", "conflict")
            again = await tx.arrivals.retry(id)
            if again:
                now = self._clock.now()
                await tx.arrivals.move(id, BatchState.BOOKING, now)
                await tx.audit(actor, "retry receipts", id, f"{again} refused lines", now)
        await self._ring()
        return replace(batch, state=BatchState.BOOKING) if again else batch

    async def _proposed(self, tx: Transaction, id: str) -> Batch:
        batch = await self._locked(tx, id)
        if batch.state is not BatchState.PROPOSED:
            raise Rejected("batch", f"it is {batch.state.value}", "conflict")
        return batch

    async def _locked(self, tx: Transaction, id: str) -> Batch:
        batch = await tx.arrivals.batch(id, lock=True)
        if batch is None:
            raise Rejected("batch", "there is no such batch", "not_found")
        return batch

    async def _ring(self) -> None:
        self._bells.ring(RECEIPTS)
        try:
            await self._database.ring(RECEIPTS)
        except OSError as error:
            # It is committed; the loops look by themselves, so a lost ring only delays.
            _log.warning("ring_failed", error=type(error).__name__)


def _refuse(taken: Taken) -> None:
    if taken.state is not LineState.REFUSED:
        return
    if taken.conflict:
        raise Rejected("external_id", f"{taken.field} {taken.message}", "conflict")
    raise Rejected(taken.field, taken.message)


def _digest(arrival: Arrival) -> bytes:
    """The same for two tellings that say the same."""
    purpose = arrival.purpose
    dues = (
        (purpose.dues.version, purpose.dues.lines) if purpose is not None and purpose.dues is not None else ()
    )
    said = (
        arrival.external_id,
        arrival.money,
        arrival.received_at.astimezone(UTC),
        arrival.payment,
        replace(purpose, dues=None) if purpose is not None else None,
        dues,
    )
    return hashlib.sha256(repr(said).encode()).digest()


def _shown(name: str) -> str:
    """A file's name, fit to be kept and shown."""
    if holds_card_number(name):
        return "(not shown)"
    return "".join(c if c.isprintable() else "?" for c in name[-_LONGEST_NAME:]) or "(without a name)"
