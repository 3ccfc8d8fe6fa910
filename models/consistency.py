"""Checks that hold for the store of either side: its database, audit trail and sessions; reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.audit import verify_audit
from models.errors import Unavailable
from models.messages import error_text
from models.sessions import AIResult, InspectionSession
from models.states import SessionStatus
from models.verdicts import AiVerdict, HumanDecision, effective_verdict
from models.verification import HumanVerification

_INSPECTED = frozenset({SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW, SessionStatus.COMPLETED})
_PAGE = 500

Progress = Callable[[int, int], None]
"""Called with files checked and files in all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a store that is not as it must be.

    Attributes:
        code: key of its text in ``resources/messages``.
        values: what the text names.
    """

    code: str
    values: dict[str, object]

    def sentence(self, language: str = "en") -> str:
        """Return what is wrong and what to do, in ``language``."""
        text = error_text(self.code, self.values, language)
        return f"{text.title}: {text.explanation}"


@dataclass(frozen=True, slots=True)
class ConsistencyReport:
    """What a check of one store saw.

    Attributes:
        store: its folder.
        findings: what is not as it must be.
        counts: how many records, files, outbox entries … were looked at.
    """

    store: Path
    findings: tuple[Finding, ...]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def consistent(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_json(self, language: str = "en") -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "store": str(self.store),
            "consistent": self.consistent,
            "counts": self.counts,
            "findings": [
                {"code": finding.code, **finding.values, "message": finding.sentence(language)}
                for finding in self.findings
            ],
        }


def has_schema(session: Session) -> bool:
    """Return whether the tables are there; a process killed at its first start leaves a database without any.

    Raises:
        Unavailable: ``store-newer`` or ``store-older``.
    """
    from models.migrations.upgrade import scripts

    present = MigrationContext.configure(session.connection()).get_current_heads()
    if not present:
        return False
    directory = scripts()
    if not {script.revision for script in directory.walk_revisions()}.issuperset(present):
        raise Unavailable("store-newer")
    if present != tuple(directory.get_heads()):
        raise Unavailable("store-older")
    return True


def integrity_findings(session: Session) -> Iterator[Finding]:
    """Yield what SQLite finds wrong with its file."""
    for (problem,) in session.execute(text("PRAGMA integrity_check")):
        if problem != "ok":
            yield Finding("finding-database", {"reason": problem})


def foreign_key_findings(session: Session) -> Iterator[Finding]:
    """Yield the rows of a SQLite file that name a row which is not there."""
    for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield Finding("finding-foreign-key", {"table": table, "row": row, "parent": parent})


def audit_findings(session: Session) -> Iterator[Finding]:
    """Yield where the chain of an audit trail does not hold."""
    for problem in verify_audit(session):
        yield Finding(
            "finding-audit",
            {"device_id": problem.device_id, "sequence": problem.sequence, "reason": problem.reason},
        )


def session_findings(session: Session, counts: dict[str, int], *, results_are_here: bool) -> Iterator[Finding]:
    """Yield the sessions whose state contradicts their results, decisions or completion.

    Args:
        session: a transaction.
        counts: gets ``sessions``.
        results_are_here: whether the results of an inspected part are always beside it; at a server they may be later.
    """
    counts["sessions"] = 0
    last = ""
    query = select(InspectionSession).order_by(InspectionSession.id).limit(_PAGE)
    while page := session.scalars(query.where(InspectionSession.id > last)).all():
        last = page[-1].id
        counts["sessions"] += len(page)
        yield from _page_findings(session, page, results_are_here=results_are_here)
        session.expunge_all()


def _page_findings(session: Session, page: Sequence[InspectionSession], *, results_are_here: bool) -> Iterator[Finding]:
    machine, person = _machine(session, page), _person(session, page)
    for record in page:
        if results_are_here and record.status in _INSPECTED and record.id not in machine:
            yield Finding("finding-no-result", {"session_id": record.id, "status": record.status.value})
        if (record.status is SessionStatus.COMPLETED) != (record.completed_at is not None):
            yield Finding("finding-completion", {"session_id": record.id, "status": record.status.value})
        expected = effective_verdict(machine.get(record.id, ()), person.get(record.id, ()))
        if expected != record.effective_verdict:
            yield Finding(
                "finding-verdict",
                {
                    "session_id": record.id,
                    "kept": record.effective_verdict.value if record.effective_verdict else "-",
                    "derived": expected.value if expected else "-",
                },
            )


def _machine(session: Session, page: Sequence[InspectionSession]) -> dict[str, list[AiVerdict]]:
    columns = (AIResult.session_id, AIResult.item_id, AIResult.clock, AIResult.overall_result)
    found: dict[str, list[AiVerdict]] = defaultdict(list)
    of_page = AIResult.session_id.in_([record.id for record in page])
    for part, item, clock, verdict in session.execute(select(*columns).where(of_page)):
        found[part].append(AiVerdict(item, clock, verdict))
    return found


def _person(session: Session, page: Sequence[InspectionSession]) -> dict[str, list[HumanDecision]]:
    kind = HumanVerification
    found: dict[str, list[HumanDecision]] = defaultdict(list)
    of_page = kind.session_id.in_([record.id for record in page])
    for part, item, clock, verdict in session.execute(
        select(kind.session_id, kind.item_id, kind.clock, kind.verdict).where(of_page)
    ):
        found[part].append(HumanDecision(item, clock, verdict))
    return found
