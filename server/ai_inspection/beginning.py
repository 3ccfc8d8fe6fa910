"""The beginning of an AI inspection: what is inspected by which recipe, accepted as an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import DoesNotFit, NotFound
from models.pipelines import Pipeline
from models.sessions import ImageRecord, InspectionSession
from models.states import Priority
from models.sync import StoredFile
from models.targets import InspectionItem
from server.ai_inspection.rules import image_named, in_context, inspection_parameters, require_inspectable
from server.ai_inspection.schemas import AiInspectionCreate, InspectionParameters
from server.audit import SERVER_DEVICE
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions import service as executions
from server.executions.intake import Draft
from server.executions.pipelines import ResolvedPipeline, require_models
from server.files.images import CheckedImage
from server.masters.repository import alive
from server.sessions.repository import session_by_id
from server.sessions.rules import Action, require_may
from server.sessions.service import owner_of
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from inspection.recipe.recipe import ItemSource

_DETECTION = "ai_detection"


@dataclass(frozen=True, slots=True)
class Begun:
    """An inspection whose execution was accepted.

    Attributes:
        execution_id: of the execution.
        session_id: of the part.
        item_id: what of it is looked at.
        pipeline: that runs.
        pipeline_version: its version as it runs.
        model_sha256: digest of the model file that results are recorded with; None without one.
        image: the input.
        image_id: of the image of the session that it is already; None for a file.
    """

    execution_id: str
    session_id: str
    item_id: str
    pipeline_id: str
    pipeline_version: int
    model_sha256: str | None
    image: CheckedImage
    image_id: str | None


def begin(context: ServerContext, who: Principal, session_id: str, body: AiInspectionCreate) -> Begun:
    """Find out what runs on what and have it accepted as an execution.

    Raises:
        InvalidInput: ``validation-error``.
        PermissionDenied: as ``require_may``.
        NotFound: ``inspection-session-unknown``, ``item-not-found`` or ``file-unknown``.
        Conflict: ``session-over``.
        DoesNotFit: with the member ``inspection_context``, when pipeline and item, or item and session, do not fit.
        UserFacingError: ``execution-not-accepted``.
    """
    parameters = inspection_parameters(body.parameters)
    with context.database.read() as session:
        record = session_by_id(session, session_id)
        require_may(who, Action.ATTACH, owner_of(record))
        require_inspectable(record.status)
        image, image_id = _image(context, session, record, body.image_file_path)
        item = alive(session, InspectionItem, body.item_id)
        try:
            resolved, model_sha256 = _resolved(context, session, record, item, parameters, body.pipeline_id)
        except DoesNotFit as error:
            raise in_context(error, record.id, item.id, body.pipeline_id or item.pipeline_id) from error
        pipeline_id, version = resolved.record.id, resolved.record.version
    draft = Draft(pipeline_id, {}, Priority.HIGH, [image])
    accepted = executions.accept(context, who, draft, None, runs_here=context.settings.slots > 0, resolved=resolved)
    return Begun(accepted.execution_id, session_id, body.item_id, pipeline_id, version, model_sha256, image, image_id)


def _resolved(
    context: ServerContext,
    session: Session,
    record: InspectionSession,
    item: InspectionItem,
    parameters: InspectionParameters,
    pipeline_id: str | None,
) -> tuple[ResolvedPipeline, str | None]:
    # Loaded with the first inspection: what the components need takes a tenth of a server's memory.
    from inspection.recipe.overrides import merge_overrides
    from inspection.recipe.reading import read_source, recipe_of_source

    if item.target_id != record.target_id:
        raise DoesNotFit("image-of-another-target")
    if pipeline_id not in {None, item.pipeline_id}:
        raise DoesNotFit("pipeline-not-of-item", item=item.name)
    records = ItemRecords(session, None if record.device_id == SERVER_DEVICE else record.device_id)
    source = read_source(item, records)
    source = source.with_overrides(_overrides(source, parameters))
    recipe = recipe_of_source(item, source, records)
    pipeline = alive(session, Pipeline, item.pipeline_id or "")
    require_models(pipeline, recipe.unknown_models, executions.other_models(context))
    definition = merge_overrides(source.definition or {}, source.overrides)
    criteria = recipe.criteria.model_dump(mode="json")
    scoring = recipe.recorded_model
    return ResolvedPipeline(pipeline, definition, criteria), scoring.sha256 if scoring else None


def _overrides(source: ItemSource, parameters: InspectionParameters) -> Mapping[str, Mapping[str, Any]]:
    """Return the parameters of a request by the steps that they are for: those that detect.

    Raises:
        DoesNotFit: ``pipeline-without-detection``.
    """
    given = parameters.of_step()
    if not given:
        return {}
    steps = [step["id"] for step in (source.definition or {}).get("steps", []) if step["component"] == _DETECTION]
    if not steps:
        raise DoesNotFit("pipeline-without-detection", item=source.name)
    return dict.fromkeys(steps, given)


def _image(
    context: ServerContext, session: Session, record: InspectionSession, path: str
) -> tuple[CheckedImage, str | None]:
    """Return the image that a request names, and its id when it is an image of the session already.

    Raises:
        InvalidInput: ``validation-error`` for what names no file.
        NotFound: ``file-unknown``.
        DoesNotFit: ``file-no-image``.
    """
    file_id, digest = image_named(path, context.objects.object_key)
    if file_id is not None:
        image = session.get(ImageRecord, file_id)
        if image is not None and image.session_id == record.id:
            return _checked(image, f"{image.id}.png"), image.id
    stored = session.get(StoredFile, file_id) if file_id else _newest(session, digest)
    if stored is None:
        raise NotFound("file-unknown")
    if stored.width is None:
        raise DoesNotFit("file-no-image")
    return _checked(stored, stored.filename), None


def _newest(session: Session, sha256: str | None) -> StoredFile | None:
    query = select(StoredFile).where(StoredFile.sha256 == sha256).order_by(StoredFile.id.desc()).limit(1)
    return session.scalars(query).first()


def _checked(image: ImageRecord | StoredFile, filename: str) -> CheckedImage:
    return CheckedImage(
        sha256=image.sha256,
        size=image.size_bytes,
        filename=filename,
        content_type=image.content_type,
        width=image.width or 0,
        height=image.height or 0,
    )
