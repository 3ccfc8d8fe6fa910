"""The attempts of a call of a service: retries, balancing over replicas, circuits."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import grpc

from models.errors import Unavailable, UserFacingError
from models.messages import LocalText
from server.grpc.faults import RETRYABLE, AttemptFailed
from server.services.replicas import Replica, Replicas
from server.services.retrying import pause_before

SILENT = "nothing is answered, not even health checks"
"""Why an attempt at a silent replica failed."""
_RETRYABLE_ANSWERS = RETRYABLE | {grpc.StatusCode.DATA_LOSS}
"""An answer that cannot be read is followed by another attempt too."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a call, under way.

    Attributes:
        replica: that is asked.
        period: of its circuit.
        left_s: seconds that it may take.
        began: ``time.perf_counter`` then.
    """

    replica: Replica
    period: int
    left_s: float
    began: float


class Attempts:
    """The attempts of one call: who is asked next, whether anybody is, and what it ends with when nobody answers.

    For one attempt at a time, by any thread.

    Args:
        replicas: of the service.
        deadline_s: seconds for all attempts together; None leaves each its own.
    """

    def __init__(self, replicas: Replicas, deadline_s: float | None = None) -> None:
        self._replicas = replicas
        self._ends = None if deadline_s is None else time.monotonic() + deadline_s
        self._failed: list[Replica] = []
        self._reason = ""
        self._refusal: UserFacingError | None = None
        self._attempts = 0
        self._over = False

    @property
    def goes_on(self) -> bool:
        """Whether another attempt may be made."""
        return not self._over and self._attempts <= self._replicas.service.retries

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the next attempt; 0 before the first."""
        if not self._attempts:
            return 0.0
        return _within(pause_before(self._attempts, random.random()), self._ends)  # noqa: S311 - no secret

    def begin(self) -> Attempt | None:
        """Begin the next attempt, to be ended by ``answered``, ``failed`` or ``abandoned``; None ends the call.

        Raises:
            Unavailable: ``service-unavailable`` or ``service-circuit-open`` when nobody can be asked at all.
        """
        left_s = _within(self._replicas.service.timeout_s, self._ends)
        while (replica := self._replicas.next(self._failed)) is not None and left_s > 0:
            # Another thread may have begun the call that decides about an open circuit.
            if (period := replica.circuit.begin()) is not None:
                self._attempts += 1
                return Attempt(replica, period, left_s, time.perf_counter())
        self._over = True
        if replica is None and not self._failed and left_s > 0:
            raise _no_replica(self._replicas)
        return None

    def answered(self, attempt: Attempt) -> None:
        """Note that an attempt was answered."""
        attempt.replica.circuit.succeed(attempt.period)
        self._count(attempt, "OK")

    def failed(self, attempt: Attempt, error: AttemptFailed) -> None:
        """Note that an attempt gave no answer; a refusal ends the call."""
        circuit = attempt.replica.circuit
        self._refusal = error.refusal
        if error.refusal is not None:
            # The replica did its work: it is the request that is wrong.
            circuit.succeed(attempt.period)
            self._over = True
        else:
            circuit.fail(attempt.period)
            self._failed.append(attempt.replica)
            self._reason = f"{error.status.name}: {error}"
            self._over = error.status not in _RETRYABLE_ANSWERS
        self._count(attempt, error.status.name)

    def abandoned(self, attempt: Attempt) -> None:
        """Note that nobody waits for an attempt any more."""
        attempt.replica.circuit.abandon(attempt.period)
        self._count(attempt, "CANCELLED")

    def error(self) -> UserFacingError:
        """Return what the call ends with when no attempt was answered."""
        return self._refusal or _unavailable(self._replicas, self._failed, self._reason)

    def _count(self, attempt: Attempt, code: str) -> None:
        self._replicas.observe(code, time.perf_counter() - attempt.began)


def _within(seconds: float, ends: float | None) -> float:
    return seconds if ends is None else max(0.0, min(seconds, ends - time.monotonic()))


def _no_replica(replicas: Replicas) -> UserFacingError:
    if not replicas.all:
        return _unavailable(replicas, [], "no replica is known")
    waits = [replica.circuit.seconds_until_tried for replica in replicas.all if not replica.silent]
    if not waits:
        return _unavailable(replicas, replicas.all, SILENT)
    seconds = max(1, round(min(waits)))
    return Unavailable(
        "service-circuit-open", service=replicas.service.name, seconds=seconds, members={"retry_after": seconds}
    )


def _unavailable(replicas: Replicas, failed: list[Replica], reason: str) -> UserFacingError:
    asked = ", ".join(dict.fromkeys(replica.address.target for replica in failed)) or "-"
    shown = LocalText(reason[:500] or "the deadline has passed")
    return Unavailable("service-unavailable", service=replicas.service.name, addresses=asked, reason=shown)
