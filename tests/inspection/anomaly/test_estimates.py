"""What each detail costs, measured before a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingSettings, train_images
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import DETAILS, DetailName, detail_side, finer_detail, network_area
from inspection.anomaly.methods.registry import find_method
from inspection.anomaly.preprocessing import NoPreprocessing
from inspection.anomaly.training import estimates
from inspection.anomaly.training.estimates import ImageCost, estimate_details, training_seconds
from inspection.anomaly.training.settings import RotationName
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from models.errors import InvalidInput
from tests.support.trained_model import SMALL

ROTATION_NAMES: tuple[RotationName, ...] = ("fixed", "any", "auto")
METHOD = find_method("patchcore", TrainingSettings().method_settings(Configuration()))
A_DECODING = ImageCost(256 * 256, decoding=1.0, scoring=0.0, scoring_shrunk=0.0)


def images(folder: Path, height: int, width: int, count: int = 3) -> list[Path]:
    """Noisy images."""
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 255, (height, width), dtype=np.uint8)
        path.write_bytes(encode_png(noise))
    return paths


@pytest.mark.parametrize(("detail", "side"), [("fast", 224), ("standard", 288), ("fine", 576), ("finest", 2304)])
def test_a_large_image_is_seen_larger_with_each_detail(detail: DetailName, side: int) -> None:
    assert detail_side(detail, 288, [(3648, 5472)]) == side


@pytest.mark.parametrize(("detail", "side"), [("fine", 300), ("finest", 300)])
def test_no_detail_enlarges_a_small_image_beyond_its_pixels(detail: DetailName, side: int) -> None:
    assert detail_side(detail, 288, [(300, 300)]) == side


def test_the_smallest_defect_is_told_in_pixels_of_the_image() -> None:
    assert network_area([(3648, 5472)], 2304).smallest_defect < 30 < network_area([(3648, 5472)], 576).smallest_defect


@pytest.mark.slow
def test_each_detail_of_a_large_image_takes_longer_than_the_one_before(tmp_path: Path, backbone: object) -> None:
    found = estimate_details(images(tmp_path, 1500, 1500), TrainingSettings())
    assert [estimate.detail for estimate in found] == list(DETAILS)
    assert found[3].latency_ms > found[2].latency_ms > found[0].latency_ms
    assert found[3].memory_mb > found[0].memory_mb
    assert found[3].training_s > found[0].training_s
    assert [estimate.tiles > 1 for estimate in found] == [False, False, False, True]


@pytest.mark.slow
def test_a_detail_of_tiles_is_left_out_for_a_method_of_positions(tmp_path: Path, backbone: object) -> None:
    found = estimate_details(images(tmp_path, 1500, 1500), TrainingSettings(method="padim"))
    assert [estimate.detail for estimate in found] == ["fast", "standard", "fine"]


@pytest.mark.slow
def test_details_that_see_an_image_alike_cost_the_same(tmp_path: Path, backbone: object) -> None:
    fine, finest = estimate_details(images(tmp_path, 450, 450), TrainingSettings(), details=("fine", "finest"))
    assert (fine.detail, finest.detail) == ("fine", "finest")
    assert replace(finest, detail="fine") == fine


@pytest.mark.slow
@pytest.mark.parametrize("rotation", ROTATION_NAMES)
def test_the_time_is_estimated_for_the_orientations_of_the_training(
    rotation: RotationName, tmp_path: Path, backbone: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(count: int, settings: TrainingSettings, *measured: object) -> float:
        return training_seconds(count, settings, METHOD, network_area([(256, 256)], 224), A_DECODING, 0.0)

    # What is measured differs from run to run: here a decoding takes one second, and all else none.
    monkeypatch.setattr(estimates, "training_seconds", counted)
    found = estimate_details(images(tmp_path, 100, 100) * 20, TrainingSettings(side=64, rotation=rotation))
    assert [estimate.training_s for estimate in found] == [estimated_decodings(rotation, 60, A_DECODING.pixels)]


class CountingPreprocessor(NoPreprocessing):
    """Counts the images that it is given: each decoding of a training is followed by it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, pixels: Pixels) -> Picture:
        self.count += 1
        return super().__call__(pixels)


@pytest.mark.slow
def test_a_training_decodes_as_often_as_was_estimated(tmp_path: Path, backbone: object) -> None:
    paths = images(tmp_path, 200, 200, 12)
    counts = {}
    for rotation in ROTATION_NAMES:
        decoded = CountingPreprocessor()
        train_images(paths, tmp_path / "m.model", SMALL.model_copy(update={"rotation": rotation}), preprocessor=decoded)
        counts[rotation] = decoded.count
    assert counts["fixed"] == estimated_decodings("fixed", 12)
    assert counts["any"] == estimated_decodings("any", 12)
    assert estimated_decodings("auto", 12) - 12 <= counts["auto"] <= estimated_decodings("auto", 12)


def estimated_decodings(rotation: RotationName, count: int, pixels: int = 256 * 256) -> float:
    """The seconds of a training where a decoding takes one second, and all else none."""
    settings = TrainingSettings(rotation=rotation)
    area = network_area([(256, 256)], 224)
    return training_seconds(count, settings, METHOD, area, ImageCost(pixels, 1.0, 0.0, 0.0), 0.0)


def test_turned_copies_of_a_large_image_come_from_one_decoding() -> None:
    assert estimated_decodings("any", 20, 20_000_000) == estimated_decodings("fixed", 20, 20_000_000) + 20


def test_turned_copies_are_computed_from_the_shrunk_image() -> None:
    area, settings = network_area([(3648, 5472)], 2304), TrainingSettings(rotation="any")
    for cost, copies in ((ImageCost(20_000_000, 0.0, 1.0, 0.0), 0), (ImageCost(20_000_000, 0.0, 0.0, 1.0), 11 * 20)):
        turned = training_seconds(20, settings, METHOD, area, cost, 0.0)
        upright = training_seconds(20, settings.model_copy(update={"rotation": "fixed"}), METHOD, area, cost, 0.0)
        assert turned - upright == copies


@pytest.mark.slow
def test_a_side_by_number_is_measured_alone(tmp_path: Path, backbone: object) -> None:
    found = estimate_details(images(tmp_path, 400, 400), TrainingSettings(side=320))
    assert [(estimate.detail, estimate.side) for estimate in found] == [("", 320)]


def test_images_that_cannot_be_read_are_reported_before_anything_is_measured(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    with pytest.raises(InvalidInput) as caught:
        estimate_details([broken], TrainingSettings())
    assert caught.value.code == "no-image-usable"


def test_a_finer_detail_is_named_for_images_larger_than_the_model_sees_them() -> None:
    found = finer_detail(384, [(500, 1250)], [(500, 1250)])
    assert found is not None
    assert found.detail == "fine"
    assert found.smallest_defect < network_area([(500, 1250)], 384).smallest_defect


@pytest.mark.parametrize("sizes", [[(48, 48)], [(400, 400)]])
def test_no_finer_detail_is_named_where_it_would_show_hardly_more(sizes: list[tuple[int, int]]) -> None:
    assert finer_detail(384, sizes, sizes) is None


def test_no_finer_detail_is_named_for_images_that_a_step_shrinks_before() -> None:
    assert finer_detail(384, [(3648, 5472)], [(341, 512)]) is None


def test_no_detail_of_tiles_is_named_for_a_method_of_positions() -> None:
    sizes = [(3648, 5472)]
    assert finer_detail(576, sizes, sizes, aligned=True) is None
