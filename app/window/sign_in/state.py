"""What the sign-in screen shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignInState:
    """How far a sign-in is.

    Attributes:
        busy: the credentials are being checked.
        enrolled: there is a server that people can sign in with.
    """

    busy: bool = False
    enrolled: bool = False
