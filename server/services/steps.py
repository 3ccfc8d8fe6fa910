"""Steps of pipelines in the gRPC services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from models.errors import InvalidInput, NotFound
from server.grpc.contract import BY_COMPONENT, PARAMETERS_KEY
from server.services.answers import answer_of, reference_of
from server.services.step_services import StepAnswer, StoredImage

if TYPE_CHECKING:
    from inspection.components.registry import Parameters
    from server.services.replicas import Replicas


class GrpcSteps:
    """Runs steps in the services.

    Args:
        replicas: returns those of a service, by its key.
        secret: metadata that lets calls in.
    """

    def __init__(self, replicas: Callable[[str], Replicas], secret: tuple[tuple[str, str], ...]) -> None:
        self._replicas = replicas
        self._secret = secret

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        """Run a step; see ``StepServices``."""
        from server.grpc.detections import as_detection
        from server.grpc.messages import parsed
        from server.grpc.stubs import ai_detection_pb2, common_pb2
        from server.grpc.translation import RESPONSES, Response, extra_of, request_of
        from server.services.calling import call

        checked = _checked(component, parameters)
        service = BY_COMPONENT[component]
        request = request_of(service, checked)
        request.input_image.CopyFrom(reference_of(image))

        def read(data: bytes) -> StepAnswer:
            response: Response = parsed(RESPONSES[service.key], data)
            if response.result.status != common_pb2.PROCESSING_STATUS_COMPLETED:
                raise InvalidInput("service-message-malformed", message=RESPONSES[service.key].DESCRIPTOR.name)
            if isinstance(response, ai_detection_pb2.DetectionResponse):
                return answer_of(image, response.result, [as_detection(item) for item in response.detections])
            answer = answer_of(image, response.result, ())
            if answer.output is None:
                raise InvalidInput("service-message-malformed", message=RESPONSES[service.key].DESCRIPTOR.name)
            return answer

        metadata = (*self._secret, (PARAMETERS_KEY, extra_of(checked)))
        return await call(self._replicas(service.key), request.SerializeToString(), read, metadata, deadline_s)


def _checked(component: str, parameters: Mapping[str, Any]) -> Parameters:
    from pydantic import ValidationError

    from inspection.components.registry import component as find_component
    from models.rejections import first_problem

    if component not in BY_COMPONENT:
        raise NotFound("service-of-component-unknown", component=component)
    try:
        return find_component(component).parameters.model_validate(dict(parameters))
    except ValidationError as error:
        field, reason = first_problem(error)
        raise InvalidInput("service-parameter-invalid", field=field, reason=reason) from error
