import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.anomaly import TrainingReport, bundle_digest, load_bundle, read_bundle
from inspection.anomaly.bundle import pack
from inspection.anomaly.export.export import Precision, export_model
from inspection.anomaly.export.parity import PARITY_LIMIT, compare
from inspection.anomaly.export.probes import PROBES, probe_image
from inspection.anomaly.export.quantise import quantise_in_own_process
from inspection.anomaly.export.verification import verify_against, verify_model
from inspection.anomaly.manifest import format_of
from inspection.imaging.datasets import image_files
from inspection.model_library.catalogue import describe_model
from models.errors import DoesNotFit, InvalidInput, Unavailable, UnreadableImage
from models.messages import LocalText
from tests.support.errors import raised_in
from tests.support.offline import HIDERS

PYTEST = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION")
FORMAT_1 = Path(__file__).parent / "formats" / "format-1.model"


def pattern() -> np.ndarray:
    place = np.arange(320 * 320, dtype=np.uint32).reshape(320, 320)
    return ((place // 320 * 7 + place % 320 * 3) % 251).astype(np.uint8)


def rewritten(report: TrainingReport, path: Path, **changes: object) -> Path:
    """The same model with another manifest."""
    bundle = read_bundle(report.path)
    path.write_bytes(pack(bundle.manifest.model_copy(update=changes), bundle.graph, bundle.weights))
    return path


def test_a_file_of_format_1_scores_as_it_did_when_it_was_written() -> None:
    model = load_bundle(FORMAT_1)
    assert model.manifest.format_version == 1
    assert model.score(pattern()).score == pytest.approx(0.42206406593322754, rel=1e-5)
    assert (model.manifest.precision, model.manifest.preprocessing.aligned) == ("fp32", False)
    assert model.manifest.threshold.value == 0.5
    assert describe_model(FORMAT_1)["data"]["images"] == 6
    assert verify_model(FORMAT_1).parity is None


def test_a_file_of_format_1_is_exported_in_the_current_format_with_probe_scores(tmp_path: Path) -> None:
    report = export_model(FORMAT_1, tmp_path / "new.model", "fp32")
    manifest = load_bundle(report.path).manifest
    assert (manifest.format_version, len(manifest.probes)) == (format_of(None, 0), PROBES)
    assert report.parity.difference == 0
    verified = verify_model(report.path)
    assert verified.parity is not None
    assert verified.parity.holds


def test_an_fp32_export_of_a_trained_model_is_the_same_file(
    report: TrainingReport, tmp_path: Path, good_paths: list[Path]
) -> None:
    verified = verify_model(report.path)
    assert verified.parity is not None
    assert verified.parity.difference <= PARITY_LIMIT
    exported = export_model(report.path, tmp_path / "folder" / "copy.model", "fp32", good_paths[:2])
    assert exported.digest == report.digest == bundle_digest(tmp_path / "folder" / "copy.model")
    assert exported.parity.images == 2


def test_a_file_that_scores_otherwise_than_its_training_is_refused_with_the_numbers(
    report: TrainingReport, tmp_path: Path
) -> None:
    wrong = tuple(score * 1.01 for score in report.manifest.probes)
    path = rewritten(report, tmp_path / "wrong.model", probes=wrong)
    with pytest.raises(DoesNotFit) as caught:
        verify_model(path)
    assert caught.value.code == "model-verify-parity"
    assert caught.value.values == {
        "name": "wrong.model", "reference": caught.value.values["reference"], "difference": "0.99 %", "limit": "0.1 %",
        "flips": 0, "images": len(wrong),
    }  # fmt: skip
    reference = caught.value.values["reference"]
    assert isinstance(reference, LocalText)
    assert reference.code == "model-own-training"


def test_two_models_that_judge_an_image_differently_do_not_agree(
    report: TrainingReport, tmp_path: Path, good_paths: list[Path]
) -> None:
    changed = report.manifest.threshold.model_copy(update={"value": 0.001})
    strict = rewritten(report, tmp_path / "strict.model", threshold=changed)
    assert verify_against(report.path, report.path, good_paths[:2]).parity is not None
    with pytest.raises(DoesNotFit) as caught:
        verify_against(strict, report.path, image_files(good_paths[0].parent)[:3])
    assert (caught.value.values["difference"], caught.value.values["flips"]) == ("0 %", 3)


@pytest.mark.slow
def test_an_int8_model_with_other_scores_is_rejected_with_the_numbers(
    report: TrainingReport, tmp_path: Path, good_paths: list[Path]
) -> None:
    with pytest.raises(DoesNotFit) as caught:
        export_model(report.path, tmp_path / "small.model", "int8", good_paths[:4])
    assert caught.value.code == "model-export-parity"
    difference, unit = str(caught.value.values["difference"]).split()
    assert (unit, caught.value.values["limit"]) == ("%", "0.1 %")
    assert float(difference) > 100 * PARITY_LIMIT
    for language in ("en", "ja"):
        detail = caught.value.text(language).detail
        assert "INT8" in detail
        assert str(caught.value.values["difference"]) in detail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_int8_model_that_scores_the_same_says_what_it_is(tmp_path: Path, good_paths: list[Path]) -> None:
    # The sample has no convolution, so nothing of it is quantised.
    exported = export_model(FORMAT_1, tmp_path / "small.model", "int8", good_paths[:2])
    model = load_bundle(exported.path)
    assert (exported.precision, model.manifest.precision) == ("int8", "int8")
    assert "nncf" in model.manifest.versions
    assert verify_against(exported.path, FORMAT_1).parity is not None
    with pytest.raises(InvalidInput) as caught:
        export_model(exported.path, tmp_path / "back.model", "fp32")
    assert caught.value.code == "model-not-fp32"


def test_int8_without_an_image_is_refused(report: TrainingReport, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        export_model(report.path, tmp_path / "small.model", "int8")
    assert caught.value.code == "too-few-images"


@pytest.mark.slow
def test_what_keeps_the_quantisation_from_working_is_reported(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"junk")
    with pytest.raises(Unavailable) as caught:
        quantise_in_own_process(FORMAT_1, [broken])
    assert caught.value.code == "quantise-failed"
    assert "broken.png" in str(caught.value.values["reason"])


def test_a_missing_package_for_int8_is_reported_by_name(
    tmp_path: Path, good_paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nncf.py").write_text("raise ModuleNotFoundError('No module named nncf', name='nncf')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        quantise_in_own_process(FORMAT_1, good_paths[:1])
    assert caught.value.code == "quantise-packages-missing"
    assert caught.value.values["package"] == "nncf"


@pytest.mark.slow
def test_quantising_talks_to_nobody(tmp_path: Path, good_paths: list[Path]) -> None:
    program = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, arguments: seen.append((event,)) if event.startswith('socket.') else None)\n"
        "from pathlib import Path\n"
        "from inspection.anomaly.export.quantise import quantise\n"
        "quantise(Path(sys.argv[1]), Path(sys.argv[2]), [Path(sys.argv[3])])\n"
        "print([event for event in seen if event[0].startswith('socket.connect') or 'getaddrinfo' in event[0]],\n"
        "      sys.modules.get('openvino_telemetry'))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in {*HIDERS, *PYTEST}}
    arguments = [sys.executable, "-c", program, str(FORMAT_1), str(tmp_path), str(good_paths[0])]
    finished = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.strip().splitlines()[-1] == "[] None"


def test_a_place_that_cannot_be_written_is_reported_before_the_work(report: TrainingReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(Unavailable) as caught:
        export_model(report.path, tmp_path / "file" / "m.model", "fp32")
    assert caught.value.code == "file-not-written"


@given(scores=st.lists(st.floats(0.01, 100), min_size=1, max_size=20), threshold=st.floats(0.01, 100))
def test_scores_agree_only_where_they_are_equal(scores: list[float], threshold: float) -> None:
    assert compare(scores, scores, threshold).holds
    assert not compare(scores, [score * 1.002 for score in scores], threshold).holds


def test_a_score_that_is_no_number_never_agrees() -> None:
    for found in (float("nan"), float("inf")):
        parity = compare([1.0, 1.0], [1.0, found], 2.0)
        assert not parity.holds
        assert (parity.difference, parity.percent_text) == (float("inf"), "∞ %")
    with pytest.raises(ValueError, check=raised_in(compare)):
        compare([], [], 1.0)


def test_probes_are_the_same_everywhere() -> None:
    image = probe_image(1, 40, 56)
    assert image.shape == (40, 56)
    assert (int(image.sum()), int(image[7, 11]), int(image[39, 55])) == (348280, 91, 240)
    assert not (probe_image(0, 40, 56) == image).all()
    large = probe_image(3, 700, 90)
    assert (int(large.sum()), int(large[255, 89]), int(large[256, 0]), int(large[699, 44])) == (9158688, 183, 167, 67)


def test_a_self_contained_file_verifies_elsewhere(report: TrainingReport, tmp_path: Path) -> None:
    copied = Path(shutil.copy(report.path, tmp_path / "elsewhere.model"))
    assert json.loads(json.dumps(list(load_bundle(copied).manifest.probes))) == list(report.manifest.probes)
    assert len(report.manifest.probes) == PROBES


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_calibration_image_that_cannot_be_read_is_reported_as_that(
    tmp_path: Path, good_paths: list[Path], precision: Precision
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(good_paths[0].read_bytes()[:200])
    with pytest.raises(UnreadableImage) as caught:
        export_model(FORMAT_1, tmp_path / "small.model", precision, [good_paths[0], broken])
    assert caught.value.code == "image-truncated"
    assert list(tmp_path.iterdir()) == [broken]
