"""Trouble of an object store as errors for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from models.errors import NotFound, Unavailable
from models.storage import no_room


@contextmanager
def translated() -> Iterator[None]:
    """Translate the errors of a block.

    Raises:
        NotFound: ``object-unknown``.
        Unavailable: ``disk-full`` or ``objects-unreachable``.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("object-unknown") from error
    except OSError as error:
        raise Unavailable("disk-full" if no_room(error) else "objects-unreachable") from error
    except BaseError as error:
        full = "no space left" in str(error).lower()
        raise Unavailable("disk-full" if full else "objects-unreachable") from error
