"""Post-training quantisation of a model's backbone to INT8, in a subprocess.

NNCF imports torch where that is installed and sends usage telemetry unless prevented; neither may happen in a station
or a server. The subprocess is ``python -m inspection.anomaly.export.quantise MODEL FOLDER IMAGE...`` and writes graph
and weights to FOLDER.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspection.anomaly.bundle import GRAPH, WEIGHTS, read_bundle
from inspection.runtime.subprocesses import module_command
from models.errors import Unavailable, UserFacingError

MAX_IMAGES = 128
"""More calibration images do not change the activation ranges."""
_BACKBONE = frozenset({"Parameter", "Constant", "Convert", "Convolution", "GroupConvolution", "Add", "Clamp"})
_SECONDS = 1800
_MISSING = 3


def quantise_in_own_process(model: Path, images: Sequence[Path]) -> tuple[bytes, bytes, dict[str, str]]:
    """Quantise the backbone of a model file.

    Args:
        model: the FP32 model file.
        images: calibration images for the activation ranges, at least one; at most ``MAX_IMAGES``, evenly spaced, are
            used.

    Returns:
        OpenVINO ``.xml`` and ``.bin``, and the version of NNCF by its name.

    Raises:
        Unavailable: ``quantise-packages-missing``, or ``quantise-failed`` with the last line of its stderr.
    """
    places = np.unique(np.linspace(0, len(images) - 1, min(len(images), MAX_IMAGES)).round().astype(int))
    chosen = [str(images[place]) for place in places.tolist()]
    with tempfile.TemporaryDirectory(prefix="imageflow-") as folder:
        try:
            finished = subprocess.run(  # noqa: S603 - our own module, arguments as a list
                module_command("inspection.anomaly.export.quantise", str(model), folder, *chosen),
                check=False,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable("quantise-failed", name=model.name, reason=f"{_SECONDS} s") from error
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        if finished.returncode == _MISSING:
            raise Unavailable("quantise-packages-missing", package=last)
        if finished.returncode != 0:
            raise Unavailable("quantise-failed", name=model.name, reason=last)
        graph, weights = (Path(folder) / GRAPH).read_bytes(), (Path(folder) / WEIGHTS).read_bytes()
    return graph, weights, {"nncf": importlib.metadata.version("nncf")}


def quantise(model: Path, folder: Path, images: Sequence[Path]) -> None:
    """Quantise the backbone of ``model`` and write graph and weights to ``folder``; imports NNCF.

    Only the convolutions are quantised: the concatenation of levels would force one range on features of different
    magnitude, and the nearest-neighbour search works on small differences of large numbers.

    Raises:
        ImportError: when NNCF is not installed.
        UserFacingError: when the model or an image cannot be used.
    """
    # Imported first: this blocks OpenVINO's telemetry package, which NNCF uses too.
    from inspection.anomaly.network_input import prepare_for
    from inspection.anomaly.tiling import tile_tensor
    from inspection.imaging.files import read_image
    from inspection.runtime.compilation import core
    from inspection.runtime.graphs import name_nodes, weights_tensor
    from inspection.runtime.openvino_import import openvino as ov

    nncf = importlib.import_module("nncf")
    bundle = read_bundle(model)
    network = core().read_model(bundle.graph, weights_tensor(bundle.weights))
    size = bundle.manifest.preprocessing
    pictures = (read_image(path, reading=bundle.manifest.reading) for path in images)
    inputs = (prepare_for(size, picture) for picture in pictures)
    # Of a large image one tile is enough, another one of each image.
    prepared = nncf.Dataset([tile_tensor(image, size.tile, number) for number, image in enumerate(inputs)])
    quantised = nncf.quantize(
        network,
        prepared,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(images),
        ignored_scope=nncf.IgnoredScope(names=_behind_backbone(network), validate=False),
    )
    name_nodes(quantised)
    ov.serialize(quantised, folder / GRAPH, folder / WEIGHTS)


def _behind_backbone(network: Any) -> list[str]:
    """Return the names of all nodes from the first on whose type no backbone contains."""
    behind: set[str] = set()
    for node in network.get_ordered_ops():
        sources = {each.get_source_output().get_node().get_friendly_name() for each in node.inputs()}
        if node.get_type_name() not in _BACKBONE or sources & behind:
            behind.add(node.get_friendly_name())
    return sorted(behind)


def main(arguments: list[str]) -> int:
    """Quantise the model named by the first argument into the folder named by the second, with the images after it."""
    try:
        quantise(Path(arguments[0]), Path(arguments[1]), [Path(name) for name in arguments[2:]])
    except ImportError as error:
        sys.stderr.write(f"{error.name or 'nncf'}\n")
        return _MISSING
    except (UserFacingError, RuntimeError) as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
