"""Reflection for tools that have no protos; its descriptors are loaded with the first one that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc

from models.errors import UserFacingError
from server.grpc.faults import status_of, trailers_of

REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


def reflection_handler(names: Iterable[str]) -> Any:
    """Return the handler of the reflection service.

    Args:
        names: full names of the services that it describes.
    """
    listed = (*names, REFLECTION)

    async def answer(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        from grpc_reflection.v1alpha import reflection_pb2
        from grpc_reflection.v1alpha._async import ReflectionServicer

        from server.grpc.messages import parsed

        async def asked() -> AsyncIterator[Any]:
            async for data in requests:
                yield parsed(reflection_pb2.ServerReflectionRequest, data)

        try:
            async for response in ReflectionServicer(listed).ServerReflectionInfo(asked(), context):
                yield response.SerializeToString()
        except UserFacingError as error:
            await context.abort(status_of(error), str(error), trailers_of(error))

    call = grpc.stream_stream_rpc_method_handler(answer)
    return grpc.method_handlers_generic_handler(REFLECTION, {"ServerReflectionInfo": call})
