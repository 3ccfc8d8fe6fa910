"""Detectors and classifiers from files, as models of a step."""

import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.components.ai_detection import AI_DETECTION, DetectionParameters
from inspection.components.registry import StepContext
from inspection.components.values import DetectionList
from inspection.detection.graph.reading import read_graph
from inspection.detection.model.classifier import Classifier
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import DetectionSettings
from inspection.detection.model_file.bundle import pack_detector, read_detector
from inspection.detection.model_file.loading import load_detection_model
from inspection.detection.model_file.manifest import FORMAT_VERSION, DetectorManifest
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import resize_picture
from inspection.judging.judgement import Criteria
from inspection.model_library.loading import load_model
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops
from models.errors import DoesNotFit, InvalidInput, NotFound, UserFacingError

BOTTLES = "bottle"


@pytest.fixture(scope="module")
def detector(data: Path) -> Detector:
    model = load_model(data / "weights" / "yolo11n_int8_openvino_model")
    assert isinstance(model, Detector)
    return model


@pytest.fixture(scope="module")
def bottles(data: Path) -> Pixels:
    capture = cv2.VideoCapture(str(data / "video" / "bottle-detection.mp4"))
    read, frame = capture.read()
    capture.release()
    assert read
    return np.ascontiguousarray(frame[:, :, ::-1], dtype=np.uint8)


def classifier_graph(
    folder: Path, *, softmax: bool = True, info: dict[str, Any] | None = None, columns: int = 8
) -> Path:
    """A classifier of the mean colour: one value for each of red, green and blue, from an input of 8 rows."""
    image = ops.parameter([1, 3, 8, columns], np.float32, name="image")
    means = ops.reduce_mean(image, ops.constant(np.array([2, 3])), keep_dims=False)
    last = ops.softmax(means, axis=1) if softmax else means
    model = ov.Model([last], [image], "colours")
    for name, value in (info or {}).items():
        model.set_rt_info(value, ["model_info", name])
    folder.mkdir(exist_ok=True)
    ov.save_model(model, folder / "resnet50.xml", compress_to_fp16=False)
    return folder / "resnet50.xml"


def run_step(model: Any, picture: Picture, **parameters: Any) -> DetectionList:
    context = StepContext(Criteria(), lambda name: model, "detect")
    value = AI_DETECTION.run(DetectionParameters(**parameters), {"image": picture}, context)
    assert isinstance(value, DetectionList)
    return value


def test_images_at_once_are_found_the_same_as_one_alone(data: Path, detector: Detector, bottles: Pixels) -> None:
    several = load_model(data / "weights" / "yolo11n_int8_openvino_model", at_once=2)
    assert isinstance(several, Detector)
    blank = np.zeros_like(bottles)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(several.detect, [bottles, blank] * 6))
    assert found == [detector.detect(bottles), detector.detect(blank)] * 6


def test_a_model_takes_as_many_images_at_once_as_it_may(data: Path, bottles: Pixels) -> None:
    several = load_model(data / "weights" / "yolo11n_int8_320.onnx", at_once=2)
    assert isinstance(several, Detector)
    with several._buffers(), ThreadPoolExecutor(1) as threads:
        assert len(threads.submit(several.detect, bottles).result(timeout=60)) > 0
        with several._buffers():
            waiting = threads.submit(several.detect, bottles)
            assert not waiting.done()
        assert len(waiting.result(timeout=60)) > 0


@pytest.mark.slow
def test_a_detector_runs_without_torch_or_ultralytics_in_the_process(data: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from inspection.model_library.loading import load_model\n"
        "from inspection.pipeline import PipelineDefinition, Runner, validate_definition\n"
        "step = {'id': 'd', 'component': 'ai_detection', 'inputs': {'image': 'input'}}\n"
        "pipeline = PipelineDefinition.parse({'name': 'd', 'steps': [step]})\n"
        "runner = Runner(validate_definition(pipeline), {'default': load_model(Path(sys.argv[1]))})\n"
        "runner.run(np.zeros((48, 64, 3), np.uint8))\n"
        "print([name for name in ('torch', 'torchvision', 'ultralytics', 'nncf', 'matplotlib') if name in sys.modules])"
    )
    model = data / "weights" / "yolo11n_int8_320.onnx"
    finished = subprocess.run([sys.executable, "-c", program, str(model)], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_boxes_lie_on_the_original_whatever_was_done_to_the_picture_before(detector: Detector, bottles: Pixels) -> None:
    original = Picture.original(bottles)
    half = resize_picture(original, 400, 400)
    for picture in (original, half):
        found = run_step(detector, picture, confidence=0.5).detections
        assert [item.class_name for item in found] == [BOTTLES] * 3
        places = sorted((item.bbox.x, item.bbox.y, item.bbox.width, item.bbox.height) for item in found)
        assert places[0] == pytest.approx((57, 110, 66, 204), abs=6)
        assert places[2] == pytest.approx((508, 106, 65, 209), abs=6)


def test_what_lies_in_an_ignored_region_is_not_reported(detector: Detector, bottles: Pixels) -> None:
    mask = np.zeros(bottles.shape[:2], np.bool_)
    mask[:, :200] = True
    found = run_step(detector, Picture.original(bottles).ignoring(mask), confidence=0.5).detections
    assert len(found) == 2
    assert min(item.bbox.x for item in found) > 200


def test_confidence_classes_or_maximum_number_limit_the_detections(detector: Detector, bottles: Pixels) -> None:
    picture = Picture.original(bottles)

    def names(**parameters: Any) -> list[str]:
        return [item.class_name for item in run_step(detector, picture, **parameters).detections]

    low = names(confidence=0.1)
    assert set(low) > {BOTTLES}
    assert names(confidence=0.1, classes=[BOTTLES]) == [BOTTLES] * 3
    assert names(confidence=0.1, class_confidence={BOTTLES: 0.99}) == [name for name in low if name != BOTTLES]
    assert names(confidence=0.99, class_confidence={BOTTLES: 0.1}) == [BOTTLES] * 3
    assert names(confidence=0.1, max_detections=2) == low[:2]


def test_a_class_that_the_model_does_not_know_is_refused_by_its_field(
    detector: Detector,
) -> None:
    parameters = {"model": "m", "classes": [BOTTLES, "bottel"], "class_confidence": {"x": 0.5, BOTTLES: 0.5}}
    steps = [{"id": "see", "component": "ai_detection", "parameters": parameters, "inputs": {"image": "input"}}]
    definition = PipelineDefinition.parse({"name": "p", "steps": steps})
    with pytest.raises(DoesNotFit) as caught:
        Runner(validate_definition(definition), {"m": detector})
    assert caught.value.code == "pipeline-model-class"
    assert {"step": "see", "field": "parameters.classes", "value": "bottel"}.items() <= caught.value.values.items()
    listed = caught.value.members["validation_errors"]
    assert isinstance(listed, list)
    fields = ["steps.see.parameters.classes", "steps.see.parameters.class_confidence"]
    assert [(item["field"], item["value"]) for item in listed] == list(zip(fields, ["bottel", "x"], strict=True))


def test_a_class_the_model_does_not_know_is_refused_by_name(detector: Detector, bottles: Pixels) -> None:
    for settings in (DetectionSettings(classes=frozenset({"bottel"})), DetectionSettings(class_confidence={"x": 0.5})):
        with pytest.raises(InvalidInput) as caught:
            detector.find(bottles, settings)
        assert caught.value.code == "detector-class-unknown"


def test_a_colour_image_of_one_grey_finds_what_the_grey_one_finds(detector: Detector, bottles: Pixels) -> None:
    grey = bottles[:, :, 1].copy()
    first, second = detector.find(grey), detector.find(np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(first.boxes, second.boxes)


def test_a_classifier_reports_its_most_probable_class_over_the_whole_image(tmp_path: Path) -> None:
    path = classifier_graph(tmp_path / "c", info={"labels": "red green blue", "scale_values": "25.5"})
    model = load_model(path)
    assert isinstance(model, Classifier)
    picture = Picture.original(np.full((30, 40, 3), (10, 200, 30), np.uint8))
    (found,) = run_step(model, picture).detections
    assert found.class_name == "green"
    assert found.confidence > 0.99
    assert (found.bbox.x, found.bbox.y, found.bbox.width, found.bbox.height) == (0, 0, 40, 30)
    assert run_step(model, picture, classes=["red"]).detections == ()
    assert run_step(model, picture, class_confidence={"green": 1.0}).detections == ()


def test_logits_become_probabilities_named_by_a_file_of_labels(tmp_path: Path) -> None:
    path = classifier_graph(tmp_path / "c", softmax=False, info={"scale_values": "255"})
    (path.parent / "labels.txt").write_text("rot\ngrün\nblau\n", encoding="utf-8")
    model = load_model(path.parent)
    assert isinstance(model, Classifier)
    values = model.classify(np.full((8, 8, 3), (255, 0, 0), np.uint8))
    np.testing.assert_allclose(values, np.exp([1, 0, 0]) / np.exp([1, 0, 0]).sum(), rtol=1e-5)
    assert model.description.names == ("rot", "grün", "blau")


def test_a_classifier_sees_the_middle_of_an_image_unless_it_takes_wide_ones(
    tmp_path: Path,
) -> None:
    path = classifier_graph(tmp_path / "c")
    (path.parent / "metadata.yaml").write_text("task: classify\nnames: [red, green, blue]\n")
    model = load_model(path)
    assert isinstance(model, Classifier)
    assert model.description.fitting == "crop"
    stripes = np.zeros((160, 320, 3), np.uint8)
    stripes[:, 80:240:2, 0] = 255
    stripes[:, 81:240:2, 1] = 255
    stripes[:, :80, 2] = stripes[:, 240:, 2] = 255
    red, green, blue = model.classify(stripes)
    assert red == pytest.approx(green, rel=0.05)
    assert blue < red
    wide = classifier_graph(tmp_path / "w", columns=16)
    (wide.parent / "metadata.yaml").write_text("task: classify\nnames: [red, green, blue]\n")
    stretched = load_model(wide)
    assert isinstance(stretched, Classifier)
    assert stretched.description.fitting == "stretch"


def test_a_classifier_that_wants_blue_first_gets_it(tmp_path: Path) -> None:
    path = classifier_graph(tmp_path / "c", info={"labels": "b g r", "reverse_input_channels": "NO"})
    model = load_model(path)
    assert isinstance(model, Classifier)
    assert model.classify(np.full((8, 8, 3), (0, 0, 255), np.uint8)).argmax() == 0


def test_the_runner_applies_criteria_to_the_class_of_a_classifier(tmp_path: Path) -> None:
    model = load_model(classifier_graph(tmp_path / "c", info={"labels": "red green blue"}))
    step = {"id": "kind", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "colour"}}
    runner = Runner(validate_definition(PipelineDefinition.parse({"name": "c", "steps": [step]})), {"colour": model})
    outcome = runner.run(np.full((8, 8, 3), (0, 0, 255), np.uint8), Criteria(max_detections={"blue": 0}))
    assert outcome.result.reasons == ["too-many:blue"]
    allowed = runner.run(np.full((8, 8, 3), (0, 0, 255), np.uint8), Criteria(max_detections={"blue": 1}))
    assert allowed.result.reasons == []


def test_what_a_step_lets_pass_is_judged_unless_the_criteria_state_a_bound(detector: Detector, bottles: Pixels) -> None:
    unsure = run_step(detector, Picture.original(bottles), confidence=0.1).detections
    name = next(item.class_name for item in unsure if item.confidence < 0.25)
    wanted = {"confidence": 1.0, "class_confidence": {name: 0.1}}
    step = {"id": "d", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": wanted}
    runner = Runner(
        validate_definition(PipelineDefinition.parse({"name": "d", "steps": [step]})),
        {"default": detector},
    )
    judged = runner.run(bottles).result
    assert judged.reasons == [f"too-many:{name}"]
    assert min(item.confidence for item in judged.detections) < 0.25
    bounded = runner.run(bottles, Criteria(minimum_confidence=0.25)).result
    assert all(item.confidence >= 0.25 for item in bounded.detections)
    assert len(bounded.detections) < len(judged.detections)


def odd_graph(folder: Path, inputs: list[int], outputs: list[int]) -> Path:
    image = ops.parameter(inputs, np.float32, name="image")
    zero = ops.multiply(ops.reduce_mean(image, ops.constant(np.arange(len(inputs)))), ops.constant(np.float32(0)))
    folder.mkdir()
    last = ops.broadcast(zero, ops.constant(np.array(outputs)))
    ov.save_model(ov.Model([last], [image], "odd"), folder / "odd.xml", compress_to_fp16=False)
    return folder / "odd.xml"


def test_what_is_no_model_we_understand_is_refused_with_what_it_is(tmp_path: Path, data: Path) -> None:
    def code(path: Path) -> str:
        with pytest.raises(UserFacingError) as caught:
            load_model(path)
        assert "{" not in str(caught.value)
        return caught.value.code

    assert code(odd_graph(tmp_path / "a", [1, 3, 32, 32], [1, 9, 5])) == "detector-output"
    assert code(odd_graph(tmp_path / "b", [1, 10], [1, 4])) == "detector-input"
    assert code(odd_graph(tmp_path / "c", [1, 3, -1, -1], [1, 4])) == "detector-input"
    assert code(tmp_path / "none.onnx") == "model-missing"
    assert code(tmp_path / "no\0ne.onnx") == "model-missing"
    assert code(tmp_path / f"{'x' * 300}.onnx") == "model-not-readable"
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    assert code(tmp_path / "broken.onnx") == "model-damaged"
    (tmp_path / "empty").mkdir()
    assert code(tmp_path / "empty") == "detector-folder"
    copied = tmp_path / "copied"
    shutil.copytree(data / "weights" / "yolo11n_int8_openvino_model", copied)
    (copied / "metadata.yaml").chmod(0o644)
    (copied / "metadata.yaml").write_text("task: segment\nnames: {0: a}\n")
    assert code(copied) == "detector-output"
    (copied / "metadata.yaml").write_text("task: detect\nnames: {0: a, 7: b}\n")
    assert code(copied) == "detector-metadata"
    (copied / "metadata.yaml").write_text("task: !!python/object/apply:os.getcwd []\n")
    assert code(copied) == "detector-metadata"


def manifest_for(path: Path, **changed: Any) -> DetectorManifest:
    _, description = read_graph(path)
    values = {
        "format_version": FORMAT_VERSION,
        "kind": "detector",
        "name": "bottles",
        "precision": "int8",
        "inference": ["f32"],
        "graph": description,
        "parity": {},
        "map50": 0.5,
        "map50_95": 0.3,
        "classes": {},
        "data": {"train_images": 1, "val_images": 1, "digest": "0" * 64},
        "training": {},
        "seed": 0,
        "versions": {},
    }
    return DetectorManifest.model_validate(values | changed)


def test_the_same_detector_is_packed_into_the_same_bytes(
    data: Path, detector: Detector, bottles: Pixels, tmp_path: Path
) -> None:
    source = data / "weights" / "yolo11n_int8_openvino_model"
    parts = (source / "yolo11n.xml").read_bytes(), (source / "yolo11n.bin").read_bytes()
    packed = pack_detector(manifest_for(source), *parts)
    assert packed == pack_detector(manifest_for(source), *parts)
    path = tmp_path / "bottles.model"
    path.write_bytes(packed)
    loaded = load_model(path)
    assert isinstance(loaded, Detector)
    assert loaded.digest == read_detector(path).digest
    np.testing.assert_array_equal(loaded.find(bottles).boxes, detector.find(bottles).boxes)


def test_a_damaged_newer_or_missing_file_is_refused(data: Path, tmp_path: Path) -> None:
    source = data / "weights" / "yolo11n_int8_openvino_model"
    parts = (source / "yolo11n.xml").read_bytes(), (source / "yolo11n.bin").read_bytes()
    packed = pack_detector(manifest_for(source), *parts)
    path = tmp_path / "m.model"

    def code(content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(InvalidInput) as caught:
            load_detection_model(path)
        return caught.value.code

    middle = len(packed) // 2
    assert code(packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]) == "model-damaged"
    assert code(packed[:middle]) == "model-damaged"
    assert code(pack_detector(manifest_for(source, format_version=FORMAT_VERSION + 1), *parts)) == "model-too-new"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "[]")
    assert code(path.read_bytes()) == "model-damaged"
    with pytest.raises(NotFound):
        load_detection_model(tmp_path / "none.model")


def test_a_detector_named_by_an_anomaly_step_is_refused(detector: Detector) -> None:
    step = {"id": "a", "component": "anomaly", "inputs": {"image": "input"}}
    runner = PipelineDefinition.parse({"name": "a", "steps": [step]})
    with pytest.raises(DoesNotFit) as caught:
        Runner(validate_definition(runner), {"default": detector}).run(np.zeros((32, 32, 3), np.uint8))
    assert caught.value.code == "pipeline-model-kind"


def test_an_image_is_still_a_reference_instead_of_a_detector(tmp_path: Path) -> None:
    path = tmp_path / "reference.png"
    path.write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    assert load_model(path).kind == "reference-image"
