"""The doors through which masters change or items are inspected, each with real parts; all answer in the same form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
from sqlalchemy import select

from app.command_line.chosen_criteria import read_criteria
from app.command_line.chosen_pipeline import chosen_pipeline
from app.station.operations.preparation import prepare_item
from app.station.workspace import Workspace
from app.window.presenting.running import Lane, Task
from inspection.pipeline.criteria_fit import require_criteria_fit
from inspection.recipe.overrides import merge_overrides
from models.errors import UserFacingError
from models.ids import new_id
from models.pipelines import ModelFile, Pipeline
from models.synced import Master, snapshot, to_wire
from models.targets import InspectionItem, Target
from models.tracking import remote_changes
from models.users import User
from server.context import ServerContext
from sync.shared.protocol import Outcome
from tests.support.pushing import AT, Pushing
from tests.support.serving import Served
from tests.support.sync_stores import signed_in

Json = dict[str, Any]
Answer = str | None
"""None when a door accepts; else what it rejects: ``pipeline``, ``criteria``, or the code of another refusal."""


def rejected_part(problem: Mapping[str, Any]) -> str:
    """Return what the problem document of a refusal is about."""
    fields = problem.get("validation_errors") or [{"field": ""}]
    part = str(fields[0]["field"]).split(".", maxsplit=1)[0]
    if part == "definition" or "inspection_context" in problem:
        return "pipeline"
    return part or str(problem["type"]).rpartition("/")[2]


class MasterDoor(Protocol):
    """A door through which masters on a server change."""

    context: ServerContext

    def create(self, record: Master) -> Answer:
        """Create a target, pipeline or item."""
        ...

    def change(self, record: Master, **fields: Any) -> Answer:
        """Change fields of a record."""
        ...

    def delete(self, record: Master) -> Answer:
        """Delete a record."""
        ...


_PATHS = {"target": "/inspection/targets", "item": "/inspection/items", "pipeline": "/pipelines"}


class Rest:
    """Real HTTP on loopback, as a supervisor."""

    def __init__(self, served: Served) -> None:
        self.context = served.context
        self._client = served["supervisor"]

    def create(self, record: Master) -> Answer:
        path = _PATHS[record.entity]
        body = {name: value for name, value in snapshot(record).items() if name not in _NOT_IN_BODIES}
        if isinstance(record, Pipeline):
            del body["version"]
        if isinstance(record, InspectionItem):
            path = f"/inspection/targets/{record.target_id}/items"
            del body["target_id"]
        return self._answer(self._client.post(path, json={"id": record.id, **body}))

    def change(self, record: Master, **fields: Any) -> Answer:
        path = f"{_PATHS[record.entity]}/{record.id}"
        if "pipeline_id" in fields:
            path = f"{path}/pipeline"
        return self._answer(self._client.put(path, json=fields))

    def delete(self, record: Master) -> Answer:
        return self._answer(self._client.delete(f"{_PATHS[record.entity]}/{record.id}"))

    @staticmethod
    def _answer(answer: httpx.Response) -> Answer:
        return None if answer.is_success else rejected_part(answer.json())


_NOT_IN_BODIES = frozenset({"created_at", "updated_at", "deleted_at"})


class Push:
    """Changes that a station pushes for its supervisor, applied by the server's own code."""

    def __init__(self, served: Served) -> None:
        self.context = served.context
        self._station = Pushing(served.context)
        with served.context.database.transaction() as session:
            self._user_id = session.scalars(select(User.id).where(User.username == "supervisor")).one()
            session.add(signed_in(session.get_one(User, self._user_id), self._station.device.id))

    def create(self, record: Master) -> Answer:
        return self._push(record, "insert", snapshot(record))

    def change(self, record: Master, **fields: Any) -> Answer:
        return self._push(record, "update", {name: to_wire(value) for name, value in fields.items()})

    def delete(self, record: Master) -> Answer:
        return self._push(record, "delete", {"deleted_at": AT})

    def _push(self, record: Master, op: str, fields: Json) -> Answer:
        with self.context.database.read() as session:
            present = session.get(type(record), record.id)
            base_rev = present.rev if present is not None else None
        change = self._station.change(record.entity, fields, user_id=self._user_id)
        pushed = {**change, "entity_id": record.id, "op": op, "base_rev": base_rev}
        (result,) = self._station.push({name: value for name, value in pushed.items() if value is not None})
        if result.outcome is not Outcome.REJECTED:
            return None
        assert result.problem is not None
        assert "retry" not in result.problem
        return rejected_part(result.problem)


def ask_master_door(door: MasterDoor, definition: Json, overrides: Json, criteria: Json) -> Answer:
    """Return whether a door takes a pipeline and an item that is inspected by it."""
    target = Target(code=new_id(), name="T")
    pipeline = Pipeline(name="P", definition=definition)
    assert door.create(target) is None
    refusal = door.create(pipeline)
    if refusal is not None:
        return refusal
    item = InspectionItem(
        target_id=target.id,
        name="I",
        pipeline_id=pipeline.id,
        pipeline_parameters=overrides,
        criteria=criteria,
    )
    return door.create(item)


def ask_station(workspace: Workspace, definition: Json, overrides: Json, criteria: Json, *models: ModelFile) -> Answer:
    """Return whether a station prepares an item that it holds, as if it came from a server without rules."""
    target = Target(code=new_id(), name="T", rev=1)
    pipeline = Pipeline(name="P", definition=definition, rev=2)
    item = InspectionItem(
        target_id=target.id,
        name="I",
        pipeline_id=pipeline.id,
        pipeline_parameters=overrides,
        criteria=criteria,
        rev=3,
    )
    with workspace.database.transaction() as session, remote_changes(session):
        for record in (*models, target, pipeline, item):
            session.add(record)
            session.flush()
    try:
        prepare_item(workspace, item.id)
    except UserFacingError as error:
        return "criteria" if error.code == "item-criteria-invalid" else error.code.partition("-")[0]
    return None


def ask_command_line(folder: Path, definition: Json, overrides: Json, criteria: Json) -> Answer:
    """Return whether commands take the pipeline, with the parameters in it, and the criteria from files."""
    pipeline, rule = folder / "pipeline.json", folder / "criteria.json"
    pipeline.write_text(json.dumps(merge_overrides(definition, overrides)))
    rule.write_text(json.dumps(criteria))
    try:
        require_criteria_fit(chosen_pipeline(pipeline), read_criteria(rule, None), lambda _: None)
    except UserFacingError as error:
        return error.code.partition("-")[0]
    return None


ResultT = TypeVar("ResultT")


class InlineRunner:
    """Runs the operations of presenters at once, in the thread that asks."""

    def run(
        self,
        operation: Callable[[Task], ResultT],
        *,
        lane: Lane,
        on_success: Callable[[ResultT], object],
        on_failure: Callable[[UserFacingError], object],
        on_progress: Callable[[Any], object] | None = None,
        on_finished: Callable[[], object] | None = None,
    ) -> Task:
        task = Task(on_progress or (lambda _: None))
        try:
            result = operation(task)
        except UserFacingError as error:
            on_failure(error)
        else:
            on_success(result)
        if on_finished is not None:
            on_finished()
        return task

    def post(self, callback: Callable[[], object]) -> None:
        callback()
