"""How the services are, as REST shows them."""

from __future__ import annotations

from contextlib import suppress

from models.errors import UserFacingError
from server.grpc.contract import AI_DETECTION, BY_COMPONENT, SERVICES
from server.grpc.models import ModelShelf
from server.services.clients import ServiceClients
from server.services.schemas import CircuitName, GrpcServiceReply, GrpcServicesHealth, ModelReply, ReplicaReply, Status


def list_services(clients: ServiceClients, models: ModelShelf) -> list[GrpcServiceReply]:
    """Return every service that this process is connected to, as the last health checks found it.

    One that waits in this process for its first use is up: whoever connects is answered. How fast is known after that.
    It is down, with the error, from a start that failed until one succeeds.

    Args:
        clients: of the services.
        models: of the services that run in this process.
    """

    def reply(key: str, address: str, circuit: CircuitName, replicas: list[ReplicaReply]) -> GrpcServiceReply:
        service = SERVICES[key]
        latencies = [one.latency_ms for one in replicas if one.status == "up" and one.latency_ms is not None]
        return GrpcServiceReply(
            id=key,
            name=service.name,
            address=address,
            embedded=key in clients.embedded,
            status=_best([one.status for one in replicas]),
            latency_ms=min(latencies, default=None),
            circuit=circuit,
            timeout_s=service.timeout_s,
            retries=service.retries,
            component=service.component or None,
            models=_models(models) if key == AI_DETECTION.key and key in clients.embedded else None,
            error=error if key in waiting else None,
            replicas=replicas,
        )

    # Before those that are known: one that stops to wait in between is among them.
    waiting, error = clients.waiting, _code_of(clients.start_error)
    state: Status = "up" if error is None else "down"
    unused = [
        reply(key, address, "closed", [ReplicaReply(address=address, status=state, latency_ms=None, circuit="closed")])
        for key, address in waiting.items()
    ]
    connected = [
        reply(
            key,
            ", ".join(address.target for address in replicas.addresses),
            replicas.circuit.value,
            [
                ReplicaReply(
                    address=replica.address.target,
                    status=_status(replica.healthy),
                    latency_ms=None if replica.latency_ms is None else round(replica.latency_ms, 2),
                    circuit=replica.circuit.state.value,
                )
                for replica in replicas.all
            ],
        )
        for key, replicas in clients.known.items()
        if key not in waiting
    ]
    return unused + connected


async def used_services(clients: ServiceClients, models: ModelShelf) -> list[GrpcServiceReply]:
    """Start the services that wait for their first use, and return all; those that cannot start are down."""
    with suppress(UserFacingError):  # Shown with each of them.
        await clients.ready()
    return list_services(clients, models)


async def check_services(clients: ServiceClients, models: ModelShelf) -> GrpcServicesHealth:
    """Ask every replica for its health now, and return the answers; see ``used_services``."""
    await used_services(clients, models)
    await clients.check()
    services = list_services(clients, models)
    well = all(service.status == "up" for service in services)
    return GrpcServicesHealth(status="ok" if well else "degraded", services=services)


def usable_models(clients: ServiceClients, models: ModelShelf) -> list[str]:
    """Return the names of the server's settings that a pipeline may use.

    A detection service of its own has files of its own: there the name alone counts.
    """
    if clients.known and AI_DETECTION.key not in clients.embedded:
        return models.names
    absent = models.absent
    return [name for name in models.names if name not in absent]


def service_of(component: str) -> str | None:
    """Return the id of the service that runs a component; None when none does."""
    found = BY_COMPONENT.get(component)
    return None if found is None else found.key


def _code_of(error: Exception | None) -> str | None:
    return error.code if isinstance(error, UserFacingError) else None if error is None else "internal-error"


def _models(models: ModelShelf) -> list[ModelReply]:
    absent = models.absent
    return [ModelReply(name=name, status="missing" if name in absent else "present") for name in models.names]


def _status(healthy: bool | None) -> Status:
    if healthy is None:
        return "unknown"
    return "up" if healthy else "down"


def _best(statuses: list[Status]) -> Status:
    order: tuple[Status, ...] = ("up", "unknown", "down")
    return next((status for status in order if status in statuses), "down")
