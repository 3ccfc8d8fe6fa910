"""A whole file of another kind, given where a model is wanted, is not called damaged."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.command_line import main
from inspection.model_files.archive import pack
from inspection.model_files.foreign_files import foreign_kind, is_text, refusal_as_model, refusal_as_sensor_model
from inspection.sensor import SensorTraining, save_model, train
from models.messages import Language
from tests.support.messages import says
from tests.support.sensor_rows import COLUMNS, machine_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sensor model, a model of images, a text and a table."""
    made = tmp_path_factory.mktemp("foreign")
    save_model(made / "pump.npz", train(machine_rows(100), COLUMNS, SensorTraining(epochs=1)).model)
    (made / "part.model").write_bytes(pack({"format_version": 1, "kind": "anomaly"}, {"graph": b"\0"}))
    (made / "README.md").write_text("# Parts\n\n部品の検査です。\n", encoding="utf-8")
    (made / "a.png").touch()
    (made / "now.csv").write_text(",".join(COLUMNS) + "\n1,2,3\n", encoding="utf-8")
    return made


def reported(capsys: pytest.CaptureFixture[str], folder: Path, command: tuple[str, ...]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([part.format(folder=folder) for part in command])
    stated = capsys.readouterr()
    assert (ended.value.code, stated.out) == (1, "")
    assert "Traceback" not in stated.err
    return stated.err


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    "command",
    [
        ("inspect", "--model", "{folder}/pump.npz", "{folder}/a.png"),
        ("model", "show", "{folder}/pump.npz"),
        ("model", "threshold", "{folder}/pump.npz"),
    ],
)
def test_a_sensor_model_is_reported_as_one_with_the_command_that_takes_it(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    command: tuple[str, ...],
    language: Language,
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    stated = reported(capsys, folder, command)
    assert says(stated, "model-of-sensors", language, member="advice", name="pump.npz")
    assert not says(stated, "model-damaged", language, member="title")


@pytest.mark.parametrize("model", ["README.md", "now.csv"])
@pytest.mark.parametrize(
    "command",
    [
        ("inspect", "--model", "{folder}/{model}", "{folder}/a.png"),
        ("model", "show", "{folder}/{model}"),
        ("model", "drift", "{folder}/{model}", "{folder}/now.csv"),
    ],
)
def test_a_text_is_rejected_as_no_model_file(
    capsys: pytest.CaptureFixture[str], folder: Path, command: tuple[str, ...], model: str
) -> None:
    stated = reported(capsys, folder, tuple(part.replace("{model}", model) for part in command))
    assert says(stated, "model-is-text", name=model)


def test_a_model_of_images_given_for_sensors_is_reported_as_one(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    stated = reported(capsys, folder, ("model", "drift", "{folder}/part.model", "{folder}/now.csv"))
    assert says(stated, "sensor-model-of-images", member="advice", name="part.model")


def test_a_checkpoint_given_for_the_sensor_model_beside_it_names_that(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # A file of torch is recognised by the name of its pickle.
    (tmp_path / "pump.pth").write_bytes(pack({}, {"pump/data.pkl": b"."}))
    stated = reported(capsys, tmp_path, ("model", "drift", "{folder}/pump.pth", "{folder}/now.csv"))
    assert says(stated, "sensor-model-of-torch", member="advice", file="pump.npz")


def test_half_a_sensor_model_is_damaged(folder: Path) -> None:
    whole = (folder / "pump.npz").read_bytes()
    half = whole[: len(whole) // 2]
    assert refusal_as_model(half) == "model-damaged"
    assert refusal_as_sensor_model(half) == "sensor-model-damaged"
    assert refusal_as_model(b"") == "model-damaged"


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


OTHERS = {
    "HDF5 (Keras)": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "TensorFlow Lite": b"\x1c\0\0\0TFL3" + bytes(40),
    "safetensors": b"\x12\0\0\0\0\0\0\0" + b'{"__metadata__":{}}',
    "NumPy": b"\x93NUMPY\1\0" + bytes(40),
    "pickle": pickle.dumps({"a": 1}),
    "ONNX": b"\x08\x0a\x12\x07pytorch" + bytes(40),
    "TensorRT": b"ftrt" + bytes(40),
    "gzip": b"\x1f\x8b\x08" + bytes(40),
    "PDF": b"%PDF-1.7\n\xe2\xe3",
    "ZIP": zipped("config.json", "model.weights.h5"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_whole_file_of_another_program_is_not_supported_but_not_damaged(kind: str) -> None:
    assert foreign_kind(OTHERS[kind]) == kind
    assert refusal_as_model(OTHERS[kind]) == refusal_as_sensor_model(OTHERS[kind]) == "model-not-supported"


def test_a_torch_script_is_reported_as_a_torch_file() -> None:
    assert refusal_as_model(zipped("part/data.pkl", "part/code/__torch__.py")) == "model-of-torch"


@pytest.mark.parametrize("data", [bytes(200), zipped("manifest.json", "graph"), OTHERS["ZIP"][:-30]])
def test_what_is_no_file_of_another_program_is_damaged(data: bytes) -> None:
    assert foreign_kind(data) == ""
    assert refusal_as_model(data) == "model-damaged"


def test_a_model_of_another_program_is_named_by_its_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "part.h5").write_bytes(OTHERS["HDF5 (Keras)"])
    (tmp_path / "a.png").touch()
    stated = reported(capsys, tmp_path, ("inspect", "--model", "{folder}/part.h5", "{folder}/a.png"))
    assert says(stated, "model-not-supported", name="part.h5", kind="HDF5 (Keras)")


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=5000))
def test_text_of_any_language_is_recognised_unlike_bytes_with_zeros(data: bytes, text: str) -> None:
    assert not is_text(b"a" + data + b"\0")
    assert is_text(("x" + text).encode())
    assert is_text(("x" + text).encode("utf-16"))
