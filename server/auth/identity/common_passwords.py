"""Passwords that are tried first: a list of common ones, and words that everybody here knows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from models.passwords import prepared

_OF_THE_SERVICE = ("imageflow", "imageflow station", "imageflow server")


def is_common(password: str, names: Iterable[str] = ()) -> bool:
    """Return whether a password is a common one, or a name that belongs to the account (NIST SP 800-63B, 3.1.1.2).

    The whole password is compared, in any case and width.

    Args:
        password: as typed.
        names: of the account.
    """
    text = prepared(password).casefold().strip()
    known = {prepared(name).casefold() for name in (*_OF_THE_SERVICE, *names)}
    return text in known or text in _common()


@cache
def _common() -> frozenset[str]:
    """Return the 30,000 most used passwords, loaded with the first new password."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
