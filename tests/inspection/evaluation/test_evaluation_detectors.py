import json
from pathlib import Path

import pytest

from inspection.anomaly import TrainingReport
from inspection.detection.model.detector import Detector
from inspection.detection.model_file.loading import load_detection_model
from inspection.evaluation.detectors import evaluate_detector
from inspection.imaging.files import encode_png
from inspection.imaging.frames import as_rgb
from inspection.imaging.opencv import cv2
from models.errors import DoesNotFit
from tests.support.command import run


@pytest.fixture(scope="module")
def weights(data: Path) -> Path:
    return data / "weights" / "yolo11n_int8_320.onnx"


@pytest.fixture(scope="module")
def labelled(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of bottles on a belt, labelled with what the detector itself finds there; one box less on the last."""
    detector = load_detection_model(weights)
    assert isinstance(detector, Detector)
    folder = tmp_path_factory.mktemp("frames")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    capture = cv2.VideoCapture(str(data / "video" / "bottle-detection.mp4"))
    for number in (0, 60, 120):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        read, frame = capture.read()
        assert read
        pixels = as_rgb(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        height, width = pixels.shape[:2]
        found = detector.find(pixels)
        lines = [
            f"{int(kind)} {(x0 + x1) / 2 / width} {(y0 + y1) / 2 / height} {(x1 - x0) / width} {(y1 - y0) / height}"
            for (x0, y0, x1, y1), kind in zip(found.boxes.tolist(), found.classes, strict=True)
        ]
        assert lines
        (folder / "images" / f"{number}.png").write_bytes(encode_png(pixels))
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines) + "\n")
    capture.release()
    names = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(detector.description.names))
    (folder / "data.yaml").write_text(f"train: images\nval: images\nnames:\n{names}")
    return folder / "data.yaml"


@pytest.mark.slow
def test_a_detector_finds_all_of_what_it_labelled_itself(weights: Path, labelled: Path) -> None:
    detector = load_detection_model(weights)
    assert isinstance(detector, Detector)
    seen: list[tuple[int, int]] = []
    found = evaluate_detector(detector, labelled, on_progress=lambda done, total: seen.append((done, total)))
    assert found["map50"] > 0.99
    assert found["map50_95"] > 0.98
    assert found["images"] == 3
    assert found["boxes"] == sum(values["boxes"] for values in found["classes"].values())
    assert found["classes"]["bottle"]["map50"] > 0.99
    assert found["classes"]["zebra"]["map50"] is None
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p95"]
    assert seen[-1] == (3, 3)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.slow
def test_classes_of_other_names_are_refused(weights: Path, labelled: Path, tmp_path: Path) -> None:
    detector = load_detection_model(weights)
    assert isinstance(detector, Detector)
    (tmp_path / "data.yaml").write_text(
        f"path: {labelled.parent}\ntrain: images\nval: images\nnames: [{', '.join(f'c{n}' for n in range(80))}]\n"
    )
    with pytest.raises(DoesNotFit) as caught:
        evaluate_detector(detector, tmp_path / "data.yaml")
    assert caught.value.code == "evaluation-classes"


@pytest.mark.slow
def test_the_command_measures_a_detector_with_options_of_its_own(
    capsys: pytest.CaptureFixture[str], weights: Path, labelled: Path, report: TrainingReport, tmp_path: Path
) -> None:
    code, out, err = run(capsys, "evaluate", "--model", weights, "--data", labelled, "--json")
    assert code == 0, err
    assert {"map50", "map50_95", "classes", "latency_ms"} <= json.loads(out).keys()
    code, out, _ = run(capsys, "evaluate", "--model", weights, "--data", labelled)
    assert code == 0
    assert "mAP50-95" in out
    for arguments, reported in (
        (("--model", weights, "--good", tmp_path, "--defect", tmp_path), "--data"),
        (("--model", report.path, "--data", labelled), "--good"),
        (("--model", report.path), "--good"),
        (("--model", weights, "--data", labelled, "--out", tmp_path / "r.html"), "--data"),
    ):
        code, out, err = run(capsys, "evaluate", *arguments)
        assert (code, out) == (2, ""), arguments
        assert reported in err
