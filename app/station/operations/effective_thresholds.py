"""Which threshold holds for an item on a station: what was set, where, and for which model."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.station.operations.item_models import model_of_item
from inspection.anomaly.threshold.origin import ChosenThreshold, EffectiveThreshold, effective_threshold
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import ModelKind
from models.errors import DoesNotFit
from models.pipelines import ModelFile, StationConfig
from models.rejections import first_problem
from models.targets import InspectionItem
from sync.shared.station_config import StationSettings


def item_threshold(session: Session, device_id: str, item: InspectionItem) -> EffectiveThreshold | None:
    """Return the threshold that holds for an item on this station, read in the caller's transaction.

    What came with the item or its model and is no threshold counts as none, so that it can be seen and set right;
    nothing is inspected by such criteria. One that was chosen for another model than the item's does not count.

    Args:
        session: of the caller.
        device_id: of this station.
        item: the item.

    Raises:
        DoesNotFit: ``item-criteria-invalid`` when the settings for this station make no sense.
    """
    model = threshold_model(session, item)
    return effective_threshold(
        item=_own(item.criteria),
        station=_station(session, device_id, item),
        model=_number(model.metrics.get("threshold")) if model else None,
        model_sha256=model.sha256 if model else None,
    )


def threshold_model(session: Session, item: InspectionItem) -> ModelFile | None:
    """Return the model whose scores an item's threshold is compared with, None before it has one.

    Of several anomaly models it is the one that the item's own threshold names, else the first.
    """
    models = anomaly_models(session, item)
    own = _own(item.criteria)
    named = [model for model in models if own is not None and model.sha256 == own.model_sha256]
    return next(iter(named or models), None)


def anomaly_models(session: Session, item: InspectionItem) -> list[ModelFile]:
    """Return the models that give an item's pipeline its scores; of an item without any, the model it is used with."""
    named = [
        session.get(ModelFile, parameters["model"])
        for parameters in item.pipeline_parameters.values()
        if isinstance(parameters, dict) and isinstance(parameters.get("model"), str)
    ]
    scoring = [model for model in named if model is not None and model.model_kind == ModelKind.ANOMALY]
    if scoring:
        return scoring
    model_id = model_of_item(item)
    model = session.get(ModelFile, model_id) if model_id else None
    return [] if model is None else [model]


def without_threshold(criteria: dict[str, Any]) -> dict[str, Any]:
    """Return criteria without a threshold of their own: one that was chosen for a model means nothing to the next."""
    return {name: value for name, value in criteria.items() if name not in ("threshold", "threshold_model")}


def _own(criteria: dict[str, Any]) -> ChosenThreshold | None:
    """Return the threshold of an item's criteria, None for what is none."""
    try:
        found = Criteria.model_validate(
            {name: criteria[name] for name in ("threshold", "threshold_model") if name in criteria}
        )
    except ValidationError:
        return None
    return None if found.threshold is None else ChosenThreshold(found.threshold, found.threshold_model)


def _station(session: Session, device_id: str, item: InspectionItem) -> ChosenThreshold | None:
    """Return what the server's settings say: those for this station, else those for all, as the server merges them."""
    for owner in (device_id, None):
        # `== None` becomes IS NULL.
        query = select(StationConfig).where(StationConfig.device_id == owner, StationConfig.deleted_at.is_(None))
        config = session.scalars(query.order_by(StationConfig.id)).first()
        if config is None or config.settings.get("thresholds") is None:
            continue
        found = {name: config.settings.get(name) for name in ("thresholds", "threshold_models")}
        try:
            settings = StationSettings.model_validate(found)
        except ValidationError as error:
            field, reason = first_problem(error)
            raise DoesNotFit("item-criteria-invalid", item=item.name, setting=field, reason=reason) from error
        value = (settings.thresholds or {}).get(item.id)
        return None if value is None else ChosenThreshold(value, (settings.threshold_models or {}).get(item.id))
    return None


def _number(value: object) -> float | None:
    """Return a model's threshold as criteria take it, None for what is none."""
    found = _own({"threshold": value})
    return found.value if found else None
