"""The calls of a service, counted with their status and duration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from server.core.metrics import CallMetrics
from server.grpc.contract import Service

_T = TypeVar("_T")
Handler = Callable[[Any, Any], Awaitable[_T]]
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def metered(handler: Handler[_T], service: Service, method: str, metrics: CallMetrics | None) -> Handler[_T]:
    """Return a handler of gRPC that counts its calls; the same one when there is nothing to count them with."""
    if metrics is None:
        return handler

    async def counted(request: Any, context: Any) -> _T:
        began = time.perf_counter()
        cancelled = False
        try:
            return await handler(request, context)
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            code = grpc.StatusCode.CANCELLED.name if cancelled else _name_of(context.code())
            metrics.observe(service.full_name, method, code, time.perf_counter() - began)

    return counted


def _name_of(code: Any) -> str:
    """Return the name of what a context says of its status: a number, a member of the enumeration, or nothing yet."""
    number = code.value[0] if isinstance(code, grpc.StatusCode) else int(code or 0)
    return _CODES.get(number, grpc.StatusCode.UNKNOWN.name)
