"""Files and frames go through one loop."""

from pathlib import Path

import numpy as np
import pytest

from inspection.image_quality import FrameRefused, QualityBounds, QualityGate
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from inspection.runs.frame_loop import Inspector, inspect_files, inspect_frames, read_frames
from inspection.runs.named_files import files_to_inspect
from inspection.runs.overlay_folder import OverlayFolder
from inspection.runs.results import FrameResult
from inspection.sources import FolderSource
from models.errors import InvalidInput
from tests.support.errors import raised_in

BLUR = {"id": "blur", "component": "filter", "inputs": {"image": "input"}, "parameters": {}}


@pytest.fixture
def runner() -> Runner:
    return Runner(validate_definition(PipelineDefinition.parse({"name": "blur", "steps": [BLUR]})))


def texture(level: int = 128) -> Pixels:
    return np.random.default_rng(level).integers(0, level, (24, 32, 3)).astype(np.uint8)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two good images of one stem, a damaged one of the same stem between them, one in a sub-folder."""
    folder = tmp_path / "in"
    (folder / "lot").mkdir(parents=True)
    for name in ("a.bmp", "a.png", "lot/b.png"):
        (folder / name).write_bytes(encode_png(texture()))
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff no image")
    return folder


def through_files(runner: Runner, images: Path, out: Path) -> list[FrameResult]:
    files = files_to_inspect([images])
    return list(inspect_files(Inspector(runner, overlays=OverlayFolder.for_files(out, files)), files))


def through_a_source(runner: Runner, images: Path, out: Path) -> list[FrameResult]:
    with FolderSource(images) as source:
        inspector = Inspector(runner, overlays=OverlayFolder(out, source.images_folder))
        return list(inspect_frames(inspector, source, read_frames(source)))


@pytest.mark.parametrize("door", [through_files, through_a_source])
def test_a_damaged_image_does_not_stop_the_others(runner: Runner, images: Path, tmp_path: Path, door: object) -> None:
    found = door(runner, images, tmp_path / "out")  # type: ignore[operator]  # parametrized
    assert [None if item.error is None else item.error.code for item in found] == [None, "image-damaged", None, None]


@pytest.mark.parametrize("door", [through_files, through_a_source])
def test_files_given_by_name_get_the_overlay_names_of_a_source(
    runner: Runner, images: Path, tmp_path: Path, door: object
) -> None:
    for _ in range(2):
        door(runner, images, tmp_path / "out")  # type: ignore[operator]  # parametrized
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert written == {"a.png", "a-2.png", "a-3.png", "a-4.png", "lot/b.png", "lot/b-2.png"}


def test_only_a_frame_of_a_source_has_the_source_in_its_line(runner: Runner, images: Path, tmp_path: Path) -> None:
    by_file = through_files(runner, images, tmp_path / "out")[0].as_json()
    by_source = through_a_source(runner, images, tmp_path / "out")[0].as_json()
    assert list(by_file) == ["file", "verdict", "score", "threshold", "steps", "ms"]
    assert list(by_source) == ["source", "sequence", "captured_at", *by_file]
    assert by_file["file"] == by_source["file"] == str(images / "a.bmp")


def test_a_file_that_cannot_be_read_is_named_by_its_path(runner: Runner, images: Path, tmp_path: Path) -> None:
    found = through_files(runner, images, tmp_path / "out")[1]
    assert found.name == str(images / "a.jpg")
    with pytest.raises(ValueError, check=raised_in(type(found))):
        found.as_json()


def test_a_frame_that_the_gate_refuses_has_its_reasons_for_a_line(runner: Runner, images: Path) -> None:
    gate = QualityGate(QualityBounds(min_mean=250.0), in_motion=False)
    found = next(inspect_files(Inspector(runner, gate=gate), files_to_inspect([images])))
    assert isinstance(found.error, FrameRefused)
    assert list(found.as_json()) == ["file", "verdict", "refused"]
    assert found.as_json()["refused"][0]["code"] == "quality-too-dark"


def test_an_overlay_that_would_take_the_name_of_an_image_is_refused_first(images: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        OverlayFolder.for_files(images, files_to_inspect([images]))
    assert caught.value.code == "overlay-over-image"


@pytest.mark.parametrize("door", [through_files, through_a_source])
def test_an_overlay_that_cannot_be_written_costs_no_verdict(
    runner: Runner, images: Path, tmp_path: Path, door: object
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lot").write_bytes(b"in the way of the folder")
    found = door(runner, images, tmp_path / "out")  # type: ignore[operator]  # parametrized
    assert [item.result is not None for item in found] == [True, False, True, True]
    assert [None if item.overlay_error is None else item.overlay_error.code for item in found] == [
        *[None] * 3,
        "file-not-written",
    ]
