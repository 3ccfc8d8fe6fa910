"""Audit entries of what is done over REST, on the server's own chain."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.audit import append_audit
from server.auth.identity.principal import Principal

SERVER_DEVICE = "server"


def audited(session: Session, who: Principal, action: str, subject: str, subject_id: str, **detail: Any) -> None:
    """Record a mutation in the transaction that makes it."""
    append_audit(
        session,
        device_id=SERVER_DEVICE,
        actor=who.username,
        action=action,
        subject=subject,
        subject_id=subject_id,
        detail=detail,
    )
