"""The present state of an execution is what its records say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.database import Database
from models.errors import NotFound
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.pipelines import Pipeline
from models.states import ExecutionMode, ExecutionStatus, OutputKind, Priority, Role
from models.sync import StoredFile
from server.auth.identity.principal import Principal
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.executions.events import PIPELINE_PROGRESS, PROCESSING_REQUESTS, ExecutionEvent, ExecutionRequest
from server.executions.service import state_of

STATION = Principal.of_device("station-1")
SUPERVISOR = Principal("u", "supervisor", Role.SUPERVISOR, None)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    with_files = open_context(ServerSettings(data_dir=tmp_path))
    yield with_files
    with_files.close()


def add_execution(database: Database, **fields: object) -> Execution:
    """Add an execution of one input file that has put out one picture."""
    with database.transaction() as session:
        pipeline = Pipeline(name="P", definition={"name": "P", "steps": []})
        session.add(pipeline)
        session.flush()
        made = Execution(
            pipeline_id=pipeline.id, pipeline_name="P", pipeline_version=1, definition=pipeline.definition, **fields
        )
        given, result = (
            StoredFile(sha256=digit * 64, filename=name, content_type="image/jpeg", size_bytes=9)
            for digit, name in (("a", "in.jpg"), ("b", "out.jpg"))
        )
        session.add_all([made, given, result])
        session.flush()
        steps = [{"step_id": "resize", "component": "resize", "status": "completed", "milliseconds": 3.5}]
        session.add(ExecutionRun(execution_id=made.id, position=0, file_id=given.id, steps=steps))
        session.add(
            ExecutionOutput(execution_id=made.id, position=0, file_id=result.id, output_kind=OutputKind.PICTURE)
        )
    return made


def test_the_state_has_the_members_of_the_contract(context: ServerContext) -> None:
    made = add_execution(context.database, status=ExecutionStatus.RUNNING, progress=40.0)
    state = state_of(context, SUPERVISOR, made.id)
    assert (state.execution_id, state.status, state.progress) == (made.id, ExecutionStatus.RUNNING, 40.0)
    assert state.execution_mode is ExecutionMode.DIRECT_GRPC
    assert [(step.step_id, step.milliseconds) for step in state.steps] == [("resize", 3.5)]
    assert [(file.filename, file.sha256) for file in state.output_files] == [("out.jpg", "b" * 64)]
    assert [file.filename for file in state.input_files] == ["in.jpg"]


def test_a_failure_is_told_in_the_language_of_the_client(context: ServerContext) -> None:
    made = add_execution(context.database, status=ExecutionStatus.FAILED, error_code="execution-not-found")
    english, japanese = (state_of(context, SUPERVISOR, made.id, language).error for language in ("en", "ja"))
    assert english is not None
    assert japanese is not None
    assert (english.code, japanese.code) == ("execution-not-found", "execution-not-found")
    assert english.message != japanese.message


def test_a_station_alone_sees_only_its_own(context: ServerContext) -> None:
    own, other = (add_execution(context.database, device_id=device) for device in ("station-1", "station-2"))
    assert state_of(context, STATION, own.id).execution_id == own.id
    with pytest.raises(NotFound) as refused:
        state_of(context, STATION, other.id)
    assert refused.value.code == "execution-not-found"


def test_high_goes_before_normal_before_low() -> None:
    assert sorted(Priority, key=lambda one: one.rank) == [Priority.HIGH, Priority.NORMAL, Priority.LOW]


def test_an_event_survives_its_journey_as_json() -> None:
    event = ExecutionEvent(
        execution_id="e", status=ExecutionStatus.RUNNING, timestamp="2026-01-02T03:04:05.678Z", step_id="resize"
    )
    assert PIPELINE_PROGRESS.from_json(PIPELINE_PROGRESS.to_json(event)) == event
    request = ExecutionRequest(execution_id="e")
    assert PROCESSING_REQUESTS.from_json(PROCESSING_REQUESTS.to_json(request)) == request
