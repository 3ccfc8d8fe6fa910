"""The threshold of an item: which one applies, changing it without retraining, and its changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.station.operations.item_recipes import find_item
from app.station.operations.users import SignedInUser, require_trainer
from inspection.recipe.criteria import item_criteria
from inspection.recipe.models import KnownModel, anomaly_models
from inspection.recipe.reading import read_models, read_source, read_threshold
from inspection.recipe.thresholds import AppliedThreshold, without_threshold
from models.audit import AuditEntry, append_audit
from models.clock import rfc3339
from models.errors import DoesNotFit
from models.pipelines import ModelFile
from models.targets import InspectionItem
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_CHANGED = "item.threshold-changed"
NEW_MODEL = "model.trained"
"""Reason of a change that came with a new model; the audit entry of this name is that of the training."""


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """One change of the threshold that applies to an item, made on a station or by a training there.

    Attributes:
        version: place among the changes of this item that the store knows of, by time, from 1. Stations count for
            themselves: two may both have a first change. What the server or another station changes shows in the next
            change's ``before``, which then differs from the ``after`` of the one before it.
        before: what applied; None when nothing did.
        after: what applies from then on; None when nothing does.
        reason: why, in the words of who changed it; ``NEW_MODEL`` when a training did.
        actor: who.
        at: when.
    """

    version: int
    before: AppliedThreshold | None
    after: AppliedThreshold | None
    reason: str
    actor: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        return {
            "version": self.version,
            "before": threshold_json(self.before),
            "after": threshold_json(self.after),
            "reason": self.reason,
            "actor": self.actor,
            "at": rfc3339(self.at),
        }


def applied_threshold_of(workspace: Workspace, item_id: str) -> AppliedThreshold | None:
    """Return the threshold that applies to an item on this station, None before it has a model.

    Raises:
        NotFound: ``item-unknown``.
        DoesNotFit: ``item-criteria-invalid`` when the item's criteria or the settings for this station make no sense.
    """
    with workspace.database.read() as session:
        item = find_item(session, item_id)
        item_criteria(item.name, item.criteria)
        return read_threshold(item, ItemRecords(session, workspace.device_id))


def set_item_threshold(
    workspace: Workspace,
    user: SignedInUser,
    item_id: str,
    value: float | None,
    reason: str,
    *,
    model_sha256: str | None = None,
) -> ThresholdChange:
    """Give an item a threshold of its own, or take it away; the change is audited and travels with the item.

    The model it was chosen for travels with it: with another model it does not apply.

    Args:
        workspace: the station's store.
        user: who changes it.
        item_id: of the item.
        value: greater than 0; None goes back to the station's or the model's.
        reason: why; kept in the audit trail.
        model_sha256: digest of the model file the value was chosen for; None takes the model in use.

    Raises:
        PermissionDenied: ``role-not-enough``: operators do not change items.
        NotFound: ``item-unknown``.
        DoesNotFit: ``item-criteria-invalid`` for a value that is no threshold, ``item-without-model``,
            ``threshold-of-other-model`` when the item is inspected with another model than the one named.
        Unavailable: when the store cannot be written.
    """
    require_trainer(user)
    device_id = workspace.require_device()
    with workspace.database.transaction(actor=user.user_id) as session:
        item = find_item(session, item_id)
        model = _model(session, item, model_sha256)
        before = read_threshold(item, ItemRecords(session, device_id))
        criteria = without_threshold(item.criteria)
        if value is not None:
            criteria |= {"threshold": value, "threshold_model": model.sha256}
        item_criteria(item.name, criteria)
        item.criteria = criteria
        return _record_change(session, device_id, user, item, before, reason)


def begin_with_new_model(
    session: Session,
    device_id: str,
    user: SignedInUser,
    item: InspectionItem,
    model: ModelFile,
    before: AppliedThreshold | None,
) -> None:
    """Take the item's own threshold away, in the transaction that gives it another model, and record what applies now.

    One that names the model of another step of the item stays.

    Args:
        session: of the caller.
        device_id: of this station.
        user: who gives the model.
        item: with the new model among its parameters.
        model: the new one.
        before: what applied with the model before; None for an item's first model, whose threshold changes nothing.
    """
    models, _ = _models(session, item)
    others = {known.sha256 for known in anomaly_models(models)} - {model.sha256}
    cleared = "threshold" in item.criteria and item.criteria.get("threshold_model") not in others
    if cleared:
        item.criteria = without_threshold(item.criteria)
    if cleared or (before is not None and before != read_threshold(item, ItemRecords(session, device_id))):
        _record_change(session, device_id, user, item, before, NEW_MODEL)


def threshold_changes(workspace: Workspace, item_id: str) -> list[ThresholdChange]:
    """Return the changes of an item's threshold that this store knows of, oldest first."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.action == _CHANGED, AuditEntry.subject_id == item_id)
        .order_by(AuditEntry.created_at, AuditEntry.id)
    )
    with workspace.database.read() as session:
        return [
            ThresholdChange(
                version=version,
                before=_from_json(entry.detail["before"]),
                after=_from_json(entry.detail["after"]),
                reason=entry.detail["reason"],
                actor=entry.actor,
                at=entry.created_at,
            )
            for version, entry in enumerate(session.scalars(query), start=1)
        ]


def _record_change(
    session: Session,
    device_id: str,
    user: SignedInUser,
    item: InspectionItem,
    before: AppliedThreshold | None,
    reason: str,
) -> ThresholdChange:
    after = read_threshold(item, ItemRecords(session, device_id))
    version = _known_changes(session, item.id) + 1
    _, model = _models(session, item)
    entry = append_audit(
        session,
        device_id=device_id,
        actor=user.username,
        action=_CHANGED,
        subject="item",
        subject_id=item.id,
        detail={
            "version": version,
            "before": threshold_json(before),
            "after": threshold_json(after),
            "reason": reason,
            "model_sha256": model.sha256 if model else None,
        },
    )
    return ThresholdChange(version, before, after, reason, user.username, entry.created_at)


def _models(session: Session, item: InspectionItem) -> tuple[tuple[KnownModel, ...], KnownModel | None]:
    """Return the models of an item, and the one its threshold is compared with."""
    records = ItemRecords(session)
    source = read_source(item, records)
    models = read_models(source.model_names, records)
    return models, source.threshold_model(models)


def _model(session: Session, item: InspectionItem, sha256: str | None) -> KnownModel:
    """Return the model a threshold is for: the one named, else the one in use."""
    models, in_use = _models(session, item)
    if in_use is None:
        raise DoesNotFit("item-without-model", item=item.name)
    if sha256 is None:
        return in_use
    for model in anomaly_models(models):
        if model.sha256 == sha256:
            return model
    raise DoesNotFit("threshold-of-other-model", item=item.name, name=sha256[:12])


def _known_changes(session: Session, item_id: str) -> int:
    query = select(func.count()).where(AuditEntry.action == _CHANGED, AuditEntry.subject_id == item_id)
    return session.scalar(query) or 0


def threshold_json(threshold: AppliedThreshold | None) -> dict[str, Any] | None:
    """Return a threshold with its origin as JSON values; model and skipped origins only where there are any."""
    if threshold is None:
        return None
    found: dict[str, Any] = {"value": threshold.value, "origin": threshold.origin}
    if threshold.model_sha256 is not None:
        found["model_sha256"] = threshold.model_sha256
    if threshold.skipped:
        found["skipped"] = list(threshold.skipped)
    return found


def _from_json(stored: dict[str, Any] | None) -> AppliedThreshold | None:
    if stored is None:
        return None
    # Entries of earlier versions have ``passed_over``.
    skipped = tuple(stored.get("skipped", stored.get("passed_over", ())))
    return AppliedThreshold(stored["value"], stored["origin"], stored.get("model_sha256"), skipped)
