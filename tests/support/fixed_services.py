"""Services of steps whose answers a test gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inspection.imaging.placement import Placement
from models.errors import NotFound, PermissionDenied, Unavailable
from models.storage import sha256_of
from server.context import ServerContext
from server.services.step_services import StepAnswer, StoredImage


class Services:
    """Services that have every step; what they do is a function."""

    def __init__(self, answer: Callable[[], StepAnswer]) -> None:
        self._answer = answer
        self.asked = 0

    def serves(self, component: str, parameters: Mapping[str, Any]) -> bool:
        del component, parameters
        return True

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        del component, parameters, image, deadline_s
        self.asked += 1
        return self._answer()

    def embeds(self, component: str) -> bool:
        del component
        return False

    async def ready(self) -> None:
        return

    def embedded_timeout_s(self, component: str) -> float:
        del component
        return 30.0

    def embedded_call(self, *_: Any, **__: Any) -> Any:
        raise AssertionError


def out_of_reach() -> StepAnswer:
    raise Unavailable("service-unavailable", service="ResizeService", addresses="-", reason="-")


def unknown_model() -> StepAnswer:
    raise NotFound("service-model-unknown", name="m", known="-")


def output_without_object() -> StepAnswer:
    key = "ab/ab/" + 32 * "ab"
    placement = Placement(width=96, height=72)
    output = StoredImage("imageflow", key, "image/netpbm", 9, width=96, height=72, placement=placement)
    return StepAnswer(output)


def object_unknown() -> StepAnswer:
    raise NotFound("object-unknown")


def not_allowed() -> StepAnswer:
    raise PermissionDenied("object-not-allowed", bucket="b", key="k")


def stored_output(context: ServerContext, data: bytes) -> StepAnswer:
    sha256 = sha256_of(data)
    context.objects.put(sha256, data)
    key = context.objects.object_key(sha256)
    placement = Placement(width=96, height=72)
    return StepAnswer(StoredImage(context.objects.bucket, key, "", len(data), width=96, height=72, placement=placement))
