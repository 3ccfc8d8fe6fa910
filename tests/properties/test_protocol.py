"""Properties of what travels: it parses back to itself, and members nobody knows here come through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.clock import Stamp
from models.errors import InvalidInput, UserFacingError
from models.ids import new_id
from models.states import ChangeOperation
from models.synced import snapshot, split_fields, synced_types
from models.targets import Target
from server.change_log.cursor import pack, unpack
from server.http.sync_bodies import parse_batch
from sync.shared.protocol import SCHEMA_VERSION, Batch, Change, PullAnswer, PulledChange

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.text(min_size=1, max_size=8), JSON, max_size=5)
STAMPS = st.builds(
    Stamp,
    st.integers(0, 10**13 - 1),
    st.integers(0, 0xFFFF),
    st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True),
)


@given(FIELDS, STAMPS, st.sampled_from(list(ChangeOperation)), st.none() | st.integers(0, 2**62))
@settings(max_examples=80, deadline=None)
def test_a_change_comes_back_as_it_went(fields, stamp, operation, base):
    change = Change(
        change_id=new_id(),
        entity="target",
        entity_id=new_id(),
        op=operation,
        base_rev=base,
        clock=str(stamp),
        fields=fields,
    )
    assert Change.model_validate_json(change.model_dump_json()) == change


@given(FIELDS)
@settings(max_examples=50, deadline=None)
def test_members_of_a_newer_protocol_come_through(unknown):
    unknown = {f"x_{name}": value for name, value in unknown.items()}
    pulled = PulledChange(
        change_id="c", rev=1, entity="e", entity_id="i", op=ChangeOperation.UPDATE, clock="", fields={}, **unknown
    )
    answer = PullAnswer(changes=[pulled], next_cursor="n", has_more=False, **unknown)
    again = PullAnswer.model_validate_json(answer.model_dump_json())
    assert again.model_dump() == answer.model_dump()
    assert {name: again.model_dump()[name] for name in unknown} == unknown


@given(FIELDS)
@settings(max_examples=50, deadline=None)
def test_fields_a_record_does_not_know_are_kept_beside_it(unknown):
    strange = {f"x_{name}": value for name, value in unknown.items()}
    values, extra = split_fields(Target, {"code": "c", "name": "n", **strange})
    record = Target(**values, extra=extra)
    assert {name: snapshot(record)[name] for name in strange} == strange


@given(st.binary(max_size=60) | FIELDS.map(lambda fields: str(fields).encode()))
@settings(max_examples=100, deadline=None)
def test_any_bytes_as_a_batch_are_a_batch_or_a_refusal(data):
    found: object
    try:
        found = parse_batch(data)
    except UserFacingError as error:
        found = error.status
    assert isinstance(found, Batch) or found in {400, 413}


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_as_a_cursor_is_a_cursor_or_a_refusal(text):
    try:
        found = len(unpack(text, 3))
    except InvalidInput as error:
        found = error.code
    assert found in {3, "sync-cursor-invalid"}


@given(st.integers(0, 2**62), st.from_regex(r"[a-z0-9-]{0,36}", fullmatch=True))
@settings(deadline=None)
def test_a_cursor_comes_back_as_it_went(position, name):
    assert unpack(pack("1", name, str(position)), 3) == ["1", name, str(position)]


@pytest.mark.parametrize("wrong", ["", "x", "2025-01-01", "0" * 13, "17600000000000-0000-a", "1760000000000-00G0-a"])
def test_a_change_with_a_wrong_stamp_is_refused(wrong):
    with pytest.raises(ValidationError):
        Change(change_id=new_id(), entity="e", entity_id=new_id(), op=ChangeOperation.INSERT, clock=wrong)


def test_parents_come_before_children_in_the_order_of_kinds():
    names = list(synced_types())
    for parent, child in (("target", "item"), ("inspection_session", "image"), ("image", "ai_result")):
        assert names.index(parent) < names.index(child)
    assert SCHEMA_VERSION == 1
