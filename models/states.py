"""Enumerations of the field and the transitions that are allowed between states; pure values."""

from __future__ import annotations

from enum import StrEnum

from models.errors import Conflict


class Verdict(StrEnum):
    """The AI's verdict of a part."""

    OK = "OK"
    NG = "NG"


class HumanVerdict(StrEnum):
    """What the person decides."""

    OK = "OK"
    NG = "NG"
    HOLD = "HOLD"


class Role(StrEnum):
    """Roles of users: operator, quality engineer, administrator, integrator."""

    INSPECTOR = "inspector"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    INTEGRATOR = "integrator"


class ApiScope(StrEnum):
    """What an API key may be limited to, beside its role: a part of the API, by the tag of its routes, or less."""

    ANOMALY = "anomaly"
    ANOMALY_SCORE = "anomaly:score"


IN_CHARGE = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""Roles that answer for the work of others."""


def may_act_for(starter: str | None, *, role: Role, user_id: str | None) -> bool:
    """Return whether a user may do what only the person who started a session and those in charge may.

    Args:
        starter: id of the person who started it; None for a machine or a station by itself, for whom everybody may.
        role: of the user who asks.
        user_id: of the user who asks; None for a machine.
    """
    return role in IN_CHARGE or starter is None or starter == user_id


class SessionStatus(StrEnum):
    """Life of an inspection session."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    AI_COMPLETED = "AI_COMPLETED"
    HUMAN_REVIEW = "HUMAN_REVIEW"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ENDED = frozenset({SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED})
"""States after which nothing is inspected any more."""
OPEN = tuple(status for status in SessionStatus if status not in ENDED)
"""States in which a part waits for the AI or for a person, in the order of its life."""

# Forward only, as the sync rules demand; the items of a target are all inspected within IN_PROGRESS. A part that a
# person judges without the AI goes to HUMAN_REVIEW at once.
SESSION_TRANSITIONS: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.PENDING: frozenset(
        {SessionStatus.IN_PROGRESS, SessionStatus.HUMAN_REVIEW, SessionStatus.FAILED, SessionStatus.CANCELLED}
    ),
    SessionStatus.IN_PROGRESS: frozenset(
        {SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW, SessionStatus.FAILED, SessionStatus.CANCELLED}
    ),
    SessionStatus.AI_COMPLETED: frozenset(
        {
            SessionStatus.HUMAN_REVIEW,
            SessionStatus.COMPLETED,
            SessionStatus.FAILED,
            SessionStatus.CANCELLED,
        }
    ),
    SessionStatus.HUMAN_REVIEW: frozenset({SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED}),
    SessionStatus.COMPLETED: frozenset(),
    SessionStatus.FAILED: frozenset(),
    SessionStatus.CANCELLED: frozenset(),
}


def require_transition(present: SessionStatus, wanted: SessionStatus) -> None:
    """Check that a session may go from ``present`` to ``wanted``.

    Raises:
        Conflict: ``session-state`` when the step is not allowed.
    """
    if wanted not in SESSION_TRANSITIONS[present]:
        raise Conflict("session-state", present=present.value, wanted=wanted.value)


def status_rank(status: SessionStatus) -> int:
    """Return how far a session is; a synced status only ever moves to a higher rank (see the sync rules)."""
    order = {
        SessionStatus.PENDING: 0,
        SessionStatus.IN_PROGRESS: 1,
        SessionStatus.AI_COMPLETED: 2,
        SessionStatus.HUMAN_REVIEW: 3,
    }
    return order.get(status, 4)


class ImageKind(StrEnum):
    """Why an image is kept."""

    CAPTURED = "captured"
    HEATMAP = "heatmap"
    OVERLAY = "overlay"


class ChangeOperation(StrEnum):
    """What a change does to its record."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class OutboxState(StrEnum):
    """State of a change that waits for the server."""

    WAITING = "waiting"
    DEAD = "dead"


class ExecutionStatus(StrEnum):
    """Life of a pipeline's execution on the server."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


EXECUTION_ENDED = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED})
"""States that an execution never leaves."""


class ExecutionMode(StrEnum):
    """How an execution came to its worker."""

    DIRECT_GRPC = "direct_grpc"
    KAFKA_FALLBACK = "kafka_fallback"


class Priority(StrEnum):
    """Which of the waiting executions begins first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Place in the order of waiting; the smallest begins first."""
        return list(Priority).index(self)


class OutputKind(StrEnum):
    """What an output file of an execution holds."""

    PICTURE = "picture"
    HEATMAP = "heatmap"
    RESULT = "result"


class DeviceStatus(StrEnum):
    """Whether a station may talk to the server.

    ``DISABLED``: not now; it keeps its credential. ``REVOKED``: never again under this id; it wipes its credential.
    """

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


class StoreState(StrEnum):
    """What a store is to the station whose id it gives.

    ``CURRENT``: the station's own; ``REFUSED``: a second one under the same id, on which an administrator decides;
    ``RETIRED``: another one has taken its place.
    """

    CURRENT = "current"
    REFUSED = "refused"
    RETIRED = "retired"


class ReleaseState(StrEnum):
    """How far a model's release has come."""

    DRAFT = "draft"
    STAGED = "staged"
    RELEASED = "released"
    ROLLED_BACK = "rolled_back"


RELEASE_TRANSITIONS: dict[ReleaseState, frozenset[ReleaseState]] = {
    ReleaseState.DRAFT: frozenset({ReleaseState.STAGED, ReleaseState.RELEASED, ReleaseState.ROLLED_BACK}),
    ReleaseState.STAGED: frozenset({ReleaseState.STAGED, ReleaseState.RELEASED, ReleaseState.ROLLED_BACK}),
    ReleaseState.RELEASED: frozenset({ReleaseState.ROLLED_BACK}),
    ReleaseState.ROLLED_BACK: frozenset(),
}
"""Some stations first, then all; back from everywhere, and a release that went back stays there: release again."""


class Severity(StrEnum):
    """How urgent an alert is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class AlertRuleKind(StrEnum):
    """What a rule watches.

    ``NG_RATE``: the share of NG parts in a window; ``NG_RUN``: NG parts one after another; ``SCORE_DRIFT``: anomaly
    scores against those of the days before; ``STATION_SILENT``: a station that has not been heard of.
    """

    NG_RATE = "ng_rate"
    NG_RUN = "ng_run"
    SCORE_DRIFT = "score_drift"
    STATION_SILENT = "station_silent"


class AlertEvent(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"


class AlertChannel(StrEnum):
    """How an alert is delivered outside the server."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class CountKind(StrEnum):
    """What a row of the daily counts counts."""

    PART = "part"
    ITEM = "item"
    DEFECT = "defect"
