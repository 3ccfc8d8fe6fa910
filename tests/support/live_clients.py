"""WebSocket clients of a server under test, and executions for them to listen to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from models.clock import utc_now
from models.database import Database
from models.executions import Execution, ExecutionRun
from models.pipelines import Pipeline
from models.states import ExecutionStatus
from models.sync import StoredFile
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from tests.support.serving import Served

PATIENCE_S = 20.0


@contextmanager
def live(served: Served, path: str, role: str = "admin", **options: Any) -> Iterator[ClientConnection]:
    """Connect as a role, by the ``Authorization`` header."""
    signed_in = served[role].headers.get("Authorization") if role in served.clients else None
    headers = {"Authorization": signed_in} if signed_in else {}
    options.setdefault("additional_headers", headers)
    url = served.url.replace("http", "ws", 1) + path
    with connect(url, proxy=None, compression=None, open_timeout=PATIENCE_S, **options) as connection:
        yield connection


def message(connection: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    return dict(json.loads(connection.recv(timeout=PATIENCE_S)))


def refusal(served: Served, path: str, role: str = "admin", **options: Any) -> tuple[int, str]:
    """Return status and code of the problem document that refuses a handshake."""
    with pytest.raises(InvalidStatus) as refused, live(served, path, role, **options):
        pass
    answer = refused.value.response
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, str(json.loads(answer.body)["type"]).rpartition("/")[2]


def close_code(connection: ClientConnection) -> int:
    """Wait until the server ends the connection and return the code it gave."""
    with suppress(ConnectionClosed):
        while True:
            connection.recv(timeout=PATIENCE_S)
    assert connection.close_code is not None
    return connection.close_code


def add_execution(database: Database, status: ExecutionStatus, *steps: tuple[str, str], **fields: Any) -> str:
    """Add an execution of one input file in a state, and return its id.

    Args:
        database: gets the records.
        status: of the execution.
        steps: id and status of those that have begun.
        fields: further columns of the execution.
    """
    with database.transaction() as session:
        pipeline = Pipeline(name="P", definition={"name": "P", "steps": []})
        session.add(pipeline)
        session.flush()
        definition = {"pipeline_version": 1, "definition": pipeline.definition}
        made = Execution(pipeline_id=pipeline.id, pipeline_name="P", status=status, **definition, **fields)
        given = StoredFile(sha256="a" * 64, filename="in.jpg", content_type="image/jpeg", size_bytes=9)
        session.add_all([made, given])
        session.flush()
        begun = [
            {"step_id": step, "component": step, "component_title": step.title(), "status": state, "milliseconds": None}
            for step, state in steps
        ]
        session.add(ExecutionRun(execution_id=made.id, position=0, file_id=given.id, steps=begun))
        return made.id


def happened(served: Served, execution_id: str, status: ExecutionStatus, **fields: Any) -> None:
    """Publish an event of an execution."""
    event = ExecutionEvent(execution_id=execution_id, status=status, timestamp=utc_now(), **fields)
    served.context.events.publish(PIPELINE_PROGRESS, execution_id, event)


def stepped(served: Served, execution_id: str, step: str, state: str, progress: float, **fields: Any) -> None:
    """Publish that a step of an execution has begun or ended."""
    given = {"step_id": step, "step_status": state, "component": step, "progress": progress, **fields}
    happened(served, execution_id, ExecutionStatus.RUNNING, **given)
