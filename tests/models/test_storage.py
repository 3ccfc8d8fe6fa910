import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.storage import is_file, is_folder, is_there, make_folder, require_writable, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
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


def test_of_a_name_the_system_refuses_nothing_is_said_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    assert [is_folder(tmp_path), is_file(tmp_path), is_there(tmp_path)] == [True, False, True]
    assert [ask(tmp_path / "a.bin") for ask in (is_folder, is_file, is_there)] == [False, True, True]
    for refused in (tmp_path / ("x" * 300), tmp_path / "a.bin" / "b", tmp_path / "null\0byte"):
        assert not any(ask(refused) for ask in (is_folder, is_file, is_there))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
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


def test_a_file_where_a_folder_must_be_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for refuse in (
        lambda: make_folder(tmp_path / "file"),
        lambda: require_writable(tmp_path / "file" / "a.bin"),
    ):
        with pytest.raises(Unavailable) as caught:
            refuse()
        assert caught.value.code == "file-not-written"
        assert "file" in caught.value.text("ja").detail
