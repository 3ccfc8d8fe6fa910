import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import (
    AnomalyModel,
    TrainingCancelled,
    TrainingProgress,
    TrainingReport,
    load_bundle,
    train_images,
)
from inspection.anomaly.detail import network_area
from inspection.anomaly.preparation import choose_scale, prepare
from inspection.anomaly.threshold.policy import PolicyName
from inspection.anomaly.training.manifest_builder import build_preprocessing
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.files import encode_png, read_image
from inspection.metrics import image_auroc
from models.errors import DoesNotFit, InvalidInput, Unavailable, UnreadableImage
from models.messages import LANGUAGES
from tests.support.trained_model import SMALL


def test_defects_score_above_good_parts(model: AnomalyModel, parts: Path) -> None:
    scores = {
        folder.name: [model.score(read_image(path)).score for path in sorted(folder.iterdir())]
        for folder in (parts / "test").iterdir()
    }
    defects = [score for name, values in scores.items() if name != "good" for score in values]
    area = image_auroc(scores["good"], defects)
    assert area is not None
    assert area >= 0.9


@pytest.mark.slow
def test_the_same_seed_gives_the_same_file_whatever_the_order_of_the_images(
    report: TrainingReport, good_paths: list[Path], tmp_path: Path
) -> None:
    copies = []
    for number, path in enumerate(reversed(good_paths)):
        copies.append(tmp_path / f"part-{number}.png")
        shutil.copy(path, copies[-1])
    again = train_images(copies, tmp_path / "again.model", SMALL)
    assert again.digest == report.digest
    assert (tmp_path / "again.model").read_bytes() == report.path.read_bytes()


@pytest.mark.slow
def test_another_seed_gives_another_file(report: TrainingReport, good_paths: list[Path], tmp_path: Path) -> None:
    other = train_images(good_paths, tmp_path / "o.model", SMALL.model_copy(update={"seed": 7}))
    assert other.digest != report.digest
    assert other.threshold.value == pytest.approx(report.threshold.value, rel=0.2)


def test_the_file_scores_as_the_training_did(report: TrainingReport) -> None:
    assert report.manifest.metrics["parity"] <= 1e-3


def test_the_threshold_uses_the_score_of_every_image_held_out_once(
    report: TrainingReport, good_paths: list[Path]
) -> None:
    assert len(report.manifest.scores) == len(good_paths) == report.manifest.threshold.sample
    above = sum(score > report.threshold.value for score in report.manifest.scores)
    assert above <= 0.1 * len(good_paths)


@pytest.mark.slow
def test_progress_only_goes_forward_to_the_end(good_paths: list[Path], tmp_path: Path) -> None:
    seen: list[TrainingProgress] = []
    train_images(good_paths[:8], tmp_path / "m.model", SMALL, on_progress=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert list(dict.fromkeys(progress.stage for progress in seen)) == [
        "reading",
        "features",
        "drawn",
        "threshold",
        "fit",
        "export",
        "writing",
    ]
    assert all(progress.seconds_left is not None and progress.seconds_left >= 0 for progress in seen)


@pytest.mark.slow
def test_comparing_turned_copies_is_part_of_the_progress(good_paths: list[Path], tmp_path: Path) -> None:
    seen: list[TrainingProgress] = []
    settings = SMALL.model_copy(update={"rotation": "auto"})
    report = train_images(good_paths[:12], tmp_path / "m.model", settings, on_progress=seen.append)
    assert report.manifest.rotation is not None
    assert report.manifest.rotation.measured
    before_export = [progress.fraction for progress in seen if progress.stage not in {"export", "writing"}]
    assert before_export == sorted(before_export)
    assert 0.8 < before_export[-1] < 1.0


@pytest.mark.slow
def test_no_count_of_the_progress_goes_back(good_paths: list[Path], tmp_path: Path) -> None:
    seen: dict[str, list[int]] = {}
    settings = SMALL.model_copy(update={"rotation": "any"})
    train_images(
        good_paths[:6],
        tmp_path / "any.model",
        settings,
        on_progress=lambda now: seen.setdefault(now.stage, []).append(now.done),
    )
    assert "copies" in seen
    compared: dict[str, list[int]] = {}
    settings = SMALL.model_copy(update={"rotation": "auto"})
    train_images(
        good_paths[:12],
        tmp_path / "auto.model",
        settings,
        on_progress=lambda now: compared.setdefault(now.stage, []).append(now.done),
    )
    assert {"turning", "rotation"} <= compared.keys()
    assert [counts for counts in (*seen.values(), *compared.values()) if counts != sorted(set(counts))] == []


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["reading", "features", "threshold", "fit", "export"])
def test_a_cancelled_training_writes_nothing(good_paths: list[Path], tmp_path: Path, stage: str) -> None:
    cancel = threading.Event()

    def stop(progress: TrainingProgress) -> None:
        if progress.stage == stage:
            cancel.set()

    with pytest.raises(TrainingCancelled):
        train_images(good_paths[:6], tmp_path / "m.model", SMALL, on_progress=stop, cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_too_few_images_are_refused_with_their_number(good_paths: list[Path], tmp_path: Path) -> None:
    twice = good_paths[:4] * 2
    with pytest.raises(InvalidInput) as caught:
        train_images(twice, tmp_path / "m.model", SMALL)
    assert caught.value.code == "too-few-images"
    assert caught.value.values == {"count": 4, "least": 5}


@pytest.mark.slow
def test_damaged_or_double_images_change_nothing_else(good_paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(good_paths[0].read_bytes()[:900])
    clean = train_images(good_paths[:6], tmp_path / "a.model", SMALL)
    untidy = [*good_paths[:6], good_paths[2], tmp_path / "broken.png", tmp_path / "none.png"]
    report = train_images(untidy, tmp_path / "b.model", SMALL)
    assert {path: error.code for path, error in report.skipped.items()} == {
        str(tmp_path / "broken.png"): "image-truncated",
        str(tmp_path / "none.png"): "image-missing",
    }
    assert set(report.warnings) == {"duplicates", "skipped", "sample-too-small"}
    assert report.images == 6
    assert report.threshold == clean.threshold


@pytest.mark.slow
def test_an_image_far_larger_than_the_others_is_skipped(good_paths: list[Path], tmp_path: Path) -> None:
    giant = tmp_path / "giant.png"
    giant.write_bytes(encode_png(np.zeros((1500, 1400), np.uint8)))
    report = train_images([*good_paths[:5], giant], tmp_path / "m.model", SMALL)
    assert report.images == 5
    assert {path: error.code for path, error in report.skipped.items()} == {str(giant): "image-scale"}


@pytest.mark.slow
def test_a_sample_too_small_for_the_rate_is_reported(good_paths: list[Path], tmp_path: Path) -> None:
    strict = SMALL.model_copy(update={"false_alarm_rate": 0.01})
    report = train_images(good_paths[:6], tmp_path / "m.model", strict)
    assert report.warnings == ("sample-too-small",)
    assert report.threshold.least_sample == 99


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_model(good_paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "m.model"
    out.write_bytes(b"the model of yesterday")
    # From the moment the file is written the system refuses files above 64 KB, as it would without room.
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "import inspection.anomaly.training.train as training\n"
        "from models.errors import Unavailable\n"
        "write = training.write_atomically\n"
        "def limited(path, data):\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "    write(path, data)\n"
        "training.write_atomically = limited\n"
        "try:\n"
        "    training.train_images([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]),\n"
        "        training.TrainingSettings(bank_size=200, folds=2))\n"
        "except Unavailable as error:\n"
        "    print(error.code)\n"
    )
    arguments = [sys.executable, "-c", program, str(out), *map(str, good_paths[:5])]
    finished = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "file-disk-full"
    assert out.read_bytes() == b"the model of yesterday"
    assert [path.name for path in tmp_path.iterdir()] == ["m.model"]


def test_a_place_that_cannot_be_written_is_reported_before_any_image_is_read(
    good_paths: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    seen: list[TrainingProgress] = []
    with pytest.raises(Unavailable) as caught:
        train_images(good_paths, tmp_path / "file" / "m.model", SMALL, on_progress=seen.append)
    assert caught.value.code == "file-not-written"
    assert seen == []


def test_an_image_that_changes_while_it_is_learnt_from_ends_the_training(
    good_paths: list[Path], tmp_path: Path
) -> None:
    copies = [Path(shutil.copy(path, tmp_path)) for path in good_paths[:5]]

    def change(progress: TrainingProgress) -> None:
        if (progress.stage, progress.done) == ("reading", 5):
            copies[2].write_bytes(good_paths[7].read_bytes())

    with pytest.raises(UnreadableImage) as caught:
        train_images(copies, tmp_path / "m.model", SMALL, on_progress=change)
    assert caught.value.code == "image-changed"
    assert not (tmp_path / "m.model").exists()


def test_a_missing_backbone_is_reported_with_what_to_do(
    good_paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_BACKBONES", str(tmp_path / "none"))
    with pytest.raises(Unavailable) as caught:
        train_images(good_paths, tmp_path / "m.model", SMALL)
    assert caught.value.code == "backbone-missing"
    for language in LANGUAGES:
        assert "`imageflow model backbone`" in caught.value.text(language).advice


def test_torch_is_not_imported_to_train_or_to_inspect(report: TrainingReport, good_paths: list[Path]) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from inspection.anomaly import load_bundle, train_images\n"
        "import inspection.anomaly.training.train, inspection.evaluation, inspection.pipeline, inspection.sources\n"
        "from inspection.imaging.files import read_image\n"
        "load_bundle(Path(sys.argv[1])).score(read_image(Path(sys.argv[2])))\n"
        "print('torch' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", program, str(report.path), str(good_paths[0])]
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_model_can_be_loaded_with_its_backbone_gone(
    report: TrainingReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_BACKBONES", str(tmp_path))
    assert load_bundle(report.path).threshold == report.threshold.value


def test_scores_do_not_depend_on_the_threads(report: TrainingReport, good_paths: list[Path]) -> None:
    pixels = read_image(good_paths[3])[:, ::-1].copy()
    one, two = (load_bundle(report.path, threads=count).score(pixels).score for count in (1, 2))
    assert one == pytest.approx(two, rel=1e-4)


def test_a_grey_image_scores_like_its_rgb_copy(model: AnomalyModel, good_paths: list[Path]) -> None:
    grey = read_image(good_paths[0], mode="grey")
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    assert model.score(grey).score == pytest.approx(model.score(rgb).score, rel=1e-5)


def test_a_darker_image_of_less_contrast_hardly_moves_the_score(model: AnomalyModel, good_paths: list[Path]) -> None:
    pixels = np.ascontiguousarray(read_image(good_paths[0])[::-1])
    darker = (pixels * 0.7 + 20).astype(np.uint8)
    assert model.score(darker).score == pytest.approx(model.score(pixels).score, rel=0.1)


@pytest.mark.parametrize("shape", [(320, 320, 3), (1, 1, 3), (7, 400), (321, 33, 3)])
def test_a_heatmap_of_the_size_of_its_image_peaks_at_the_score(model: AnomalyModel, shape: tuple[int, ...]) -> None:
    scored = model.score(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    assert scored.heatmap.shape == shape[:2]
    assert scored.heatmap.dtype == np.float32
    assert scored.heatmap.max() <= scored.score * 1.0001
    assert np.isfinite(scored.score)


def test_an_image_of_quite_another_size_is_refused_with_the_size_expected(model: AnomalyModel) -> None:
    with pytest.raises(DoesNotFit) as caught:
        model.score(np.zeros((3000, 3000), np.uint8))
    assert caught.value.code == "image-scale"
    assert caught.value.values == {"width": 3000, "height": 3000, "expected": 320}


def test_the_median_image_fills_the_working_size() -> None:
    scale = choose_scale([(100, 100), (200, 200), (400, 400)])
    assert scale == pytest.approx(1.44)
    blocks = np.random.default_rng(0).integers(0, 256, (10, 23), dtype=np.uint8)
    prepared = prepare(np.kron(blocks, np.ones((20, 10), np.uint8)), scale)
    assert prepared.tensor.shape == (1, 3, 288, 352)
    assert (prepared.height, prepared.width, prepared.top, prepared.left) == (288, 331, 0, 10)
    image = prepared.tensor[0, 0, :, 10 : 10 + 331]
    assert abs(image.mean()) < 0.02
    assert image.std() == pytest.approx(0.35, abs=0.03)


def test_grain_finer_than_a_patch_is_smoothed_away() -> None:
    grain = np.random.default_rng(0).integers(100, 156, (320, 320), dtype=np.uint8)
    shade = np.kron(np.array([[100, 156], [156, 100]], np.uint8), np.ones((160, 160), np.uint8))
    assert prepare(grain, 1.0).tensor.std() < 0.5 * prepare(shade, 1.0).tensor.std()


@pytest.mark.slow
def test_castings_are_separated(data: Path, backbone: object, tmp_path: Path) -> None:
    good = sorted((data / "casting" / "train" / "ok_front").iterdir())[:40]
    report = train_images(good, tmp_path / "casting.model", SMALL)
    model = load_bundle(report.path)

    def scores(folder: str) -> list[float]:
        files = sorted((data / "casting" / "test" / folder).iterdir())
        return [model.score(read_image(path)).score for path in files]

    area = image_auroc(scores("ok_front"), scores("def_front"))
    assert area is not None
    assert area >= 0.93


def copies_of_one_image(folder: Path, count: int) -> list[Path]:
    """Files of one picture, no two the same."""
    picture = encode_png(np.random.default_rng(1).integers(0, 255, (48, 48)).astype(np.uint8))
    paths = []
    for number in range(count):
        reported = b"tEXtComment\0" + str(number).encode()
        chunk = struct.pack(">I", len(reported) - 4) + reported + struct.pack(">I", zlib.crc32(reported))
        paths.append(folder / f"{number}.png")
        paths[-1].write_bytes(picture[:33] + chunk + picture[33:])
    return paths


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["quantile", "tail"])
def test_copies_of_one_picture_are_reported_as_that(tmp_path: Path, backbone: object, rule: PolicyName) -> None:
    paths = copies_of_one_image(tmp_path, 20)
    settings = SMALL.model_copy(update={"method": "padim", "threshold": rule})
    with pytest.raises(InvalidInput) as caught:
        train_images(paths, tmp_path / "m.model", settings)
    assert caught.value.code == "images-all-alike"
    assert caught.value.values == {"count": 20}
    assert not (tmp_path / "m.model").exists()


def test_strips_of_a_line_camera_have_a_manifest_however_long_they_are() -> None:
    sizes = ((400, 21_000), (400, 90_000), (400, 95_000))
    strips = TrainingSet(files=(), sizes=sizes, given_sizes=sizes, duplicates=0, skipped={})
    reported = build_preprocessing(strips, network_area(strips.sizes, 288), aligned=False)
    assert (reported.median_height, reported.median_width) == (400, 90_000)


def test_a_line_that_would_grow_to_a_huge_image_is_refused() -> None:
    assert prepare(np.zeros((2, 9000), np.uint8), 1.0).tensor.shape == (1, 3, 32, 9024)
    with pytest.raises(DoesNotFit) as caught:
        prepare(np.zeros((1, 600_000), np.uint8), 1.0)
    assert caught.value.code == "image-scale"
