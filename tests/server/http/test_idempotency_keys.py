"""A request that is sent again with its key: one effect, one answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request, Response

from models.clock import utc_now
from models.errors import Conflict
from models.idempotency import IdempotentRequest
from models.ids import new_id
from server.context import ServerContext, open_context
from server.core.idempotency_keys import request_id
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.http.idempotency import REPLAYED, finish_work, once
from tests.support.serving import SETUP, Served, make_target


def keyed(served: Served, path: str, key: str, body: Any = None, role: str = "supervisor") -> httpx.Response:
    return served[role].post(path, json=body, headers={"Idempotency-Key": key})


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_a_repeated_request_has_the_same_answer(served: Served) -> None:
    body = {"code": f"T-{new_id()}", "name": "Plate"}
    first, second = (keyed(served, "/inspection/targets", "repeat-1", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert {name: second.headers[name] for name in ("location", "etag")} == {
        name: first.headers[name] for name in ("location", "etag")
    }
    assert second.headers["idempotency-replayed"] == "true"


def test_a_key_with_another_body_is_refused(served: Served) -> None:
    keyed(served, "/inspection/targets", "repeat-2", {"code": f"T-{new_id()}", "name": "Plate"})
    other = keyed(served, "/inspection/targets", "repeat-2", {"code": f"T-{new_id()}", "name": "Plate"})
    assert code_of(other) == (422, "idempotency-key-used")


def test_a_key_on_another_path_is_refused(served: Served) -> None:
    sessions = [
        served["supervisor"].post("/inspection/sessions", json={"target_id": make_target(served)["id"]}).json()["id"]
        for _ in range(2)
    ]
    answers = [keyed(served, f"/inspection/sessions/{one}/complete", "repeat-3") for one in sessions]
    # The first one is refused for its state, which is no effect: its key is free for the second.
    assert [code_of(answer) for answer in answers] == [(409, "session-state")] * 2
    assert keyed(served, "/inspection/targets", "repeat-4", {"code": f"T-{new_id()}", "name": "P"}).status_code == 201
    assert code_of(keyed(served, f"/inspection/sessions/{sessions[0]}/complete", "repeat-4"))[0] == 422


def test_callers_have_keys_of_their_own(served: Served) -> None:
    answers = [
        keyed(served, "/inspection/targets", "repeat-5", {"code": f"T-{new_id()}", "name": "P"}, role)
        for role in ("supervisor", "admin")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_refused_request_may_be_sent_again(served: Served) -> None:
    target = make_target(served)
    assert keyed(served, "/inspection/targets", "repeat-6", {"code": target["code"], "name": "P"}).status_code == 409
    assert keyed(served, "/inspection/targets", "repeat-6", {"code": f"T-{new_id()}", "name": "P"}).status_code == 201


def test_requests_at_once_have_one_effect(served: Served) -> None:
    body = {"device_name": f"Line {new_id()}"}
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: keyed(served, "/enrolment-codes", "repeat-7", body, "admin"), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    listed = served["admin"].get("/enrolment-codes", params={"search": body["device_name"]}).json()
    assert listed["total_count"] == 1


def test_an_answer_with_a_secret_is_shown_once(served: Served) -> None:
    body = {"name": f"MES {new_id()}", "role": "integrator"}
    assert keyed(served, "/api-keys", "repeat-8", body, "admin").status_code == 201
    assert code_of(keyed(served, "/api-keys", "repeat-8", body, "admin")) == (409, "answer-shown-once")
    with served.context.database.read() as session:
        kept = session.get_one(IdempotentRequest, request_id("admin", "repeat-8"))
    assert (kept.status, kept.body) == (201, None)


@pytest.mark.parametrize("key", ["", "with blank", "x" * 129, "\xe9"])
def test_what_is_no_key_is_refused(served: Served, key: str) -> None:
    body = {"code": f"T-{new_id()}", "name": "P"}
    answer = served["supervisor"].post(
        "/inspection/targets", json=body, headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert code_of(answer) == (400, "validation-error")


def test_work_whose_process_has_ended_is_not_done_again(served: Served) -> None:
    body = {"code": f"T-{new_id()}", "name": "P"}
    assert keyed(served, "/inspection/targets", "repeat-9", body).status_code == 201
    with served.context.database.local_transaction() as session:
        row = session.get_one(IdempotentRequest, request_id("supervisor", "repeat-9"))
        row.status, row.begun_at = None, utc_now() - timedelta(hours=1)
    assert code_of(keyed(served, "/inspection/targets", "repeat-9", body)) == (409, "idempotency-outcome-unknown")


def test_an_expired_key_is_free_again(served: Served) -> None:
    body = {"device_name": f"Line {new_id()}"}
    assert keyed(served, "/enrolment-codes", "repeat-10", body, "admin").status_code == 201
    with served.context.database.local_transaction() as session:
        row = session.get_one(IdempotentRequest, request_id("admin", "repeat-10"))
        row.expires_at = utc_now() - timedelta(seconds=1)
    assert keyed(served, "/enrolment-codes", "repeat-10", body, "admin").status_code == 201


def test_a_password_is_in_no_digest_that_can_be_guessed(served: Served) -> None:
    body = {"username": f"u{new_id()}", "role": "inspector", "password": "correct horse battery staple"}
    assert keyed(served, "/users", "repeat-11", body, "admin").status_code == 201
    with served.context.database.read() as session:
        kept = session.get_one(IdempotentRequest, request_id("admin", "repeat-11"))
    content = b"\0".join((b"POST", b"/api/v1/users", b"", json.dumps(body, separators=(",", ":")).encode()))
    assert kept.request_digest == served.context.tokens.digest(content)
    assert kept.request_digest != hashlib.sha256(content).hexdigest()
    assert "horse" not in str(kept.body)


def asked(key: str) -> Request:
    head = [(b"idempotency-key", key.encode())]
    return Request({"type": "http", "method": "POST", "path": "/cut", "query_string": b"", "headers": head})


def cut_off(served: Served, key: str, first: Callable[[], Response], again: Callable[[], Response]) -> Response:
    """Cancel a request within its work, let the work go on, and send the request again."""
    request = asked(key)

    async def scenario() -> Response:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def work() -> Response:
            begun.set()
            await may_end.wait()
            return first()

        async def work_again() -> Response:
            return again()

        one = asyncio.create_task(once(served.context, SETUP, request, b"", work, keeps_body=True))
        await begun.wait()
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        other = asyncio.create_task(once(served.context, SETUP, request, b"", work_again, keeps_body=True))
        may_end.set()
        return await other

    return asyncio.run(scenario())


def test_a_request_whose_client_has_gone_keeps_its_answer(served: Served) -> None:
    def never() -> Response:
        raise AssertionError("done twice")

    answer = cut_off(served, f"cut-{new_id()}", lambda: Response(b'{"n": 1}', 201), never)
    assert (answer.status_code, bytes(answer.body), answer.headers[REPLAYED]) == (201, b'{"n": 1}', "true")


def test_a_refused_request_whose_client_has_gone_frees_its_key(served: Served) -> None:
    def refused() -> Response:
        raise Conflict("session-state")

    answer = cut_off(served, f"cut-{new_id()}", refused, lambda: Response(b'{"n": 2}', 201))
    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)


def test_a_server_that_stops_lets_work_end_whose_client_has_gone(tmp_path: Path) -> None:
    settings = ServerSettings(data_dir=tmp_path)
    app = create_app(settings)
    context: ServerContext = app.state.context

    async def scenario() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def work() -> Response:
            begun.set()
            await may_end.wait()
            return Response(b"{}", 201)

        async with app.router.lifespan_context(app):
            gone = asyncio.create_task(once(context, SETUP, asked("stop"), b"", work, keeps_body=True))
            await begun.wait()
            gone.cancel()
            await asyncio.wait([gone])
            asyncio.get_running_loop().call_later(1, may_end.set)

    asyncio.run(scenario())
    again = open_context(settings)
    try:
        with again.database.read() as session:
            assert session.get_one(IdempotentRequest, request_id(SETUP.username, "stop")).status == 201
    finally:
        again.close()


def test_work_that_is_cut_off_is_not_done_again(served: Served) -> None:
    key = f"cut-{new_id()}"

    async def scenario() -> None:
        begun, never = asyncio.Event(), asyncio.Event()

        async def work() -> Response:
            begun.set()
            await never.wait()
            return Response(b"{}", 201)

        asking = asyncio.create_task(once(served.context, SETUP, asked(key), b"", work, keeps_body=True))
        await begun.wait()
        await finish_work(patience_s=0)
        with pytest.raises(asyncio.CancelledError):
            await asking
        with pytest.raises(Conflict) as refused:
            await once(served.context, SETUP, asked(key), b"", work, keeps_body=True)
        assert refused.value.code == "idempotency-outcome-unknown"

    asyncio.run(scenario())
