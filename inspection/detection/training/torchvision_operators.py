"""Letting torchvision's registry wheel import beside the CPU build of torch; only in the training process.

The wheel's compiled operators are made for CUDA and do not load there; of them ultralytics needs suppression alone.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []


def provide_missing_operators() -> bool:
    """Define torchvision's suppression operator with ultralytics' own where the compiled one does not load.

    Call it before anything imports torchvision: an import that fails cannot be tried again.

    Returns:
        whether it had to be defined.
    """
    if _kept:
        return True
    if _compiled_operators_load():
        return False
    torch: Any = importlib.import_module("torch")
    library = torch.library.Library("torchvision", "DEF")
    library.define(f"nms{_SCHEMA}")
    library.define(f"qnms{_SCHEMA}")
    # The definitions last as long as this object does.
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
