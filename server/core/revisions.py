"""Optimistic locking: the revision of a record, and whether it is the one that a client expects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import BaseModel

from models.errors import Conflict, PreconditionFailed
from sync.shared.schemas import Changes, Reply


def revision_of(reply: BaseModel) -> str:
    """Return the revision of a record: its ``rev``, or a digest of what is answered for records that count none."""
    rev = getattr(reply, "rev", None)
    if isinstance(rev, int):
        return str(rev)
    return hashlib.sha256(reply.model_dump_json(exclude=_unversioned(reply)).encode()).hexdigest()[:32]


def _unversioned(reply: BaseModel) -> set[str]:
    return set(reply.unversioned) if isinstance(reply, Reply) else set()


@dataclass(frozen=True, slots=True)
class Expected:
    """Which revisions of a record a client is ready to change.

    Attributes:
        revisions: those; None takes every one.
    """

    revisions: frozenset[str] | None = None

    def require(self, present: BaseModel, body: Changes | None = None) -> None:
        """Check a record within the transaction that changes it.

        Args:
            present: the record before the change, in the form in which it is answered.
            body: the change; members of it that cannot be changed must have their present values.

        Raises:
            PreconditionFailed: ``revision-mismatch`` with the member ``revision``, the present one.
            Conflict: ``member-read-only`` with the member ``field``.
        """
        self.require_revision(revision_of(present))
        for name, value in (body.read_only() if body is not None else {}).items():
            if name not in _unversioned(present) and value != getattr(present, name):
                raise Conflict("member-read-only", field=name, members={"field": name})

    def require_revision(self, revision: str) -> None:
        """Check the present revision of a record within the transaction that changes it.

        Raises:
            PreconditionFailed: ``revision-mismatch`` with the member ``revision``, the present one.
        """
        if self.revisions is not None and revision not in self.revisions:
            raise PreconditionFailed("revision-mismatch", members={"revision": revision})

    def require_none(self) -> None:
        """Check a record that is not there yet: who names a revision has read another one.

        Raises:
            PreconditionFailed: ``revision-mismatch`` with the member ``revision``, null.
        """
        if self.revisions is not None:
            raise PreconditionFailed("revision-mismatch", members={"revision": None})


WHATEVER = Expected()
"""Of a client that names no revision."""
