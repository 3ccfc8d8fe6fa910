"""``/grpc-services``."""

from __future__ import annotations

from server.http.dependencies import ANY_PRINCIPAL, Context
from server.http.routes import feature_router
from server.services import service
from server.services.schemas import GrpcServiceReply, GrpcServicesHealth

router = feature_router(prefix="/grpc-services", tags=["operation"], dependencies=ANY_PRINCIPAL)


@router.get("", summary="The gRPC services and how they are")
async def list_grpc_services(context: Context) -> list[GrpcServiceReply]:
    """Address, replicas, status, latency and circuit of each, as the last health checks found them.

    Services in the server's process that nothing has used yet are started for it.
    """
    return await service.used_services(context.services, context.models)


@router.get("/health", summary="Ask the gRPC services for their health")
async def check_grpc_services(context: Context) -> GrpcServicesHealth:
    """As the list, but each replica is asked now; one that does not answer within two seconds is down."""
    return await service.check_services(context.services, context.models)
