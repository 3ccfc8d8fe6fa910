"""The station's detector beside ultralytics' own ``predict``, on the same files and the same pixels."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from inspection.detection.graph.reading import read_graph
from inspection.detection.graph.suppression import iou_matrix
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import DetectionSettings
from inspection.detection.model_file.loading import load_detection_model
from inspection.detection.training.environment import quiet_environment
from inspection.imaging.files import read_image
from inspection.imaging.opencv import cv2
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.subprocesses import module_command

FRAMES = (0, 60)
ODD_SIZES = ((97, 53), (333, 1001), (1001, 333), (2000, 7))
CONFIDENCE = 0.1


@dataclass(frozen=True)
class Compared:
    """A file in the two ways it was run: by the station and, as boxes, by ultralytics."""

    ours: Detector
    theirs: list[dict[str, list[float]]]


@pytest.fixture(scope="module")
def pictures(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Frames of every clip, one of them in odd sizes and in grey, and photos of codes and castings."""
    folder = tmp_path_factory.mktemp("pictures")
    made = []
    for clip in sorted((data / "video").glob("*.mp4")):
        capture = cv2.VideoCapture(str(clip))
        for number in FRAMES:
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            read, frame = capture.read()
            if read:
                made.append(folder / f"{clip.stem}-{number}.png")
                assert cv2.imwrite(str(made[-1]), frame)
        capture.release()
    bottles = read_image(folder / "bottle-detection-60.png")
    odd = [cv2.resize(bottles, size, interpolation=cv2.INTER_AREA) for size in ODD_SIZES]
    for number, image in enumerate([*odd, bottles[:, :, 1]]):
        made.append(folder / f"odd-{number}.png")
        assert cv2.imwrite(str(made[-1]), image)
    photos = sorted((data / "codes").rglob("*.jpg"))[:3] + sorted((data / "casting").rglob("*.jp*g"))[:2]
    return made + photos


@pytest.fixture(scope="module")
def compared(data: Path, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Compared]:
    """Both YOLO11n files; ultralytics' ONNX runtime is not installed, so it gets that graph as OpenVINO stores it."""
    folder = tmp_path_factory.mktemp("ultralytics")
    weights = data / "weights"
    graph, description = read_graph(weights / "yolo11n_int8_320.onnx")
    converted = folder / "yolo11n_320_openvino_model"
    converted.mkdir()
    ov.save_model(graph, converted / "model.xml", compress_to_fp16=False)
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(description.names))
    reported = f"task: detect\nstride: 32\nbatch: 1\nimgsz: [320, 320]\nargs: {{dynamic: false}}\nnames:\n{names}"
    (converted / "metadata.yaml").write_text(reported)
    files = {
        "openvino": (weights / "yolo11n_int8_openvino_model", weights / "yolo11n_int8_openvino_model"),
        "onnx": (weights / "yolo11n_int8_320.onnx", converted),
    }
    requests = [
        {
            "model": str(theirs),
            "images": [str(path) for path in pictures],
            "answer": str(folder / f"{name}.json"),
            "arguments": {"conf": CONFIDENCE},
            "precision": "f32",
        }
        for name, (_, theirs) in files.items()
    ]
    (folder / "requests.json").write_text(json.dumps(requests))
    subprocess.run(
        module_command("inspection.detection.training.ultralytics_predict", str(folder / "requests.json")),
        env=quiet_environment(folder / "library"),
        check=True,
        capture_output=True,
    )
    found = {}
    for name, (ours, _) in files.items():
        detector = load_detection_model(ours)
        assert isinstance(detector, Detector)
        found[name] = Compared(detector, json.loads((folder / f"{name}.json").read_text()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_boxes_equal_those_of_ultralytics_on_photos_or_frames(
    compared: dict[str, Compared], pictures: list[Path], name: str
) -> None:
    boxes = 0
    for path, theirs in zip(pictures, compared[name].theirs, strict=True):
        ours = compared[name].ours.find(read_image(path), DetectionSettings(confidence=CONFIDENCE))
        assert ours.classes.tolist() == theirs["classes"], path.name
        expected = np.array(theirs["boxes"], np.float32).reshape(-1, 4)
        boxes += len(expected)
        assert (iou_matrix(ours.boxes, expected).diagonal() >= 0.99).all(), path.name
        np.testing.assert_allclose(ours.scores, theirs["scores"], atol=1e-3)
    assert boxes >= 20


def test_a_yolox_file_without_names_finds_the_bottles_at_the_same_places(
    compared: dict[str, Compared], data: Path, pictures: list[Path]
) -> None:
    yolox = load_detection_model(data / "weights" / "yolox_nano.onnx")
    path = next(path for path in pictures if path.stem == "bottle-detection-60")
    found = yolox.detect(read_image(path), DetectionSettings(confidence=0.5))
    expected = compared["openvino"].ours.detect(read_image(path), DetectionSettings(confidence=0.5))
    assert {item.class_name for item in found} == {"class-39"}
    assert {item.class_name for item in expected} == {"bottle"}
    left = sorted(item.bbox.x for item in found)
    assert left == pytest.approx(sorted(item.bbox.x for item in expected), abs=8)
