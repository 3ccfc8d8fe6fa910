"""OpenVINO graphs: building nodes, serialising them, and the weights of a graph in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.openvino_import import ops
from models.storage import not_written

# Upper bound of the bytes of an ``.xml``.
_MAX_GRAPH_BYTES = 1 << 20


def serialise(model: Any) -> tuple[bytes, bytes]:
    """Return ``.xml`` and ``.bin`` of an OpenVINO model, weights in their own precision.

    Raises:
        Unavailable: ``file-disk-full`` when the temporary folder has no room (OpenVINO serialises to files only),
            ``file-not-written`` on any other system error.
    """
    from inspection.runtime.openvino_import import openvino as ov

    with tempfile.TemporaryDirectory(prefix="imageflow-") as folder:
        graph, weights = Path(folder) / "model.xml", Path(folder) / "model.bin"
        try:
            ov.serialize(model, graph, weights)
        except RuntimeError as error:
            # OpenVINO does not report the cause; where a file of that size can be written, it is not the disk.
            disk_error = _disk_error(weights, model)
            if disk_error is None:
                raise
            raise not_written(weights, disk_error) from error
        return graph.read_bytes(), weights.read_bytes()


def _disk_error(path: Path, model: Any) -> OSError | None:
    """Return the system error of writing a file as large as the model to ``path``; None when it succeeds.

    Tested by writing, as quotas and file size limits do not show in the free space.
    """
    weights = sum(node.get_byte_size() for node in model.get_ops() if node.get_type_name() == "Constant")
    needed = weights + _MAX_GRAPH_BYTES
    block = bytes(1 << 20)
    try:
        with path.open("wb") as file:
            for begin in range(0, needed, len(block)):
                file.write(block[: needed - begin])
    except OSError as error:
        return error
    return None


def weights_tensor(weights: bytes) -> object:
    """Return the content of a ``.bin`` as an ``openvino.Tensor``."""
    from inspection.runtime.openvino_import import openvino as ov

    return ov.Tensor(np.frombuffer(weights, np.uint8).copy())


# An output of an OpenVINO node; the package has no type stubs.
Node = Any


def constant(values: NDArray[Any]) -> Node:
    """Return a constant node of the shape and type of ``values``."""
    return ops.constant(values)


def name_nodes(model: Any) -> None:
    """Name every node by its position, so that the serialised graph does not depend on graphs built before."""
    for position, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name().lower()}_{position}")
