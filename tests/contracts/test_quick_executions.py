"""What is read of executions without a session is the same on every engine."""

from __future__ import annotations

import pytest

from models.executions import ExecutionOutput
from models.pipelines import Pipeline
from models.states import ExecutionStatus, OutputKind, Role
from models.sync import StoredFile
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions.intake import Draft
from server.executions.pipelines import is_present
from server.executions.service import check_draft, state_of
from server.live.present import present_state
from tests.support.executing import RESIZE_BLUR
from tests.support.live_clients import add_execution

ASKING = Principal("u", "supervisor", Role.SUPERVISOR, None)


@pytest.mark.parametrize("status", list(ExecutionStatus))
def test_the_state_for_a_client_is_that_of_rest(context: ServerContext, status: ExecutionStatus) -> None:
    values = {"progress": 40.0, "attempts": 1, "error_code": "disk-full", "error_values": {"retry_after": 30}}
    one = add_execution(context.database, status, ("resize", "running"), **values)
    with context.database.local_transaction() as session:
        file = StoredFile(sha256="b" * 64, filename="out.jpg", content_type="image/jpeg", size_bytes=9)
        session.add(file)
        session.flush()
        kind = OutputKind.PICTURE
        session.add(ExecutionOutput(execution_id=one, position=0, file_id=file.id, output_kind=kind))
    answer, state = state_of(context, ASKING, one), present_state(context, ASKING, one)
    assert (state.status, state.progress, state.attempts) == (answer.status, answer.progress, answer.attempts)
    assert (state.started_at, state.error_code) == (answer.started_at, "disk-full")
    if status is ExecutionStatus.RUNNING:
        assert (list(state.steps), state.file_count) == (answer.steps, 1)
    if status is ExecutionStatus.COMPLETED:
        assert list(state.output_files) == answer.output_files != []


def test_a_pipeline_is_made_once_until_it_changes(context: ServerContext) -> None:
    with context.database.transaction() as session:
        record = Pipeline(name="P", definition={"name": "P", "steps": RESIZE_BLUR})
        session.add(record)
    draft = Draft(record.id, {"small": {"width": 32}})
    first = check_draft(context, draft)
    assert check_draft(context, draft) is first
    with context.database.transaction() as session:
        session.get_one(Pipeline, record.id).definition = {"name": "P", "steps": RESIZE_BLUR[:1]}
    with context.database.connection() as connection:
        assert not is_present(connection, first)
    assert [step["id"] for step in check_draft(context, draft).definition["steps"]] == ["small"]
