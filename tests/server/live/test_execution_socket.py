"""``/ws/execution/{id}``: the present state first, then everything that happens, once and in order."""

from __future__ import annotations

import pytest

from models.clock import rfc3339, utc_now
from models.error_values import stored_values
from models.ids import new_id
from models.messages import Language, LocalText, error_text
from models.states import ExecutionStatus, OutputKind
from server.core.websocket_messages import ErrorMessage
from server.executions.events import ExecutionEvent
from server.executions.schemas import OutputFile
from server.http.websocket_protocol import CloseCode
from server.live.messages import messages_of_event
from tests.support.live_clients import add_execution, close_code, happened, live, message, refusal, stepped
from tests.support.serving import Served

PENDING, RUNNING = ExecutionStatus.PENDING, ExecutionStatus.RUNNING


def update(execution_id: str, status: str) -> dict[str, str]:
    return {"type": "execution_update", "execution_id": execution_id, "status": status}


def test_a_client_sees_an_execution_from_its_begin_to_its_end(served: Served) -> None:
    one = add_execution(served.context.database, PENDING)
    output = OutputFile(
        file_id=new_id(),
        file_index=0,
        output_kind=OutputKind.PICTURE,
        filename="result.jpg",
        content_type="image/jpeg",
        size=3,
        sha256="b" * 64,
        download_url="/api/v1/files/x/download",
    )
    with live(served, f"/ws/execution/{one}") as connection:
        assert message(connection) == update(one, "pending")
        happened(served, one, RUNNING)
        assert message(connection) == update(one, "running")
        stepped(served, one, "ai", "running", 65.5, component_title="AI Detection Service", elapsed_time_ms=1750.0)
        progress = message(connection)
        happened(served, one, ExecutionStatus.COMPLETED, total_time_ms=87.0, output_files=[output])
        assert message(connection) == update(one, "completed")
        completed = message(connection)
        assert close_code(connection) == CloseCode.ENDED
    data = {"current_component": "AI Detection Service", "elapsed_time_ms": 1750.0, "file_index": 0, "file_count": 1}
    assert progress.pop("timestamp").endswith("Z")
    assert progress == {
        "type": "progress",
        "execution_id": one,
        "step": "ai",
        "progress": 65.5,
        "status": "processing",
        "data": data,
    }
    assert (completed["type"], completed["execution_id"], completed["total_time_ms"]) == ("completed", one, 87.0)
    (file,) = completed["output_files"]
    assert (file["file_id"], file["filename"]) == (output.file_id, "result.jpg")
    assert file["download_url"] == "/api/v1/files/x/download"


def test_a_failure_comes_with_its_code_in_the_language_of_the_client(served: Served) -> None:
    one = add_execution(served.context.database, RUNNING)
    headers = {"Authorization": served["admin"].headers["Authorization"]}
    details = []
    for language in ("en", "ja"):
        given = {**headers, "Accept-Language": language}
        with live(served, f"/ws/execution/{one}", additional_headers=given) as connection:
            assert message(connection) == update(one, "running")
            happened(served, one, ExecutionStatus.FAILED, error_code="server-busy", error_values={"retry_after": 30})
            assert message(connection) == update(one, "failed")
            failure = message(connection)
        assert (failure["type"], failure["execution_id"]) == ("error", one)
        assert (failure["error"]["code"], failure["error"]["retry_after"]) == ("SERVER_BUSY", 30)
        details.append(failure["error"]["message"])
    assert details[0] != details[1]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_reason_within_a_failure_is_in_the_language_of_the_client(language: Language) -> None:
    reason = LocalText.of("pipeline-without-step", {"step": "ai"})
    values = stored_values({"reason": reason})
    event = ExecutionEvent(
        execution_id=new_id(),
        status=ExecutionStatus.FAILED,
        timestamp=utc_now(),
        error_code="pipeline-does-not-fit",
        error_values=values,
    )
    (_, failure) = messages_of_event(event, language)
    assert isinstance(failure, ErrorMessage)
    assert failure.error.message == error_text("pipeline-does-not-fit", {"reason": reason}, language).detail


def test_an_id_in_upper_case_names_the_same_execution(served: Served) -> None:
    one = add_execution(served.context.database, PENDING)
    with live(served, f"/ws/execution/{one.upper()}") as connection:
        assert message(connection) == update(one, "pending")
        happened(served, one, RUNNING)
        assert message(connection) == update(one, "running")


def test_a_late_client_gets_the_present_state_first(served: Served) -> None:
    one = add_execution(served.context.database, RUNNING, ("resize", "completed"), ("ai", "running"), progress=40.0)
    with live(served, f"/ws/execution/{one}") as connection:
        assert message(connection) == update(one, "running")
        progress = message(connection)
        assert (progress["step"], progress["progress"]) == ("ai", 40.0)


def test_the_present_state_has_the_members_of_progress(served: Served) -> None:
    one = add_execution(served.context.database, RUNNING, ("resize", "running"), progress=40.0, started_at=utc_now())
    with live(served, f"/ws/execution/{one}") as connection:
        message(connection)
        data = message(connection)["data"]
    assert data["current_component"] == "Resize"
    assert data["estimated_remaining_ms"] == pytest.approx(1.5 * data["elapsed_time_ms"], abs=0.1)


def test_a_client_of_an_ended_execution_gets_its_end(served: Served) -> None:
    one = add_execution(served.context.database, ExecutionStatus.COMPLETED, processing_time_ms=87.0)
    with live(served, f"/ws/execution/{one}") as connection:
        assert [message(connection)["type"] for _ in range(2)] == ["execution_update", "completed"]
        assert close_code(connection) == CloseCode.ENDED


def test_a_client_of_a_failed_execution_gets_when_to_try_again(served: Served) -> None:
    failed = {"error_code": "disk-full", "error_values": {"retry_after": 30}}
    one = add_execution(served.context.database, ExecutionStatus.FAILED, **failed)
    with live(served, f"/ws/execution/{one}") as connection:
        assert message(connection) == update(one, "failed")
        error = message(connection)["error"]
    assert (error["code"], error["retry_after"]) == ("DISK_FULL", 30)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_failure_says_what_to_do_next(served: Served, language: Language) -> None:
    late = add_execution(served.context.database, ExecutionStatus.FAILED, error_code="disk-full")
    seen = add_execution(served.context.database, RUNNING)
    head = {"Authorization": served["admin"].headers["Authorization"], "Accept-Language": language}
    advice = []
    for one in (late, seen):
        with live(served, f"/ws/execution/{one}", additional_headers=head) as connection:
            message(connection)
            if one == seen:
                happened(served, one, ExecutionStatus.FAILED, error_code="disk-full")
                message(connection)
            advice.append(message(connection)["error"]["advice"])
    assert advice == [error_text("disk-full", {}, language, for_client=True).advice] * 2


def test_what_the_present_state_shows_does_not_come_again(served: Served) -> None:
    one = add_execution(served.context.database, RUNNING, ("resize", "completed"), ("ai", "running"), progress=40.0)
    with live(served, f"/ws/execution/{one}") as connection:
        assert [message(connection)["type"] for _ in range(2)] == ["execution_update", "progress"]
        happened(served, one, RUNNING)
        stepped(served, one, "resize", "completed", 33.0)
        stepped(served, one, "ai", "running", 40.0)
        stepped(served, one, "ai", "completed", 66.0)
        progress = message(connection)
        assert (progress["step"], progress["progress"]) == ("ai", 66.0)


def test_a_client_gets_the_events_of_its_execution_alone(served: Served) -> None:
    one, other = (add_execution(served.context.database, PENDING) for _ in range(2))
    with live(served, f"/ws/execution/{one}") as connection:
        message(connection)
        happened(served, other, RUNNING)
        happened(served, one, RUNNING)
        assert message(connection) == update(one, "running")


def test_an_unknown_execution_is_404(served: Served) -> None:
    assert refusal(served, f"/ws/execution/{new_id()}") == (404, "execution-not-found")


def test_a_station_sees_no_execution_of_another_one(served: Served) -> None:
    one = add_execution(served.context.database, PENDING, device_id=new_id())
    assert refusal(served, f"/ws/execution/{one}", "device") == (404, "execution-not-found")


def test_the_socket_stands_under_the_paths_of_the_interface_too(served: Served) -> None:
    one = add_execution(served.context.database, PENDING)
    for prefix in ("/api/v1", "/v1", ""):
        with live(served, f"{prefix}/ws/execution/{one}") as connection:
            assert message(connection) == update(one, "pending")


def test_the_system_socket_begins_with_the_state_of_the_system(served: Served) -> None:
    add_execution(served.context.database, RUNNING)
    with live(served, "/ws/system-status") as connection:
        status = message(connection)
    assert (status["type"], status["status"]) == ("system_status", "ok")
    assert status["components"]["database"] == "up"
    assert status["executions"]["running"] >= 1


def test_the_system_socket_sends_every_change_of_a_status(served: Served) -> None:
    one = add_execution(served.context.database, PENDING)
    with live(served, "/ws/system-status", "inspector") as connection:
        message(connection)
        happened(served, one, RUNNING)
        stepped(served, one, "resize", "running", 10.0)
        happened(served, one, ExecutionStatus.CANCELLED)
        assert [message(connection) for _ in range(2)] == [update(one, "running"), update(one, "cancelled")]


def test_the_system_socket_is_not_for_a_station_alone(served: Served) -> None:
    assert refusal(served, "/ws/system-status", "device") == (403, "role-not-allowed")


def test_times_have_milliseconds(served: Served) -> None:
    one = add_execution(served.context.database, RUNNING, ("resize", "running"), started_at=utc_now())
    with live(served, f"/ws/execution/{one}") as connection:
        message(connection)
        assert len(message(connection)["timestamp"]) == len(rfc3339(utc_now()))
