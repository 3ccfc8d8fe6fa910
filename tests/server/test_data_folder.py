"""Trouble with the server's data folder and the keys in it says what is wrong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from models.errors import InvalidInput, Unavailable
from server.core.data_folder import data_dir_unusable, prepare_data_dir
from server.core.kept_keys import kept_key
from server.core.settings import ServerSettings
from server.objects.store import ObjectStore
from server.process.worker_process import run_worker


@pytest.mark.parametrize("below", ["", "data"])
def test_a_file_in_the_place_of_the_data_folder_is_told_from_a_missing_right(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below if below else tmp_path / "file"
    with pytest.raises(Unavailable) as refusal:
        prepare_data_dir(folder)
    assert (refusal.value.code, refusal.value.values) == (
        "server-data-dir",
        {"folder": str(folder), "reason": os.strerror(errno.ENOTDIR)},
    )


@pytest.mark.parametrize("below", ["", "data"])
def test_a_worker_names_a_file_in_the_place_of_its_folder_first(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    settings = ServerSettings(data_dir=tmp_path / "file" / below)
    with pytest.raises(Unavailable) as refusal:
        run_worker(settings, until_stdin_closes=False, report=lambda _: None)
    assert (refusal.value.code, refusal.value.values["reason"]) == ("server-data-dir", os.strerror(errno.ENOTDIR))


def test_a_worker_without_postgresql_makes_no_folder(tmp_path: Path) -> None:
    settings = ServerSettings(data_dir=tmp_path / "not there")
    with pytest.raises(InvalidInput) as refusal:
        run_worker(settings, until_stdin_closes=False, report=lambda _: None)
    assert (refusal.value.code, settings.data_dir.exists()) == ("worker-database-embedded", False)


def test_a_full_disk_is_no_missing_right_of_the_data_folder(tmp_path: Path) -> None:
    assert data_dir_unusable(tmp_path, OSError(errno.ENOSPC, "full")).code == "disk-full"


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_file_without_a_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "jwt-secret").write_bytes(content)
    with pytest.raises(InvalidInput) as refusal:
        kept_key(tmp_path, "jwt-secret")
    assert (refusal.value.code, refusal.value.values["setting"]) == ("server-settings-invalid", "jwt-secret")
    assert refusal.value.values["reason"].code == "value-no-key"


def test_a_key_that_cannot_be_read_is_told_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "jwt-secret").mkdir()
    with pytest.raises(Unavailable) as refusal:
        kept_key(tmp_path, "jwt-secret")
    assert (refusal.value.code, refusal.value.values["reason"]) == ("server-data-dir", os.strerror(errno.EISDIR))


def test_a_folder_of_objects_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "objects"
    with pytest.raises(Unavailable) as refusal:
        ObjectStore(folder.as_uri())
    assert (refusal.value.code, refusal.value.values) == (
        "objects-folder-unusable",
        {"folder": str(folder), "reason": os.strerror(errno.ENOTDIR)},
    )
