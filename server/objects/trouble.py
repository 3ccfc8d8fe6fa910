"""Trouble of an object store as errors for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import NotFound, Unavailable
from models.storage import no_room


@contextmanager
def translated(*, missing: str = "object-unknown") -> Iterator[None]:
    """Translate the errors of a block.

    Args:
        missing: code for what is not there; where no object is asked for, that is the store itself.

    Raises:
        NotFound: ``object-unknown``.
        Unavailable: ``disk-full`` or ``objects-unreachable``.
    """
    try:
        yield
    except FileNotFoundError as error:
        if missing == "object-unknown":
            raise NotFound(missing) from error
        raise Unavailable(missing) from error
    except OSError as error:
        raise Unavailable("disk-full" if no_room(error) else "objects-unreachable") from error
