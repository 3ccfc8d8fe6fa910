"""What every part of the server works with, opened once and closed once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from models.clock import HybridLogicalClock
from models.database import Database
from models.errors import InvalidInput, NotFound
from server.audit import SERVER_DEVICE
from server.auth.identity.counts import DatabaseCounts
from server.auth.identity.passwords import Passwords
from server.auth.identity.rate_limit import SignInLimiter
from server.auth.identity.tokens import TokenIssuer
from server.change_log.newest_stamp import newest_stamp
from server.change_log.recording import ChangeLogRecorder
from server.core.data_folder import prepare_data_dir
from server.core.metrics import Metrics
from server.core.settings import DATABASE_FILE, ServerSettings
from server.core.signing_key import signing_key
from server.core.tracing import NoTracing, Tracing, tracing_to
from server.daily_counts.counting import DailyCounting
from server.events.bus import EventBus
from server.events.hub import Hub
from server.events.in_process import InProcessBus
from server.events.relay import OutboxRelay
from server.grpc.models import ModelShelf
from server.objects.store import ObjectStore
from server.sensors.shelf import SensorShelf
from server.services.clients import ServiceClients


@dataclass(frozen=True)
class ServerContext:
    """The server's parts; request code takes it from ``server.http.dependencies``.

    Attributes:
        settings: as started.
        database: the only way to a transaction; ``transaction(actor=user_id)`` writes, ``read()`` reads.
        clock: the server's hybrid logical clock, device ``"server"``.
        objects: blobs by SHA-256.
        events: the event bus.
        hub: the events for many clients of the event loop.
        outbox: publishes what ``server.events.outbox`` holds, once it is started.
        models: the models that pipelines name.
        sensors: the sensor models that score.
        services: the gRPC services; steps of pipelines run there.
        tokens: makes and checks tokens.
        passwords: makes and checks password digests.
        limiter: counts failed sign-ins.
        metrics: what ``/metrics`` shows.
        tracing: makes spans where a collector is set.
    """

    settings: ServerSettings
    database: Database
    clock: HybridLogicalClock
    objects: ObjectStore
    events: EventBus
    hub: Hub
    outbox: OutboxRelay
    models: ModelShelf
    sensors: SensorShelf
    services: ServiceClients
    tokens: TokenIssuer
    passwords: Passwords
    limiter: SignInLimiter
    metrics: Metrics
    tracing: Tracing | NoTracing

    def close(self) -> None:
        """Stop publishing, close the bus, which ends its subscriptions, and the database."""
        with ExitStack() as closing:  # In the order from below; each whatever another one raises.
            closing.callback(self.database.close)
            closing.callback(self.tracing.close)
            closing.callback(self.events.close)
            closing.callback(self.outbox.stop)


def open_context(settings: ServerSettings) -> ServerContext:
    """Open database (brought to the newest schema), object store and bus.

    Raises:
        UserFacingError: when a part cannot be opened, with what to do.
    """
    prepare_data_dir(settings.data_dir)
    clock = HybridLogicalClock(SERVER_DEVICE)
    database = connect_database(settings, clock)
    try:
        database.migrate()
        with database.read() as session:
            newest = newest_stamp(session)
        if newest is not None:
            clock.observe(newest)
        events = _bus(settings)
        objects = ObjectStore(settings.objects)
        metrics = Metrics()
        return ServerContext(
            settings=settings,
            database=database,
            clock=clock,
            objects=objects,
            events=events,
            hub=Hub(events),
            outbox=OutboxRelay(database, events),
            models=ModelShelf(settings.models, settings.images_at_once),
            sensors=SensorShelf(database, objects),
            services=ServiceClients(settings, metrics.grpc_called),
            tokens=TokenIssuer(signing_key(settings), settings),
            passwords=Passwords(settings.password_min_length),
            # A process on SQLite is the only one; those that share a server's database count together.
            limiter=SignInLimiter(settings.sign_in_attempts, None if database.is_sqlite else DatabaseCounts(database)),
            metrics=metrics,
            tracing=tracing_to(settings.otlp_endpoint),
        )
    except BaseException:
        database.close()
        raise


def has_store(settings: ServerSettings) -> bool:
    """Return whether there is a server's store to work with; a database elsewhere is asked when it is opened."""
    if settings.database_url is not None:
        return True
    try:
        (settings.data_dir / DATABASE_FILE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # There, but closed to this user: opening it raises the reason.
    return True


def require_store(settings: ServerSettings) -> None:
    """Check that a server has been at work with this data folder, so that a mistyped one is not taken for a new one.

    Raises:
        NotFound: ``server-no-store``.
    """
    if not has_store(settings):
        raise NotFound("server-no-store", folder=str(settings.data_dir))


def connect_database(settings: ServerSettings, clock: HybridLogicalClock) -> Database:
    """Return the database of a server as it is; nothing is asked of it yet.

    Raises:
        InvalidInput: ``database-url-invalid``.
    """
    try:
        engine = make_url(settings.database).get_backend_name()
        if engine not in {"sqlite", "postgresql"}:
            raise InvalidInput("database-url-invalid")
        counting = DailyCounting(settings.zone)
        return Database(settings.database, ChangeLogRecorder(clock), parts_changed=counting, shared_commits=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise InvalidInput("database-url-invalid") from error


def _bus(settings: ServerSettings) -> EventBus:
    if settings.kafka_bootstrap is None:
        return InProcessBus()
    # Its library costs memory that a server without a broker does not need.
    from server.events.kafka.bus import KafkaBus
    from server.events.kafka.options import KafkaOptions

    return KafkaBus(
        KafkaOptions(
            settings.kafka_bootstrap,
            prefix=settings.kafka_topic_prefix,
            create_topics=settings.kafka_create_topics,
            partitions=settings.kafka_partitions,
            further=settings.kafka_options,
        )
    )
