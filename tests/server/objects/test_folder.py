"""What is flushed when objects are written into a local folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.storage import sync_path
from server.objects import folder as objects_folder
from server.objects.folder import write_objects


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the folders that are flushed from now on."""
    seen: list[Path] = []

    def watched(path: Path) -> None:
        sync_path(path)
        seen.append(path)

    monkeypatch.setattr(objects_folder, "sync_path", watched)
    return seen


def test_the_first_object_of_a_folder_flushes_the_folders_above(tmp_path: Path, flushed: list[Path]) -> None:
    write_objects(tmp_path, {"ab/cd/one": b"1"})
    assert sorted(flushed) == [tmp_path, tmp_path / "ab", tmp_path / "ab" / "cd"]


def test_a_further_object_of_a_folder_flushes_that_folder_alone(tmp_path: Path, flushed: list[Path]) -> None:
    write_objects(tmp_path, {"ab/cd/one": b"1"})
    flushed.clear()
    write_objects(tmp_path, {"ab/cd/two": b"2"})
    assert flushed == [tmp_path / "ab" / "cd"]


def test_a_new_folder_flushes_the_known_one_above_it(tmp_path: Path, flushed: list[Path]) -> None:
    write_objects(tmp_path, {"ab/cd/one": b"1"})
    flushed.clear()
    write_objects(tmp_path, {"ab/ef/two": b"2"})
    assert sorted(flushed) == [tmp_path / "ab", tmp_path / "ab" / "ef"]


def test_a_folder_that_is_made_again_flushes_the_folders_above(tmp_path: Path, flushed: list[Path]) -> None:
    write_objects(tmp_path, {"ab/cd/one": b"1"})
    flushed.clear()
    shutil.rmtree(tmp_path / "ab")
    write_objects(tmp_path, {"ab/cd/one": b"1"})
    assert sorted(flushed) == [tmp_path, tmp_path / "ab", tmp_path / "ab" / "cd"]
