"""Requests that a client may send again: one key is one request, with one effect and one answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime
from models.clock import utc_now


class IdempotentRequest(Base, kw_only=True, eq=False):
    """A request with an ``Idempotency-Key``, and its answer.

    Attributes:
        id: SHA-256 of who asks and the key.
        request_digest: keyed digest of what a request with that key must repeat.
        status: of the answer; None while there is none.
        body: of the answer, JSON; None where it may be shown only once.
        location: the answer's ``Location``.
        etag: the answer's ``ETag``.
        begun_at: when its work began.
        expires_at: after it the key is free again.
    """

    __tablename__ = "idempotent_requests"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(default=None)
    body: Mapped[str | None] = mapped_column(Text(), default=None)
    location: Mapped[str | None] = mapped_column(Text(), default=None)
    etag: Mapped[str | None] = mapped_column(String(200), default=None)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
