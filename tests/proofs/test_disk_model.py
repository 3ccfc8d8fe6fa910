"""The disk of the power-cut proof: threads whose calls overlap are read as the system does them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.proofs.disk_model import DiskModel
from tests.support.proofs.disk_nodes import File, Folder
from tests.support.proofs.disk_trace import calls_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file and an empty folder, all on the disk."""
    folder = tmp_path / "place"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_bytes(b"before")
    return folder


def text(value: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in value.encode()) + '"'


def after(root: Path, *lines: str) -> DiskModel:
    """The disk after the calls of a trace."""
    trace = root.with_name("trace")
    trace.write_text("\n".join(lines) + "\n")
    disk = DiskModel(root)
    for call in calls_of(trace):
        disk.apply(call)
    return disk


def synced(disk: DiskModel) -> bytes:
    node = disk.top.synced["file"]
    assert isinstance(node, File)
    return node.synced


def test_a_close_takes_no_file_that_another_thread_opens_under_its_number(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}')}, O_RDONLY|O_CLOEXEC) = 3",
        f"1 openat(AT_FDCWD, {text(f'{root}/inner/made')}, O_WRONLY|O_CREAT|O_EXCL, 0666) = 4",
        f"2 openat(AT_FDCWD, {text(f'{root}/inner')}, O_RDONLY|O_CLOEXEC <unfinished ...>",
        "1 close(3 <unfinished ...>",
        "2 <... openat resumed>)             = 3",
        "1 <... close resumed>)              = 0",
        "2 fsync(3)                          = 0",
    )
    inner = disk.top.synced["inner"]
    assert isinstance(inner, Folder)
    assert set(inner.synced) == {"made"}


def test_a_flush_keeps_nothing_that_is_written_while_it_goes_on(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}/file')}, O_WRONLY) = 3",
        f"1 pwrite64(3, {text('first!')}, 6, 0) = 6",
        "1 fsync(3 <unfinished ...>",
        f"2 pwrite64(3, {text('second')}, 6, 0) = 6",
        "1 <... fsync resumed>)              = 0",
    )
    assert synced(disk) == b"first!"


def test_a_flush_that_goes_on_has_kept_nothing_yet(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}/file')}, O_WRONLY) = 3",
        f"1 pwrite64(3, {text('first!')}, 6, 0) = 6",
        "1 fsync(3 <unfinished ...>",
    )
    assert synced(disk) == b"before"


def test_an_older_flush_that_ends_later_takes_nothing_back(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}/file')}, O_WRONLY) = 3",
        "1 fsync(3 <unfinished ...>",
        f"2 pwrite64(3, {text('second')}, 6, 0) = 6",
        "2 fdatasync(3)                      = 0",
        "1 <... fsync resumed>)              = 0",
    )
    assert synced(disk) == b"second"


def test_a_flush_that_fails_keeps_nothing(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}/file')}, O_WRONLY) = 3",
        f"1 pwrite64(3, {text('first!')}, 6, 0) = 6",
        "1 fsync(3)                          = -1 EIO (Input/output error)",
    )
    assert synced(disk) == b"before"


def test_what_is_written_after_a_read_stands_behind_it(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}/file')}, O_RDWR) = 3",
        "1 read(0x3, 0x7fff932b8468, 0x3)    = 0x3",
        f"1 write(3, {text('AND')}, 3) = 3",
        "1 fsync(3)                          = 0",
    )
    assert synced(disk) == b"befAND"


def test_a_name_within_an_open_folder_is_that_folders(root: Path) -> None:
    disk = after(
        root,
        f"1 openat(AT_FDCWD, {text(f'{root}')}, O_RDONLY|O_DIRECTORY) = 3",
        f"1 unlinkat(3, {text('file')}, 0) = 0",
        "1 fsync(3)                          = 0",
    )
    assert set(disk.top.synced) == {"inner"}
