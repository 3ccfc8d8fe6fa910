"""Training the model of an item from good images, on this station, and giving it to the item."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.station.operations.evidence import StoredBlob, name_blob, stored
from app.station.operations.item_recipes import find_item
from app.station.operations.thresholds import begin_with_new_model
from app.station.operations.training_preprocessing import training_prefix
from app.station.operations.users import SignedInUser, require_trainer
from inspection.anomaly import TrainingProgress, TrainingReport, TrainingSettings, train_images
from inspection.anomaly.training.estimates import DetailEstimate, estimate_details
from inspection.anomaly.training.train import require_enough_files
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange
from inspection.pipeline import anomaly_step
from inspection.recipe.reading import read_source, read_threshold
from models.audit import append_audit
from models.errors import UserFacingError
from models.pipelines import ModelFile
from models.targets import InspectionItem
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.station.workspace import Workspace

BUNDLE = "application/vnd.imageflow.model"
"""Content type of a model bundle."""


@dataclass(frozen=True, slots=True)
class SkippedImages:
    """Images that could not be used for one reason.

    Attributes:
        error: of the first of them.
        names: of the files, in order.
    """

    error: UserFacingError
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that an item uses from now on.

    Attributes:
        threshold: chosen from good images the model was not fitted on.
        false_alarm_rate: share of good parts that threshold is expected to reject.
        warnings: codes of what the person should know of the images, as in ``TrainingReport``.
        least_images: how many would show that rate without an assumption.
        groups: of near-duplicate images, about as many as different parts.
        skipped: how many images could not be used.
        duplicates: how many were left out because another has the same content.
        reasons: why images could not be used: the error of the first of each kind, with the names of all.
        transparent: how many have transparent parts, which were seen on white.
        value_range: of the images deeper than 8 bits; None when there are none.
        lifting: names of the good images that lift the threshold, highest score first.
    """

    model_id: str
    sha256: str
    threshold: float
    false_alarm_rate: float
    images: int
    seconds: float
    warnings: tuple[str, ...]
    least_images: int = 0
    groups: int | None = None
    skipped: int = 0
    duplicates: int = 0
    reasons: tuple[SkippedImages, ...] = ()
    transparent: int = 0
    value_range: ValueRange | None = None
    lifting: tuple[str, ...] = ()


def train_item_model(
    workspace: Workspace,
    user: SignedInUser,
    item_id: str,
    images: Sequence[Path],
    *,
    settings: TrainingSettings | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> TrainedModel:
    """Train a good-only anomaly model on ``images`` and give it to the item.

    The images are first processed by the steps before the anomaly step of the item's pipeline.

    Bundle, model record, the item's new parameters, audit and outbox entries become visible together or not at all.

    Raises:
        PermissionDenied: ``role-not-enough``: operators do not train.
        NotFound: ``item-unknown``.
        InvalidInput: ``pipeline-several-anomaly-steps``.
        DoesNotFit: ``item-without-pipeline``, ``pipeline-without-step``, ``pipeline-does-not-fit``,
            ``pipeline-without-anomaly``, or ``item-criteria-invalid`` when the settings for this station make no sense.
        DoesNotFit, InvalidInput, Unavailable: as ``training_prefix``, when a step before the anomaly step cannot run.
        TrainingCancelled: when ``cancel`` was set; nothing has changed.
        UserFacingError: what the training says of images it cannot use, or of a full disk.
    """
    require_trainer(user)
    workspace.require_device()
    with workspace.database.read() as session:
        item, step_id = _anomaly_step(session, item_id)
        # Settings that make no sense are reported before the work, not after it.
        read_threshold(item, ItemRecords(session, workspace.device_id))
    prefix = training_prefix(workspace, item_id, step_id)
    with tempfile.TemporaryDirectory(dir=workspace.work_folder, prefix="training-") as folder:
        path = Path(folder) / "model.bundle"
        report = train_images(
            images,
            path,
            settings=_with_reading(settings or TrainingSettings(), workspace.settings.reading),
            preprocessor=prefix,
            on_progress=on_progress,
            cancel=cancel,
        )
        data = path.read_bytes()
    with (
        stored(workspace, [(data, BUNDLE)]) as blobs,
        workspace.database.transaction(actor=user.user_id) as session,
    ):
        return _give_to_item(workspace, session, user, item_id, blobs[0], report)


def measure_item_details(
    workspace: Workspace, item_id: str, images: Sequence[Path], *, cancel: threading.Event | None = None
) -> tuple[DetailEstimate, ...]:
    """Return what each detail would cost on this station, for the item's own pipeline; nothing is trained.

    Raises:
        NotFound: ``item-unknown``.
        InvalidInput: ``too-few-images`` when no model could be trained on the images.
        UserFacingError: as ``training_prefix`` and ``estimate_details``.
        TrainingCancelled: when ``cancel`` was set.
    """
    require_enough_files(images)
    with workspace.database.read() as session:
        _, step_id = _anomaly_step(session, item_id)
    prefix = training_prefix(workspace, item_id, step_id)
    settings = _with_reading(TrainingSettings(), workspace.settings.reading)
    return estimate_details(images, settings, preprocessor=prefix, cancel=cancel)


def _with_reading(settings: TrainingSettings, reading: Reading) -> TrainingSettings:
    """Return the settings with how the station reads image files: training and inspection read them alike."""
    values = reading.values
    if values is None or settings.value_range is not None:
        return settings.model_copy(update={"pages": reading.pages})
    return settings.model_copy(update={"value_range": (values.low, values.high), "pages": reading.pages})


def _give_to_item(
    workspace: Workspace,
    session: Session,
    user: SignedInUser,
    item_id: str,
    blob: StoredBlob,
    report: TrainingReport,
) -> TrainedModel:
    # The pipeline may have been pulled again while the training ran: the step is the one that takes the model now.
    item, step_id = _anomaly_step(session, item_id)
    name_blob(session, blob)
    model = _model_file(item, blob, report)
    session.add(model)
    session.flush()
    held_before = read_threshold(item, ItemRecords(session, workspace.device_id))
    parameters: dict[str, Any] = {name: dict(values) for name, values in item.pipeline_parameters.items()}
    parameters[step_id] = {**parameters.get(step_id, {}), "model": model.id}
    item.pipeline_parameters = parameters
    own_before = item.criteria.get("threshold")
    append_audit(
        session,
        device_id=workspace.device_id,
        actor=user.username,
        action="model.trained",
        subject="item",
        subject_id=item.id,
        detail={
            "model_id": model.id,
            "sha256": blob.sha256,
            "images": report.images,
            "threshold": report.threshold.value,
            "item_threshold_before": own_before,
        },
    )
    begin_with_new_model(session, workspace.device_id, user, item, model, held_before)
    return _trained(model.id, report)


def _model_file(item: InspectionItem, blob: StoredBlob, report: TrainingReport) -> ModelFile:
    return ModelFile(
        name=f"{item.name} {blob.sha256[:8]}"[:200],
        model_kind="anomaly",
        sha256=blob.sha256,
        size_bytes=blob.size_bytes,
        metrics={
            "threshold": report.threshold.value,
            "false_alarm_rate": report.threshold.false_alarm_rate,
            "images": report.images,
            "warnings": list(report.warnings),
            "threshold_method": report.threshold.method,
            "method": report.manifest.kind,
        },
        item_id=item.id,
    )


def _trained(model_id: str, report: TrainingReport) -> TrainedModel:
    return TrainedModel(
        model_id=model_id,
        sha256=report.digest,
        threshold=report.threshold.value,
        false_alarm_rate=report.threshold.false_alarm_rate,
        images=report.images,
        seconds=report.seconds,
        warnings=report.warnings,
        least_images=report.threshold.least_sample,
        groups=report.manifest.data.groups,
        skipped=len(report.skipped),
        duplicates=report.manifest.data.duplicates,
        reasons=by_reason(report.skipped),
        transparent=report.transparent,
        value_range=report.manifest.reading.values,
        lifting=tuple(path.name for path in report.lifting),
    )


def by_reason(skipped: Mapping[str, UserFacingError]) -> tuple[SkippedImages, ...]:
    """Return the images that could not be used, path → error, together by the code of their error."""
    found: dict[str, list[str]] = {}
    for path, error in sorted(skipped.items()):
        found.setdefault(error.code, []).append(path)
    return tuple(SkippedImages(skipped[paths[0]], tuple(Path(path).name for path in paths)) for paths in found.values())


def _anomaly_step(session: Session, item_id: str) -> tuple[InspectionItem, str]:
    """Return the item and the id of the step of its pipeline that takes the model."""
    item = find_item(session, item_id)
    return item, anomaly_step(read_source(item, ItemRecords(session)).resolved())
