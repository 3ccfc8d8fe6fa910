"""The services as one server process uses them: connected at its start, asked for their health every ten seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from models.errors import Unavailable
from server.core.cancellation import is_cancelling
from server.core.metrics import CallMetrics
from server.core.settings import ServerSettings
from server.core.structlog_import import structlog
from server.grpc.contract import BY_COMPONENT, HEALTH_EVERY_S, SERVICES
from server.services.addresses import Address, configured, parse_addresses
from server.services.first_use import FirstUse
from server.services.step_services import StepAnswer, StoredImage, serves

if TYPE_CHECKING:
    import grpc

    from inspection.components.registry import Parameters
    from inspection.imaging.picture import Picture
    from server.grpc.unary import UnaryCall
    from server.services.embedded import EmbeddedCall
    from server.services.replicas import Replica, Replicas
    from server.services.steps import GrpcSteps

_log = structlog.get_logger("imageflow.services")
_METADATA_BYTES = 128 * 1024
_START_S = 3.0


class ServiceClients:
    """Runs steps in the services, and knows how these are. Nothing of gRPC is loaded before ``start``.

    Where all of them run in this process, ``wait`` stands for ``start`` until the first step or question.

    Args:
        settings: addresses, secret and certificates.
        metrics: count the calls; None where nobody reads them.

    Attributes:
        embedded: keys of the services that run in this process.
        waiting: address by key of those that are started with their first use, until their health is asked for.
    """

    def __init__(self, settings: ServerSettings, metrics: CallMetrics | None = None) -> None:
        self._metrics = metrics
        self._settings = settings
        self._replicas: dict[str, Replicas] = {}
        self._steps: GrpcSteps | None = None
        self._calls: Mapping[str, UnaryCall] = {}
        self._asking: asyncio.Task[None] | None = None
        self._checked = asyncio.Event()
        self._credentials: grpc.ChannelCredentials | None = None
        self._own_name: str | None = None
        self._told_unresolved: frozenset[Address] = frozenset()
        self._first_use: FirstUse | None = None
        self.embedded: frozenset[str] = frozenset()
        self.waiting: Mapping[str, str] = {}

    def wait(self, embedded: Mapping[str, str], start: Callable[[], Awaitable[None]]) -> None:
        """Know the services, all in this process, before they are started.

        Args:
            embedded: their addresses, by key.
            start: starts them and calls ``start`` of this object; run with the first use.
        """
        self.embedded, self.waiting = frozenset(embedded), dict(embedded)
        self._first_use = FirstUse(", ".join(SERVICES[key].name for key in embedded), start)

    async def ready(self) -> None:
        """Return when the services are started; those that wait for their first use are started now.

        Raises:
            Unavailable: ``service-not-connected`` after ``stop``.
            UserFacingError: as their start; see ``FirstUse``.
        """
        if self._first_use is not None:
            await self._first_use()

    @property
    def start_error(self) -> Exception | None:
        """By which the last start of those that wait for their first use failed; None when none did."""
        return None if self._first_use is None else self._first_use.error

    async def start(self, embedded: Mapping[str, str], calls: Mapping[str, UnaryCall] | None = None) -> None:
        """Connect to every service and ask for its health once; a start that fails leaves no connection.

        Args:
            embedded: address by key of those that run in this process.
            calls: of those that this process asks without gRPC, by key.

        Raises:
            InvalidInput: ``service-address-invalid`` or ``server-tls-files``.
        """
        try:
            self._connect_all(embedded, calls or {})
            # What does not answer is found out meanwhile: a service that is away keeps no server from starting.
            with suppress(TimeoutError):
                async with asyncio.timeout(_START_S):
                    await self._checked.wait()
        except BaseException:
            await self.disconnect()
            raise
        self.waiting = {}

    async def stop(self) -> None:
        """Start nothing more, and close every channel."""
        if self._first_use is not None:
            await self._first_use.stop()
        self.waiting = {}
        await self.disconnect()

    async def disconnect(self) -> None:
        """Close every channel; those of services that wait for their first use may be made again."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
            self._asking = None
        replicas, self._replicas, self._steps, self._calls = self._replicas, {}, None, {}
        for of_service in replicas.values():
            await of_service.close()

    @property
    def secret(self) -> tuple[tuple[str, str], ...]:
        """Metadata that lets calls in."""
        from server.grpc.security import bearer_of

        return bearer_of(self._settings)

    @property
    def known(self) -> Mapping[str, Replicas]:
        """The replicas of each service, by its key; empty before ``start``."""
        return self._replicas

    def replicas(self, key: str) -> Replicas:
        """Return the replicas of a service.

        Raises:
            Unavailable: ``service-not-connected``.
        """
        found = self._replicas.get(key)
        if found is None:
            raise Unavailable("service-not-connected", service=SERVICES[key].name)
        return found

    def serves(self, component: str, parameters: Mapping[str, Any]) -> bool:
        """Return whether a service runs a step; see ``StepServices``."""
        return (self._steps is not None or bool(self.waiting)) and serves(component, parameters)

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        """Run a step in its service; see ``StepServices``.

        Raises:
            Unavailable: also ``service-not-connected`` before ``start``.
        """
        await self.ready()
        if self._steps is None:
            raise Unavailable("service-not-connected", service=component)
        return await self._steps.run(component, parameters, image, deadline_s=deadline_s)

    def embeds(self, component: str) -> bool:
        """Return whether the service of a component runs in this process; see ``StepServices``."""
        service = BY_COMPONENT.get(component)
        return service is not None and service.key in (self.waiting or self._calls)

    def embedded_timeout_s(self, component: str) -> float:
        """Return the deadline of an attempt of a service in this process; see ``StepServices``."""
        return self.replicas(BY_COMPONENT[component].key).service.timeout_s

    def embedded_call(
        self, component: str, parameters: Parameters, picture: Picture, *, deadline_s: float | None = None
    ) -> EmbeddedCall:
        """Return a call of a service in this process; see ``StepServices``."""
        from server.services.embedded import EmbeddedCall

        key = BY_COMPONENT[component].key
        replicas, unary = self.replicas(key), self._calls.get(key)
        if unary is None:  # Disconnected since ``replicas`` was asked.
            raise Unavailable("service-not-connected", service=replicas.service.name)
        return EmbeddedCall(replicas, unary, parameters, picture, deadline_s)

    async def check(self) -> None:
        """Ask every replica for its health now."""
        await asyncio.gather(*(replicas.refresh() for replicas in self._replicas.values()))

    def _connect_all(self, embedded: Mapping[str, str], calls: Mapping[str, UnaryCall]) -> None:
        from server.grpc.security import bearer_of, channel_credentials, own_name
        from server.services.replicas import Replicas
        from server.services.steps import GrpcSteps

        self._credentials = channel_credentials(self._settings)
        self._own_name = own_name(self._settings)
        self._calls = calls
        self.embedded = frozenset(embedded)
        connected: dict[str, Replicas] = {}
        for key, service in SERVICES.items():
            here = parse_addresses(embedded.get(key, ""), key)
            addresses = here or configured(self._settings, service)
            if addresses:
                connect = self._connect_here if here else self._connect
                connected[key] = Replicas(service, addresses, connect, metrics=self._metrics)
        self._replicas = connected  # At once: other threads look through them.
        self._steps = GrpcSteps(self.replicas, bearer_of(self._settings))
        self._checked.clear()
        self._asking = asyncio.get_running_loop().create_task(self._keep_asking(), name="health of services")

    async def _keep_asking(self) -> None:
        """Ask every ten seconds, however long the answers take; nothing but a cancellation of this task ends it."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            try:
                await self._ask_all()
            except asyncio.CancelledError:
                if is_cancelling():
                    raise
                _log.warning("a round of health checks was cut off")
            except Exception as error:  # noqa: BLE001 - a fault of one round must not end the rounds; the log has it whole
                _log.error("bug", error=type(error).__name__, exc_info=error)
            self._checked.set()
            due = max(due + HEALTH_EVERY_S, clock())
            await asyncio.sleep(due - clock())

    async def _ask_all(self) -> None:
        before = {replica: replica.healthy for replica in self._every()}
        await self.check()
        unresolved = [
            (address, replicas.service.full_name, reason)
            for replicas in self._replicas.values()
            for address, reason in replicas.unresolved.items()
        ]
        for address, service, reason in unresolved:
            if address not in self._told_unresolved:
                name = address.target
                _log.warning(
                    "the name of a service stands for no address", service=service, address=name, reason=reason
                )
        self._told_unresolved = frozenset(address for address, _, _ in unresolved)
        for replica in self._every():
            if before.get(replica, True) and not replica.healthy:
                target, reason = replica.address.target, replica.trouble
                _log.warning("a replica of a service does not answer", address=target, reason=reason)

    def _every(self) -> list[Replica]:
        return [replica for replicas in self._replicas.values() for replica in replicas.all]

    def _connect(self, address: Address, host: str) -> Any:
        return self._channel(address, self._credentials, self._settings.grpc_tls_name or host)

    def _connect_here(self, address: Address, host: str) -> Any:
        # It has this process' own certificate, if any, whatever those of services elsewhere say.
        encrypted = self._settings.grpc_tls_cert is not None
        return self._channel(address, self._credentials if encrypted else None, self._own_name or host)

    def _channel(self, address: Address, credentials: grpc.ChannelCredentials | None, name: str) -> Any:
        import grpc
        import grpc.aio

        most = self._settings.grpc_max_message_bytes
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", most),
            ("grpc.max_send_message_length", most),
            ("grpc.max_metadata_size", _METADATA_BYTES),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            # A replica that comes back is found within a few seconds.
            ("grpc.max_reconnect_backoff_ms", 3_000),
            ("grpc.enable_http_proxy", 0),
            # The attempts are made here, at other replicas too.
            ("grpc.enable_retries", 0),
            # Each replica has a connection of its own, also where two servers of one process ask the same address.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if credentials is None:
            return grpc.aio.insecure_channel(address.target, options=options)
        return grpc.aio.secure_channel(
            address.target, credentials, options=[*options, ("grpc.ssl_target_name_override", name)]
        )
