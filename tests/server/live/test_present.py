"""What a client is told first and of each event, compared with the answer of REST and with models of the messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection

from models.clock import utc_now
from models.errors import NotFound
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.ids import new_id
from models.messages import Language
from models.states import ExecutionStatus, OutputKind, Role
from models.sync import StoredFile
from server.auth.identity.principal import Principal
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.core.websocket_messages import ErrorDetail, ErrorMessage, wire_code
from server.executions import repository
from server.executions.events import ExecutionEvent
from server.executions.rules import remaining_ms
from server.executions.schemas import ExecutionDetail, OutputFile
from server.executions.service import state_of
from server.http.live_socket import LiveSocket
from server.live.messages import Completed, Seen, messages_of_event, messages_of_state
from server.live.present import present_state
from sync.shared.schemas import Id, Moment, Reply
from tests.support.live_clients import add_execution

STATION, OTHER = Principal.of_device("station-1"), Principal.of_device("station-2")
PEOPLE = [Principal("u", role.value, role, None) for role in Role]
ANYBODY = PEOPLE[0]
AT_STATION = Principal("u", "inspector", Role.INSPECTOR, "station-2")
PENDING, RUNNING = ExecutionStatus.PENDING, ExecutionStatus.RUNNING
COMPLETED, FAILED, CANCELLED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED
NOW = utc_now()
HARD = 'Größe "ü" \\ \u2028 \x07 検査 😀'


class ProgressData(Reply):
    current_component: str
    elapsed_time_ms: float
    estimated_remaining_ms: float | None = None
    file_index: int
    file_count: int


class Progress(Reply):
    type: Literal["progress"] = "progress"
    execution_id: Id
    step: str
    progress: float
    status: Literal["processing"] = "processing"
    timestamp: Moment
    data: ProgressData


class ExecutionUpdate(Reply):
    type: Literal["execution_update"] = "execution_update"
    execution_id: Id
    status: ExecutionStatus


def expected_of(state: ExecutionDetail) -> list[BaseModel]:
    """Return the messages about the answer of REST, as models."""
    messages: list[BaseModel] = [ExecutionUpdate(execution_id=state.execution_id, status=state.status)]
    one = state.execution_id
    if state.status is COMPLETED:
        total_ms = state.processing_time_ms or 0.0
        messages.append(Completed(execution_id=one, total_time_ms=total_ms, output_files=state.output_files))
    elif state.status is FAILED and state.error is not None:
        error = state.error
        detail = ErrorDetail(
            code=wire_code(error.code), message=error.message, advice=error.advice, retry_after=error.retry_after
        )
        messages.append(ErrorMessage(execution_id=one, error=detail))
    elif state.status is RUNNING and state.steps:
        step = state.steps[-1]
        elapsed_ms = (NOW - (state.started_at or NOW)).total_seconds() * 1000
        data = ProgressData(
            current_component=step.component_title,
            elapsed_time_ms=elapsed_ms,
            estimated_remaining_ms=remaining_ms(elapsed_ms, state.progress),
            file_index=step.file_index,
            file_count=len(state.input_files),
        )
        messages.append(
            Progress(execution_id=one, step=step.step_id, progress=state.progress, timestamp=NOW, data=data)
        )
    return messages


class Sent:
    """A connection that keeps what it is given to send."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    async def send_text(self, text: bytes) -> None:
        self.texts.append(text)


def sent(messages: Sequence[BaseModel | Mapping[str, Any]]) -> list[bytes]:
    """Return what a client gets for messages."""
    connection, socket = Sent(), LiveSocket.__new__(LiveSocket)
    vars(socket)["_connection"] = connection
    for message in messages:
        with pytest.raises(StopIteration):
            socket.send(message).send(None)
    return connection.texts


def written(messages: Sequence[BaseModel]) -> list[bytes]:
    """Return models as their JSON."""
    return [message.model_dump_json(by_alias=True, exclude_none=True).encode() for message in messages]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=Path(tmp_path_factory.mktemp("present"))))
    yield opened
    opened.close()


def add_run(context: ServerContext, execution_id: str, position: int, *steps: str) -> None:
    """Add a further input file with its steps and two outputs."""
    with context.database.local_transaction() as session:
        files = [StoredFile(sha256="b" * 64, filename=HARD, content_type="image/jpeg", size_bytes=9) for _ in range(3)]
        session.add_all(files)
        session.flush()
        begun = [{"step_id": step, "component": step, "status": "running", "milliseconds": None} for step in steps]
        session.add(
            ExecutionRun(execution_id=execution_id, position=position, file_id=files[0].id, status=RUNNING, steps=begun)
        )
        for file in files[1:]:
            kind = OutputKind.PICTURE
            session.add(ExecutionOutput(execution_id=execution_id, position=0, file_id=file.id, output_kind=kind))


def made(context: ServerContext, status: ExecutionStatus, *steps: tuple[str, str], **fields: Any) -> str:
    one = add_execution(context.database, status, *steps, **fields)
    if steps:
        add_run(context, one, 1, "blur", HARD)
    return one


BEGUN = {"started_at": NOW - timedelta(seconds=1.5), "attempts": 1}
STEPS = (("resize", "completed"), ("ai", "running"))
STATES: list[tuple[ExecutionStatus, tuple[tuple[str, str], ...], dict[str, Any]]] = [
    (PENDING, (), {}),
    (PENDING, STEPS, {**BEGUN, "progress": 20.0}),
    (RUNNING, (), BEGUN),
    (RUNNING, STEPS, {**BEGUN, "progress": 33.3}),
    (RUNNING, STEPS, {"attempts": 1}),
    (COMPLETED, STEPS, {**BEGUN, "progress": 100.0, "processing_time_ms": 87.5}),
    (COMPLETED, (), {}),
    (FAILED, STEPS, {**BEGUN, "error_code": "disk-full", "error_values": {"retry_after": 30}}),
    (FAILED, STEPS, {**BEGUN, "error_code": "execution-given-up", "error_values": {"attempts": 3}}),
    (FAILED, STEPS, BEGUN),
    (CANCELLED, STEPS, BEGUN),
    (CANCELLED, (), {}),
]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(("status", "steps", "fields"), STATES)
def test_a_client_is_told_what_rest_answers(
    context: ServerContext,
    status: ExecutionStatus,
    steps: tuple[tuple[str, str], ...],
    fields: dict[str, Any],
    language: Language,
) -> None:
    one = made(context, status, *steps, **fields)
    answer, state = state_of(context, ANYBODY, one, language), present_state(context, ANYBODY, one)
    assert sent(messages_of_state(state, language, NOW)) == written(expected_of(answer))
    assert (state.status, state.progress, state.attempts) == (answer.status, answer.progress, answer.attempts)


def test_steps_that_the_state_shows_are_no_news(context: ServerContext) -> None:
    one, seen = made(context, RUNNING, *STEPS, **BEGUN), Seen()
    assert seen.take_state(present_state(context, ANYBODY, one))
    assert not seen.take_state(present_state(context, ANYBODY, one))
    given = {"execution_id": one, "status": RUNNING, "timestamp": NOW}
    assert not seen.take_event(ExecutionEvent(**given, step_id="ai", step_status="running"))
    assert seen.take_event(ExecutionEvent(**given, step_id="ai", step_status="completed"))


@pytest.mark.parametrize("status", [PENDING, RUNNING])
def test_the_steps_of_the_next_claim_are_news(context: ServerContext, status: ExecutionStatus) -> None:
    one, seen = made(context, status, *STEPS, fencing_token=1, **BEGUN), Seen()
    assert seen.take_state(present_state(context, ANYBODY, one))
    again = {"execution_id": one, "status": RUNNING, "timestamp": NOW, "fencing_token": 2}
    assert seen.take_event(ExecutionEvent(**again, step_id="ai", step_status="running"))


def test_what_belongs_to_a_state_is_read_in_one_version_of_the_store(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made(context, RUNNING, *STEPS, **BEGUN)
    before, read = present_state(context, ANYBODY, one), repository.begun_runs

    def read_after_a_change(connection: Connection, execution_id: str) -> Sequence[Any]:
        with context.database.local_transaction() as session:
            session.get_one(ExecutionRun, (one, 0)).steps = []
            session.get_one(Execution, one).progress = 77.0
        return read(connection, execution_id)

    monkeypatch.setattr(repository, "begun_runs", read_after_a_change)
    assert present_state(context, ANYBODY, one) == before


@pytest.mark.parametrize("status", list(ExecutionStatus))
def test_who_may_not_read_an_execution_is_answered_as_rest_answers(
    context: ServerContext, status: ExecutionStatus
) -> None:
    one = made(context, status, *STEPS, device_id="station-1", **BEGUN)
    ownerless = made(context, status, *STEPS, **BEGUN)
    for who in (STATION, AT_STATION, *PEOPLE):
        assert present_state(context, who, one).execution_id == state_of(context, who, one).execution_id == one
    for who, unreadable in ((OTHER, one), (OTHER, ownerless), (OTHER, new_id()), (PEOPLE[0], new_id())):
        for read in (present_state, state_of):
            with pytest.raises(NotFound) as refused:
                read(context, who, unreadable)
            assert refused.value.code == "execution-not-found"


NUMBERS = [0.0, 100.0, 33.3, 1e-7, 1.5e16, 1e16, 0.1 + 0.2, 12345678.9, float("inf"), float("nan")]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("left", [None, 7.5])
@pytest.mark.parametrize("names", [(None, None), ("resize", None), ("resize", HARD)])
def test_progress_is_written_as_a_model_is(
    number: float, left: float | None, names: tuple[str | None, str | None]
) -> None:
    component, title = names
    event = ExecutionEvent(
        execution_id=new_id(),
        status=RUNNING,
        timestamp=NOW,
        step_id=HARD,
        step_status="running",
        component=component,
        component_title=title,
        progress=number,
        elapsed_time_ms=number,
        estimated_remaining_ms=left,
        file_index=2,
        file_count=3,
    )
    data = ProgressData(
        current_component=title or component or "",
        elapsed_time_ms=number,
        estimated_remaining_ms=left,
        file_index=2,
        file_count=3,
    )
    expected = Progress(execution_id=event.execution_id, step=HARD, progress=number, timestamp=NOW, data=data)
    assert sent(messages_of_event(event, "en")) == written([expected])


@pytest.mark.parametrize("status", list(ExecutionStatus))
def test_a_change_is_written_as_a_model_is(status: ExecutionStatus) -> None:
    output = OutputFile(
        file_id=new_id(),
        file_index=0,
        output_kind=OutputKind.PICTURE,
        filename=HARD,
        content_type="image/jpeg",
        size=3,
        sha256="b" * 64,
        download_url="/api/v1/files/x/download",
    )
    event = ExecutionEvent(
        execution_id=new_id(), status=status, timestamp=NOW, total_time_ms=87.0, output_files=[output]
    )
    expected: list[BaseModel] = [ExecutionUpdate(execution_id=event.execution_id, status=status)]
    if status is COMPLETED:
        expected.append(Completed(execution_id=event.execution_id, total_time_ms=87.0, output_files=[output]))
    assert sent(messages_of_event(event, "en")) == written(expected)
