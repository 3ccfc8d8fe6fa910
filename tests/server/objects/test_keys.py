"""Names that are drawn for objects that nobody takes the digest of."""

from __future__ import annotations

import time

import pytest

from models.storage import is_digest
from server.objects.keys import drawn_name, key_of


def names_drawn_at(monkeypatch: pytest.MonkeyPatch, *moments: float) -> list[str]:
    drawn = []
    for moment in moments:
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        drawn.append(drawn_name())
    return drawn


def folder_of(name: str) -> str:
    return key_of(name).rpartition("/")[0]


def test_names_drawn_at_the_same_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(names_drawn_at(monkeypatch, *[1_800_000_000.0] * 100))) == 100


def test_names_drawn_one_after_the_other_lie_in_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = names_drawn_at(monkeypatch, 1_800_000_000.0, 1_800_000_009.9)
    assert folder_of(first) == folder_of(second)


def test_names_drawn_later_lie_in_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = names_drawn_at(monkeypatch, 1_800_000_000.0, 1_800_000_010.0)
    assert folder_of(first) != folder_of(second)


@pytest.mark.parametrize("moment", [-1.0, 0.0, 655_359.0, 655_360.0, 1_800_000_000.0])
def test_a_drawn_name_has_the_form_of_a_digest_at_any_time(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    (name,) = names_drawn_at(monkeypatch, moment)
    assert is_digest(name)
