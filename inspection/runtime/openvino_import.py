"""The one place that imports ``openvino``; every other module takes it from here.

Importing OpenVINO reports the import to Google Analytics, from a process of its own, unless the user has opted out on
this computer. Nothing may leave a station, so the package that sends is hidden before; OpenVINO then uses its stub.
"""

from __future__ import annotations

import sys
from typing import Any

# None makes an import of that name fail; it stays so, because a later import would report as well.
_modules: dict[str, Any] = sys.modules
_modules["openvino_telemetry"] = None

import openvino  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["openvino", "ops"]
