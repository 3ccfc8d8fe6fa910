"""A call of a service: deadline, retries, balancing over replicas, circuits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio

from models.errors import InvalidInput
from server.grpc.faults import BROKEN, AttemptFailed, error_of
from server.services.attempts import SILENT, Attempts
from server.services.replicas import Replica, Replicas, ReplicaSilentError

_T = TypeVar("_T")
Metadata = tuple[tuple[str, str], ...]
Ask = Callable[[Replica, float], Awaitable[_T]]
"""Asks a replica once, within so many seconds; an ``AttemptFailed`` says why it gave no answer."""


async def call(
    replicas: Replicas,
    request: bytes,
    read: Callable[[bytes], _T],
    metadata: Metadata,
    deadline_s: float | None = None,
) -> _T:
    """Return what a service answered over gRPC, from the first replica that does.

    Args:
        replicas: of the service.
        request: the message's bytes.
        read: makes the answer from the response's bytes; an ``InvalidInput`` of it speaks against the replica.
        metadata: of the call.
        deadline_s: seconds for all attempts together; None leaves each its own.

    Raises:
        UserFacingError: as ``first_answer``.
    """
    service = replicas.service

    async def ask(replica: Replica, left_s: float) -> _T:
        unary = replica.channel.unary_unary(service.path(), bytes, bytes)
        try:
            answer = await replica.result_of_call(unary(request, timeout=left_s, metadata=metadata))
        except ReplicaSilentError as error:
            raise AttemptFailed(grpc.StatusCode.UNAVAILABLE, SILENT) from error
        except grpc.aio.AioRpcError as error:
            status, details = error.code(), error.details()
            refusal = None if status in BROKEN else error_of(status, details, error.trailing_metadata(), service.name)
            raise AttemptFailed(status, details or "-", refusal) from error
        try:
            return read(answer)
        except InvalidInput as error:
            raise AttemptFailed(grpc.StatusCode.DATA_LOSS, str(error)) from error

    return await first_answer(Attempts(replicas, deadline_s), ask)


async def first_answer(attempts: Attempts, ask: Ask[_T]) -> _T:
    """Return the answer of the first replica that gives one: with retries, circuits and balancing.

    Args:
        attempts: of the call, with those that were made before.
        ask: asks one of them.

    Raises:
        Unavailable: ``service-unavailable`` or ``service-circuit-open``.
        UserFacingError: when the service refuses the request.
    """
    while attempts.goes_on:
        if (pause_s := attempts.pause_s) > 0:
            await asyncio.sleep(pause_s)
        attempt = attempts.begin()
        if attempt is None:
            break
        try:
            answer = await ask(attempt.replica, attempt.left_s)
        except AttemptFailed as error:
            attempts.failed(attempt, error)
        except BaseException:
            attempts.abandoned(attempt)
            raise
        else:
            attempts.answered(attempt)
            return answer
    # Not while the failed attempt is handled: within this process a refusal is its cause, and would become its own.
    raise attempts.error()
