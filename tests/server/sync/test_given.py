"""How a pushed batch is read, and how much of it one transaction takes."""

from __future__ import annotations

from collections.abc import Sequence

from models.ids import new_id
from server.sync.given import GivenChange, portions, read_changes
from sync.shared.protocol import MAX_BATCH_CHANGES, Change


def given(entity: str, count: int) -> list[GivenChange]:
    return read_changes([_raw(entity) for _ in range(count)])


def _raw(entity: str, **fields: object) -> dict[str, object]:
    clock = f"1760000000000-0000-{new_id()}"
    made = {"change_id": new_id(), "entity": entity, "entity_id": new_id(), "op": "insert"}
    return {**made, "clock": clock, "fields": fields}


def sizes(changes: Sequence[GivenChange]) -> list[int]:
    return [len(portion) for portion in portions(changes)]


def test_one_transaction_takes_a_whole_batch_of_facts():
    assert sizes(given("ai_result", MAX_BATCH_CHANGES)) == [MAX_BATCH_CHANGES]


def test_no_transaction_holds_the_lock_for_many_masters():
    assert max(sizes(given("target", MAX_BATCH_CHANGES))) <= 50


def test_the_order_of_a_batch_is_kept_over_its_transactions():
    changes = [*given("target", 60), *given("ai_result", 90), *given("item", 60)]
    assert [one for portion in portions(changes) for one in portion] == changes


def test_an_empty_batch_needs_no_transaction():
    assert sizes([]) == []


def test_a_change_that_cannot_be_stored_spoils_no_other():
    raws = [_raw("target", name="A"), _raw("target", name="\x00"), _raw("target", name="C")]
    assert [isinstance(one.change, Change) for one in read_changes(raws)] == [True, False, True]
