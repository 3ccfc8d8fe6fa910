"""Passwords asked for at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.command_line import passwords
from app.command_line.wording import phrase


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What will be typed, in turn."""
    lines: list[str] = []
    taken: Iterator[str] = iter(lines)
    monkeypatch.setattr("getpass.getpass", lambda _: next(taken))
    return lines


def test_a_new_password_is_asked_for_until_it_is_typed_twice_alike(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ["first-try", "other", "second-try", "second-try"]
    assert passwords.read_password("Password", from_stdin=False, confirm=True) == "second-try"
    assert capsys.readouterr().err.count(phrase("password-differs")) == 1


def test_a_known_password_is_asked_for_once(typed: list[str]) -> None:
    typed += ["known"]
    assert passwords.read_password("Password", from_stdin=False) == "known"
