"""A call of a service: deadline, retries, balancing over replicas, circuits."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio

from models.errors import InvalidInput, Unavailable, UserFacingError
from models.messages import LocalText
from server.grpc.faults import BROKEN, RETRYABLE, AttemptFailed, error_of
from server.services.replicas import Replica, Replicas, ReplicaSilentError
from server.services.retrying import pause_before

_T = TypeVar("_T")
Metadata = tuple[tuple[str, str], ...]
Ask = Callable[[Replica, float], Awaitable[_T]]
"""Asks a replica once, within so many seconds; an ``AttemptFailed`` says why it gave no answer."""

_SILENT = "nothing is answered, not even health checks"
_RETRYABLE_ANSWERS = RETRYABLE | {grpc.StatusCode.DATA_LOSS}
"""An answer that cannot be read is followed by another attempt too."""


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
        deadline_s: as ``first_answer``.

    Raises:
        UserFacingError: as ``first_answer``.
    """
    service = replicas.service

    async def ask(replica: Replica, left_s: float) -> _T:
        unary = replica.channel.unary_unary(service.path(), bytes, bytes)
        try:
            answer = await replica.result_of_call(unary(request, timeout=left_s, metadata=metadata))
        except ReplicaSilentError as error:
            raise AttemptFailed(grpc.StatusCode.UNAVAILABLE, _SILENT) from error
        except grpc.aio.AioRpcError as error:
            status, details = error.code(), error.details()
            refusal = None if status in BROKEN else error_of(status, details, error.trailing_metadata(), service.name)
            raise AttemptFailed(status, details or "-", refusal) from error
        try:
            return read(answer)
        except InvalidInput as error:
            raise AttemptFailed(grpc.StatusCode.DATA_LOSS, str(error)) from error

    return await first_answer(replicas, ask, deadline_s)


async def first_answer(replicas: Replicas, ask: Ask[_T], deadline_s: float | None = None) -> _T:
    """Return the answer of the first replica that gives one: with retries, circuits and balancing.

    Args:
        replicas: of the service.
        ask: asks one of them.
        deadline_s: seconds for all attempts together; None leaves each its own.

    Raises:
        Unavailable: ``service-unavailable`` or ``service-circuit-open``.
        UserFacingError: when the service refuses the request.
    """
    service = replicas.service
    ends = None if deadline_s is None else time.monotonic() + deadline_s
    failed: list[Replica] = []
    reason = ""
    refusal: UserFacingError | None = None
    for attempt in range(service.retries + 1):
        if attempt:
            await asyncio.sleep(_within(pause_before(attempt, random.random()), ends))  # noqa: S311 - no secret
        left = _within(service.timeout_s, ends)
        replica = replicas.next(failed)
        if left <= 0:
            break
        if replica is None:
            if failed:
                break
            raise _no_replica(replicas)
        period = replica.circuit.begin()
        began, code = time.perf_counter(), "CANCELLED"
        try:
            answer = await ask(replica, left)
        except AttemptFailed as error:
            code = error.status.name
            refusal = error.refusal
            if refusal is not None:
                # The replica did its work: it is the request that is wrong.
                replica.circuit.succeed(period)
                break
            replica.circuit.fail(period)
            failed.append(replica)
            reason = f"{code}: {error}"
            if error.status not in _RETRYABLE_ANSWERS:
                break
        except BaseException:
            replica.circuit.abandon(period)
            raise
        else:
            code = "OK"
            replica.circuit.succeed(period)
            return answer
        finally:
            replicas.observe(code, time.perf_counter() - began)
    # Not while the failed attempt is handled: within this process a refusal is its cause, and would become its own.
    raise refusal or _unavailable(replicas, failed, reason)


def _within(seconds: float, ends: float | None) -> float:
    return seconds if ends is None else max(0.0, min(seconds, ends - time.monotonic()))


def _no_replica(replicas: Replicas) -> UserFacingError:
    if not replicas.all:
        return _unavailable(replicas, [], "no replica is known")
    waits = [replica.circuit.seconds_until_tried for replica in replicas.all if not replica.silent]
    if not waits:
        return _unavailable(replicas, replicas.all, _SILENT)
    seconds = max(1, round(min(waits)))
    return Unavailable(
        "service-circuit-open", service=replicas.service.name, seconds=seconds, members={"retry_after": seconds}
    )


def _unavailable(replicas: Replicas, failed: list[Replica], reason: str) -> UserFacingError:
    asked = ", ".join(dict.fromkeys(replica.address.target for replica in failed)) or "-"
    shown = LocalText(reason[:500] or "the deadline has passed")
    return Unavailable("service-unavailable", service=replicas.service.name, addresses=asked, reason=shown)
