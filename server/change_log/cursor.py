"""Cursors: opaque to clients, a position in one certain change log within.

A cursor also tells which change is at its position. A server that was restored from an older backup, by whatever
means, gives its positions out again: a reader from before is then known by the change that it expects there.
"""

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
_TAGGED = "2"
_TAG = 12
"""Last characters of a change's id, which are random."""


def encode(session: Session, position: int) -> str:
    """Return the cursor of a position."""
    if not position:
        return pack(_VERSION, "", "0")
    return pack(_TAGGED, log_name(session), str(position), _tag_at(session, position))


def _tag_at(session: Session, position: int) -> str:
    """Return the tag of the change at a position; empty when it is no longer in the log."""
    change_id = session.scalar(select(ChangeLogEntry.change_id).where(ChangeLogEntry.position == position))
    return change_id[-_TAG:] if change_id else ""


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


def unpack(text: str, count: int, version: str = _VERSION) -> list[str]:
    """Return what ``pack`` was given, the version first.

    Raises:
        InvalidInput: ``sync-cursor-invalid``.
    """
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        parts = raw.decode("ascii").split("|")
    except (binascii.Error, UnicodeError) as error:
        raise InvalidInput("sync-cursor-invalid") from error
    if len(parts) != count or parts[0] != version:
        raise InvalidInput("sync-cursor-invalid")
    return parts


def _is_cursor(since: str) -> bool:
    # A time has a colon, which is no letter of the cursor's alphabet.
    return ":" not in since


def _cursor_position(session: Session, text: str) -> int:
    name, number, tag = _parts(text)
    if not number.isdecimal() or len(number) > 18:  # noqa: PLR2004 - what a 64-bit position holds
        raise InvalidInput("sync-cursor-invalid")
    position = int(number)
    if not position:
        return 0
    if name != log_name(session):
        raise Gone("full-resync-required")
    present = _tag_at(session, position)
    if tag and present and tag != present:
        raise Gone("full-resync-required")
    return position


def _parts(text: str) -> tuple[str, str, str]:
    """Return name, position and tag; cursors from before tags have none."""
    try:
        _, name, number, tag = unpack(text, 4, _TAGGED)
    except InvalidInput:
        _, name, number = unpack(text, 3)
        tag = ""
    return name, number, tag


def _time_position(session: Session, text: str) -> int:
    try:
        moment: datetime = parse_rfc3339(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput("sync-cursor-invalid") from error
    # The first change after that time decides: one whose wall time went back is given twice rather than not at all.
    later = session.scalar(select(func.min(ChangeLogEntry.position)).where(ChangeLogEntry.committed_at > moment))
    return head(session) if later is None else later - 1
