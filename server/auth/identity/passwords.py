"""Passwords: argon2id digests, checked in the same time whether the user exists or not."""

from __future__ import annotations

import secrets
import threading

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from models.errors import InvalidInput
from models.names import visible_length
from models.passwords import prepared, spellings
from server.auth.identity.common_passwords import is_common

_MOST = 256
_PARALLEL = 4


def require_password(password: str, least: int, *names: str) -> None:
    """Check a new password: its length, and that nobody tries it first. No kinds of characters are demanded.

    Args:
        password: as typed.
        least: least length.
        names: of the account, which are no passwords of it.

    Raises:
        InvalidInput: ``password-too-short``, where blanks at the ends and invisible characters do not count,
            ``password-too-long`` or ``password-common``.
    """
    if visible_length(password) < least:
        raise InvalidInput("password-too-short", least=least)
    if len(prepared(password)) > _MOST:
        raise InvalidInput("password-too-long", most=_MOST)
    if is_common(password, names):
        raise InvalidInput("password-common")


class Passwords:
    """Makes and checks digests.

    Args:
        least: least length of a new password.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._hash = PasswordHash((Argon2Hasher(),))
        # Each check takes 64 MiB; a flood of sign-ins must not take the memory of the machine.
        self._turn = threading.BoundedSemaphore(_PARALLEL)
        # Checked in place of an unknown user's digest, so that the time of the answer reveals nothing.
        self._nobody = self._hash.hash(secrets.token_urlsafe(16))

    def digest(self, password: str, *names: str) -> str:
        """Return the digest of a new password of an account with these names.

        Raises:
            InvalidInput: as ``require_password``.
        """
        require_password(password, self._least, *names)
        with self._turn:
            return self._hash.hash(prepared(password))

    def matches(self, password: str, digest: str | None) -> bool:
        """Return whether ``password`` has ``digest``; None (no such user) takes as long and is never true."""
        with self._turn:
            try:
                right = any(self._hash.verify(one, digest or self._nobody) for one in spellings(password))
            except UnknownHashError:
                return False
        return right and digest is not None
