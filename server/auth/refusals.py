"""Who was not let in, on the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.audit import audited
from server.auth.identity.principal import Principal
from server.context import ServerContext


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody who was not let in.

    Attributes:
        action: what was refused.
        subject: kind of the record that was claimed.
        subject_id: of that record; empty for an unknown one, because what was typed may be a secret.
        reason: why, which administrators alone may know.
        address: where the request came from.
        station: where a user was to be signed in.
    """

    action: str
    subject: str
    subject_id: str
    reason: str
    address: str
    station: str | None = None


def record_refusal(context: ServerContext, session: Session, refusal: Refusal) -> None:
    """Record that somebody was not let in.

    Every refusal of somebody known has an entry; the limits of sign-in bound them by name. Names that nobody has can be
    made up without end: the first, the tenth, the hundredth of an hour and so on have an entry, with their number.

    Args:
        context: counts those of unknown names, for all processes that share a database.
        session: the transaction; it must commit although the request is refused.
        refusal: what is recorded.
    """
    detail: dict[str, object] = {"reason": refusal.reason}
    if not refusal.subject_id:
        times = context.limiter.unknown(refusal.action, refusal.address)
        if not _is_noted(times):
            return
        if times > 1:
            detail["times"] = times
    nobody = Principal(None, "anonymous", None, refusal.station, address=refusal.address)
    audited(session, nobody, refusal.action, refusal.subject, refusal.subject_id, **detail)


def _is_noted(times: int) -> bool:
    """Return whether a count is a power of ten."""
    return str(times).rstrip("0") == "1"
