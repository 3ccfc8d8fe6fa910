"""What applying a pushed change did, or why it may be sent again."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import UserFacingError
from server.audit import AuditedChange
from sync.shared.protocol import FieldConflict, Outcome


class TryLater(Exception):
    """The change is refused now and may be sent again as it is."""

    def __init__(self, error: UserFacingError) -> None:
        self.error = error
        super().__init__(error.code)


@dataclass(frozen=True, slots=True)
class Effect:
    """What applying a change did.

    Attributes:
        outcome: as the station is answered.
        rev: the record's revision after it; None where it has none.
        conflicts: values of the change that lost.
        version: what a pipeline's version becomes by it, None where it stays.
        audits: for the audit trail; none where the station's own entry is enough.
    """

    outcome: Outcome
    rev: int | None
    conflicts: tuple[FieldConflict, ...] = ()
    version: int | None = None
    audits: tuple[AuditedChange, ...] = ()
