"""The replicas of one service: which there are, how well each is, and which one takes the next call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from server.core.metrics import CallMetrics
from server.grpc.contract import Service
from server.services.addresses import Address, resolve
from server.services.circuit import Circuit, CircuitState

CHECK_S = 2.0
"""Seconds for a health check to be answered."""
_CHECK = "/grpc.health.v1.Health/Check"
_WEIGHT = 0.3
UnaryCall = grpc.aio.UnaryUnaryCall[bytes, bytes]


class ReplicaSilentError(Exception):
    """A replica answers no health check: nobody waits for what it was asked."""


class Replica:
    """One replica: its channel, its circuit, and how fast it answered lately.

    Attributes:
        address: of the replica.
        channel: to it.
        circuit: of it.
        healthy: whether its last health check succeeded; None before the first one.
        silent: whether its last health check was not answered at all, twice: its process hangs, or is out of reach.
        latency_ms: of health checks, a moving average; None before the first answer.
    """

    def __init__(self, address: Address, channel: grpc.aio.Channel, clock: Callable[[], float]) -> None:
        self.address = address
        self.channel = channel
        self.circuit = Circuit(clock)
        self.healthy: bool | None = None
        self.silent = False
        self.latency_ms: float | None = None
        self._under_way: set[UnaryCall] = set()

    async def answer_to(self, call: UnaryCall) -> bytes:
        """Return the answer to a call, which is given up when the replica falls silent meanwhile.

        Raises:
            grpc.aio.AioRpcError: when the replica fails.
            ReplicaSilentError: when it answers no health check.
        """
        self._under_way.add(call)
        try:
            return await call
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if call in self._under_way or (task is not None and task.cancelling()):
                raise
            raise ReplicaSilentError from error
        finally:
            self._under_way.discard(call)

    async def check(self, service: Service) -> None:
        """Ask for its health, and note the answer and how long it took."""
        try:
            answered = await self._ask(service) or await self._ask(service)
        except (grpc.aio.AioRpcError, ValueError, TypeError):
            answered, self.healthy = True, False
        self.silent = not answered
        if self.silent:
            self.healthy = False
            given_up, self._under_way = self._under_way, set()
            for call in given_up:
                call.cancel()

    async def _ask(self, service: Service) -> bool:
        """Ask for its health once, and return whether there was an answer in time."""
        ask = self.channel.unary_unary(_CHECK, bytes, bytes)
        request = health_pb2.HealthCheckRequest(service=service.full_name).SerializeToString()
        began = time.perf_counter()
        try:
            answer = health_pb2.HealthCheckResponse.FromString(await ask(request, timeout=CHECK_S))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            return False
        self.healthy = answer.status == health_pb2.HealthCheckResponse.SERVING
        spent = (time.perf_counter() - began) * 1000
        self.latency_ms = spent if self.latency_ms is None else (1 - _WEIGHT) * self.latency_ms + _WEIGHT * spent
        return True


class Replicas:
    """The replicas of a service, asked for their health again and again.

    Args:
        service: whose they are.
        addresses: configured; names among them are resolved again with every check.
        connect: opens a channel to an address; its second argument is the configured host.
        clock: of the circuits.
        metrics: count the calls; None where nobody reads them.
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
        self._turn = 0

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
            avoided: those that failed this call before; taken only when there is no other.
        """
        able = [replica for replica in self.all if replica.circuit.allows and not replica.silent]
        # When all are said to be ill, the health checks may be wrong: better a call too many than none.
        well = [replica for replica in able if replica.healthy is not False] or able
        fresh = [replica for replica in well if replica not in avoided] or well
        if not fresh:
            return None
        self._turn += 1
        return fresh[self._turn % len(fresh)]

    def observe(self, code: str, seconds: float) -> None:
        """Count a call that has ended."""
        if self._metrics is not None:
            self._metrics.observe(self.service.full_name, self.service.method, code, seconds)

    async def refresh(self) -> None:
        """Resolve the names again, close channels to those that are gone, and ask the others for their health."""
        found: dict[Address, str] = {}
        for configured in self.addresses:
            for address in await resolve(configured):
                found.setdefault(address, configured.host)
        # A name server that does not answer takes no replica away.
        if found:
            for gone in self._replicas.keys() - found.keys():
                await self._replicas.pop(gone).channel.close(None)
            for address, host in found.items():
                if address not in self._replicas:
                    self._replicas[address] = Replica(address, self._connect(address, host), self._clock)
        await asyncio.gather(*(replica.check(self.service) for replica in self.all))

    async def close(self) -> None:
        """Close every channel."""
        replicas, self._replicas = self._replicas, {}
        for replica in replicas.values():
            await replica.channel.close(None)
