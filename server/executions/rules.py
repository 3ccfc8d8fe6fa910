"""Pure decisions about executions: who may cancel, whether a worker begins, what follows trouble, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from models.errors import Conflict, PermissionDenied, Unavailable, UserFacingError
from models.states import EXECUTION_ENDED, ExecutionMode, ExecutionStatus, Role, may_act_for

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_STOPPED = frozenset({ExecutionStatus.FAILED, ExecutionStatus.CANCELLED})
_SERVICE_FAILURES = frozenset(
    {
        "service-unavailable",
        "service-circuit-open",
        "service-not-connected",
        "service-image-not-seen",
        "service-output-unusable",
    }
)


class Start(Enum):
    """What a worker does with an execution that it could claim."""

    RUN = auto()
    CANCEL = auto()
    GIVE_UP = auto()


class After(Enum):
    """What follows trouble in a run."""

    FAIL = auto()
    TRY_AGAIN = auto()
    FALL_BACK = auto()


def start_of(*, attempts: int, most_attempts: int, cancel_requested: bool) -> Start:
    """Return what a worker does with an execution it could claim.

    Args:
        attempts: how often a worker has begun before.
        most_attempts: after so many it is given up: each time its worker died, or the server could not go on.
        cancel_requested: whether somebody asked to cancel it while its worker was gone.
    """
    if cancel_requested:
        return Start.CANCEL
    return Start.GIVE_UP if attempts >= most_attempts else Start.RUN


def after_trouble(error: Exception, *, mode: ExecutionMode, attempts: int, most_attempts: int) -> After:
    """Return what follows an error of a run.

    A service that does not answer moves a direct execution to the bus. Trouble that may pass, and a fault of the
    program, is tried again. What is wrong with the request, the image or the model stays wrong.

    Args:
        error: that the run ended with.
        mode: how the execution came to its worker.
        attempts: how often a worker has begun, this time included.
        most_attempts: after so many it fails.
    """
    if isinstance(error, UserFacingError) and not isinstance(error, Unavailable):
        return After.FAIL
    if mode is ExecutionMode.DIRECT_GRPC and isinstance(error, Unavailable) and error.code in _SERVICE_FAILURES:
        return After.FALL_BACK
    return After.FAIL if attempts >= most_attempts else After.TRY_AGAIN


def pause_before(attempt: int) -> float:
    """Return the seconds until an execution is tried again: 1, 2, 4 … up to a minute.

    Args:
        attempt: the one that has failed, from 1.
    """
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1))


def require_may_cancel(*, status: ExecutionStatus, starter: str | None, role: Role | None, user_id: str | None) -> None:
    """Check that somebody may cancel an execution; one that is cancelled already may be cancelled again.

    Raises:
        PermissionDenied: ``execution-of-another``.
        Conflict: ``execution-ended``.
    """
    if role is None or not may_act_for(starter, role=role, user_id=user_id):
        raise PermissionDenied("execution-of-another")
    if status in EXECUTION_ENDED and status is not ExecutionStatus.CANCELLED:
        raise Conflict("execution-ended", status=status.value)


def step_status(run: ExecutionStatus, step: str) -> str:
    """Return the status of a step that has begun: a run that failed or was cancelled leaves none running.

    Args:
        run: status of its run.
        step: status that was recorded last, ``running`` or ``completed``.
    """
    return run.value if step == "running" and run in _STOPPED else step


def percent(done: int, total: int) -> float:
    """Return how far a run is, with one decimal."""
    return round(100.0 * done / total, 1) if total else 0.0


def overall_percent(runs: Sequence[float]) -> float:
    """Return how far an execution is, from the percents of its runs."""
    return round(sum(runs) / len(runs), 1) if runs else 0.0


def remaining_ms(elapsed_ms: float, progress: float) -> float | None:
    """Return how many milliseconds are left at the pace so far; None before there is a pace."""
    return round(elapsed_ms * (100.0 - progress) / progress, 1) if progress > 0 else None
