"""What is flushed, and what is reserved, when objects are written into a local folder."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from models.storage import sync_path
from server.objects import folder as objects_folder
from server.objects.folder import write_made, write_objects


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


LARGE = 600_000


def test_a_large_object_has_the_bytes_of_its_pieces(tmp_path: Path) -> None:
    pieces = [os.urandom(48), os.urandom(LARGE), b"", os.urandom(LARGE)]
    write_made(tmp_path, pieces, "ab/cd/one")
    assert (tmp_path / "ab" / "cd" / "one").read_bytes() == b"".join(pieces)


def refuse_to_reserve(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refused, raising=False)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_reserve_room_takes_a_large_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse_to_reserve(monkeypatch, number)
    write_made(tmp_path, [bytes(LARGE)], "ab/cd/one")
    assert (tmp_path / "ab" / "cd" / "one").read_bytes() == bytes(LARGE)


def test_a_system_that_knows_no_reserving_takes_a_large_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    write_made(tmp_path, [bytes(LARGE)], "ab/cd/one")
    assert (tmp_path / "ab" / "cd" / "one").read_bytes() == bytes(LARGE)


def test_a_disk_without_room_for_a_large_object_keeps_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_reserve(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_made(tmp_path, [bytes(LARGE)], "ab/cd/one")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
