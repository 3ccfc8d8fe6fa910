"""Pure decisions of AI inspections: which sessions take one, what names an image, what an ended execution means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from models.errors import Conflict, DoesNotFit, InvalidInput, Unavailable, UserFacingError
from models.ids import canonical_id, is_id
from models.messages import LocalText
from models.rejections import field_path, rejection
from models.states import ExecutionStatus, SessionStatus
from models.storage import is_digest
from server.ai_inspection.schemas import InspectionParameters
from server.objects.keys import key_of

_TAKES = frozenset(
    {SessionStatus.PENDING, SessionStatus.IN_PROGRESS, SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW}
)
_FAULTS = frozenset({"execution-fault", "execution-given-up"})


def require_inspectable(status: SessionStatus) -> None:
    """Check that a session takes an AI result.

    Raises:
        Conflict: ``session-over``.
    """
    if status not in _TAKES:
        raise Conflict("session-over", status=status.value)


def inspection_parameters(given: Mapping[str, Any]) -> InspectionParameters:
    """Return the parameters of a request, whose fields are named in errors as in the API document.

    Raises:
        InvalidInput: ``validation-error``.
    """
    try:
        return InspectionParameters.model_validate(given)
    except ValidationError as error:
        entries = [
            {"field": field_path(item["loc"]), "message": rejection(item), "value": _shown(item["input"])}
            for item in error.errors(include_url=False)
        ]
        raise InvalidInput("validation-error", members={"validation_errors": entries}) from error


def image_named(path: str, object_key: Callable[[str], str]) -> tuple[str | None, str | None]:
    """Return the id of a file, or else the digest of an object, that ``image_file_path`` names.

    Args:
        path: as the client sent it; nothing that looks like a path of a disk is either of them.
        object_key: returns the key of the object of a digest.

    Raises:
        InvalidInput: ``validation-error``.
    """
    text = canonical_id(path)
    if is_id(text):
        return text, None
    digest = path.rpartition("/")[2]
    if is_digest(digest) and path in {object_key(digest), key_of(digest)}:
        return None, digest
    entry = {"field": "image_file_path", "message": LocalText.of("value-image-file-path", {}), "value": path}
    raise InvalidInput("validation-error", members={"validation_errors": [entry]})


def in_context(error: DoesNotFit, session_id: str | None, item_id: str, pipeline_id: str | None) -> DoesNotFit:
    """Return the refusal of a pipeline that does not fit an item, which names the three of them."""
    named = {"session_id": session_id, "item_id": item_id, "pipeline_id": pipeline_id}
    return DoesNotFit(error.code, members={**error.members, "inspection_context": named}, **error.values)


def trouble_of(status: ExecutionStatus, code: str | None, values: dict[str, Any]) -> UserFacingError | None:
    """Return the error that an ended execution is for who waited for its result; None for a completed one."""
    if status is ExecutionStatus.COMPLETED:
        return None
    if status is ExecutionStatus.CANCELLED or code is None:
        return Conflict("ai-inspection-cancelled")
    return Unavailable(code, **values) if code in _FAULTS else DoesNotFit(code, **values)


def _shown(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool)) else None
