"""A pipeline gives the same whether its steps run here, in services of this process, or in services of their own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.imaging.files import decode_image, encode_netpbm
from inspection.model_files.step_models import StepModel
from inspection.model_library.loading import load_model
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from models.results import Detection
from server.core.settings import ServerSettings
from server.objects.store import ObjectStore
from server.services.clients import ServiceClients
from server.services.step_services import StoredImage
from tests.support.grpc_services import UNARY, hosting
from tests.support.server_process import service

FIT = {"width": 640, "height": 480, "mode": "fit"}
PIPELINES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "resize, detection, filter": [
        ("resize", FIT),
        ("ai_detection", {"model": "yolo11", "confidence": 0.3}),
        ("filter", {"filter_type": "sharpen", "amount": 0.7}),
    ],
    "fill, detection of some classes": [
        ("resize", {"width": 500, "height": 500, "mode": "fill", "enlarge": True}),
        ("ai_detection", {"model": "yolo11", "confidence": 0.2, "iou": 0.4, "class_confidence": {"person": 0.6}}),
        ("filter", {"filter_type": "blur", "radius": 3}),
    ],
    "stretch, edges": [
        ("resize", {"width": 333, "height": 77, "mode": "stretch"}),
        ("filter", {"filter_type": "edge", "low": 30.5, "high": 90.25}),
    ],
    "filters": [("filter", {"filter_type": "blur", "radius": 0.8}), ("filter", {"filter_type": "clahe", "clip": 3})],
}


@pytest.fixture(scope="module")
def detector(data: Path) -> Path:
    return data / "weights" / "yolo11n_int8_320.onnx"


@pytest.fixture(scope="module")
def images(data: Path) -> list[bytes]:
    """A photo of each of several kinds, and a frame of a video with things that the detector knows."""
    import cv2

    found = [next(iter(sorted((data / kind).rglob("*.[jp][pn]*g")))) for kind in ("casting", "juice", "codes_dpm")]
    video = cv2.VideoCapture(str(data / "video" / "bottle-detection.mp4"))
    for _ in range(40):
        _, frame = video.read()
    video.release()
    return [*(path.read_bytes() for path in found), encode_netpbm(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))]


@contextmanager
def connected(folder: Path, detector: Path, *, apart: bool) -> Iterator[Mapping[str, str]]:
    """Addresses of services in this process, or each in a process of its own."""
    if not apart:
        with hosting(folder, models={"yolo11": detector}) as hosted:
            yield hosted.addresses
        return
    with ExitStack() as stack:
        options = ("--data-dir", str(folder), "--model", f"yolo11={detector}")
        yield {key: stack.enter_context(service(key, *options)) for key in UNARY}


def locally(steps: list[tuple[str, dict[str, Any]]], image: bytes, model: StepModel) -> tuple[Any, list[Detection]]:
    named, last = [], "input"
    for number, (component, parameters) in enumerate(steps):
        named.append({"id": f"s{number}", "component": component, "parameters": parameters, "inputs": {"image": last}})
        last = last if component == "ai_detection" else f"s{number}"
    definition = PipelineDefinition.parse({"name": "P", "steps": named})
    outcome = Runner(validate_definition(definition), {"yolo11": model}).run(decode_image(image))
    return outcome.overlay, outcome.result.detections


def in_services(
    steps: list[tuple[str, dict[str, Any]]], image: bytes, addresses: Mapping[str, str], objects: ObjectStore
) -> tuple[Any, list[Detection]]:
    sha256 = hashlib.sha256(image).hexdigest()
    objects.put(sha256, image)
    height, width = decode_image(image).shape[:2]
    key = objects.object_key(sha256)

    async def main() -> tuple[StoredImage, list[Detection]]:
        clients = ServiceClients(ServerSettings())
        await clients.start(addresses)
        current = StoredImage(objects.bucket, key, "image/any", len(image), width, height)
        found: list[Detection] = []
        try:
            for component, parameters in steps:
                assert clients.serves(component, parameters)
                answer = await clients.run(component, parameters, current)
                current = answer.output or current
                found.extend(answer.detections)
        finally:
            await clients.stop()
        return current, found

    last, found = asyncio.run(main())
    return decode_image(objects.read(objects.require_allowed(last.bucket, last.object_key))), found


@pytest.mark.slow
@pytest.mark.parametrize("apart", [False, True], ids=["in one process", "in processes of their own"])
def test_pixels_with_scores_are_the_same_in_services(
    tmp_path: Path, images: list[bytes], detector: Path, *, apart: bool
) -> None:
    objects = ObjectStore(ServerSettings(data_dir=tmp_path).objects)
    model, count = load_model(detector), 0
    with connected(tmp_path, detector, apart=apart) as addresses:
        for steps in PIPELINES.values():
            for image in images:
                pixels, expected = locally(steps, image, model)
                made, found = in_services(steps, image, addresses, objects)
                np.testing.assert_array_equal(made, pixels)
                assert [item.class_name for item in found] == [item.class_name for item in expected]
                assert [item.confidence for item in found] == [item.confidence for item in expected]
                for one, other in zip(found, expected, strict=True):
                    box, same = one.bbox, other.bbox
                    place = (box.x, box.y, box.width, box.height)
                    assert place == pytest.approx((same.x, same.y, same.width, same.height), abs=1e-3)
                count += len(found)
    assert count > 0
