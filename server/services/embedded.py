"""Calls of a service in this process: pictures stay in memory, and no message is made."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import grpc

from server.core.structlog_import import structlog
from server.grpc.faults import AttemptFailed
from server.services.attempts import Attempt, Attempts
from server.services.calling import first_answer
from server.services.replicas import Replica, Replicas
from server.services.step_services import AttemptGivenUpError, AttemptUnansweredError

if TYPE_CHECKING:
    from inspection.components.registry import Parameters
    from inspection.components.values import StepValue
    from inspection.imaging.picture import Picture
    from server.grpc.unary import UnaryCall


_log = structlog.get_logger("imageflow.server")


class EmbeddedCall:
    """A call of a service in this process, with the deadline, the retries and the circuit of its calls.

    The first attempt may be made by whatever thread has the picture, which costs less than another one; who waits for
    that thread gives the attempt up at its deadline. All others are made in the service's own threads.

    Args:
        replicas: of the service: its one replica, in this process.
        unary: its processing call.
        parameters: of its component.
        picture: that it is run on.
        deadline_s: seconds for all attempts together; None leaves each its own.

    Attributes:
        timeout_s: seconds after which the first attempt is ``overdue``.
    """

    def __init__(
        self,
        replicas: Replicas,
        unary: UnaryCall,
        parameters: Parameters,
        picture: Picture,
        deadline_s: float | None = None,
    ) -> None:
        self._attempts = Attempts(replicas, deadline_s)
        self._unary = unary
        self._parameters = parameters
        self._picture = picture
        self._lock = threading.Lock()
        self._under_way: Attempt | None = None
        self._abandoned = False
        self._cancel = threading.Event()
        self.timeout_s = min(replicas.service.timeout_s, deadline_s or replicas.service.timeout_s)

    def first_attempt(self) -> StepValue:
        """Make the first attempt on this thread.

        Raises:
            AttemptUnansweredError: when another one may follow: ``answer``.
            AttemptGivenUpError: when it was given up meanwhile.
            UserFacingError: as ``answer``.
        """
        attempt = self._begun()
        try:
            value = self._unary.compute_here(self._parameters, self._picture, self._cancel)
        except AttemptFailed as error:
            self._require_wanted()
            self._attempts.failed(attempt, error)
        except BaseException as error:
            if self._ended() is None:
                # Whoever gave it up goes on with the call; what comes of it now is for the log.
                _log.error("an attempt that was given up failed", error=repr(error))
                raise AttemptGivenUpError from error
            self._attempts.abandoned(attempt)
            raise
        else:
            self._require_wanted()
            self._attempts.answered(attempt)
            return value
        # Here, where nothing is handled: a refusal would become its own cause.
        if self._attempts.goes_on:
            raise AttemptUnansweredError
        raise self._attempts.error()

    def overdue(self) -> bool:
        """Give up the first attempt at its deadline; return whether it was under way, and ``answer`` goes on."""
        attempt = self._ended()
        if attempt is None:
            return False
        self._cancel.set()
        self._attempts.failed(attempt, _deadline_exceeded())
        return True

    def abandon(self) -> None:
        """Give up the first attempt, also one that is yet to begin: nobody waits for the call any more."""
        with self._lock:
            self._abandoned = True
        attempt = self._ended()
        if attempt is not None:
            self._cancel.set()
            self._attempts.abandoned(attempt)

    async def answer(self) -> StepValue:
        """Return what the service makes of the picture, by the attempts that are left.

        Raises:
            UserFacingError: as ``first_answer``.
        """

        async def ask(_replica: Replica, left_s: float) -> StepValue:
            try:
                async with asyncio.timeout(left_s):
                    return await self._unary.compute(self._parameters, self._picture)
            except TimeoutError as error:
                raise _deadline_exceeded() from error

        return await first_answer(self._attempts, ask)

    def _begun(self) -> Attempt:
        with self._lock:
            if self._abandoned:
                raise AttemptGivenUpError
            attempt = self._attempts.begin()
            if attempt is None:
                raise self._attempts.error()
            self._under_way = attempt
            return attempt

    def _require_wanted(self) -> None:
        if self._ended() is None:
            raise AttemptGivenUpError

    def _ended(self) -> Attempt | None:
        """Return the first attempt to the one that ends it; None to all others."""
        with self._lock:
            attempt, self._under_way = self._under_way, None
        return attempt


def _deadline_exceeded() -> AttemptFailed:
    return AttemptFailed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
