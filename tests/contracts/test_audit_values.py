"""The audit trail holds whatever values its entries keep, on every engine."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.audit import GENESIS, AuditEntry, append_audit, append_local_audit, seal_audit, verify_audit
from models.clock import Stamp, wall_milliseconds
from models.ids import new_id
from models.states import ChangeOperation
from models.synced import snapshot
from server.context import ServerContext
from server.sync.apply import apply_batch
from sync.shared.protocol import Change, Outcome

pytestmark = pytest.mark.slow
HARD = [-0.0, 0.0, 1e-7, 1.5, 100.0, 1e16, 1e22, 1e23, 5e-324, 1.7e308, -1.5e17, 2**63, -(10**40)]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(HARD),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(st.characters()),
    st.sampled_from(["\0", "\ud800", "\\u0000", "é", "e\u0301"]),
)
names = st.one_of(st.text(max_size=4), st.sampled_from(["a", "A", "a ", "\0", "\ufffd", "1", "é", "e\u0301"]))
details = st.dictionaries(
    names,
    st.recursive(scalars, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(names, parts, max_size=3)),
    max_size=4,
)
many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@many
@given(detail=details)
def test_a_chain_holds_with_any_values(context: ServerContext, detail):
    with context.database.transaction() as session:
        append_local_audit(session, device_id="server", actor="a", action="did", detail=detail)
    with context.database.transaction() as session:
        append_audit(session, device_id="other", actor="a", action="did", detail=detail)
    with context.database.read() as session:
        assert verify_audit(session) == []


@many
@given(detail=details)
def test_a_station_entry_holds_where_it_was_sent_to(context: ServerContext, detail):
    device_id = new_id()
    entry = AuditEntry(
        device_id=device_id,
        sequence=1,
        actor="a",
        action="did",
        detail=detail,
        previous_digest=GENESIS,
        digest="",
    )
    seal_audit(entry)
    change = Change(
        change_id=new_id(),
        entity=AuditEntry.entity,
        entity_id=entry.id,
        op=ChangeOperation.INSERT,
        clock=str(Stamp(wall_milliseconds(), 0, device_id)),
        fields=snapshot(entry),
    )
    raw = json.loads(change.model_dump_json())
    (result,) = apply_batch(context.database, context.clock, device_id, [raw]).results
    assert result.outcome is Outcome.APPLIED
    with context.database.read() as session:
        assert verify_audit(session) == []


@pytest.mark.parametrize("value", HARD, ids=repr)
def test_an_entry_that_moves_is_sealed_in_the_form_that_is_given_back(context: ServerContext, value):
    """One that an earlier version has written with its digest over the value as Python had it."""
    with context.database.transaction() as session:
        append_audit(session, device_id="server", actor="a", action="did", detail={"value": 1})
    with context.database.transaction() as session:
        entry = session.scalars(select(AuditEntry)).one()
        entry.detail = {"value": value}
        seal_audit(entry)
    with context.database.read() as session:
        reasons = [problem.reason for problem in verify_audit(session)]
    assert "altered" not in reasons
