"""The steps of a run: which run in a service, which by their component here, and what an error of a service means.

A service in this process takes and gives pictures in memory; for one that is reached over gRPC they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from inspection.components.registry import StepContext
from inspection.components.values import DetectionList, Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.pipeline.validation import ValidatedStep
from models.errors import ImageFlowError, NotFound, PermissionDenied, Unavailable, UnreadableImage
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork
from server.services.step_services import StepServices

if TYPE_CHECKING:
    from server.services.embedded import EmbeddedCall

Value = StepValue | StepImage
"""What a step takes and gives here; a ``StepImage`` stands for a ``Picture``."""
_IMAGE = "image"
_IMAGE_INACCESSIBLE = frozenset({"object-unknown", "object-damaged", "object-not-allowed"})
_BY_SERVICE = frozenset({Kind.IMAGE, Kind.DETECTIONS})


class Place(Enum):
    """Where a step runs: in a service that is reached over gRPC, in one of this process, or by its component here."""

    SERVICE = auto()
    EMBEDDED = auto()
    HERE = auto()


class ModelNotInServiceError(ImageFlowError):
    """A service does not know the model of its step: it knows those of its settings, others are loaded here."""


class StepRunner:
    """Runs the steps of one run.

    Args:
        work: of the run.
        context: of every step of the run.
        services: None to run every step here.
    """

    def __init__(self, work: RunWork, context: StepContext, services: StepServices | None) -> None:
        self._work = work
        self._services = services
        self._context = context

    def place_of(self, step: ValidatedStep) -> Place:
        """Return where a step runs."""
        services, name = self._services, step.component.name
        if services is None or set(step.inputs) != {_IMAGE} or step.component.output not in _BY_SERVICE:
            return Place.HERE
        if not services.serves(name, step.parameters.model_dump()):
            return Place.HERE
        return Place.EMBEDDED if services.embeds(name) else Place.SERVICE

    async def ready(self, embedded: Sequence[ValidatedStep]) -> float | None:
        """Wait until the services of this process are started.

        Args:
            embedded: the steps that run in one.

        Returns:
            The shortest deadline of an attempt of theirs, seconds; None when no step runs in one.

        Raises:
            UserFacingError: when they cannot be started.
        """
        services = self._services
        if services is None or not embedded:
            return None
        await services.ready()
        return min(services.embedded_timeout_s(step.component.name) for step in embedded)

    def here(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        """Run a step by its component, on this thread, and return its value.

        Raises:
            UserFacingError: as the component.
        """
        given: dict[str, StepValue] = {
            port: value.picture() if isinstance(value, StepImage) else value for port, value in inputs.items()
        }
        return self.taken(step.component.run(step.parameters, given, replace(self._context, step_id=step.id)))

    def embedded_call(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> EmbeddedCall:
        """Return the call of a step's service in this process; on a thread.

        Raises:
            Unavailable: ``service-not-connected``.
            UserFacingError: when the image cannot be read.
        """
        if self._services is None:
            raise RuntimeError("no service runs a step")
        picture = _image_of(inputs).picture()
        return self._services.embedded_call(step.component.name, step.parameters, picture)

    async def by_service(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        """Run a step in its service over gRPC and return its value.

        Raises:
            ModelNotInServiceError: when the service does not know the model.
            Unavailable: ``service-unavailable`` when it does not answer.
            UserFacingError: as ``service_errors`` gives it.
        """
        if self._services is None:
            raise RuntimeError("no service runs a step")
        name = step.component.name
        # Outside of what follows: an image that is missing here is no failure of this service.
        stored = await _image_of(inputs).reference()
        with self.service_errors(step, inputs):
            answer = await self._services.run(name, step.parameters.model_dump(), stored)
        if step.component.output is Kind.DETECTIONS:
            return DetectionList(answer.detections)
        if answer.output is None:
            raise RuntimeError(f"the service of {name} gave no image")
        return StepImage(self._work, stored=answer.output)

    @contextmanager
    def service_errors(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> Iterator[None]:
        """Within the block, errors of a step's service become what they mean for the run.

        Raises:
            ModelNotInServiceError: when the service does not know the model.
            Unavailable: ``service-image-not-seen`` when it does not find the image, ``service-output-unusable`` when
                the image is what another one has made.
        """
        try:
            yield
        except UnreadableImage as error:
            # The service that has made the image has failed, neither the client nor the one that reads it.
            if _image_of(inputs).of_service:
                raise Unavailable("service-output-unusable") from error
            raise
        except (NotFound, PermissionDenied) as error:
            if error.code in _IMAGE_INACCESSIBLE:
                # It lies in the store of the server: that of the service is another one, or has lost it.
                raise Unavailable("service-image-not-seen", component=step.component.name) from error
            if error.code == "service-model-unknown":
                raise ModelNotInServiceError from error
            raise

    def taken(self, value: StepValue) -> Value:
        """Return what a component gave as steps hand it on."""
        return StepImage(self._work, picture=value) if isinstance(value, Picture) else value


def _image_of(inputs: Mapping[str, Value]) -> StepImage:
    image = inputs[_IMAGE]
    if not isinstance(image, StepImage):
        raise TypeError("a service takes an image")
    return image
