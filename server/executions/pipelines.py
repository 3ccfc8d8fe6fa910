"""The pipeline that an execution runs: the version when it is accepted, with the request's parameters, able to run."""

from __future__ import annotations

import copy
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, select

from models.errors import DoesNotFit, InvalidInput, NotFound
from models.messages import LocalText
from models.pipelines import ModelFile, Pipeline
from models.prepared import Prepared

if TYPE_CHECKING:
    from inspection.pipeline.validation import ValidatedPipeline

_MOST_KEPT = 64
"""Resolutions of a store."""
_LONGEST_KEPT = 64 * 1024
"""Characters of the definition of a resolution that is kept, its parameters in it."""


class PipelineVersion(Protocol):
    """What is needed of a pipeline's record."""

    id: Any
    name: Any
    version: Any
    clock: Any
    rev: Any


@dataclass(frozen=True, slots=True)
class ResolvedPipeline:
    """A pipeline as it will run; several requests may share one, so that nothing of it is changed.

    Attributes:
        record: of the pipeline.
        definition: with the parameters of the request in it, JSON values.
        criteria: that its verdicts are by, JSON values; empty are the pipeline's own.
    """

    record: PipelineVersion
    definition: dict[str, Any]
    criteria: dict[str, Any] = field(default_factory=dict)


def resolve(
    connection: Connection,
    pipeline_id: str,
    parameters: Mapping[str, Mapping[str, Any]],
    other_models: Callable[[], Collection[str]],
) -> ResolvedPipeline:
    """Return the pipeline of a request; its parameters are checked by the rules of an item's.

    Args:
        connection: to the store, in a transaction or none.
        pipeline_id: of the pipeline.
        parameters: step id → parameter → value.
        other_models: returns the names of the models that are no records: those of the server's settings.

    Raises:
        NotFound: ``pipeline-not-found``.
        InvalidInput: a parameter, as ``parameters.<step>.<name>`` in ``validation_errors``.
        DoesNotFit: ``pipeline-does-not-fit``, ``execution-model-missing`` or ``pipeline-model-kind``.
    """
    from inspection.recipe.models import require_model_kinds
    from inspection.recipe.reading import read_models

    found = _merged(connection, pipeline_id, parameters)
    if found.models:
        # Models come and go without their pipelines: looked at for every request.
        known = {model.name: model for model in read_models(found.models, _Models(connection))}
        missing = [name for name in found.models if name not in known]
        if missing:
            require_models(found.resolved.record, missing, other_models())
        require_model_kinds(found.pipeline, known)
    return found.resolved


def is_present(connection: Connection, resolved: ResolvedPipeline) -> bool:
    """Return whether a pipeline is as it was when it was resolved.

    Args:
        connection: to the store, in the transaction that relies on it.
        resolved: in an earlier transaction.

    Raises:
        NotFound: ``pipeline-not-found`` when it has been deleted since.
    """
    now = _STATE.first(connection, {"of_pipeline": resolved.record.id})
    if now is None:
        raise NotFound("pipeline-not-found")
    # A change of a station may have an older clock than what it is merged into: its position tells.
    return bool((now.clock, now.rev) == (resolved.record.clock, resolved.record.rev))


@dataclass(frozen=True, slots=True)
class _Merged:
    """A pipeline with the parameters of a request, valid; whether its models are there is another question.

    Attributes:
        resolved: as it will run.
        pipeline: the same, validated.
        models: names of its models, in order.
    """

    resolved: ResolvedPipeline
    pipeline: ValidatedPipeline
    models: tuple[str, ...]


class _Kept:
    """The merged pipelines that were asked for last; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By store: one id may be another pipeline in another one.
        self._by_store: WeakKeyDictionary[Engine, OrderedDict[tuple[str, str], _Merged]] = WeakKeyDictionary()

    def find(self, store: Engine, key: tuple[str, str]) -> _Merged | None:
        with self._lock:
            of_store = self._by_store.get(store)
            found = None if of_store is None else of_store.get(key)
            if of_store is not None and found is not None:
                of_store.move_to_end(key)
            return found

    def add(self, store: Engine, key: tuple[str, str], made: _Merged) -> None:
        with self._lock:
            of_store = self._by_store.setdefault(store, OrderedDict())
            of_store[key] = made
            of_store.move_to_end(key)
            if len(of_store) > _MOST_KEPT:
                of_store.popitem(last=False)


_KEPT = _Kept()


def _merged(connection: Connection, pipeline_id: str, parameters: Mapping[str, Mapping[str, Any]]) -> _Merged:
    """Return the pipeline with parameters; made once for each state of it and each choice of parameters."""
    key = pipeline_id, as_text(parameters) if parameters else ""
    in_transaction = connection.in_transaction()
    kept = _KEPT.find(connection.engine, key)
    if kept is not None and is_present(connection, kept.resolved):
        return kept
    made = _merge(connection, pipeline_id, parameters)
    # What is seen within a transaction that others have written in may never be committed.
    if not in_transaction and len(as_text(made.resolved.definition)) <= _LONGEST_KEPT:
        # Nothing of it is the request's own, which others would see changed.
        own = replace(made.resolved, definition=copy.deepcopy(made.resolved.definition))
        made = replace(made, resolved=own)
        _KEPT.add(connection.engine, key, made)
    return made


def _merge(connection: Connection, pipeline_id: str, parameters: Mapping[str, Mapping[str, Any]]) -> _Merged:
    from inspection.recipe.overrides import merge_overrides

    record = _PRESENT.first(connection, {"of_pipeline": pipeline_id})
    if record is None:
        raise NotFound("pipeline-not-found")
    _require_steps(record.definition, parameters)
    merged = merge_overrides(record.definition, parameters)
    try:
        pipeline = pipeline_of(as_text(merged))
    except InvalidInput as error:
        raise _of_request(error, parameters) from error
    return _Merged(ResolvedPipeline(record, merged), pipeline, tuple(sorted(pipeline.models())))


def as_text(values: Mapping[str, Any]) -> str:
    """Return JSON values of a record, a definition for ``pipeline_of`` among them, as text."""
    return json.dumps(values, sort_keys=True)


@lru_cache(maxsize=64)
def pipeline_of(definition: str) -> ValidatedPipeline:
    """Return the pipeline of a definition's JSON; validated once for many executions.

    Raises:
        InvalidInput: as ``validate_definition``.
    """
    # Loaded with the first execution: what the components need takes a tenth of a server's memory.
    from inspection.pipeline.definition import PipelineDefinition
    from inspection.pipeline.validation import validate_definition

    return validate_definition(PipelineDefinition.parse(json.loads(definition)))


def knows_pipelines() -> bool:
    """Return whether what pipelines need is loaded: a definition has been validated before."""
    return pipeline_of.cache_info().currsize > 0


def require_models(record: PipelineVersion, without_record: Collection[str], other_models: Collection[str]) -> None:
    """Check that the models of a pipeline that are no records are among those of the server's settings.

    Raises:
        DoesNotFit: ``execution-model-missing``.
    """
    for name in sorted(set(without_record) - set(other_models)):
        raise DoesNotFit("execution-model-missing", name=name, pipeline=record.name)


def _require_steps(definition: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    steps = {step["id"] for step in definition["steps"]}
    unknown = [step for step in parameters if step not in steps]
    if unknown:
        entries = [
            {"field": f"parameters.{step}", "message": LocalText.of("pipeline-without-step", {"step": step})}
            for step in unknown
        ]
        raise InvalidInput("validation-error", members={"validation_errors": entries})


def _of_request(error: InvalidInput, parameters: Mapping[str, Mapping[str, Any]]) -> InvalidInput | DoesNotFit:
    """Return the error with its fields named as in the request; one of the pipeline itself is none of the request."""
    found = error.members.get("validation_errors")
    entries: list[dict[str, Any]] = list(found) if isinstance(found, list) else []
    of_request = [
        {**entry, "field": f"parameters.{step}.{place}"}
        for entry in entries
        for step, place in [_parameter_of(str(entry["field"]))]
        # No parameter has a dot in its name: what follows one is a place within its value.
        for values in [parameters.get(step, {})]
        if place in values or place.partition(".")[0] in values
    ]
    if not of_request:
        return DoesNotFit("pipeline-does-not-fit", reason=LocalText.of(error.code, error.values))
    return InvalidInput("validation-error", members={"validation_errors": of_request})


def _parameter_of(place: str) -> tuple[str, str]:
    """Return step and path of the parameter that a field of a definition is; both empty for any other field."""
    # The id of a step has no dot.
    step, _, field = place.removeprefix("steps.").partition(".")
    return (step, field.removeprefix("parameters.")) if field.startswith("parameters.") else ("", "")


@dataclass(frozen=True, slots=True)
class _Models:
    """Finds model files of the store, as ``ModelRecords``."""

    connection: Connection

    def model(self, name: str) -> Any | None:
        """Return the columns of a model file that a recipe is made of."""
        return _MODEL.first(self.connection, {"of_model": name})


_IS_PRESENT = Pipeline.id == bindparam("of_pipeline"), Pipeline.deleted_at.is_(None)
# Columns: every request asks twice.
_STATE = Prepared(select(Pipeline.clock, Pipeline.rev).where(*_IS_PRESENT))
_PRESENT = Prepared(
    select(Pipeline.id, Pipeline.name, Pipeline.version, Pipeline.clock, Pipeline.rev, Pipeline.definition).where(
        *_IS_PRESENT
    )
)
_MODEL = Prepared(
    select(ModelFile.id, ModelFile.model_kind, ModelFile.sha256, ModelFile.metrics).where(
        ModelFile.id == bindparam("of_model")
    )
)
