"""A request with a key is done by one of the processes that share a database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from server.context import ServerContext
from server.core.idempotency_keys import KeptAnswer, Turn, keep_answer, request_id, take_turn

DIGEST = "0" * 64


def test_one_of_many_at_once_has_the_turn(context: ServerContext) -> None:
    id_ = request_id("boss", "key")
    with ThreadPoolExecutor(6) as threads:
        turns = list(threads.map(lambda _: take_turn(context.database, id_, DIGEST), range(12)))
    assert sorted(turn.name for turn in turns if isinstance(turn, Turn)) == ["GO"] + ["WAIT"] * 11


def test_those_that_waited_have_the_answer_of_the_one(context: ServerContext) -> None:
    id_, answer = request_id("boss", "key"), KeptAnswer(201, "{}", "/api/v1/x", '"1"')
    assert take_turn(context.database, id_, DIGEST) is Turn.GO
    keep_answer(context.database, id_, answer)
    assert take_turn(context.database, id_, DIGEST) == answer
