"""Tokens that were verified before are still checked for their life and their purpose."""

import time
from pathlib import Path

import pytest

from models.errors import NotSignedIn
from server.auth.identity.tokens import Token, TokenIssuer, TokenKind
from server.core.settings import ServerSettings

KEY = "k" * 64


@pytest.fixture
def issuer(tmp_path: Path) -> TokenIssuer:
    return TokenIssuer(KEY, ServerSettings(data_dir=tmp_path))


def code_of(issuer: TokenIssuer, text: str, kind: TokenKind) -> str:
    with pytest.raises(NotSignedIn) as refused:
        issuer.read(text, kind)
    return refused.value.code


def test_a_token_read_before_is_refused_after_its_life(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = issuer.issue(Token(TokenKind.ACCESS, "user", "session", None))
    assert issuer.read(text, TokenKind.ACCESS).subject == "user"
    ended = time.time() + issuer.lives[TokenKind.ACCESS].total_seconds() + 1
    monkeypatch.setattr(time, "time", lambda: ended)
    assert code_of(issuer, text, TokenKind.ACCESS) == "token-expired"


def test_a_token_read_before_is_refused_for_another_purpose(issuer: TokenIssuer) -> None:
    text = issuer.issue(Token(TokenKind.REFRESH, "user", "session", None))
    assert issuer.read(text, TokenKind.REFRESH).kind is TokenKind.REFRESH
    assert code_of(issuer, text, TokenKind.ACCESS) == "token-invalid"


def test_a_token_that_differs_in_its_signature_is_refused(issuer: TokenIssuer) -> None:
    text = issuer.issue(Token(TokenKind.ACCESS, "user", "session", None))
    issuer.read(text, TokenKind.ACCESS)
    head, claims, signature = text.split(".")
    assert code_of(issuer, f"{head}.{claims}.{signature[::-1]}", TokenKind.ACCESS) == "token-invalid"
