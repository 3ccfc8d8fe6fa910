"""The rules that masters keep, whichever door a change comes through: REST and sync push both ask here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from inspection.recipe.criteria import parse_criteria
from models.clock import utc_now
from models.errors import Conflict, DoesNotFit, InvalidInput
from models.messages import LocalText
from models.pipelines import Pipeline
from models.synced import Master, Synced, wire_fields
from models.targets import DefectClass, InspectionItem, Target
from server.audit import AuditedChange, removed
from server.auth.identity.principal import Principal
from server.masters.repository import items_of, items_using
from sync.shared.item_records import ItemRecords
from sync.shared.records import name_taken

Values = Mapping[str, Any]
"""Column → value of a whole record as it is after a change; ``id`` is there."""


def require_valid(session: Session, record_type: type[Synced], values: Values, changed: Collection[str]) -> None:
    """Check a record as it will be after a change; records that are deleted then are not checked.

    Args:
        session: the transaction that makes the change.
        record_type: kind of the record.
        values: the whole record after the change.
        changed: the columns that change; all of them for a new record.

    Raises:
        InvalidInput: ``criteria-invalid``, or what is wrong with a definition; members list the fields.
        Conflict: ``code-taken``, by a record whose code differs in case or width at most.
        DoesNotFit: when a pipeline does not run with an item's parameters, with the member ``inspection_context``.
    """
    check = _CHECKS.get(record_type)
    if check is None or values.get("deleted_at") is not None:
        return
    restored = "deleted_at" in changed
    check(session, values, values.keys() if restored else changed)


def require_deletable(session: Session, record: Synced) -> None:
    """Check that a record may be deleted.

    Raises:
        Conflict: ``pipeline-in-use``.
    """
    if isinstance(record, Pipeline):
        count = len(items_using(session, record.id))
        if count:
            raise Conflict("pipeline-in-use", name=record.name, count=count)


def counted_version(present: int, *, proposed: object = None, changed: bool) -> int:
    """Return the version of a pipeline after a change: it counts up with the definition, and never down.

    Args:
        present: its version before.
        proposed: the version that a station counted by itself.
        changed: whether the definition changes.
    """
    if not changed:
        return present
    return max(present + 1, proposed if isinstance(proposed, int) else 0)


def delete_along(session: Session, who: Principal, record: Synced) -> list[AuditedChange]:
    """Mark what belongs to deleted records deleted, the items of a target, and return that for the audit trail.

    Args:
        session: the transaction, in which changes are recorded.
        who: deletes, or brings the item there.
        record: a target that is deleted, or an item that may have come to one that is.
    """
    items: Sequence[InspectionItem] = ()
    if isinstance(record, Target) and record.deleted_at is not None:
        items = items_of(session, record.id)
    elif isinstance(record, InspectionItem) and record.deleted_at is None:
        target = session.get(Target, record.target_id)
        if target is not None and target.deleted_at is not None:
            items = [record]
    changes = []
    for item in items:
        gone = removed(column_values(item))
        item.deleted_at = utc_now()
        changes.append(AuditedChange(who, "item.deleted", item.entity, item.id, gone))
    return changes


@dataclass(frozen=True, slots=True)
class _ItemPipeline:
    """Which pipeline inspects an item, with which parameters.

    Attributes:
        context: members of the errors about it.
    """

    item_id: str | None
    pipeline_id: str | None
    parameters: Mapping[str, Any]

    @property
    def context(self) -> dict[str, object]:
        return {"inspection_context": {"session_id": None, "item_id": self.item_id, "pipeline_id": self.pipeline_id}}


def _check_code(record_type: type[Target] | type[DefectClass]) -> Callable[[Session, Values, Collection[str]], None]:
    def check(session: Session, values: Values, changed: Collection[str]) -> None:
        if "code" in changed and name_taken(session, record_type, values["code"], values["id"]):
            raise Conflict("code-taken", code_value=values["code"])

    return check


def _check_item(session: Session, values: Values, changed: Collection[str]) -> None:
    if "criteria" in changed:
        parse_criteria(values.get("criteria", {}))
    if "pipeline_id" in changed or "pipeline_parameters" in changed:
        _require_fit(session, _used(values))
    if not {"criteria", "pipeline_id", "pipeline_parameters"}.isdisjoint(changed):
        _require_criteria_fit(session, _used(values), values.get("criteria", {}))


def _check_pipeline(session: Session, values: Values, changed: Collection[str]) -> None:
    if "definition" not in changed:
        return
    # Loaded with the first pipeline: what the components need takes a tenth of a server's memory.
    from inspection.recipe.overrides import check_definition

    definition = values["definition"]
    try:
        check_definition(definition)
    except InvalidInput as error:
        raise _named_in_body(error) from error
    for item in items_using(session, values["id"]):
        used = _ItemPipeline(item.id, values["id"], item.pipeline_parameters)
        _require_runs(session, definition, used)
        _require_criteria_fit(session, used, item.criteria, definition)


def _used(item: Values) -> _ItemPipeline:
    return _ItemPipeline(item["id"], item.get("pipeline_id"), item.get("pipeline_parameters", {}))


def _require_criteria_fit(
    session: Session, used: _ItemPipeline, criteria: Values, definition: Mapping[str, Any] | None = None
) -> None:
    """Check that the pipeline of an item can meet its criteria.

    Criteria may come before a pipeline that can run; they are checked with it.

    Args:
        session: the transaction that makes the change.
        used: the item's pipeline and parameters.
        criteria: the item's.
        definition: of its pipeline as it will be; else the stored one.

    Raises:
        DoesNotFit: as ``require_criteria_fit``.
    """
    from inspection.pipeline.criteria_fit import require_criteria_fit
    from inspection.recipe.models import recorded_classes
    from inspection.recipe.overrides import resolve_pipeline
    from inspection.recipe.reading import read_models

    stored = session.get(Pipeline, used.pipeline_id) if used.pipeline_id and definition is None else None
    definition = stored.definition if stored is not None else definition
    if definition is None:
        return
    try:
        pipeline = resolve_pipeline(definition, used.parameters)
        rule = parse_criteria(criteria)
    except (DoesNotFit, InvalidInput):
        return
    known = read_models(sorted(pipeline.models()), ItemRecords(session))
    try:
        require_criteria_fit(pipeline, rule, recorded_classes({model.name: model for model in known}))
    except DoesNotFit as error:
        message = LocalText.of(error.code, error.values)
        members: dict[str, object] = {"validation_errors": [{"field": "criteria", "message": message, "value": None}]}
        # The error of a pipeline names the item that its change does not fit.
        context = used.context if stored is None else {}
        raise DoesNotFit(error.code, members={**members, **context}, **error.values) from error


def _require_fit(session: Session, used: _ItemPipeline) -> None:
    """Check that an item's pipeline is there and runs with the item's parameters."""
    if used.pipeline_id is None:
        if used.parameters:
            raise DoesNotFit("pipeline-parameters-without", members=used.context)
        return
    pipeline = session.get(Pipeline, used.pipeline_id)
    if pipeline is None or pipeline.deleted_at is not None:
        raise DoesNotFit("pipeline-not-there", members=used.context)
    _require_runs(session, pipeline.definition, used)


def _require_runs(session: Session, definition: Mapping[str, Any], used: _ItemPipeline) -> None:
    from inspection.recipe.models import require_model_kinds
    from inspection.recipe.overrides import resolve_pipeline
    from inspection.recipe.reading import read_models

    try:
        pipeline = resolve_pipeline(definition, used.parameters)
        known = read_models(sorted(pipeline.models()), ItemRecords(session))
        require_model_kinds(pipeline, {model.name: model for model in known})
    except DoesNotFit as error:
        raise DoesNotFit(error.code, members={**error.members, **used.context}, **error.values) from error


def _named_in_body(error: InvalidInput) -> InvalidInput:
    """Return ``error`` with its fields below ``definition``: a pipeline has a name of its own, too."""
    values, members = dict(error.values), dict(error.members)
    if isinstance(values.get("field"), str) and "step" not in values:
        values["field"] = f"definition.{values['field']}"
    problems = members.get("validation_errors")
    if isinstance(problems, list):
        members["validation_errors"] = [{**entry, "field": f"definition.{entry['field']}"} for entry in problems]
    return InvalidInput(error.code, members=members, **values)


_CHECKS: dict[type[Synced], Callable[[Session, Values, Collection[str]], None]] = {
    Target: _check_code(Target),
    DefectClass: _check_code(DefectClass),
    InspectionItem: _check_item,
    Pipeline: _check_pipeline,
}


def column_values(record: Master) -> dict[str, Any]:
    """Return the id and the columns that travel of a record by name."""
    return {name: getattr(record, name) for name in ("id", *wire_fields(type(record)))}
