"""``GET /inspection/sync/conflicts``: what supervisors see of edits that lost."""

from __future__ import annotations

import pytest

from models.ids import new_id
from models.sync import SyncConflict
from tests.support.serving import Served


def keep_conflict(served: Served, **values: str) -> str:
    row = SyncConflict(
        entity=values.get("entity", "target"),
        entity_id=values.get("entity_id", new_id()),
        field=values.get("field", "name"),
        change_id=new_id(),
        device_id=values.get("device_id", new_id()),
        kept_value="newer",
        kept_clock="0001760000000000-0001-two",
        kept_by="two",
        lost_value="older",
        lost_clock="0001750000000000-0001-one",
        lost_by="sato, one",
    )
    with served.context.database.local_transaction() as session:
        session.add(row)
    return row.id


@pytest.mark.parametrize(
    ("role", "status"),
    [("supervisor", 200), ("admin", 200), ("inspector", 403), ("integrator", 403), ("anonymous", 401)],
)
def test_conflicts_are_shown_to_those_in_charge(served: Served, role: str, status: int) -> None:
    assert served[role].get("/inspection/sync/conflicts").status_code == status


def test_a_conflict_has_both_values_with_who_made_them(served: Served) -> None:
    record = new_id()
    conflict = keep_conflict(served, entity_id=record)
    (found,) = served["supervisor"].get("/inspection/sync/conflicts", params={"entity_id": record}).json()["items"]
    assert (found["id"], found["field"], found["kept_value"], found["lost_value"]) == (
        conflict,
        "name",
        "newer",
        "older",
    )
    assert (found["kept_by"], found["lost_by"]) == ("two", "sato, one")


@pytest.mark.parametrize("name", ["entity", "entity_id", "device_id", "field"])
def test_conflicts_are_found_by_what_they_are_about(served: Served, name: str) -> None:
    value = new_id()
    conflict = keep_conflict(served, **{name: value})
    keep_conflict(served)
    asked = {"search" if name == "field" else name: value}
    answer = served["admin"].get("/inspection/sync/conflicts", params=asked).json()
    assert [found["id"] for found in answer["items"]] == [conflict]


def test_the_newest_conflict_comes_first(served: Served) -> None:
    record = new_id()
    made = [keep_conflict(served, entity_id=record) for _ in range(3)]
    answer = served["admin"].get("/inspection/sync/conflicts", params={"entity_id": record, "page_size": 2}).json()
    assert [found["id"] for found in answer["items"]] == made[:0:-1]
    assert answer["total_count"] == 3
