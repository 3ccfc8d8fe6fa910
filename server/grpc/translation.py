"""Messages of the services as parameters of components, and back."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from inspection.components.registry import Component, Parameters, component
from inspection.imaging.resizing import LARGEST_SIDE
from models.errors import InvalidInput
from models.rejections import first_problem
from server.grpc.contract import AI_DETECTION, FILTER, PARAMETERS_KEY, RESIZE, Service
from server.grpc.stubs import ai_detection_pb2, filter_pb2, resize_pb2

Request = resize_pb2.ResizeRequest | ai_detection_pb2.DetectionRequest | filter_pb2.FilterRequest
Response = resize_pb2.ResizeResponse | ai_detection_pb2.DetectionResponse | filter_pb2.FilterResponse

REQUESTS: dict[str, type[Request]] = {
    RESIZE.key: resize_pb2.ResizeRequest,
    AI_DETECTION.key: ai_detection_pb2.DetectionRequest,
    FILTER.key: filter_pb2.FilterRequest,
}
RESPONSES: dict[str, type[Response]] = {
    RESIZE.key: resize_pb2.ResizeResponse,
    AI_DETECTION.key: ai_detection_pb2.DetectionResponse,
    FILTER.key: filter_pb2.FilterResponse,
}
FIELDS: dict[str, dict[str, str]] = {
    RESIZE.key: {"width": "target_width", "height": "target_height", "mode": "resize_mode"},
    AI_DETECTION.key: {"model": "model_name", "confidence": "confidence_threshold", "classes": "target_classes"},
    FILTER.key: {"filter_type": "filter_type"},
}
"""Parameter of the component → field of the message; the other parameters of a filter are in its map."""
_ASPECT = "maintain_aspect_ratio"
_FIRST_MODEL = "yolo11"
_LARGEST_EXTRA = 64 * 1024


def request_of(service: Service, parameters: Parameters) -> Request:
    """Return the message that asks for a component's work with these parameters; without the image."""
    request = REQUESTS[service.key]()
    values = parameters.model_dump(mode="json")
    for name, field in FIELDS[service.key].items():
        value = values.pop(name)
        if isinstance(value, list):
            getattr(request, field).extend(value)
        elif value is not None:
            setattr(request, field, value)
    if isinstance(request, resize_pb2.ResizeRequest):
        request.maintain_aspect_ratio = request.resize_mode != "stretch"
    if isinstance(request, filter_pb2.FilterRequest):
        request.parameters.update({name: str(value) for name, value in values.items()})
    return request


def extra_of(parameters: Parameters) -> str:
    """Return parameters as the JSON of ``PARAMETERS_KEY``: exact, also where a field of the message is narrower."""
    return json.dumps(parameters.model_dump(mode="json", exclude_unset=True), separators=(",", ":"))


def parameters_of(service: Service, request: Request, extra: str | bytes | None) -> tuple[Component, Parameters]:
    """Return the component that a message asks for and its parameters.

    Args:
        service: that was asked.
        request: the message.
        extra: value of ``PARAMETERS_KEY``, of our own clients.

    Raises:
        InvalidInput: ``service-parameter-invalid``.
    """
    values = _of_fields(service, request) if extra is None else _of_extra(extra)
    found = component(service.component)
    try:
        parameters = found.parameters.model_validate(values)
    except ValidationError as error:
        field, reason = first_problem(error)
        shown = FIELDS[service.key].get(field.partition(".")[0], field)
        raise InvalidInput("service-parameter-invalid", field=shown, reason=reason) from error
    return found, parameters


def _of_extra(extra: str | bytes) -> Any:
    try:
        return json.loads(extra) if len(extra) <= _LARGEST_EXTRA else None
    except (ValueError, RecursionError) as error:
        raise InvalidInput("service-message-malformed", message=PARAMETERS_KEY) from error


def _of_fields(service: Service, request: Request) -> dict[str, Any]:
    """Return the parameters of a message; a field at its zero was left out and takes the default."""
    values: dict[str, Any] = {}
    for name, field in FIELDS[service.key].items():
        value = getattr(request, field)
        if value:
            values[name] = value if isinstance(value, (str, int, float)) else tuple(value)
    if isinstance(request, resize_pb2.ResizeRequest):
        return _resize(request, values)
    if isinstance(request, filter_pb2.FilterRequest):
        return {**request.parameters, **values}
    return {"model": _FIRST_MODEL, **values}


def _resize(request: resize_pb2.ResizeRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Return the box: exactly as large as asked, also for a smaller image; with one side given, the other follows."""
    keeps = request.maintain_aspect_ratio
    if request.resize_mode in {"", "stretch"}:
        values["mode"] = "fit" if keeps else "stretch"
    given = {"width": request.target_width, "height": request.target_height}
    if keeps and any(given.values()):
        given = {name: side or LARGEST_SIDE for name, side in given.items()}
    return {**values, **given, "enlarge": True}
