"""Import of torchvision's registry wheel beside the CPU build of torch; only in the training subprocess.

The wheel's compiled operators are built for CUDA and do not load there; ultralytics needs only its NMS operator.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []


def provide_missing_operators() -> bool:
    """Define torchvision's NMS operator by that of ultralytics where the compiled one does not load.

    Must be called before torchvision is imported: a failed import cannot be retried.

    Returns:
        whether it was defined.
    """
    if _kept:
        return True
    if _compiled_operators_load():
        return False
    torch: Any = importlib.import_module("torch")
    library = torch.library.Library("torchvision", "DEF")
    library.define(f"nms{_SCHEMA}")
    library.define(f"qnms{_SCHEMA}")
    # The definitions live as long as this object.
    _kept.append(library)
    suppression: Any = importlib.import_module("ultralytics.utils.nms")
    library.impl("nms", suppression.TorchNMS.nms, "CPU")
    extension: Any = importlib.import_module("torchvision.extension")
    extension._has_ops = lambda: True
    return True


def _compiled_operators_load() -> bool:
    package = importlib.util.find_spec("torchvision")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'torchvision'", name="torchvision")
    torch: Any = importlib.import_module("torch")
    libraries = [path for path in Path(package.origin).parent.glob("_C*") if path.suffix in {".so", ".pyd", ".dylib"}]
    try:
        for path in libraries:
            torch.ops.load_library(str(path))
    except (OSError, RuntimeError):
        return False
    return bool(libraries)
