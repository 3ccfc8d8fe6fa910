"""Export of a checkpoint to OpenVINO graphs; runs in the training subprocess."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspection.detection.graph import letterbox
from inspection.detection.graph.reading import read_graph
from inspection.imaging.files import read_image
from inspection.imaging.frames import as_rgb
from inspection.runtime.openvino_import import openvino as ov

MAX_CALIBRATION_IMAGES = 300


def export_float32(checkpoint: Path, folder: Path, image_size: int) -> Path:
    """Export a checkpoint as an OpenVINO graph in float32 and return its folder, with ``metadata.yaml``."""
    # The library exports next to the checkpoint.
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "model.pt"
    shutil.copyfile(checkpoint, copy)
    model = importlib.import_module("ultralytics").YOLO(str(copy), task="detect")
    made = Path(model.export(format="openvino", imgsz=image_size, dynamic=False, verbose=False, device="cpu"))
    target = folder / "fp32"
    shutil.rmtree(target, ignore_errors=True)
    made.replace(target)
    copy.unlink()
    return target


def quantise(source: Path, target: Path, images: Sequence[Path], on_progress: Callable[[int, int], None]) -> Path:
    """Quantise a float32 graph to INT8, calibrated on images, and return its folder.

    The end of the head, which computes scores and corners, stays in float32 as in ultralytics' INT8 export: its values
    span the whole image, so a step of eight bits would be several pixels.

    Args:
        source: folder of ``export_float32``.
        target: folder to create.
        images: calibration images, from the training part of the data.
        on_progress: called with the number of images done and the total.
    """
    nncf: Any = importlib.import_module("nncf")
    ranges: Any = importlib.import_module("nncf.quantization.range_estimator")
    parameters: Any = importlib.import_module("nncf.quantization.advanced_parameters")
    model, description = read_graph(source)
    chosen = images[:: max(1, -(-len(images) // MAX_CALIBRATION_IMAGES))]
    done = 0

    def tensor(path: Path) -> Any:
        nonlocal done
        pixels = as_rgb(read_image(path))
        place = letterbox.fit(pixels.shape[0], pixels.shape[1], description.height, description.width)
        drawn = np.empty((description.height, description.width, 3), np.uint8)
        letterbox.draw(pixels, place, drawn)
        done = min(done + 1, len(chosen))
        on_progress(done, len(chosen))
        return (drawn.transpose(2, 0, 1)[None].astype(np.float32)) / np.float32(255)

    def quantised(activations: Any) -> Any:
        return nncf.quantize(
            model,
            nncf.Dataset(list(chosen), tensor),
            preset=nncf.QuantizationPreset.MIXED,
            # CPUs without VNNI accumulate pairs of products in 16 bits; weights of 7 bits prevent overflow, so that the
            # file gives the same result on every CPU.
            advanced_parameters=parameters.AdvancedQuantizationParameters(
                overflow_fix=parameters.OverflowFix.ENABLE, activations_range_estimator_params=activations
            ),
            subset_size=len(chosen),
            ignored_scope=nncf.IgnoredScope(names=head_operations(model), validate=False),
        )

    try:
        # Ranges from histograms instead of the mean of extremes preserve precision.
        made = quantised(ranges.RangeEstimatorParametersSet.HISTOGRAM)
    except ValueError as error:
        # A barely trained network has nearly constant layers, whose range is too narrow for a histogram.
        if "bins" not in str(error):
            raise
        done = 0
        made = quantised(ranges.RangeEstimatorParameters())
    target.mkdir(parents=True, exist_ok=True)
    ov.save_model(made, target / "model.xml", compress_to_fp16=False)
    shutil.copyfile(source / "metadata.yaml", target / "metadata.yaml")
    return target


def head_operations(model: Any) -> list[str]:
    """Return the names of the operations after the head's last convolutions, and of every sigmoid of the head."""
    operations = model.get_ordered_ops()
    sigmoids = [operation for operation in operations if operation.get_type_name() == "Sigmoid"]
    if not sigmoids:
        return []
    scope = sigmoids[-1].get_friendly_name().split("/", 1)[0]
    return [
        operation.get_friendly_name()
        for operation in operations
        if operation.get_type_name() == "Sigmoid"
        or operation.get_friendly_name().startswith((f"{scope}/", f"{scope}.dfl"))
    ]
