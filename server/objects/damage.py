"""Objects that are not what was stored: found by their size where that is cheap, by their digest where it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

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


def whole_stream(objects: ObjectStore, sha256: str) -> Iterator[bytes]:
    """Return an iterator over the bytes of an object, in pieces; what took them is good once it has ended.

    Raises:
        NotFound: ``object-unknown`` at the call; after the last piece ``object-damaged`` when the digest of all is
            another one, which the log tells too.
        Unavailable: ``objects-unreachable``.
    """
    pieces = objects.stream(sha256)

    def checked() -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            yield piece
        if digest.hexdigest() != sha256:
            _log.error("object damaged", sha256=sha256, digest=digest.hexdigest())
            raise NotFound("object-damaged")

    return checked()
