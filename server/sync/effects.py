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
class AuditedChange:
    """What the audit trail keeps of a change: of a master, or of a session after its end.

    Attributes:
        who: changed it.
        action: what was done, in the words of REST.
        subject: kind of record.
        subject_id: of the record.
        changes: as ``server.audit.differences``.
    """

    who: Principal
    action: str
    subject: str
    subject_id: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What applying a change did.

    Attributes:
        outcome: as the station is answered.
        rev: the record's revision after it; None where it has none.
        conflicts: values of the change that lost.
        version: what a pipeline's version becomes by it, None where it stays.
        audit: for the audit trail; None where the station's own entry is enough.
    """

    outcome: Outcome
    rev: int | None
    conflicts: tuple[FieldConflict, ...] = ()
    version: int | None = None
    audit: AuditedChange | None = None
