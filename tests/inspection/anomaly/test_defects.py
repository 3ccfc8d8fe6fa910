from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingReport, TrainingSettings, load_bundle, train_images
from inspection.imaging.datasets import defect_images
from inspection.imaging.files import encode_png, read_image
from models.errors import InvalidInput
from models.storage import write_atomically

QUICK = TrainingSettings(backbone="efficientnet-lite0", bank_size=200, folds=2, threshold="f1")


@pytest.fixture(scope="module")
def defects(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two drawn defects, one of them twice, a broken file and one far larger than the parts."""
    folder = tmp_path_factory.mktemp("defects")
    for number, path in enumerate([*sorted((parts / "test" / "scratch").iterdir())[:2]] * 2):
        if number < 3:
            (folder / f"{number}.png").write_bytes(path.read_bytes())
    (folder / "broken.png").write_bytes(b"junk")
    write_atomically(folder / "giant.png", encode_png(np.zeros((1500, 1400), np.uint8)))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def trained(
    backbone: object, good_paths: list[Path], defects: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> TrainingReport:
    out = tmp_path_factory.mktemp("model") / "m.model"
    return train_images(good_paths[:8], out, QUICK, defects=defects)


def test_defects_are_scored_by_the_final_model_unlike_good_images(trained: TrainingReport, defects: list[Path]) -> None:
    model = load_bundle(trained.path)
    by_hand = sorted(model.score(read_image(path)).score for path in defects[:2])
    assert list(model.manifest.defect_scores) == pytest.approx(by_hand, rel=1e-3)
    assert len(model.manifest.scores) == 8
    assert trained.threshold.method == "f1"
    assert trained.threshold.defects == model.manifest.threshold.defects == 2


def test_defects_that_cannot_be_used_are_skipped_with_the_reason(trained: TrainingReport) -> None:
    assert {Path(path).name: error.code for path, error in trained.skipped.items()} == {
        "broken.png": "image-unknown-format",
        "giant.png": "image-scale",
    }
    assert "duplicates" in trained.warnings
    assert trained.manifest.data.defects == 2
    assert trained.manifest.data.defects_digest


@pytest.mark.slow
def test_the_same_defects_in_another_order_give_the_same_file(
    trained: TrainingReport, good_paths: list[Path], defects: list[Path], tmp_path: Path
) -> None:
    again = train_images(good_paths[:8], tmp_path / "m.model", QUICK, defects=list(reversed(defects)))
    assert again.digest == trained.digest


def test_defects_none_of_which_can_be_used_end_the_training(
    good_paths: list[Path], defects: list[Path], tmp_path: Path
) -> None:
    broken = [path for path in defects if path.name == "broken.png"]
    with pytest.raises(InvalidInput) as caught:
        train_images(good_paths[:6], tmp_path / "m.model", QUICK, defects=broken)
    assert caught.value.code == "no-image-usable"


def test_a_rule_that_weighs_defects_is_refused_before_any_image_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        train_images([tmp_path / "none.png"], tmp_path / "m.model", QUICK)
    assert caught.value.code == "threshold-needs-defects"


def test_folders_that_name_good_parts_hold_no_defects(parts: Path, tmp_path: Path) -> None:
    found = defect_images(parts / "test")
    assert found
    assert all(path.parent.name != "good" for path in found)
    (tmp_path / "ok").mkdir()
    (tmp_path / "ok" / "1.png").write_bytes(b"x")
    with pytest.raises(InvalidInput) as caught:
        defect_images(tmp_path)
    assert caught.value.code == "folder-without-images"
