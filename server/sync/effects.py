"""What applying a pushed change did, or why it may be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.errors import UserFacingError
from server.auth.identity.principal import Principal
from sync.shared.protocol import FieldConflict, Outcome


class TryLater(Exception):
    """The change is refused now and may be sent again as it is."""

    def __init__(self, error: UserFacingError) -> None:
        self.error = error
        super().__init__(error.code)


@dataclass(frozen=True, slots=True)
class Correction:
    """What was changed of a session after its end, for the audit trail.

    Attributes:
        who: changed it.
        session_id: of the session.
        changes: as ``server.audit.differences``.
    """

    who: Principal
    session_id: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What applying a change did.

    Attributes:
        outcome: as the station is answered.
        rev: the record's revision after it; None where it has none.
        conflicts: values of the change that lost.
        version: what a pipeline's version becomes by it, None where it stays.
        correction: of a session that had ended, None where there is none.
    """

    outcome: Outcome
    rev: int | None
    conflicts: tuple[FieldConflict, ...] = ()
    version: int | None = None
    correction: Correction | None = None
