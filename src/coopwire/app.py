"""The composition root: settings and connections become a running hub. The only file that knows every room."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets as entropy
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from coopwire.application.account_desk import AccountDesk
from coopwire.application.bells import BREAKERS, EFFECTS, LOOKUPS, UNKNOWN, Bells
from coopwire.application.calendar import BusinessDays
from coopwire.application.chaining import Chainer
from coopwire.application.executor import Executor
from coopwire.application.following.accounts import FollowedAccounts
from coopwire.application.following.disputes import FollowedDisputes
from coopwire.application.following.mandates import FollowedMandates
from coopwire.application.following.payouts import FollowedPayouts
from coopwire.application.following.refunds import FollowedRefunds
from coopwire.application.following.settlements import FollowedSettlements
from coopwire.application.following.tracker import Followed, Tracker
from coopwire.application.importing import Importing
from coopwire.application.inbox import Drain
from coopwire.application.keeping import AuthorizationDesk
from coopwire.application.looking import Looker
from coopwire.application.mandate_desk import MandateDesk
from coopwire.application.network import Network, Routes
from coopwire.application.paying import Desk, new_worker_name
from coopwire.application.paying_out import PayoutDesk
from coopwire.application.reactions import consumers
from coopwire.application.refunding import Refunding
from coopwire.application.sweeping import Sweeper
from coopwire.bus.postgres import PostgresBus
from coopwire.bus.topology import Topics, Topology, topics, topology
from coopwire.connections import Configured
from coopwire.domain.breakers import Breaker
from coopwire.domain.payments import AllocationMode
from coopwire.domain.timings import Timings
from coopwire.ports.bus import BusUnavailable, Consumer, EventBus
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.providers import Connected, Connection, Outside
from coopwire.ports.stores import StorageUnavailable
from coopwire.ports.tracing import Traces, untraced
from coopwire.providers import catalog
from coopwire.settings import Settings
from coopwire.storage import embedded, migrate
from coopwire.storage.breaker_exchange import BreakerRows
from coopwire.storage.budgets import BudgetRows
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.gauges import GaugeRows
from coopwire.storage.sealing import Sealer
from coopwire.transport.budgets import SharedBudgets
from coopwire.transport.clock import SystemClock
from coopwire.transport.http import CallReport, GuardedHttp, HttpTransport
from coopwire.transport.shared_board import SharedBoard

if TYPE_CHECKING:
    import uvicorn

    from coopwire.application.receipt_desk import ReceiptDesk
    from coopwire.application.reconciling.reconciler import Reconciler
    from coopwire.application.recovering import Recovery
    from coopwire.bus.carrying import Broker
    from coopwire.monitoring.metrics import Metrics
    from coopwire.web.asgi import ASGI
    from coopwire.web.office import Office

_log = structlog.get_logger()
_KEY_FILE = "secret.key"
_SHORTEST_IDLE_LIMIT = timedelta(seconds=10)
"""However short the lengths are (in trials), a slow machine must be able to end a transaction."""
_COLLECTED_AFTER = 10_000
"""Objects made and not yet gone after which a running hub looks for garbage; Python's own choice is 700."""


@dataclass(frozen=True)
class App:
    """A hub that is put together but not running yet."""

    worker: str
    settings: Settings
    network: Network
    database: PostgresDatabase
    clock: SystemClock
    bells: Bells
    executor: Executor
    looker: Looker
    drain: Drain
    importing: Importing
    sweeper: Sweeper
    calendar: BusinessDays
    chainer: Chainer
    bus: EventBus
    desk: Desk
    refunding: Refunding
    trackers: Sequence[Tracker[Any, Any]]
    payouts: PayoutDesk
    account_desk: AccountDesk
    authorization_desk: AuthorizationDesk
    mandate_desk: MandateDesk
    board: SharedBoard
    metrics: Metrics
    traces: Traces

    async def run(self) -> None:
        """All loops of a worker, until `stop`; effects under way are finished first."""
        await self._loop(
            self.executor.run,
            self.looker.run,
            *(tracker.run for tracker in self.trackers),
            self.drain.run,
            self.importing.run,
            self.bus.run,
            self.calendar.run,
            self.chainer.run,
        )

    async def verify_bus(self) -> None:
        """Whether the bus can be used: a mistake of its configuration ends the start, an absence does not.

        ConfigurationError says what to change.
        """
        try:
            await self.bus.verify()
        except BusUnavailable as error:
            _log.warning("bus_away", error=str(error), meanwhile="events wait in the outbox")

    async def look(self) -> None:
        """Look-ups alone, until `stop`: for a command that wants answers and must not send anything."""
        await self._loop(self.executor.look, self.looker.run)

    async def _loop(self, *loops: Callable[[], Awaitable[None]]) -> None:
        await self.sweeper.beat()
        # The heart beats until the last effect under way is finished, else others would take it for lost.
        async with asyncio.TaskGroup() as group:
            group.create_task(self.sweeper.run())
            listening = group.create_task(self._listen())
            await asyncio.gather(*(group.create_task(_awaited(loop)) for loop in loops))
            listening.cancel()
            self.sweeper.end()

    async def _listen(self) -> None:
        """Hear the rings of other processes; begin again when the database was away."""
        beat = self.clock.timings.heartbeat
        while True:
            try:
                listener = await self.database.listen()
            except StorageUnavailable as error:
                _log.warning("not_listening", error=str(error))
                await self.clock.sleep(beat)
                continue
            try:
                while not listener.is_closed():
                    await self.clock.sleep(beat)
            finally:
                await listener.close()

    def stop(self) -> None:
        """Let the loops end in good order; `run` returns when they have."""
        self.bells.close()


async def _awaited(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


@contextmanager
def database_dsn(settings: Settings) -> Iterator[str]:
    """The address of the database; runs the embedded server for the block unless another process does.

    Call from the main thread. EmbeddedError says what is wrong with an embedded set-up.
    """
    folder = settings.data_folder
    if folder is None:
        assert settings.dsn is not None
        yield settings.dsn
        return
    running = embedded.attach(folder)
    if running is not None:
        yield running
        return
    with embedded.start(folder, run_as=settings.embedded_user) as server:
        yield server.dsn


def sealer(settings: Settings) -> Sealer:
    """The sealer of the configured keys; an embedded database keeps a key of its own beside the data."""
    keys = list(settings.sealing_keys)
    if not keys and settings.data_folder is not None:
        keys = [_own_key(settings.data_folder / _KEY_FILE)]
    return Sealer(keys)


def _own_key(path: Path) -> bytes:
    """The key in the file, made at first use; readable by its owner alone."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy.token_bytes(32))
    return path.read_bytes()


@asynccontextmanager
async def opened(
    settings: Settings,
    configured: Configured,
    dsn: str,
    *,
    role: str,
    fail: FailPoints = nothing_fails,
    concurrency: int = 10,
    timings: Timings | None = None,
    clock_of: Callable[[datetime, Timings], SystemClock] = SystemClock,
    traces: Traces = untraced,
) -> AsyncIterator[App]:
    """A hub on this database, migrated; closed at the end of the block.

    `timings` replaces the profile's; `clock_of` makes the clock from the database's time and the durations.
    """
    from coopwire.monitoring.metrics import Metrics

    await migrate.upgrade(dsn)
    bells, worker = Bells(), new_worker_name(role)
    lengths = timings or settings.durations
    idle_limit = max(lengths.call_deadline * 2, _SHORTEST_IDLE_LIMIT)
    database = await connect(dsn, sealer(settings), idle_limit=idle_limit, fail=fail, ring=bells.ring)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        clock = clock_of(await database.now(), lengths)
        transport = await stack.enter_async_context(HttpTransport())
        board = SharedBoard(worker, BreakerRows(database.pool), clock, _turned(bells))
        bells.answer(BREAKERS, board.wake)
        metrics = Metrics()
        report = _counted_by(metrics)
        limits = {name: connection.budget for name, connection in configured.connections.items()}
        budgets = SharedBudgets(worker, limits, BudgetRows(database.pool), clock, _room(bells))

        def outside(name: str) -> Outside:
            http = GuardedHttp(name, transport, board, clock, report=report, traces=traces, budgets=budgets)
            return Outside(http, database.tokens, clock)

        connected = {
            name: _connect(connection, outside(name)) for name, connection in configured.connections.items()
        }
        network = Network(connected, configured.routes, concurrency, board)
        # A breaker that is open already must be known before the first call.
        await asyncio.gather(board.exchange(), budgets.exchange())
        await stack.enter_async_context(_running(board.run()))
        await stack.enter_async_context(_running(budgets.run()))
        yield _assemble(settings, worker, network, database, clock, bells, board, metrics, traces, fail)


def _counted_by(metrics: Metrics) -> Callable[[CallReport], None]:
    def count(report: CallReport) -> None:
        metrics.call(report.connection, report.operation, report.outcome, report.took.total_seconds())

    return count


def _turned(bells: Bells) -> Callable[[Breaker], None]:
    """Whoever waits at the gate of a breaker may look again."""

    def turned(breaker: Breaker) -> None:
        if breaker.probe_by is None:
            _log.warning(
                "breaker",
                connection=breaker.connection,
                traffic=breaker.traffic.value,
                open=breaker.opened_at is not None,
                reason=breaker.reason,
            )
        bells.ring(EFFECTS, UNKNOWN, LOOKUPS)

    return turned


def _room(bells: Bells) -> Callable[[], None]:
    """Whoever waits for a connection's budget may look again."""
    return lambda: bells.ring(EFFECTS, UNKNOWN, LOOKUPS)


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A task beside the block, ended with it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _connect(connection: Connection, outside: Outside) -> Connected:
    sheet = catalog.sheet(connection.provider)
    sockets = sheet.load(sheet.connect)(connection, outside)
    webhooks = sheet.load(sheet.webhooks)(connection) if sheet.webhooks is not None else None
    return Connected(connection, sheet.profile, sockets, webhooks)


def _assemble(
    settings: Settings,
    worker: str,
    network: Network,
    database: PostgresDatabase,
    clock: SystemClock,
    bells: Bells,
    board: SharedBoard,
    metrics: Metrics,
    traces: Traces,
    fail: FailPoints,
) -> App:
    reactions = consumers(network, clock)
    names = [one.name for one in reactions]
    gauges = GaugeRows(database.pool, network.budgets(), names, clock)
    metrics.watch(gauges, names, list(network.connections))
    executor = Executor(worker, network, database, clock, bells, fail, traces)
    followed: Sequence[Followed[Any, Any]] = (
        FollowedRefunds(network, clock, fail),
        FollowedDisputes(network, clock, fail),
        FollowedPayouts(network, clock, settings.payout_policy, fail),
        FollowedAccounts(network, clock, fail),
        FollowedMandates(network, clock, fail),
        FollowedSettlements(network, clock, fail),
    )
    return App(
        worker=worker,
        settings=settings,
        network=network,
        database=database,
        clock=clock,
        bells=bells,
        executor=executor,
        looker=Looker(network, database, clock, bells, fail, traces),
        drain=Drain(network, database, clock, bells, traces),
        importing=Importing(network, database, clock, bells),
        sweeper=Sweeper(worker, database, clock, bells, executor.pulse),
        calendar=BusinessDays(network, database, clock, bells),
        chainer=Chainer(database, bells),
        bus=_bus(settings, reactions, database, clock, bells, metrics, traces, fail),
        desk=Desk(worker, network, database, clock, bells, executor, traces),
        refunding=Refunding(network, database, clock),
        trackers=[Tracker(one, network, database, clock, bells, traces) for one in followed],
        payouts=PayoutDesk(network, database, clock),
        account_desk=AccountDesk(network, database, clock, bells),
        authorization_desk=AuthorizationDesk(network, database, clock, bells),
        mandate_desk=MandateDesk(network, database, clock, bells),
        board=board,
        metrics=metrics,
        traces=traces,
    )


def _bus(
    settings: Settings,
    reactions: Sequence[Consumer],
    database: PostgresDatabase,
    clock: SystemClock,
    bells: Bells,
    metrics: Metrics,
    traces: Traces,
    fail: FailPoints,
) -> EventBus:
    there = _broker(settings, reactions)
    if there is None:
        return PostgresBus(database, clock, reactions, bells, metrics, traces)
    from coopwire.bus.sessions import BrokerBus

    return BrokerBus(there, database, clock, reactions, bells, metrics, fail, traces)


def _broker(settings: Settings, reactions: Sequence[Consumer]) -> Broker | None:
    """Transports are imported when they are used: most hubs have no broker."""
    timings = settings.durations
    if settings.kafka:
        from coopwire.bus import kafka

        return kafka.Broker(kafka.Address(settings.kafka), topics(reactions), timings.call_deadline)
    if settings.brokers:
        from coopwire.bus import rabbitmq

        return rabbitmq.Broker.at(settings.brokers, topology(reactions, timings), timings.call_deadline)
    return None


def bus_topology(settings: Settings) -> Topology | Topics:
    """What the hub needs on its broker; on RabbitMQ, where it has none."""
    reactions = _names_of_reactions(settings)
    return topics(reactions) if settings.kafka else topology(reactions, settings.durations)


def broker(settings: Settings) -> Broker | None:
    """The broker of these settings, to look at; None where the database is the bus."""
    return _broker(settings, _names_of_reactions(settings))


def _names_of_reactions(settings: Settings) -> Sequence[Consumer]:
    """Names and types are the same whatever is connected; nobody calls these consumers."""
    nothing = Network({}, Routes("", None, None, None, AllocationMode.HUB, {}, settings.zone))
    return consumers(nothing, SystemClock(datetime.now(UTC), settings.durations))


def dies_at(place: str | None) -> FailPoints:
    """Fail points of a test: the process kills itself the first time the named place is reached."""
    if place is None:
        return nothing_fails

    def reach(reached: str) -> None:
        if reached == place:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def reconciler(app: App) -> Reconciler:
    """Who compares business days."""
    from coopwire.application.reconciling.reconciler import Reconciler
    from coopwire.storage.days import DayRows

    return Reconciler(app.network, app.database, DayRows(app.database.pool), app.clock, app.bells)


def recovery(app: App) -> Recovery:
    """Who finds out what happened since a backup."""
    from coopwire.application.recovering import Recovery

    return Recovery(app.network, app.database, reconciler(app), app.clock, app.bells)


def receipt_desk(app: App) -> ReceiptDesk:
    """Where money from elsewhere is taken in."""
    # Imported when it is used: a worker reads no spreadsheets.
    from coopwire.application.receipt_desk import ReceiptDesk
    from coopwire.spreadsheets.xlsx import XlsxSheets

    return ReceiptDesk(app.network, app.database, app.clock, app.bells, XlsxSheets())


def office(app: App) -> Office:
    """What the API's routes work with."""
    # Here and below the web is imported when it is used: a worker and a command have no need of it.
    from coopwire.application.accounts import AccountImport
    from coopwire.application.correcting import Corrections
    from coopwire.application.dispute_desk import DisputeDesk
    from coopwire.application.letters import LetterDesk
    from coopwire.application.operating import Operator
    from coopwire.application.settled import SettlementReader
    from coopwire.exports import export_report
    from coopwire.storage.core_accounts import CoreAccountRows
    from coopwire.storage.days import DayRows
    from coopwire.storage.keys import KeyRows
    from coopwire.storage.queries import PostgresQueries
    from coopwire.web.office import Office

    pool, seal = app.database.pool, sealer(app.settings)
    return Office(
        network=app.network,
        desk=app.desk,
        operator=Operator(app.network, app.database, app.clock),
        letters=LetterDesk(app.database, app.clock),
        corrections=Corrections(app.network, app.database, app.clock, app.refunding),
        reconciler=reconciler(app),
        days=DayRows(pool),
        exports=export_report,
        receipts=receipt_desk(app),
        disputes=DisputeDesk(app.network, app.database, app.clock),
        settlements=SettlementReader(app.network),
        payouts=app.payouts,
        virtual_accounts=app.account_desk,
        authorizations=app.authorization_desk,
        mandates=app.mandate_desk,
        accounts=AccountImport(app.network, CoreAccountRows(pool, seal), app.clock),
        queries=PostgresQueries(pool, seal),
        keys=KeyRows(pool, seal),
        clock=app.clock,
        meter=app.metrics,
    )


async def run_server(
    settings: Settings,
    configured: Configured,
    dsn: str,
    started: Callable[[str], None],
) -> None:
    """API, webhook door and every loop in one process; `started` is told the address once it listens.

    Ends in good order on SIGTERM or SIGINT: the door first, then what is under way. OSError when the port is
    taken.
    """
    from coopwire.web.api import build_api
    from coopwire.web.asgi import build_app
    from coopwire.web.door import Door

    listening = _bound(settings.host, settings.port)
    async with _hub(settings, configured, dsn, "serve") as app:
        await app.verify_bus()
        parts = office(app)
        door = Door(app.network, app.database, app.clock, app.bells, parts.meter, app.traces)
        server = _server(build_app(door, build_api(parts)), settings.trusted_proxies)
        _on_signal(lambda: setattr(server, "should_exit", True))
        running = asyncio.create_task(app.run())
        committing = asyncio.create_task(door.run())
        # Until the first heartbeat the executor sends nothing, so no payment may be asked for before.
        await app.sweeper.beat()
        spare_the_collector()
        host, port = listening.getsockname()[:2]
        started(f"http://{host}:{port}")
        _log.info("hub_started", worker=app.worker, timings=settings.timings)
        try:
            await _first_to_end(asyncio.create_task(server.serve(sockets=[listening])), running)
        finally:
            server.should_exit = True
            committing.cancel()
            app.stop()
            await running
        _log.info("hub_stopped", worker=app.worker)


def _server(front: ASGI, trusted_proxies: str = "") -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves signals to us: the loops behind the door must end after it, in good order."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    # No WebSockets: their libraries, where one is installed, log the headers of a request, keys and all.
    return Server(
        uvicorn.Config(
            front,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            # Longer than clients and proxies keep a connection for their next request (a minute, mostly): who closes
            # first while the other one sends leaves it without an answer.
            timeout_keep_alive=75,
            forwarded_allow_ips=trusted_proxies,
        )
    )


async def _first_to_end(serving: asyncio.Task[None], running: asyncio.Task[None]) -> None:
    """Until the server is told to end; a hub whose loops died does not go on answering."""
    await asyncio.wait([serving, running], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        serving.cancel()
        await asyncio.wait([serving])
    else:
        await serving


async def run_worker(settings: Settings, configured: Configured, dsn: str) -> None:
    """A worker process: every loop, no API; ends in good order on SIGTERM or SIGINT.

    OSError when the address for its metrics is taken.
    """
    watched = _bound(*settings.metrics_place) if settings.metrics_place is not None else None
    async with _hub(settings, configured, dsn, "worker") as app:
        _on_signal(app.stop)
        await app.verify_bus()
        spare_the_collector()
        _log.info("worker_started", worker=app.worker, timings=settings.timings)
        async with _watched(app, watched):
            await app.run()
        _log.info("worker_stopped", worker=app.worker)


@asynccontextmanager
async def _watched(app: App, listening: socket.socket | None) -> AsyncIterator[None]:
    """The metrics of a worker at this socket, for the block."""
    if listening is None:
        yield
        return
    from coopwire.web.watching import Watching

    server = _server(Watching(app.metrics))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Opened again by its number the socket knows that it is TCP, and asyncio turns off Nagle's algorithm:
    # without that an answer waits up to 40 ms for the client's acknowledgement.
    bound = socket.create_server((host, port), family=family, backlog=1024)
    return socket.socket(fileno=bound.detach())


@asynccontextmanager
async def _hub(settings: Settings, configured: Configured, dsn: str, role: str) -> AsyncIterator[App]:
    """A hub that is to run: traced where the environment asks for it, and dying where a test does."""
    fail = dies_at(settings.fail_at)
    with _traced(role) as traces:
        async with opened(settings, configured, dsn, role=role, fail=fail, traces=traces) as app:
            yield app


def spare_the_collector() -> None:
    """Take what has been loaded out of the garbage collector's rounds, and make the rounds rarer.

    Code and tables stay as long as the process does. Looking through them again and again took a sixth of a busy
    hub's CPU, and each full round held every call up for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)


@contextmanager
def _traced(role: str) -> Iterator[Traces]:
    """What the variables of OpenTelemetry ask for; what was recorded is sent at the end of the block."""
    if not any(name.startswith("OTEL_") for name in os.environ):
        # The libraries cost memory and time at the start, for nothing.
        yield untraced
        return
    from coopwire.monitoring import tracing

    with tracing.configured(role) as traces:
        yield traces


def _on_signal(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
