"""The replicas of one service: which there are, how well each is, and which one takes the next call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from models.storage import reason_of
from server.core.cancellation import is_cancelling
from server.core.metrics import CallMetrics
from server.grpc.contract import HEALTH_EVERY_S, Service
from server.services.addresses import Address, resolve
from server.services.circuit import Circuit, CircuitState

CHECK_S = 2.0
"""Seconds for a health check to be answered."""
SILENT_S = HEALTH_EVERY_S
"""Seconds without any answer, from the start of a health check, after which a replica is silent: two rounds."""
_CHECK = "/grpc.health.v1.Health/Check"
_WEIGHT = 0.3
_UNREACHED = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})
"""Statuses that a call may end with though its replica has answered nothing."""
UnaryCall = grpc.aio.UnaryUnaryCall[bytes, bytes]


class ReplicaSilentError(Exception):
    """A replica answers nothing: its calls are given up."""


class Replica:
    """One replica: its channel, its circuit, and how fast it answered lately.

    Attributes:
        address: of the replica.
        channel: to it.
        circuit: of it.
        healthy: whether its last health check succeeded; None before the first one.
        silent: whether it has answered neither a health check nor a call for two rounds of checks: its process hangs,
            or is out of reach. One that is busy in all its threads still answers calls.
        latency_ms: of health checks, a moving average; None before the first answer.
        trouble: why the last health check failed, for the log; empty when it did not.
    """

    def __init__(self, address: Address, channel: grpc.aio.Channel, clock: Callable[[], float]) -> None:
        self.address = address
        self.channel = channel
        self.circuit = Circuit(clock)
        self.healthy: bool | None = None
        self.silent = False
        self.latency_ms: float | None = None
        self.trouble = ""
        self._clock = clock
        self._unanswered_since: float | None = None
        self._under_way: set[UnaryCall] = set()

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return bool(self._under_way)

    async def result_of_call(self, call: UnaryCall) -> bytes:
        """Return the response to a call, which is given up when the replica falls silent meanwhile.

        Raises:
            grpc.aio.AioRpcError: when the replica fails.
            ReplicaSilentError: when it answers nothing, or its channel is closed.
            asyncio.CancelledError: only when the caller itself is cancelled.
        """
        self._under_way.add(call)
        try:
            response = await call
        except asyncio.CancelledError as error:
            # What cancels the call alone, as the end of its channel does, is raised as the end of the caller too.
            if is_cancelling():
                raise
            raise ReplicaSilentError from error
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNREACHED:
                self._unanswered_since = None
            raise
        else:
            self._unanswered_since = None
            return response
        finally:
            self._under_way.discard(call)

    async def check(self, service: Service) -> None:
        """Ask for its health, and note the answer and how long it took; one that is silent loses its calls."""
        if self._unanswered_since is None:
            self._unanswered_since = self._clock()
        try:
            await self._ask(service)
        except grpc.aio.AioRpcError as error:
            self.healthy, self.trouble = False, f"{error.code().name}: {error.details()}"
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                self._unanswered_since = None
        except (ValueError, TypeError):
            self.healthy, self._unanswered_since, self.trouble = False, None, "an answer that is none"
        since = self._unanswered_since
        self.silent = since is not None and self._clock() - since >= SILENT_S
        if self.silent:
            given_up, self._under_way = self._under_way, set()
            for call in given_up:
                call.cancel()

    async def _ask(self, service: Service) -> None:
        ask = self.channel.unary_unary(_CHECK, bytes, bytes)
        request = health_pb2.HealthCheckRequest(service=service.full_name).SerializeToString()
        began = time.perf_counter()
        answer = health_pb2.HealthCheckResponse.FromString(await ask(request, timeout=CHECK_S))
        self.healthy = answer.status == health_pb2.HealthCheckResponse.SERVING
        self.trouble = "" if self.healthy else "it says that it does not serve"
        self._unanswered_since = None
        spent = (time.perf_counter() - began) * 1000
        self.latency_ms = spent if self.latency_ms is None else (1 - _WEIGHT) * self.latency_ms + _WEIGHT * spent


class Replicas:
    """The replicas of a service, asked for their health again and again.

    Args:
        service: whose they are.
        addresses: configured; names among them are resolved again with every check.
        connect: opens a channel to an address; its second argument is the configured host.
        clock: of the circuits, and of how long a replica answers nothing.
        metrics: count the calls; None where nobody reads them.

    Attributes:
        unresolved: the configured names that the last round found no address for, each with the reason.
    """

    def __init__(
        self,
        service: Service,
        addresses: Sequence[Address],
        connect: Callable[[Address, str], grpc.aio.Channel],
        clock: Callable[[], float] = time.monotonic,
        metrics: CallMetrics | None = None,
    ) -> None:
        self.service = service
        self._metrics = metrics
        self.addresses = tuple(addresses)
        self._connect = connect
        self._clock = clock
        self._replicas: dict[Address, Replica] = {}
        self._hosts: dict[Address, str] = {}
        self._resolving: set[str] = set()
        self._leaving: list[Replica] = []
        self._round: asyncio.Task[None] | None = None
        self._turn = 0
        self.unresolved: Mapping[Address, str] = {}

    @property
    def all(self) -> list[Replica]:
        """Every replica that is known now, by address."""
        return list(self._replicas.values())

    @property
    def circuit(self) -> CircuitState:
        """Closed when any replica's is, else half open when any is."""
        states = {replica.circuit.state for replica in self.all} or {CircuitState.CLOSED}
        return next(
            state for state in (CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN) if state in states
        )

    def next(self, avoided: Sequence[Replica] = ()) -> Replica | None:
        """Return the replica whose turn it is; None when no circuit lets a call through, or none answers at all.

        Args:
            avoided: those that failed this call before; taken only when there is no other, ill ones included.
        """
        able = [replica for replica in self.all if replica.circuit.allows and not replica.silent]
        well = [replica for replica in able if replica.healthy is not False]
        # The last health check may be wrong by now: of one that is said to be ill, and of one that has just failed.
        groups = (_without(well, avoided), _without(able, avoided), well, able)
        fresh = next((group for group in groups if group), None)
        if fresh is None:
            return None
        self._turn += 1
        return fresh[self._turn % len(fresh)]

    def observe(self, code: str, seconds: float) -> None:
        """Count a call that has ended."""
        if self._metrics is not None:
            self._metrics.observe(self.service.full_name, self.service.method, code, seconds)

    async def refresh(self) -> None:
        """Ask each replica for its health, and resolve the names again; whoever comes meanwhile waits for that round.

        What asks often therefore delays no round. One takes at most 7 s: 5 s to resolve the names, while the known
        replicas are asked, then 2 s for new ones.
        """
        if self._round is None or self._round.done():
            self._round = asyncio.get_running_loop().create_task(self._check_all(), name="health of a service")
        under_way = self._round
        await asyncio.wait([under_way])
        if not under_way.cancelled():
            under_way.result()

    async def close(self) -> None:
        """End a round that is under way, and close every channel."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.wait([self._round])
        replicas, self._replicas, self._leaving = [*self.all, *self._leaving], {}, []
        for replica in replicas:
            await replica.channel.close(None)

    async def _check_all(self) -> None:
        checks = asyncio.gather(*(replica.check(self.service) for replica in [*self.all, *self._leaving]))
        found, _ = await asyncio.gather(self._resolved(), checks)
        await asyncio.gather(*(replica.check(self.service) for replica in self._replace(found)))
        # The calls of one that is gone may still end well: they lose it when it is silent, as those of any other.
        for replica in [replica for replica in self._leaving if not replica.busy]:
            self._leaving.remove(replica)
            await replica.channel.close(None)

    async def _resolved(self) -> dict[Address, str]:
        """Return the addresses that the configured ones stand for, each with its configured host."""
        found: dict[Address, str] = {}
        unresolved: dict[Address, str] = {}
        resolving: set[str] = set()
        resolved = await asyncio.gather(*(_addresses_of(configured) for configured in self.addresses))
        for configured, addresses in zip(self.addresses, resolved, strict=True):
            if isinstance(addresses, OSError):
                unresolved[configured] = reason_of(addresses)
                continue
            for address in addresses:
                found.setdefault(address, configured.host)
                resolving.add(configured.host)
        self.unresolved, self._resolving = unresolved, resolving
        return found

    def _replace(self, found: Mapping[Address, str]) -> list[Replica]:
        """Take over the addresses found, and return the replicas that are new."""
        # A name that stands for nothing at this moment takes none of its replicas away.
        gone = [one for one in self._replicas if one not in found and self._hosts[one] in self._resolving]
        for address in gone:
            self._leaving.append(self._replicas.pop(address))
            del self._hosts[address]
        self._hosts.update(found)
        new = {
            address: Replica(address, self._connect(address, host), self._clock)
            for address, host in found.items()
            if address not in self._replicas
        }
        self._replicas.update(new)
        return list(new.values())


async def _addresses_of(configured: Address) -> tuple[Address, ...] | OSError:
    """Return the addresses of a configured one, or why there are none."""
    try:
        return await resolve(configured)
    except OSError as error:
        return error


def _without(replicas: Sequence[Replica], avoided: Sequence[Replica]) -> list[Replica]:
    return [replica for replica in replicas if replica not in avoided]
