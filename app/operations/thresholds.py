"""The threshold of an item: which one holds, changing it without retraining, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.operations.item_models import model_of_item
from app.operations.users import SignedInUser, require_trainer
from inspection.anomaly.threshold_origin import EffectiveThreshold, effective_threshold
from inspection.judgement import Criteria
from models.audit import AuditEntry, append_audit
from models.clock import rfc3339
from models.errors import DoesNotFit, NotFound
from models.pipelines import ModelFile, StationConfig
from models.rejections import rejection
from models.schemas.devices import StationSettings
from models.targets import InspectionItem

if TYPE_CHECKING:
    from app.workspace import Workspace

_CHANGED = "item.threshold-changed"


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """One change of an item's threshold.

    Attributes:
        version: 1 for the first change of this item that the store knows of.
        before: what held; None when nothing did.
        after: what holds from then on; None when nothing does.
        reason: why, in the words of who changed it.
        actor: who.
        at: when.
    """

    version: int
    before: EffectiveThreshold | None
    after: EffectiveThreshold | None
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


def item_threshold(session: Session, device_id: str, item: InspectionItem, model_id: str | None) -> (
    EffectiveThreshold | None
):  # fmt: skip
    """Return the threshold that holds for an item on this station, read in the caller's transaction.

    What came with the item or its model and is no threshold counts as none, so that it can be seen and set right;
    nothing is inspected by such criteria.

    Args:
        session: of the caller.
        device_id: of this station.
        item: the item.
        model_id: of its model; None without one.

    Raises:
        DoesNotFit: ``item-criteria-invalid`` when the settings for this station make no sense.
    """
    model = session.get(ModelFile, model_id) if model_id else None
    return effective_threshold(
        item=_number(item.criteria.get("threshold")),
        station=_station_threshold(session, device_id, item),
        model=_number(model.metrics.get("threshold")) if model else None,
    )


def threshold_in_force(workspace: Workspace, item_id: str) -> EffectiveThreshold | None:
    """Return the threshold that holds for an item on this station, None before it has a model.

    Raises:
        NotFound: ``item-unknown``.
        DoesNotFit: ``item-criteria-invalid`` when the item's criteria or the settings for this station make no sense.
    """
    with workspace.database.read() as session:
        item = _item(session, item_id)
        _with_threshold(item, item.criteria.get("threshold"))
        return item_threshold(session, workspace.device_id, item, model_of_item(item))


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

    Args:
        workspace: the station's store.
        user: who changes it.
        item_id: of the item.
        value: greater than 0; None goes back to the station's or the model's.
        reason: why; kept in the audit trail.
        model_sha256: digest of the model file the value was chosen for; None when that is not known.

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
        item = _item(session, item_id)
        model = _model(session, item)
        if model_sha256 is not None and model.sha256 != model_sha256:
            raise DoesNotFit("threshold-of-other-model", item=item.name, name=model_sha256[:12])
        before = item_threshold(session, device_id, item, model.id)
        item.criteria = _with_threshold(item, value)
        after = item_threshold(session, device_id, item, model.id)
        version = _known_changes(session, item_id) + 1
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
                "model_sha256": model.sha256,
            },
        )
        return ThresholdChange(version, before, after, reason, user.username, entry.created_at)


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
                version=entry.detail["version"],
                before=_from_json(entry.detail["before"]),
                after=_from_json(entry.detail["after"]),
                reason=entry.detail["reason"],
                actor=entry.actor,
                at=entry.created_at,
            )
            for entry in session.scalars(query)
        ]


def without_threshold(criteria: dict[str, Any]) -> dict[str, Any]:
    """Return criteria without a threshold of their own: one that was chosen for a model means nothing to the next."""
    return {name: value for name, value in criteria.items() if name != "threshold"}


def _station_threshold(session: Session, device_id: str, item: InspectionItem) -> float | None:
    """Return what the server's settings say: those for this station, else those for all, as the server merges them."""
    for owner in (device_id, None):
        # `== None` becomes IS NULL.
        query = select(StationConfig).where(StationConfig.device_id == owner, StationConfig.deleted_at.is_(None))
        config = session.scalars(query.order_by(StationConfig.id)).first()
        found = config.settings.get("thresholds") if config else None
        if found is not None:
            try:
                thresholds = StationSettings(thresholds=found).thresholds or {}
            except ValidationError as error:
                reason = rejection(error.errors()[0])
                raise DoesNotFit(
                    "item-criteria-invalid", item=item.name, setting="thresholds", reason=reason
                ) from error
            return thresholds.get(item.id)
    return None


def _number(value: object) -> float | None:
    """Return a stored threshold as criteria take it, None for what is none."""
    try:
        return Criteria.model_validate({"threshold": value}).threshold
    except ValidationError:
        return None


def _with_threshold(item: InspectionItem, value: float | None) -> dict[str, Any]:
    criteria = without_threshold(item.criteria)
    if value is not None:
        criteria["threshold"] = value
    try:
        Criteria.model_validate(criteria)
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"])
        raise DoesNotFit("item-criteria-invalid", item=item.name, setting=setting, reason=rejection(first)) from error
    return criteria


def _item(session: Session, item_id: str) -> InspectionItem:
    item = session.get(InspectionItem, item_id)
    if item is None or item.deleted_at is not None:
        raise NotFound("item-unknown", item_id=item_id)
    return item


def _model(session: Session, item: InspectionItem) -> ModelFile:
    model_id = model_of_item(item)
    model = session.get(ModelFile, model_id) if model_id else None
    if model is None:
        raise DoesNotFit("item-without-model", item=item.name)
    return model


def _known_changes(session: Session, item_id: str) -> int:
    query = select(func.count()).where(AuditEntry.action == _CHANGED, AuditEntry.subject_id == item_id)
    return session.scalar(query) or 0


def threshold_json(threshold: EffectiveThreshold | None) -> dict[str, Any] | None:
    """Return a threshold with its origin as JSON values."""
    return None if threshold is None else {"value": threshold.value, "origin": threshold.origin}


def _from_json(stored: dict[str, Any] | None) -> EffectiveThreshold | None:
    return None if stored is None else EffectiveThreshold(stored["value"], stored["origin"])
