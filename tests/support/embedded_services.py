"""Services in the process that asks them, whose work a test plants."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc.aio

from inspection.components.registry import Parameters
from inspection.imaging.picture import Picture
from server.core.metrics import CallMetrics
from server.grpc.contract import FILTER, Service
from server.grpc.unary import UnaryCall
from server.services.addresses import parse_addresses
from server.services.embedded import EmbeddedCall
from server.services.replicas import Replicas
from server.services.step_services import StepAnswer, StoredImage


class PlantedWork:
    """The work of a service; what it computes is a function of the event that stops it."""

    def __init__(self, compute: Callable[[threading.Event], Any]) -> None:
        self._compute = compute
        self.asked = 0

    def compute(self, found: Any, parameters: Any, given: Picture, cancel: threading.Event) -> Any:
        del found, parameters, given
        self.asked += 1
        return self._compute(cancel)


def failing(error: Exception) -> PlantedWork:
    def compute(_: threading.Event) -> Any:
        raise error

    return PlantedWork(compute)


def in_turn(*computes: Callable[[threading.Event], Any]) -> PlantedWork:
    """Return work whose attempts do one after the other, and the last of them again and again."""
    left = list(computes)

    def compute(cancel: threading.Event) -> Any:
        following = left.pop(0) if len(left) > 1 else left[0]
        return following(cancel)

    return PlantedWork(compute)


@dataclass(eq=False)
class EmbeddedService:
    """A service of this process: its one replica, and the call of its work."""

    replicas: Replicas
    unary: UnaryCall

    def call(self, parameters: Parameters, picture: Picture, deadline_s: float | None = None) -> EmbeddedCall:
        return EmbeddedCall(self.replicas, self.unary, parameters, picture, deadline_s)

    def fail(self, times: int) -> None:
        """Let calls fail that nobody waits for."""
        for replica in self.replicas.all:
            for _ in range(times):
                period = replica.circuit.begin()
                assert period is not None
                replica.circuit.fail(period)


async def replicas_of(
    service: Service = FILTER, addresses: str = "127.0.0.1:9", metrics: CallMetrics | None = None, **changes: Any
) -> Replicas:
    """Return replicas that nothing is sent to."""
    found = Replicas(
        replace(service, **changes),
        parse_addresses(addresses, "test"),
        lambda address, _: grpc.aio.insecure_channel(address.target),
        metrics=metrics,
    )
    await found.refresh()
    return found


@asynccontextmanager
async def embedded_service(
    work: PlantedWork, service: Service = FILTER, metrics: CallMetrics | None = None, **changes: Any
) -> AsyncIterator[EmbeddedService]:
    """Have a planted service until the block ends; ``changes`` are of its entry in the contract."""
    replicas = await replicas_of(service, metrics=metrics, **changes)
    with ThreadPoolExecutor(2) as threads:
        unary = UnaryCall(service, lambda: work, threads, 2)  # type: ignore[arg-type, return-value]
        try:
            yield EmbeddedService(replicas, unary)
        finally:
            await replicas.close()


@dataclass(eq=False)
class PlantedServices:
    """Services for steps, by component: those of this process, and what those elsewhere answer."""

    embedded: Mapping[str, EmbeddedService] = field(default_factory=dict)
    elsewhere: Mapping[str, Callable[[StoredImage], Any]] = field(default_factory=dict)

    def serves(self, component: str, parameters: Mapping[str, Any]) -> bool:
        del parameters
        return component in self.embedded or component in self.elsewhere

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        del parameters, deadline_s
        answer: StepAnswer = await self.elsewhere[component](image)
        return answer

    def embeds(self, component: str) -> bool:
        return component in self.embedded

    async def ready(self) -> None:
        return

    def embedded_timeout_s(self, component: str) -> float:
        return self.embedded[component].replicas.service.timeout_s

    def embedded_call(
        self, component: str, parameters: Parameters, picture: Picture, *, deadline_s: float | None = None
    ) -> EmbeddedCall:
        return self.embedded[component].call(parameters, picture, deadline_s)
