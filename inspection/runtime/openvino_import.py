"""The only module that imports ``openvino``; all others import it from here.

Importing OpenVINO sends telemetry to Google Analytics from a subprocess unless the user has opted out on this computer.
A station must not send anything, so the telemetry package is hidden first; OpenVINO then uses its stub.
"""

from __future__ import annotations

import sys
from typing import Any

# None makes importing that name fail; permanently, as a later import would send telemetry too.
_modules: dict[str, Any] = sys.modules
_modules["openvino_telemetry"] = None

import openvino  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["openvino", "ops"]
