"""Detections of ultralytics' ``predict``, for comparison; run in a subprocess.

``python -m inspection.detection.training.ultralytics_predict REQUESTS.json`` with the environment of
``quiet_environment``.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from inspection.imaging.files import read_image
from inspection.imaging.opencv import cv2


def predict(model: Any, images: list[str], **arguments: Any) -> list[dict[str, Any]]:
    """Return corners, scores and classes for each image, and the milliseconds from letterbox to suppression.

    Args:
        model: ultralytics' ``YOLO``.
        images: paths; decoded by the product, so that both sides get the same pixels.
        arguments: ``conf``, ``iou``, ``imgsz``… of ``predict``.
    """
    found = []
    for path in images:
        # ultralytics expects BGR arrays, as OpenCV.
        pixels = cv2.cvtColor(read_image(Path(path)), cv2.COLOR_RGB2BGR)
        began = time.perf_counter()
        boxes = model.predict(pixels, verbose=False, save=False, **arguments)[0].boxes
        found.append(
            {
                "milliseconds": (time.perf_counter() - began) * 1000,
                "boxes": boxes.xyxy.tolist(),
                "scores": boxes.conf.tolist(),
                "classes": [int(value) for value in boxes.cls.tolist()],
            }
        )
    return found


def load(path: str) -> Any:
    """Return ultralytics' ``YOLO`` for a checkpoint or an exported folder."""
    from inspection.detection.training.torchvision_operators import provide_missing_operators
    from inspection.runtime.openvino_import import openvino

    # Imported first: it blocks OpenVINO's import telemetry.
    del openvino
    provide_missing_operators()
    return importlib.import_module("ultralytics").YOLO(path, task="detect")


def compute_in(precision: str) -> None:
    """Make every OpenVINO model of this process compute in ``precision`` (``f32`` or ``bf16``).

    ultralytics leaves it to OpenVINO, which takes bfloat16 on processors that have it; boxes then differ from one kind
    of processor to the next.
    """
    from inspection.runtime.openvino_import import openvino

    compile_model = openvino.Core.compile_model

    def compile_with_precision(core: Any, model: Any, device_name: str = "CPU", config: Any = None) -> Any:
        return compile_model(core, model, device_name, {**(config or {}), "INFERENCE_PRECISION_HINT": precision})

    openvino.Core.compile_model = compile_with_precision


def main(arguments: list[str]) -> int:
    """Process the requests in the file named by the first argument, writing each result to the file it names."""
    for request in json.loads(Path(arguments[0]).read_text(encoding="utf-8")):
        if request.get("threads"):
            importlib.import_module("torch").set_num_threads(request["threads"])
        if request.get("precision"):
            compute_in(request["precision"])
        found = predict(load(request["model"]), request["images"], **request["arguments"])
        Path(request["answer"]).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
