"""How the services are, as REST shows them."""

from __future__ import annotations

from server.grpc.contract import BY_COMPONENT, SERVICES
from server.services.clients import ServiceClients
from server.services.schemas import GrpcServiceReply, GrpcServicesHealth, ReplicaReply, Status


def list_services(clients: ServiceClients) -> list[GrpcServiceReply]:
    """Return every service that this process is connected to, as the last health checks found it."""
    listed = []
    for key, replicas in clients.known.items():
        service = SERVICES[key]
        shown = [
            ReplicaReply(
                address=replica.address.target,
                status=_status(replica.healthy),
                latency_ms=None if replica.latency_ms is None else round(replica.latency_ms, 2),
                circuit=replica.circuit.state.value,
            )
            for replica in replicas.all
        ]
        latencies = [one.latency_ms for one in shown if one.status == "up" and one.latency_ms is not None]
        listed.append(
            GrpcServiceReply(
                id=key,
                name=service.name,
                address=", ".join(address.target for address in replicas.addresses),
                embedded=key in clients.embedded,
                status=_best([one.status for one in shown]),
                latency_ms=min(latencies, default=None),
                circuit=replicas.circuit.value,
                timeout_s=service.timeout_s,
                retries=service.retries,
                component=service.component or None,
                replicas=shown,
            )
        )
    return listed


async def check_services(clients: ServiceClients) -> GrpcServicesHealth:
    """Ask every replica for its health now, and return the answers."""
    await clients.check()
    services = list_services(clients)
    well = all(service.status == "up" for service in services)
    return GrpcServicesHealth(status="ok" if well else "degraded", services=services)


def service_of(component: str) -> str | None:
    """Return the id of the service that runs a component; None when none does."""
    found = BY_COMPONENT.get(component)
    return None if found is None else found.key


def _status(healthy: bool | None) -> Status:
    if healthy is None:
        return "unknown"
    return "up" if healthy else "down"


def _best(statuses: list[Status]) -> Status:
    order: tuple[Status, ...] = ("up", "unknown", "down")
    return next((status for status in order if status in statuses), "down")
