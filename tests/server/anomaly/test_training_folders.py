"""Folders of trainings are collected once their process has ended, however it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.file_lock import locked_file
from server.anomaly import training_folders
from server.anomaly.training_folders import TrainingFolders

TRAINING = """
import sys
from pathlib import Path
from server.anomaly.training_folders import TrainingFolders
folders = TrainingFolders(Path(sys.argv[1]))
(folders.folder() / "table.csv").write_text("1,2,3")
print(folders.folder(), flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_the_folder_of_a_killed_process_is_collected(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAINING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert (TrainingFolders(tmp_path).collect(), folder.is_dir()) == (0, True), "it is alive"
        process.kill()
    assert (TrainingFolders(tmp_path).collect(), list(tmp_path.iterdir())) == (1, [])


def test_a_folder_of_a_version_without_locks_is_collected(tmp_path: Path) -> None:
    (tmp_path / "training-abc").mkdir()
    assert (TrainingFolders(tmp_path).collect(), list(tmp_path.iterdir())) == (1, [])


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    folders = TrainingFolders(tmp_path)
    assert folders.folder().is_dir()
    folders.close()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_folder_was_never_made_is_collected(tmp_path: Path) -> None:
    (tmp_path / "process-abc.lock").touch()
    assert (TrainingFolders(tmp_path).collect(), list(tmp_path.iterdir())) == (0, [])


def test_the_lock_of_a_process_that_makes_its_folder_stays(tmp_path: Path) -> None:
    lock = tmp_path / "process-abc.lock"
    held = locked_file(lock)
    assert held is not None
    with held:
        assert (TrainingFolders(tmp_path).collect(), list(tmp_path.iterdir())) == (0, [lock])


def test_a_folder_that_cannot_be_made_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_folders, "new_id", lambda: "abc")
    taken = tmp_path / "process-abc"
    taken.mkdir()
    with pytest.raises(FileExistsError):
        TrainingFolders(tmp_path).folder()
    assert list(tmp_path.iterdir()) == [taken]
