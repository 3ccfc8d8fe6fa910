"""A threshold set in one place and a model trained in another, brought together by the merge."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection.judging.criteria import Criteria
from inspection.pipeline import default_definition
from inspection.recipe.reading import read_threshold
from inspection.recipe.thresholds import without_threshold
from models.clock import Stamp
from models.pipelines import Pipeline
from models.targets import InspectionItem
from sync.shared.item_records import ItemRecords
from sync.shared.merge import FieldState, merge_master
from tests.support.sync_stores import model_file, prepared

SHA256 = {"old": "a" * 64, "new": "b" * 64, "other": "c" * 64}
BASE = str(Stamp(0, 0, "server"))


def trained(record: dict[str, Any], model: str) -> dict[str, Any]:
    """What a training on a station changes of an item."""
    changes = {"pipeline_parameters": {"anomaly": {"model": model}}, "criteria": without_threshold(record["criteria"])}
    return {name: value for name, value in changes.items() if value != record[name]}


def chosen(record: dict[str, Any], value: float) -> dict[str, Any]:
    """What setting a threshold on a station changes of an item."""
    model = record["pipeline_parameters"]["anomaly"]["model"]
    return {"criteria": {**record["criteria"], "threshold": value, "threshold_model": SHA256[model]}}


@st.composite
def concurrent_changes(draw: st.DrawFn) -> tuple[dict[str, Any], list[tuple[dict[str, Any], str]]]:
    """An item, and what stations that all saw it as it is do with it: train, or set a threshold."""
    record: dict[str, Any] = {"pipeline_parameters": {"anomaly": {"model": "old"}}, "criteria": {}}
    if draw(st.booleans()):
        record |= chosen(record, 9.0)
    kinds = draw(st.lists(st.sampled_from(["new", "other", "threshold"]), min_size=2, max_size=4))
    changes = []
    for number, kind in enumerate(kinds):
        after = dict(record)
        if kind != "threshold":
            after |= trained(after, kind)
        if kind == "threshold" or draw(st.booleans()):
            after |= chosen(after, 1.0 + number)
        fields = {name: value for name, value in after.items() if value != record[name]}
        changes.append((fields, str(Stamp(draw(st.integers(1, 5)), 0, f"station-{number}"))))
    return record, draw(st.permutations(changes))


@settings(deadline=None)
@given(concurrent_changes())
def test_no_merge_gives_a_model_the_threshold_of_another(
    drawn: tuple[dict[str, Any], list[tuple[dict[str, Any], str]]],
) -> None:
    record, changes = drawn
    meant = {(9.0, "a" * 64)} | {
        (fields["criteria"].get("threshold"), fields["criteria"].get("threshold_model"))
        for fields, _ in changes
        if "criteria" in fields
    }
    merged, states = dict(record), {name: FieldState(1, BASE) for name in record}
    for rev, (fields, clock) in enumerate(changes, start=2):
        merge = merge_master(merged, states, fields, base_rev=1, clock=clock)
        merged |= merge.taken
        states |= {name: FieldState(rev, clock) for name in merge.taken}
    in_use = SHA256[merged["pipeline_parameters"]["anomaly"]["model"]]
    found = Criteria.model_validate(merged["criteria"]).threshold_for(in_use)
    assert found is None or (found, in_use) in meant


@pytest.mark.parametrize("training_last", [True, False])
def test_a_training_here_against_a_threshold_there_keeps_the_new_models_own(server, make_station, training_last):
    one, two = make_station("one"), make_station("two")
    user, _, item = prepared(server, one, two)
    pipeline = Pipeline(name="Anomaly", definition=default_definition().model_dump(mode="json"))
    server.add(pipeline)
    with server.database.transaction() as session:
        session.get_one(InspectionItem, item.id).pipeline_id = pipeline.id
    old, new = model_file(b"old", item.id), model_file(b"new", item.id)
    old.metrics, new.metrics = {"threshold": 3.0}, {"threshold": 4.0}
    server.add(old, new)
    for data, model in ((b"old", old), (b"new", new)):
        server.objects.put(model.sha256, data)
    one.edit(InspectionItem, item.id, user.id, pipeline_parameters={"anomaly": {"model": old.id}})
    for station in (one, two):
        station.sync()
    one.edit(InspectionItem, item.id, user.id, pipeline_parameters={"anomaly": {"model": new.id}}, criteria={})
    two.edit(InspectionItem, item.id, user.id, criteria={"threshold": 9.0, "threshold_model": old.sha256})
    for station in (two, one, two) if training_last else (one, two, one):
        assert station.sync().dead == 0
    for place in (one, two, server):
        with place.database.read() as session:
            record = session.get_one(InspectionItem, item.id)
            assert record.criteria == {"threshold": 9.0, "threshold_model": old.sha256}
            found = read_threshold(record, ItemRecords(session, "any"))
            assert found is not None
            assert (found.value, found.origin, found.skipped) == (4.0, "model", ("item",))
