"""OpenVINO graphs: building nodes, serialising them, and the weights of a graph in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.openvino_import import ops
from models.storage import not_written

# Bytes of the ``.xml``, far more than those of the networks here.
_LARGEST_GRAPH = 1 << 20


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


def weights_tensor(weights: bytes) -> object:
    """Return the content of a ``.bin`` as OpenVINO takes it."""
    from inspection.runtime.openvino_import import openvino as ov

    return ov.Tensor(np.frombuffer(weights, np.uint8).copy())


# An output of an OpenVINO node; the package ships no types.
Node = Any


def constant(values: NDArray[Any]) -> Node:
    """Return a constant node."""
    return ops.constant(values)


def name_nodes(model: Any) -> None:
    """Give every node a name by its place, so that the serialised graph does not depend on what was built before."""
    for position, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name().lower()}_{position}")
