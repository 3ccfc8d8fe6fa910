"""Conversion of a backbone from its pinned weight package to OpenVINO files.

Only ``convert_backbone`` imports torch; the command line runs it in a subprocess:
``python -m inspection.anomaly.backbone.conversion efficientnet-lite0 [FOLDER]``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from inspection.anomaly.backbone.architectures import Architecture, find_architecture
from inspection.anomaly.backbone.files import FORMAT_VERSION, Backbone, find_backbone
from inspection.anomaly.configuration import DEFAULT_BACKBONE
from inspection.runtime.arrays import FloatArray
from inspection.runtime.graphs import serialise
from inspection.runtime.settings import inspection_settings
from inspection.runtime.subprocesses import module_command
from models.error_values import read_values, stored_values
from models.errors import DoesNotFit, Unavailable
from models.storage import make_folder, require_writable, sha256_of_pieces, write_atomically

PARITY_LIMIT = 1e-4
_REFUSED = 70
"""Exit status of a refusal; 3 is what ``abort()`` gives on Windows."""


def convert_backbone(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Convert the weights of ``name`` to OpenVINO files in ``folder`` and check them against torch.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``backbone-packages-missing`` when torch or the weight package is not installed,
            ``file-disk-full``, ``file-not-written``.
        DoesNotFit: ``backbone-parity`` when the outputs differ from torch by more than 1e-4 relative.
    """
    source = find_architecture(name)
    place = folder or inspection_settings().backbones
    require_writable(place / f"{name}.json")
    try:
        torch = importlib.import_module("torch")
        torch_models = importlib.import_module("efficientnet_lite_pytorch")
        package = importlib.import_module(source.package)
    except ImportError as error:
        raise Unavailable("backbone-packages-missing", name=name, package=error.name or "torch") from error
    path = getattr(package, source.model_file_class).get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    # The image size only sets the padding; that of 256 is right for every multiple of 32.
    network = torch_models.EfficientNet.from_name(name, image_size=256)
    network.load_state_dict(state)
    network.eval()
    model = _build(network, {key: value.numpy() for key, value in state.items() if value.dim() > 0}, source)
    parity = _parity(torch, network, model, source)
    if parity > PARITY_LIMIT:
        raise DoesNotFit("backbone-parity", name=name, difference=f"{parity:.2e}", limit=f"{PARITY_LIMIT:.0e}")
    graph, weights = serialise(model)
    digest = sha256_of_pieces((graph, weights))
    manifest = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "digest": digest,
        "parity": parity,
        "weights_package": f"{source.package} {importlib.metadata.version(source.package)}",
    }
    # Written last: without a manifest, or with an older one, ``find_backbone`` ignores the pair.
    make_folder(place)
    write_atomically(place / f"{name}.bin", weights)
    write_atomically(place / f"{name}.xml", graph)
    write_atomically(place / f"{name}.json", (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return Backbone(name, place / f"{name}.xml", place / f"{name}.bin", digest, parity)


def convert_in_own_process(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Run ``convert_backbone`` in a subprocess, so that torch is never imported here.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``file-not-written`` or ``file-disk-full`` before the conversion starts,
            ``backbone-packages-missing`` and ``backbone-parity`` as ``convert_backbone`` gives them,
            ``backbone-conversion-failed`` with the last line of the subprocess's stderr.
    """
    find_architecture(name)
    place = folder or inspection_settings().backbones
    require_writable(place / f"{name}.json")
    finished = subprocess.run(  # noqa: S603 - our own module, arguments as a list
        module_command("inspection.anomaly.backbone.conversion", name, str(place)),
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if finished.returncode == _REFUSED:
        refused = json.loads(finished.stdout.splitlines()[-1])
        raise Unavailable(refused["code"], **read_values(refused["values"]))
    if finished.returncode != 0:
        reason = finished.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Unavailable("backbone-conversion-failed", name=name, reason=reason[0])
    return find_backbone(name, place)


def _build(network: Any, weights: dict[str, FloatArray], source: Architecture) -> Any:
    from inspection.anomaly.backbone.efficientnet import Block, efficientnet_lite

    blocks = []
    for module in network._blocks:
        arguments = module._block_args
        stride = arguments.stride if isinstance(arguments.stride, int) else arguments.stride[0]
        blocks.append(
            Block(
                kernel=arguments.kernel_size,
                stride=stride,
                expands=arguments.expand_ratio != 1,
                adds_input=bool(arguments.id_skip)
                and stride == 1
                and arguments.input_filters == arguments.output_filters,
            )
        )
    return efficientnet_lite(weights, blocks, source.taps, network._bn0.eps)


def _parity(torch: Any, network: Any, model: Any, source: Architecture) -> float:
    """Return the largest difference between a tap and torch, relative to the tap's largest value."""
    from inspection.runtime.compilation import compile_model

    compiled = compile_model(model)
    worst = 0.0
    generator = np.random.default_rng(0)
    for height, width in ((256, 256), (192, 320), (64, 96)):
        image = generator.uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
        found = compiled([image])
        with torch.no_grad():
            node = network._swish(network._bn0(network._conv_stem(torch.from_numpy(image))))
            for index, block in enumerate(network._blocks[: max(source.taps) + 1]):
                node = block(node)
                if index in source.taps:
                    expected = node.numpy()
                    difference = np.abs(found[source.taps[index]] - expected).max() / np.abs(expected).max()
                    worst = max(worst, float(difference))
    return worst


def main(arguments: list[str]) -> int:
    """Convert the backbone named by the first argument into the folder named by the second, if any.

    What keeps it from being converted is the last line of the output, as JSON; whoever started it knows the language.
    """
    from models.errors import UserFacingError

    try:
        convert_backbone(arguments[0] if arguments else DEFAULT_BACKBONE, Path(arguments[1]) if arguments[1:] else None)
    except UserFacingError as error:
        sys.stdout.write(f"\n{json.dumps({'code': error.code, 'values': stored_values(error.values)})}\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
