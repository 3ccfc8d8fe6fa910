"""One step of an execution: by its service where there is one, else by its component on a thread here.

A service in this process takes and gives pictures in memory; for one that is reached over gRPC they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inspection.components.registry import StepContext
from inspection.components.values import DetectionList, Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.pipeline.validation import ValidatedStep
from models.errors import NotFound, PermissionDenied, Unavailable, UnreadableImage
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork
from server.orchestration.walking import Value
from server.services.step_services import StepServices, StoredImage

_IMAGE = "image"
_IMAGE_INACCESSIBLE = frozenset({"object-unknown", "object-damaged", "object-not-allowed"})
_BY_SERVICE = frozenset({Kind.IMAGE, Kind.DETECTIONS})


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

    async def run(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        """Run a step and return its value.

        Raises:
            Unavailable: ``service-unavailable`` when its service does not answer, ``service-image-not-seen`` when it
                does not find the image, ``service-output-unusable`` when the image is what another one has made.
            UserFacingError: as the component.
        """
        image = inputs.get(_IMAGE)
        if isinstance(image, StepImage) and len(inputs) == 1 and step.component.output in _BY_SERVICE:
            value = await self._by_service(step, image)
            if value is not None:
                return value
        return await self._here(step, inputs)

    async def _by_service(self, step: ValidatedStep, image: StepImage) -> Value | None:
        """Return what the step's service gave; None when no service has the step or its model."""
        name, services = step.component.name, self._services
        if services is None or not services.serves(name, step.parameters.model_dump()):
            return None
        # Outside of what follows: an image that is missing here is no failure of this service.
        given = await image.picture() if services.embeds(name) else await image.stored()
        try:
            return await self._result_of(services, step, given)
        except UnreadableImage as error:
            # The service that has made the image has failed, neither the client nor the one that reads it.
            if image.of_service:
                raise Unavailable("service-output-unusable") from error
            raise
        except (NotFound, PermissionDenied) as error:
            if error.code in _IMAGE_INACCESSIBLE:
                # It lies in the store of the server: that of the service is another one, or has lost it.
                raise Unavailable("service-image-not-seen", component=name) from error
            # A service knows the models of its settings; those of the store are loaded here.
            if error.code != "service-model-unknown":
                raise
            return None

    async def _result_of(self, services: StepServices, step: ValidatedStep, given: Picture | StoredImage) -> Value:
        name = step.component.name
        if isinstance(given, Picture):
            return self._taken(await services.run_embedded(name, step.parameters, given))
        answer = await services.run(name, step.parameters.model_dump(), given)
        if step.component.output is Kind.DETECTIONS:
            return DetectionList(answer.detections)
        if answer.output is None:
            raise RuntimeError(f"the service of {name} gave no image")
        return StepImage(self._work, stored=answer.output)

    async def _here(self, step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        given: dict[str, StepValue] = {
            port: await value.picture() if isinstance(value, StepImage) else value for port, value in inputs.items()
        }
        context = replace(self._context, step_id=step.id)
        return self._taken(await self._work.on_thread(step.component.run, step.parameters, given, context))

    def _taken(self, value: StepValue) -> Value:
        return StepImage(self._work, picture=value) if isinstance(value, Picture) else value
