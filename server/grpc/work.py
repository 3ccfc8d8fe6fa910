"""The work of a service: fetches the image, runs the component, stores what it made."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

from inspection.components.registry import Component, Parameters, StepContext
from inspection.components.values import DetectionList, StepValue
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from models.clock import utc_now
from models.results import Detection
from server.grpc.contract import MODEL_KIND, PLACEMENT, RESIZED
from server.grpc.images import Images
from server.grpc.models import ModelShelf
from server.grpc.stubs import common_pb2


@dataclass(frozen=True, slots=True)
class StepWork:
    """Runs components on images of the object store; safe to use from several threads.

    Attributes:
        images: where images are.
        models: the models that steps name.
    """

    images: Images
    models: ModelShelf

    def run(
        self, component: Component, parameters: Parameters, image: common_pb2.ImageData, cancel: threading.Event
    ) -> tuple[common_pb2.ProcessingResult, tuple[Detection, ...]]:
        """Return the result of a step and what it detected, in pixels of the image it was given.

        Args:
            component: to run.
            parameters: of the component.
            image: that it is run on.
            cancel: set it to stop between and within the stages.

        Raises:
            InspectionCancelled: when ``cancel`` was set.
            UserFacingError: when image, model or parameters cannot be used.
        """
        context = self._context(component, cancel)
        began = time.perf_counter()
        context.stop_if_cancelled()
        picture = Picture.original(self.images.fetch(image))
        context.stop_if_cancelled()
        value = component.run(parameters, {"image": picture}, context)
        context.stop_if_cancelled()
        result = common_pb2.ProcessingResult(status=common_pb2.PROCESSING_STATUS_COMPLETED)
        found: tuple[Detection, ...] = ()
        if isinstance(value, Picture):
            result.output_image.CopyFrom(self.images.keep(value.pixels))
            result.metadata[PLACEMENT] = json.dumps(value.placement.affine)
            result.metadata[RESIZED] = json.dumps(value.resized)
        elif isinstance(value, DetectionList):
            found = value.detections
            model = self.models.find(getattr(parameters, "model"))  # noqa: B009 - a parameter of those that detect
            result.metadata[MODEL_KIND] = model.kind.value
            result.metadata["model_digest"] = model.digest
        else:
            raise TypeError(f"{component.name} gives a {type(value).__name__}, which no service answers")
        result.processing_time_seconds = time.perf_counter() - began
        result.processed_at.FromDatetime(utc_now())
        return result, found

    def compute(
        self, component: Component, parameters: Parameters, picture: Picture, cancel: threading.Event
    ) -> StepValue:
        """Return what a component makes of a picture in memory; see ``run``."""
        context = self._context(component, cancel)
        context.stop_if_cancelled()
        return component.run(parameters, {"image": picture}, context)

    def _context(self, component: Component, cancel: threading.Event) -> StepContext:
        return StepContext(Criteria(), self.models.find, step_id=component.name, cancel=cancel)
