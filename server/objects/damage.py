"""Objects that are not what was stored: found by their size where that is cheap, by their digest where it is asked."""

from __future__ import annotations

from models.errors import NotFound
from server.core.structlog_import import structlog
from server.objects.store import ObjectStore

_log = structlog.get_logger("imageflow.server")


def is_whole(objects: ObjectStore, sha256: str, size: int | None) -> bool:
    """Return whether an object is there in its recorded size; None for a size that nothing records.

    Raises:
        Unavailable: ``objects-unreachable``.
    """
    try:
        require_whole(objects, sha256, size)
    except NotFound:
        return False
    return True


def require_whole(objects: ObjectStore, sha256: str, size: int | None) -> int:
    """Return the size of an object in bytes, which is the recorded one; None for a size that nothing records.

    Its digest is for who reads all of it: a station checks what it has fetched.

    Raises:
        NotFound: ``object-unknown``, or ``object-damaged`` for one of another size, which the log tells too.
        Unavailable: ``objects-unreachable``.
    """
    found = objects.size(sha256)
    if size is not None and found != size:
        _log.error("object damaged", sha256=sha256, recorded_size=size, size=found)
        raise NotFound("object-damaged")
    return found
