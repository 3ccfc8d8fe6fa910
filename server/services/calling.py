"""A call of a service: deadline, retries, balancing over replicas, circuits."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import TypeVar

import grpc
import grpc.aio

from models.errors import InvalidInput, Unavailable, UserFacingError
from models.messages import LocalText
from server.grpc.faults import BROKEN, RETRYABLE, error_of
from server.services.replicas import Replica, Replicas
from server.services.retrying import pause_before

_T = TypeVar("_T")
Metadata = tuple[tuple[str, str], ...]


async def call(
    replicas: Replicas,
    request: bytes,
    read: Callable[[bytes], _T],
    metadata: Metadata,
    deadline_s: float | None = None,
) -> _T:
    """Return what a service answered, from the first replica that does.

    Args:
        replicas: of the service.
        request: the message's bytes.
        read: makes the answer from the response's bytes; an ``InvalidInput`` of it speaks against the replica.
        metadata: of the call.
        deadline_s: seconds for all attempts together; None leaves each its own.

    Raises:
        Unavailable: ``service-unavailable`` or ``service-circuit-open``.
        UserFacingError: when the service refuses the request.
    """
    service = replicas.service
    ends = None if deadline_s is None else time.monotonic() + deadline_s
    failed: list[Replica] = []
    reason = ""
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
            ask = replica.channel.unary_unary(service.path(), bytes, bytes)
            answer = read(await ask(request, timeout=left, metadata=metadata))
        except grpc.aio.AioRpcError as error:
            status = error.code()
            code = status.name
            if status not in BROKEN:
                # The replica did its work: it is the request that is wrong.
                replica.circuit.succeed(period)
                raise error_of(status, error.details(), error.trailing_metadata(), service.name) from error
            replica.circuit.fail(period)
            failed.append(replica)
            reason = f"{status.name}: {error.details() or '-'}"
            if status not in RETRYABLE:
                break
        except InvalidInput as error:
            code = "DATA_LOSS"
            replica.circuit.fail(period)
            failed.append(replica)
            reason = str(error)
        except BaseException:
            replica.circuit.abandon(period)
            raise
        else:
            code = "OK"
            replica.circuit.succeed(period)
            return answer
        finally:
            replicas.observe(code, time.perf_counter() - began)
    raise _unavailable(replicas, failed, reason)


def _within(seconds: float, ends: float | None) -> float:
    return seconds if ends is None else max(0.0, min(seconds, ends - time.monotonic()))


def _no_replica(replicas: Replicas) -> UserFacingError:
    waits = [replica.circuit.seconds_until_tried for replica in replicas.all]
    if not waits:
        return _unavailable(replicas, [], "no replica is known")
    seconds = max(1, round(min(waits)))
    return Unavailable(
        "service-circuit-open", service=replicas.service.name, seconds=seconds, members={"retry_after": seconds}
    )


def _unavailable(replicas: Replicas, failed: list[Replica], reason: str) -> UserFacingError:
    asked = ", ".join(dict.fromkeys(replica.address.target for replica in failed)) or "-"
    shown = LocalText(reason[:500] or "the deadline has passed")
    return Unavailable("service-unavailable", service=replicas.service.name, addresses=asked, reason=shown)
