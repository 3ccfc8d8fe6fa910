"""Executions with real models and large images: what comes out is what the model says, and what a local run gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inspection.imaging.files import decode_image, encode_png
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from models.pipelines import ModelFile
from models.storage import sha256_of
from tests.support.detector_files import with_description
from tests.support.executing import RESIZE_BLUR, Executing, executing_server, picture
from tests.support.resnet50 import SIDE, ResNet50, exported_resnet50

LARGE = (5_000, 5_000)


def detection(model: str, **parameters: Any) -> dict[str, Any]:
    given = {"model": model, **parameters}
    return {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": given}


def result_of(executing: Executing, state: dict[str, Any]) -> dict[str, Any]:
    """Return the result of an execution on one image, which has completed in its services."""
    assert (state["status"], state["execution_mode"]) == ("completed", "direct_grpc"), state["error"]
    (file,) = [file for file in state["output_files"] if file["output_kind"] == "result"]
    return dict(json.loads(executing.content(file["file_id"])))


@pytest.fixture(scope="module")
def photo() -> bytes:
    """An image of the size that ResNet-50 takes, so that nothing but its values decides."""
    smooth = cv2.GaussianBlur(picture(SIDE, SIDE, 1), (0, 0), 6)
    return encode_png(cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory, photo: bytes) -> ResNet50:
    folder = tmp_path_factory.mktemp("resnet50")
    (folder / "photo.png").write_bytes(photo)
    return exported_resnet50(folder, folder / "photo.png")


@pytest.fixture(scope="module")
def classifying(tmp_path_factory: pytest.TempPathFactory, resnet: ResNet50) -> Iterator[Executing]:
    with executing_server(tmp_path_factory.mktemp("classifying"), models={"resnet50": resnet.graph}) as running:
        yield running


@pytest.mark.slow
def test_a_real_resnet50_says_in_an_execution_what_torch_says(
    classifying: Executing, resnet: ResNet50, photo: bytes
) -> None:
    pipeline = classifying.pipeline(detection("resnet50"))
    result = result_of(classifying, classifying.ended(classifying.start(pipeline, ("photo.png", photo))))
    (found,) = result["detections"]
    assert found["class_name"] == resnet.best
    assert found["confidence"] == pytest.approx(resnet.confidence, abs=1e-3)
    assert (found["bbox"]["width"], found["bbox"]["height"]) == (SIDE, SIDE)


@pytest.mark.slow
def test_the_threshold_of_a_request_leaves_out_what_is_below_it(
    classifying: Executing, resnet: ResNet50, photo: bytes
) -> None:
    pipeline = classifying.pipeline(detection("resnet50"))
    parameters = {"find": {"confidence": min(1.0, resnet.confidence + 0.01)}}
    execution = classifying.start(pipeline, ("photo.png", photo), parameters=parameters)
    assert result_of(classifying, classifying.ended(execution))["detections"] == []


def test_an_execution_finds_with_a_model_file_that_was_uploaded(executing: Executing, tmp_path: Path) -> None:
    bundle = with_description(tmp_path).read_bytes()
    sha256, client = sha256_of(bundle), executing.served["supervisor"]
    announced = {"sha256": sha256, "size": len(bundle), "content_type": "application/zip"}
    assert not client.post("/inspection/sync/upload", json=announced).json()["complete"]
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Range": f"bytes 0-{len(bundle) - 1}/{len(bundle)}",
    }
    sent = client.post("/inspection/sync/upload", params={"sha256": sha256}, content=bundle, headers=headers)
    assert sent.json()["complete"], sent.text
    record = ModelFile(name="m", model_kind="detector", sha256=sha256, size_bytes=len(bundle))
    with executing.served.context.database.transaction() as session:
        session.add(record)
    state = executing.ended(executing.start(executing.pipeline(detection(record.id))))
    assert [found["class_name"] for found in result_of(executing, state)["detections"]] == ["a"]


@pytest.mark.slow
def test_an_image_of_25_megapixels_gives_what_a_local_run_gives(executing: Executing) -> None:
    rows, columns = np.mgrid[0 : LARGE[1], 0 : LARGE[0]]
    pixels = np.dstack([rows % 251, columns % 241, (rows + columns) % 239]).astype(np.uint8)
    done, data = cv2.imencode(".jpg", pixels)
    assert done
    full = {"id": "blur", "component": "filter", "inputs": {"image": "input"}, "parameters": {"radius": 2.0}}
    small = {**RESIZE_BLUR[0], "inputs": {"image": "blur"}}
    state = executing.ended(executing.start(executing.pipeline(full, small), ("large.jpg", data.tobytes())))
    result_of(executing, state)
    local = Runner(validate_definition(PipelineDefinition.parse({"name": "P", "steps": [full, small]})))
    expected = local.run(decode_image(data.tobytes())).overlay
    (file,) = [file for file in state["output_files"] if file["output_kind"] == "picture"]
    np.testing.assert_array_equal(decode_image(executing.content(file["file_id"])), expected)
