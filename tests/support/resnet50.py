"""A ResNet-50 of torchvision with random weights as an OpenVINO graph, and what torch itself says of an image.

A process of its own (``python -m tests.support.resnet50``): torch takes memory and seconds that no other test needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CLASSES = 1_000
SIDE = 224
MEAN, SCALE = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of ImageNet, for channels of 0 to 255."""


@dataclass(frozen=True)
class ResNet50:
    """The graph, with the class that torch finds on the image and its probability."""

    graph: Path
    best: str
    confidence: float


def exported_resnet50(folder: Path, image: Path) -> ResNet50:
    """Export the graph into a folder, and ask torch about an image of 224×224 pixels."""
    command = [sys.executable, "-m", "tests.support.resnet50", str(folder), str(image)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads((folder / "torch.json").read_text())
    return ResNet50(folder / "resnet50.xml", told["best"], told["confidence"])


def main(folder: Path, image: Path) -> None:
    """Export, and write what torch says."""
    from inspection.detection.training.torchvision_operators import provide_missing_operators

    provide_missing_operators()
    import numpy as np
    import torch
    from torchvision.models import resnet50

    from inspection.imaging.files import read_image
    from inspection.runtime.openvino_import import openvino as ov

    torch.manual_seed(7)
    model = resnet50(weights=None, num_classes=CLASSES).eval()
    pixels = read_image(image)
    assert pixels.shape == (SIDE, SIDE, 3)
    values = (pixels.astype(np.float32) - np.float32(MEAN)) / np.float32(SCALE)
    given = torch.from_numpy(values.transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        probabilities = torch.softmax(model(given), 1)[0].numpy()
        graph = ov.convert_model(model, example_input=given, input=[1, 3, SIDE, SIDE])
    graph.set_rt_info("Classification", ["model_info", "model_type"])
    graph.set_rt_info(" ".join(f"class_{number}" for number in range(CLASSES)), ["model_info", "labels"])
    graph.set_rt_info(" ".join(map(str, MEAN)), ["model_info", "mean_values"])
    graph.set_rt_info(" ".join(map(str, SCALE)), ["model_info", "scale_values"])
    graph.set_rt_info("True", ["model_info", "reverse_input_channels"])
    ov.save_model(graph, folder / "resnet50.xml", compress_to_fp16=False)
    best = int(probabilities.argmax())
    told = {"best": f"class_{best}", "confidence": float(probabilities[best])}
    (folder / "torch.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
