"""What torch writes, given where a model of this product is wanted."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.command_line import main
from inspection.model_files.torch_files import is_torch_file
from inspection.model_library.loading import load_model
from models.errors import InvalidInput
from models.messages import Language
from tests.support.messages import says

PROGRAM = (
    "import sys, torch\n"
    "state = {'0.weight': torch.zeros(2, 2)}\n"
    "torch.save(state, sys.argv[1] + '/best.pt')\n"
    "torch.save(state, sys.argv[1] + '/old.pt', _use_new_zipfile_serialization=False)\n"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file in each of the forms of ``torch.save``."""
    folder = tmp_path_factory.mktemp("torch")
    subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", ["best.pt", "old.pt"])
def test_a_file_of_torch_is_not_called_damaged(written: Path, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_model(written / name)
    assert caught.value.code == "model-of-torch"


def test_half_a_file_of_torch_is_damaged(written: Path, tmp_path: Path) -> None:
    whole = (written / "best.pt").read_bytes()
    (tmp_path / "best.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput) as caught:
        load_model(tmp_path / "best.pt")
    assert caught.value.code == "model-damaged"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("command", [("inspect", "--model", "{file}", "a.png"), ("model", "show", "{file}")])
def test_a_command_shows_how_a_model_is_made_of_a_file_of_torch(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    written: Path,
    command: tuple[str, ...],
    language: Language,
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    with pytest.raises(SystemExit) as ended:
        main([part.format(file=written / "best.pt") for part in command])
    reported = capsys.readouterr()
    assert (ended.value.code, reported.out) == (1, "")
    assert says(reported.err, "model-of-torch", language, name="best.pt")
    assert says(reported.err, "model-of-torch", language, member="advice")


@given(st.binary(max_size=200))
def test_other_bytes_are_no_file_of_torch(data: bytes) -> None:
    # Hypothesis draws the constants of the code too, and so the very begin of an old file of torch.
    assert not is_torch_file(b"\0" + data)
    assert not is_torch_file(b"PK\x03\x04" + data)
