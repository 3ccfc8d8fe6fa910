import itertools
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.image_quality import (
    FrameRefused,
    ImageQuality,
    QualityBounds,
    QualityGate,
    learn_bounds,
    measure_quality,
    read_bounds,
    refusals,
    write_bounds,
)
from inspection.imaging.datasets import image_files
from inspection.imaging.files import read_image
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources import VideoSource
from models.errors import InvalidInput, NotFound


def frame(pixels: np.ndarray, *, moment: float = 0.0) -> Frame:
    return Frame(np.ascontiguousarray(pixels, np.uint8), "test", 0, monotonic=moment)


def quality(pixels: np.ndarray) -> ImageQuality:
    return measure_quality(frame(np.clip(pixels, 0, 255)))


def edge(blur: float, low: float = 40, high: float = 200) -> np.ndarray:
    image = np.where(np.arange(160) >= 80, high, low).astype(np.float32)
    image = np.tile(image, (120, 1))
    return cv2.GaussianBlur(image, (0, 0), blur) if blur else image


@pytest.fixture(scope="module")
def real(data: Path) -> list[np.ndarray]:
    """Real pictures of four kinds, grey."""
    found = [next(path for path in image_files(data / "casting") if "ok" in path.parent.name)]
    found += [image_files(data / "neu_det")[9]]
    pictures = [read_image(path, mode="grey") for path in found]
    for name in ("conveyor_nuts_synthetic.mp4", "bottle-detection.mp4"):
        with VideoSource(data / "video" / name) as source:
            taken = [seen.pixels for seen in (source.read(5.0) for _ in range(30)) if seen is not None]
        pictures.append(cv2.cvtColor(taken[-1], cv2.COLOR_RGB2GRAY))
    return [picture.astype(np.float32) for picture in pictures]


@pytest.mark.parametrize("blur", [1.0, 2.0, 3.0, 5.0])
def test_the_blur_of_an_edge_is_measured_in_pixels(blur: float) -> None:
    assert quality(edge(blur)).blur_px == pytest.approx(blur, abs=0.15)
    assert quality(edge(0)).blur_px < 0.3


@given(st.floats(0.2, 1.0), st.floats(0, 50))
@settings(max_examples=25, deadline=None)
def test_a_linear_change_of_light_does_not_change_the_blur(gain: float, offset: float) -> None:
    assert quality(edge(2.0) * gain + offset).blur_px == pytest.approx(2.0, abs=0.3)


def test_more_blur_is_measured_as_more_on_real_pictures(real: list[np.ndarray]) -> None:
    for picture in real:
        blurs = [quality(picture).blur_px]
        blurs += [quality(cv2.GaussianBlur(picture, (0, 0), width)).blur_px for width in (1, 2, 4, 8)]
        assert all(one <= two for one, two in itertools.pairwise(blurs)), blurs
        assert blurs[2] + 0.5 < blurs[3] < blurs[4], blurs


def test_noise_does_not_make_a_blurred_picture_sharp(real: list[np.ndarray]) -> None:
    random = np.random.default_rng(1)
    for picture in real:
        noisy = cv2.GaussianBlur(picture, (0, 0), 3) + random.normal(0, 3, picture.shape)
        assert quality(noisy).blur_px > quality(picture).blur_px + 0.5


def smear(pixels: np.ndarray) -> float:
    found = quality(pixels).smear
    assert found is not None
    return found


def by_the_book(picture: np.ndarray) -> tuple[float, float]:
    """Blur and smear as they are defined, of the whole picture at once."""
    whole = np.clip(picture, 0, 255).astype(np.uint8).astype(np.float32)
    smooth = cv2.GaussianBlur(whole, (0, 0), 1.0)

    def gradient(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        across, down = (cv2.Sobel(image, cv2.CV_32F, *axis, ksize=3) / 8 for axis in ((1, 0), (0, 1)))
        return across.astype(np.float64), down.astype(np.float64)

    across, down = gradient(smooth)
    squared = across**2 + down**2
    second = cv2.Laplacian(smooth, cv2.CV_32F).astype(np.float64)
    blur = math.sqrt(max(0.0, (squared**2).mean() / (4 * (squared * second**2).mean()) - 1))
    across, down = gradient(smooth - cv2.GaussianBlur(whole, (0, 0), 2.0))
    mixed = (across * down).mean()
    values = np.linalg.eigvalsh([[(across**2).mean(), mixed], [mixed, (down**2).mean()]])
    return blur, math.sqrt(values[1] / values[0])


@pytest.mark.parametrize("size", [(7, 9), (40, 30), (333, 1000), (1080, 1920), (41, 9000), (9000, 41)])
def test_both_measures_of_sharpness_are_those_of_the_whole_picture(
    real: list[np.ndarray], size: tuple[int, int]
) -> None:
    random = np.random.default_rng(0)
    for picture in real[:2]:
        tiles = np.tile(picture, (-(-size[0] // picture.shape[0]), -(-size[1] // picture.shape[1])))
        # Noise, so that there is something to see in the smallest corner.
        sized = tiles[: size[0], : size[1]] + random.normal(0, 2, size)
        blur, wanted = by_the_book(sized)
        assert quality(sized).blur_px == pytest.approx(blur, rel=1e-4)
        assert smear(sized) == pytest.approx(wanted, rel=0.01)


def test_a_full_hd_frame_is_measured_without_holding_a_plane_of_it_as_a_whole(
    real: list[np.ndarray],
) -> None:
    seen = frame(np.repeat(np.tile(real[0], (4, 7))[:1080, :1920, None], 3, axis=2))
    tracemalloc.start()
    measure_quality(seen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One plane of float32 is 8.3 MB; all that is made at once, the picture in grey with it, stays within that. Writing
    # whole planes to memory and reading them again is what would take the time.
    assert peak < 8.3e6


def test_smear_is_measured_only_for_a_bound_on_it() -> None:
    moved = frame(cv2.blur(np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8), (15, 1)))
    QualityGate(QualityBounds(max_blur_px=50)).require(moved)
    with pytest.raises(FrameRefused) as caught:
        QualityGate(QualityBounds(max_smear=2)).require(moved)
    assert caught.value.code == "quality-smeared"
    assert measure_quality(moved, smear=False).smear is None


def test_a_movement_while_the_shutter_is_open_is_smear_in_any_direction(real: list[np.ndarray]) -> None:
    for picture in real:
        for kernel in (np.full((1, 25), 1 / 25), np.full((25, 1), 1 / 25), np.eye(25) / 25):
            moved = cv2.filter2D(picture, -1, kernel.astype(np.float32))
            smears = [smear(cv2.rotate(moved, turn)) for turn in (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180)]
            assert smears[0] == pytest.approx(smears[1], rel=0.05)
    # The casting has detail in every direction, so a movement shows clearly.
    still = smear(real[0])
    assert min(smear(cv2.blur(real[0], size)) for size in ((25, 1), (1, 25))) > 1.5 * still


def test_light_is_measured_in_shares_beside_its_mean() -> None:
    pixels = np.full((10, 10, 3), 100, np.uint8)
    pixels[:3] = 0
    pixels[3:5, :, 0] = 255
    seen = measure_quality(frame(pixels))
    assert seen.dark_share == pytest.approx(0.3)
    assert seen.bright_share == pytest.approx(0.2)
    assert 50 < seen.mean < 100
    assert seen.contrast > 30


@pytest.mark.parametrize("shape", [(1, 1), (3, 641), (5, 49), (480, 640, 3), (37, 103, 3)])
@pytest.mark.parametrize("grey", [0, 255])
def test_a_picture_all_black_or_all_saturated_is_measured_too(shape: tuple[int, ...], grey: int) -> None:
    quality = measure_quality(frame(np.full(shape, grey, np.uint8)))
    assert (quality.mean, quality.contrast, quality.blur_px) == pytest.approx((grey, 0, 100), abs=1e-4)


def test_a_plain_grey_picture_is_as_blurred_as_can_be() -> None:
    seen = measure_quality(frame(np.full((20, 20), 90, np.uint8)))
    assert (seen.blur_px, seen.smear, seen.contrast) == (100.0, 1.0, 0.0)


def test_movement_is_what_changed_since_a_frame_just_before(data: Path) -> None:
    with VideoSource(data / "video" / "conveyor_boxes.mp4") as source:
        seen = [source.read(5.0) for _ in range(120)]
    first, later = (frame(seen[i].pixels, moment=i / 24) for i in (30, 42) if seen[i] is not None)
    moved = measure_quality(later, first).moving_share
    still = measure_quality(frame(first.pixels, moment=later.monotonic), first).moving_share
    assert still == 0.0
    assert moved is not None
    assert moved > 0.02
    assert measure_quality(later).moving_share is None
    assert measure_quality(frame(first.pixels, moment=first.monotonic + 1.5), first).moving_share is None
    brighter = np.clip(first.pixels.astype(int) + 10, 0, 255)
    flicker = measure_quality(frame(brighter, moment=first.monotonic + 0.1), first).moving_share
    assert flicker is not None
    assert flicker < 0.02


CASES = [
    (np.full((40, 40), 3, np.uint8), "quality-too-dark"),
    (np.full((40, 40), 255, np.uint8), "quality-too-bright"),
    (edge(8, 60, 180), "quality-blurred"),
    (np.full((40, 40), 120, np.uint8), "quality-flat"),
    (np.where(np.arange(1600).reshape(40, 40) % 40 < 22, 255, 100), "quality-saturated"),
]


@pytest.mark.parametrize(("pixels", "code"), CASES, ids=[code for _, code in CASES])
def test_a_frame_that_does_not_keep_a_bound_is_refused_with_its_measure(pixels: np.ndarray, code: str) -> None:
    with pytest.raises(FrameRefused) as caught:
        QualityGate(QualityBounds.usual()).require(frame(pixels))
    assert caught.value.code == code
    first = caught.value.reasons[0]
    for language in ("en", "ja"):
        text = caught.value.text(language)
        assert str(first.values()["bound"]) in text.detail
        assert str(first.values()["measured"]) in text.detail
        assert text.advice


def test_without_bounds_nothing_is_refused() -> None:
    for pixels, _ in CASES:
        QualityGate(QualityBounds()).require(frame(pixels))


def test_only_a_moving_part_is_refused() -> None:
    gate = QualityGate(QualityBounds(max_moving_share=0.1))
    image = edge(1.0)
    gate.require(frame(image, moment=0.0))
    gate.require(frame(image, moment=0.1))
    with pytest.raises(FrameRefused) as caught:
        gate.require(frame(image[:, ::-1], moment=0.2))
    assert caught.value.code == "quality-moving"
    gate.require(frame(image[:, ::-1], moment=0.3))


QUALITIES = st.builds(
    ImageQuality,
    blur_px=st.floats(0, 100),
    smear=st.floats(1, 100),
    mean=st.floats(0, 255),
    contrast=st.floats(0, 127),
    dark_share=st.floats(0, 1),
    bright_share=st.floats(0, 1),
    moving_share=st.none() | st.floats(0, 1),
)


@given(st.lists(QUALITIES, min_size=3, max_size=30))
def test_every_frame_that_bounds_were_learnt_from_keeps_them(seen: list[ImageQuality]) -> None:
    learned = learn_bounds(seen)
    assert learned.frames == len(seen)
    assert learned.enough == (len(seen) >= 20)
    assert not [found for found in seen if refusals(found, learned.bounds)]


def test_bounds_learnt_from_good_castings_stop_only_bad_pictures(data: Path) -> None:
    good = [path for path in image_files(data / "casting") if "ok" in path.parent.name]
    pictures = [read_image(path) for path in good[:160]]
    learned = learn_bounds(quality(picture) for picture in pictures[:60])
    unseen = [quality(picture) for picture in pictures[60:]]
    assert sum(bool(refusals(found, learned.bounds)) for found in unseen) <= len(unseen) * 0.02

    def reasons(picture: np.ndarray) -> set[str]:
        return {found.code for found in refusals(quality(picture), learned.bounds)}

    for picture in pictures[60:70]:
        assert "quality-blurred" in reasons(cv2.GaussianBlur(picture, (0, 0), 3))
        assert "quality-smeared" in reasons(cv2.blur(picture, (31, 1)))
        assert "quality-too-dark" in reasons(picture * 0.3)
        assert "quality-saturated" in reasons(picture * 2.5)


def test_too_few_frames_to_learn_from_are_reported() -> None:
    with pytest.raises(InvalidInput) as caught:
        learn_bounds([quality(edge(1))] * 2)
    assert caught.value.code == "quality-too-few-frames"


def test_bounds_come_back_from_their_file(tmp_path: Path) -> None:
    bounds = QualityBounds(max_blur_px=2.5, min_mean=20)
    write_bounds(tmp_path / "gate.json", bounds)
    assert read_bounds(str(tmp_path / "gate.json")) == bounds
    assert read_bounds("usual") == QualityBounds.usual()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"max_blur": 1}', '{"max_blur_px": "wide"}', '{"max_dark_share": 3}'])
def test_a_file_that_holds_no_bounds_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_bounds(str(tmp_path / "gate.json"))
    assert caught.value.code == "quality-bounds-file"
    with pytest.raises(NotFound):
        read_bounds(str(tmp_path / "none.json"))
    with pytest.raises(InvalidInput):
        read_bounds(str(tmp_path))


def test_bounds_that_no_frame_could_keep_are_refused() -> None:
    with pytest.raises(ValidationError):
        QualityBounds(min_mean=200, max_mean=100)
