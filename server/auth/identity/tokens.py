"""Signed tokens (JWT, HS256): access, refresh and device; each good for its one purpose."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from models.clock import utc_now
from models.errors import NotSignedIn
from models.ids import new_id
from server.auth.identity.jwt_import import jwt
from server.core.settings import ServerSettings

_ALGORITHM = "HS256"
_ISSUER = "imageflow-server"
_MOST_VERIFIED = 4_096


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of a token.

    Attributes:
        kind: its purpose.
        subject: id of the user, for a device token of the device.
        session_id: the signed-in session; empty for a device token.
        device_id: the station it was given to; None when none was named.
        generation: of a device token, that of its station's tokens.
    """

    kind: TokenKind
    subject: str
    session_id: str
    device_id: str | None
    generation: int = 0


class TokenIssuer:
    """Makes and checks tokens.

    Args:
        key: the signing key.
        settings: the lives of tokens.
    """

    def __init__(self, key: str, settings: ServerSettings) -> None:
        self._key = key
        self._verified: dict[str, tuple[Token, float]] = {}
        self.lives = {
            TokenKind.ACCESS: timedelta(minutes=settings.access_token_minutes),
            TokenKind.REFRESH: timedelta(days=settings.refresh_token_days),
            TokenKind.DEVICE: timedelta(minutes=settings.device_token_minutes),
        }

    def issue(self, token: Token) -> str:
        """Return the signed form."""
        now = utc_now()
        claims = {
            "iss": _ISSUER,
            "typ": token.kind.value,
            "sub": token.subject,
            "sid": token.session_id,
            "did": token.device_id,
            "gen": token.generation,
            "jti": new_id(),
            "iat": now,
            "exp": now + self.lives[token.kind],
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def digest(self, content: bytes) -> str:
        """Return a digest of a content that nobody without the key can try guesses against: HMAC-SHA-256."""
        return hmac.new(self._key.encode(), content, hashlib.sha256).hexdigest()

    def read(self, text: str, *kinds: TokenKind) -> Token:
        """Check signature, life and purpose, and return the token's claims.

        Raises:
            NotSignedIn: ``token-expired`` or ``token-invalid``.
        """
        token, expires_at = self._verified.get(text) or self._verify(text)
        if expires_at <= time.time():
            self._verified.pop(text, None)
            raise NotSignedIn("token-expired")
        if token.kind not in kinds:
            raise NotSignedIn("token-invalid")
        return token

    def expires_at(self, text: str) -> float:
        """Return the Unix time at which a token ends.

        Raises:
            NotSignedIn: ``token-expired`` or ``token-invalid``.
        """
        return (self._verified.get(text) or self._verify(text))[1]

    def _verify(self, text: str) -> tuple[Token, float]:
        """Check signature and life, and keep what was found: a client sends the same token for a quarter of an hour."""
        try:
            claims = jwt.decode(
                text,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp", "iat", "sub", "typ", "sid"]},
            )
            token = Token(
                TokenKind(claims["typ"]), claims["sub"], str(claims["sid"]), claims.get("did"), claims.get("gen", 0)
            )
        except jwt.ExpiredSignatureError as error:
            raise NotSignedIn("token-expired") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotSignedIn("token-invalid") from error
        if len(self._verified) >= _MOST_VERIFIED:
            self._verified.clear()
        verified = self._verified[text] = (token, float(claims["exp"]))
        return verified
