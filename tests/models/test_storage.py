import hashlib
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.storage import (
    create_once,
    cut_to_bytes,
    is_digest,
    is_file,
    is_folder,
    is_there,
    make_folder,
    move_durably,
    replacing,
    require_writable,
    sha256_of,
    sha256_of_file,
    sha256_of_pieces,
    write_atomically,
)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("name", ["製品" * 42 + "ab.", "x" * 255, "é" * 127])
def test_a_file_whose_name_is_as_long_as_the_system_allows_is_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    require_writable(path)
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(("room", "kept"), [(9, "製品a"), (7, "製品a"), (6, "製品"), (5, "製"), (2, "")])
def test_a_name_is_cut_between_characters(room: int, kept: str) -> None:
    assert cut_to_bytes("製品a", room) == kept


def test_a_full_disk_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    # The limit on the size of files is the system's own way to run out of room.
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from models.storage import write_atomically\n"
        "from models.errors import Unavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_atomically(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except Unavailable as error:\n"
        "    print(error.code)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "file-disk-full"
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_of_a_name_the_system_refuses_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    assert [is_folder(tmp_path), is_file(tmp_path), is_there(tmp_path)] == [True, False, True]
    assert [ask(tmp_path / "a.bin") for ask in (is_folder, is_file, is_there)] == [False, True, True]
    for refused in (tmp_path / ("x" * 300), tmp_path / "a.bin" / "b", tmp_path / "null\0byte"):
        assert not any(ask(refused) for ask in (is_folder, is_file, is_there))


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        write_atomically(tmp_path / "none" / "a.bin", b"x")
    assert caught.value.code == "file-not-written"


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    require_writable(tmp_path / "new" / "deep" / "a.bin")
    require_writable(tmp_path / "empty" / "a.bin")
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    (tmp_path / "old.bin").write_bytes(b"old")
    require_writable(tmp_path / "old.bin")
    assert (tmp_path / "old.bin").read_bytes() == b"old"


def test_a_file_where_a_folder_must_be_is_reported_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for refuse in (
        lambda: make_folder(tmp_path / "file"),
        lambda: require_writable(tmp_path / "file" / "a.bin"),
    ):
        with pytest.raises(Unavailable) as caught:
            refuse()
        assert caught.value.code == "file-not-written"
        assert (caught.value.values["file"], caught.value.values["folder"]) == ("file", str(tmp_path))


def test_an_error_while_writing_keeps_the_old_content_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with suppress(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_durable_write_syncs_the_file_before_the_rename_then_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def replace(source: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_atomically(tmp_path / "a.bin", b"x")
    move_durably(tmp_path / "a.bin", tmp_path / "b.bin")
    assert steps == ["file", "rename", "folder"] * 2
    assert (tmp_path / "b.bin").read_bytes() == b"x"


def test_of_several_writers_at_once_one_creates_the_file(tmp_path: Path) -> None:
    made: list[bytes] = []

    def create(content: bytes) -> None:
        if create_once(tmp_path / "key", content, mode=0o600):
            made.append(content)

    threads = [threading.Thread(target=create, args=(b"%d" % number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [(tmp_path / "key").read_bytes()]
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_bytes_pieces_or_a_file_have_one_digest(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "a.bin").write_bytes(data)
    expected = hashlib.sha256(data).hexdigest()
    assert sha256_of(data) == sha256_of_pieces([data[:77], data[77:]]) == sha256_of_file(tmp_path / "a.bin") == expected
    assert is_digest(expected)
    assert not is_digest(expected.upper())
