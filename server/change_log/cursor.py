"""Cursors: opaque to clients, a position in one certain change log within."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import parse_rfc3339
from models.errors import Gone, InvalidInput
from models.sync import ChangeLogEntry
from server.change_log.recording import floor, head, log_name

_VERSION = "1"


def encode(session: Session, position: int) -> str:
    """Return the cursor of a position."""
    return pack(_VERSION, log_name(session) if position else "", str(position))


def position_of(session: Session, since: str | None) -> int:
    """Return the position of a reader: nothing, a cursor, or an RFC 3339 time.

    Raises:
        InvalidInput: ``sync-cursor-invalid``.
        Gone: ``full-resync-required`` when what follows the position is no longer in the log, or the cursor is of
            another log (the server was replaced, or restored from a backup older than the reader).
    """
    if not since:
        position = 0
    else:
        position = _cursor_position(session, since) if _is_cursor(since) else _time_position(session, since)
    if position < floor(session) or position > head(session):
        raise Gone("full-resync-required")
    return position


def pack(*parts: str) -> str:
    """Return texts without ``|`` as one opaque word, safe in a URL."""
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def unpack(text: str, count: int) -> list[str]:
    """Return what ``pack`` was given.

    Raises:
        InvalidInput: ``sync-cursor-invalid``.
    """
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        parts = raw.decode("ascii").split("|")
    except (binascii.Error, UnicodeError) as error:
        raise InvalidInput("sync-cursor-invalid") from error
    if len(parts) != count or parts[0] != _VERSION:
        raise InvalidInput("sync-cursor-invalid")
    return parts


def _is_cursor(since: str) -> bool:
    # A time has a colon, which is no letter of the cursor's alphabet.
    return ":" not in since


def _cursor_position(session: Session, text: str) -> int:
    _, name, number = unpack(text, 3)
    if not number.isdecimal() or len(number) > 18:  # noqa: PLR2004 - what a 64-bit position holds
        raise InvalidInput("sync-cursor-invalid")
    if int(number) and name != log_name(session):
        raise Gone("full-resync-required")
    return int(number)


def _time_position(session: Session, text: str) -> int:
    try:
        moment: datetime = parse_rfc3339(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput("sync-cursor-invalid") from error
    # The first change after that time decides: one whose wall time went back is given twice rather than not at all.
    later = session.scalar(select(func.min(ChangeLogEntry.position)).where(ChangeLogEntry.committed_at > moment))
    return head(session) if later is None else later - 1
