"""Where a local folder has its objects, and those that an earlier version left at their whole keys."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.storage import sha256_of
from server.objects.keys import key_of
from server.objects.local import LocalFolder
from tests.support.object_files import object_file

DATA = b"pixels of a part"
DIGEST = sha256_of(DATA)
KEY = key_of(DIGEST)


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


@pytest.fixture
def earlier(folder: LocalFolder, tmp_path: Path) -> Path:
    """The file of an object that an earlier version has stored."""
    path = tmp_path / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    return path


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_object_lies_in_one_of_256_folders(folder: LocalFolder, tmp_path: Path) -> None:
    folder.put_many({KEY: DATA})
    assert files_in(tmp_path) == [object_file(tmp_path, DIGEST)]


def test_an_image_between_two_steps_lies_in_one_of_256_folders(folder: LocalFolder, tmp_path: Path) -> None:
    folder.put_made([DATA], KEY)
    assert files_in(tmp_path) == [object_file(tmp_path, DIGEST)]


def test_the_bytes_of_a_file_lie_in_one_of_256_folders(folder: LocalFolder, tmp_path: Path) -> None:
    (given := tmp_path / "given").write_bytes(DATA)
    folder.put_file(KEY, given)
    assert files_in(tmp_path) == sorted([given, object_file(tmp_path, DIGEST)])


def test_a_file_is_moved_into_one_of_256_folders(folder: LocalFolder, tmp_path: Path) -> None:
    (given := tmp_path / "given").write_bytes(DATA)
    folder.take_file(KEY, given)
    assert files_in(tmp_path) == [object_file(tmp_path, DIGEST)]


@pytest.mark.usefixtures("earlier")
def test_an_object_of_an_earlier_version_is_read(folder: LocalFolder) -> None:
    assert (folder.read(KEY), folder.read_range(KEY, 7, 2), folder.size(KEY)) == (DATA, b"of", len(DATA))


@pytest.mark.usefixtures("earlier")
def test_an_object_of_an_earlier_version_counts_as_kept(folder: LocalFolder) -> None:
    assert folder.keep(KEY, DIGEST)


@pytest.mark.usefixtures("earlier")
def test_an_object_of_an_earlier_version_is_listed(folder: LocalFolder) -> None:
    assert [(one.sha256, one.size) for one in folder.listed()] == [(DIGEST, len(DATA))]


def test_a_damaged_object_of_an_earlier_version_is_set_aside(
    folder: LocalFolder, earlier: Path, tmp_path: Path
) -> None:
    earlier.write_bytes(b"PIXELS of a part")
    assert folder.set_aside(KEY, DIGEST)
    (kept,) = files_in(tmp_path)
    assert (kept.parent.name, kept.read_bytes()) == ("damaged", b"PIXELS of a part")


def test_an_old_object_of_an_earlier_version_is_removed(folder: LocalFolder, earlier: Path, tmp_path: Path) -> None:
    os.utime(earlier, (0, 0))
    assert folder.remove_older(KEY, datetime(2026, 1, 1, tzinfo=UTC))
    assert files_in(tmp_path) == []


def test_an_object_that_is_stored_again_is_as_young_as_its_newer_file(folder: LocalFolder, earlier: Path) -> None:
    os.utime(earlier, (0, 0))
    folder.put_many({KEY: DATA})
    assert not folder.remove_older(KEY, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_whole_object_of_an_earlier_version_stands_in_for_a_damaged_one(
    folder: LocalFolder, earlier: Path, tmp_path: Path
) -> None:
    folder.put_many({KEY: b"PIXELS of a part"})
    assert (folder.keep(KEY, DIGEST), folder.read(KEY)) == (True, DATA)


@pytest.mark.usefixtures("earlier")
def test_an_object_of_an_earlier_version_that_was_stored_again_is_deleted_whole(
    folder: LocalFolder, tmp_path: Path
) -> None:
    folder.put_many({KEY: DATA})
    folder.delete(KEY)
    assert files_in(tmp_path) == []


@pytest.mark.usefixtures("earlier")
def test_an_object_of_an_earlier_version_is_deleted(folder: LocalFolder, tmp_path: Path) -> None:
    folder.delete(KEY)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("place", ["00/ab", f"00/{DIGEST}", f"{DIGEST[:2]}/00/{DIGEST}", f"damaged/{DIGEST}-00", "x"])
def test_a_file_at_no_place_of_an_object_is_not_listed(folder: LocalFolder, tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(DATA)
    assert list(folder.listed()) == []
