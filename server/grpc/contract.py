"""The services of the contract: names, ports, deadlines, retries; no gRPC is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass

PACKAGE = "imageflow.v1"
HEALTH_EVERY_S = 10.0
PARAMETERS_KEY = "imageflow-parameters"
"""Metadata of a call: parameters of the component as JSON, also those that the message has no field for."""
ERROR_KEY = "imageflow-error"
"""Trailing metadata of a refused call: code and values of the error as JSON."""

PLACEMENT, RESIZED, MODEL_KIND = "placement", "resized", "model_kind"
"""Facts of a result that our own clients read: how the output lies on the input, how it was resized, what detected."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    Attributes:
        key: of commands, settings and addresses.
        name: in its proto.
        method: its processing call.
        component: of ``inspection`` that it runs; empty for a service that runs whole pipelines.
        port_offset: from the first port of the services.
        timeout_s: deadline of one attempt.
        retries: further attempts after the first one.
    """

    key: str
    name: str
    method: str
    component: str
    port_offset: int
    timeout_s: float
    retries: int

    @property
    def full_name(self) -> str:
        """Name with its package, as health and reflection know it."""
        return f"{PACKAGE}.{self.name}"

    def path(self, method: str = "") -> str:
        """Return the path of a call, of the processing one by default."""
        return f"/{self.full_name}/{method or self.method}"


RESIZE = Service("resize", "ResizeService", "Resize", "resize", 0, 30.0, 3)
AI_DETECTION = Service("ai-detection", "AIDetectionService", "Detect", "ai_detection", 1, 60.0, 2)
FILTER = Service("filter", "FilterService", "ApplyFilter", "filter", 2, 20.0, 3)
CAMERA_STREAM = Service("camera-stream", "CameraStreamService", "ProcessVideoStream", "", 3, 10.0, 1)

SERVICES = {service.key: service for service in (RESIZE, AI_DETECTION, FILTER, CAMERA_STREAM)}
BY_COMPONENT = {service.component: service for service in SERVICES.values() if service.component}
