"""Running a pipeline step elsewhere: what the orchestrator asks for, whoever does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from models.errors import ImageFlowError
from models.results import Detection
from server.grpc.contract import BY_COMPONENT

if TYPE_CHECKING:
    from inspection.components.registry import Parameters
    from inspection.imaging.picture import Picture
    from inspection.imaging.placement import Mask, Placement
    from server.services.embedded import EmbeddedCall

_OVERLAY = "overlay"


@dataclass(frozen=True, slots=True, eq=False)
class StoredImage:
    """An image in the object store, and how it lies on the original image of its pipeline.

    Attributes:
        bucket: of the object store.
        object_key: in the bucket.
        content_type: media type of the bytes.
        size_bytes: of the object.
        width: pixels.
        height: pixels.
        placement: the map from the original image to this one; None when this is the original.
        ignored: bool ``(height, width)`` over the original, true where pixels are ignored; None when none are.
        resized: as ``inspection.imaging.picture.Picture.resized``.
    """

    bucket: str
    object_key: str
    content_type: str
    size_bytes: int
    width: int
    height: int
    placement: Placement | None = None
    ignored: Mask | None = None
    resized: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class StepAnswer:
    """What a step gave.

    Attributes:
        output: the image it made, stored; None when it makes none.
        detections: what it found, in pixels of the original image.
        metadata: further facts, for people.
        processing_time_s: that the step itself took, without the way there and back.
    """

    output: StoredImage | None = None
    detections: tuple[Detection, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    processing_time_s: float = 0.0


class AttemptGivenUpError(ImageFlowError):
    """Nobody waits any more for what an attempt of a call gives."""


class AttemptUnansweredError(ImageFlowError):
    """An attempt of a call gave no answer; another one may follow."""


def serves(component: str, parameters: Mapping[str, Any]) -> bool:
    """Return whether the contract has a service for a step; an overlay needs findings, which no message carries."""
    return component in BY_COMPONENT and parameters.get("filter_type") != _OVERLAY


class StepServices(Protocol):
    """Runs steps that take one image; safe to use by many tasks of one event loop.

    What is no coroutine may be called from any thread.
    """

    def serves(self, component: str, parameters: Mapping[str, Any]) -> bool:
        """Return whether a step of this component with these parameters can be run here."""
        ...

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        """Run a step and return what it gave.

        Args:
            component: of ``inspection.components``.
            parameters: of the component; those left out take their defaults.
            image: the step's port ``image``.
            deadline_s: seconds for all attempts together; None takes that of the service.

        Raises:
            Unavailable: ``service-unavailable`` when no replica answers or the circuit is open; may be tried again.
            InvalidInput: as the component, when the request is refused for good.
            NotFound: ``object-unknown`` or ``service-model-unknown``.
            DoesNotFit: when the image does not fit the model.
        """
        ...

    def embeds(self, component: str) -> bool:
        """Return whether the service of a component runs in this process, so that ``embedded_call`` reaches it."""
        ...

    async def ready(self) -> None:
        """Return when the services are started; those that wait for their first use are started now.

        Raises:
            UserFacingError: when one cannot be started.
        """
        ...

    def embedded_timeout_s(self, component: str) -> float:
        """Return the seconds after which an attempt of a service in this process is given up; after ``ready``.

        Raises:
            Unavailable: ``service-not-connected``.
        """
        ...

    def embedded_call(
        self, component: str, parameters: Parameters, picture: Picture, *, deadline_s: float | None = None
    ) -> EmbeddedCall:
        """Return the call of a service in this process on a picture in memory; from any thread, after ``ready``.

        Args:
            component: that ``serves`` and ``embeds`` name.
            parameters: of the component.
            picture: the step's port ``image``.
            deadline_s: as for ``run``.

        Raises:
            Unavailable: ``service-not-connected``.
        """
        ...
