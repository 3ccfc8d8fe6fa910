"""Who was not let in, on the audit trail."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.audit import audited_alike
from server.auth.identity.counts import count_one
from server.auth.identity.principal import Principal
from server.auth.identity.rate_limit import site_of

_WINDOW_S = 3_600


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


def record_refusal(session: Session, refusal: Refusal) -> None:
    """Record that somebody was not let in.

    Every refusal of somebody known has an entry; the limits of sign-in bound them by name. Names that nobody has can be
    made up without end: the first, the tenth, the hundredth of an hour and so on have an entry, with their number.
    Either takes the same statements and one commit, so that the time of a refusal tells nobody which names there are.

    Args:
        session: the transaction; it must commit although the request is refused.
        refusal: what is recorded.
    """
    known = bool(refusal.subject_id)
    times = count_one(session, json.dumps(["refused", refusal.action, known, site_of(refusal.address)]), _WINDOW_S)
    detail: dict[str, object] = {"reason": refusal.reason}
    if not known and times > 1:
        detail["times"] = times
    nobody = Principal(None, "anonymous", None, refusal.station, address=refusal.address)
    kept = known or _is_noted(times)
    audited_alike(session, nobody, refusal.action, refusal.subject, refusal.subject_id, detail, kept=kept)


def _is_noted(times: int) -> bool:
    """Return whether a count is a power of ten."""
    return str(times).rstrip("0") == "1"
