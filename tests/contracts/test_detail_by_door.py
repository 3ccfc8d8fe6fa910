"""A model of tiles sees the same image through every door of the ready pipeline: nothing shrinks it on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.station.operations.preparation import prepare_item
from app.station.operations.training import train_item_model
from app.station.workspace import Workspace
from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.imaging.files import decode_image, read_image
from inspection.pipeline import default_definition
from models.storage import write_atomically
from tests.support.command import run as run_command
from tests.support.executing import executing_server, jpeg
from tests.support.station import Station

# Above 1024 network pixels along a side an image is cut into tiles.
SIDE = 1100
SETTINGS = TrainingSettings(
    side=SIDE, backbone="efficientnet-lite0", bank_size=100, folds=2, rotation="fixed", threads=1
)


@pytest.fixture
def good(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "good" / f"{number}.jpg" for number in range(5)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        write_atomically(path, jpeg(SIDE, SIDE, number))
    return paths


@pytest.mark.slow
def test_all_doors_score_what_a_model_of_tiles_scores_alone(
    workspace: Workspace,
    station: Station,
    good: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    backbone: object,
) -> None:
    path, image = tmp_path / "tiles.model", tmp_path / "part.jpg"
    write_atomically(image, jpeg(SIDE, SIDE, 77))
    report = train_images(good, path, SETTINGS)
    assert report.manifest.preprocessing.tile > 0
    alone = load_bundle(path).score(read_image(image)).score
    scores = {
        "command": by_command(path, image, capsys),
        "server": by_server(path, image, tmp_path),
        "station": by_station(workspace, station, good, image),
    }
    assert scores == dict.fromkeys(scores, pytest.approx(alone, rel=1e-5))


@pytest.mark.slow
def test_all_doors_draw_the_same_overlay_of_1024_pixels(
    workspace: Workspace,
    station: Station,
    good: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    backbone: object,
) -> None:
    path, image = tmp_path / "tiles.model", tmp_path / "part.jpg"
    write_atomically(image, jpeg(SIDE, SIDE, 77))
    train_images(good, path, SETTINGS)
    code, _, _ = run_command(capsys, "inspect", "--model", path, "--out", tmp_path / "drawn", image)
    assert code == 0
    (drawn,) = (tmp_path / "drawn").glob("*.png")
    train_item_model(workspace, station.engineer, station.item_id, good, settings=SETTINGS)
    shown = prepare_item(workspace, station.item_id).runner.run(read_image(image)).overlay
    sent = decode_image(server_output(path, image, tmp_path, "picture"))
    assert sent.shape == (1024, 1024, 3)
    assert shown is not None
    assert (sent == read_image(drawn)).all()
    assert (sent == shown).all()


def by_command(model: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> float:
    code, out, _ = run_command(capsys, "inspect", "--model", model, "--json", image)
    assert code == 0
    return float(json.loads(out)["score"])


def by_server(model: Path, image: Path, folder: Path) -> float:
    return float(json.loads(server_output(model, image, folder, "result"))["anomaly_score"])


def server_output(model: Path, image: Path, folder: Path, kind: str) -> bytes:
    """The file of a kind that an execution of the ready pipeline leaves."""
    steps = default_definition().model_dump(mode="json")["steps"]
    with executing_server(folder / "server", models={"default": model}) as executing:
        state = executing.ended(executing.start(executing.pipeline(*steps), ("part.jpg", image.read_bytes())))
        (output,) = (file for file in state["output_files"] if file["output_kind"] == kind)
        return executing.content(output["file_id"])


def by_station(workspace: Workspace, station: Station, good: list[Path], image: Path) -> float:
    train_item_model(workspace, station.engineer, station.item_id, good, settings=SETTINGS)
    score = prepare_item(workspace, station.item_id).runner.run(read_image(image)).result.anomaly_score
    assert score is not None
    return score
