"""An item is parsed and validated once per change, not once per part."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import BaseModel

from app.station.operations.inspection import inspect_item
from app.station.operations.masters import list_items
from app.station.operations.preparation import prepare_item
from app.station.operations.sessions import begin_session
from app.station.operations.thresholds import set_item_threshold
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.image_quality import FrameRefused, QualityBounds, read_bounds, write_bounds
from inspection.imaging.frames import Frame
from inspection.pipeline import validate_definition
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.synced import Master
from models.targets import InspectionItem
from models.tracking import remote_changes
from tests.support.station import DEVICE, Station

VALIDATION = frozenset(
    {
        BaseModel.model_validate.__func__.__code__,  # type: ignore[attr-defined]  # a class method's function
        BaseModel.model_validate_json.__func__.__code__,  # type: ignore[attr-defined]  # as above
        read_bounds.__code__,
        validate_definition.__code__,
    }
)
"""The code every parsing and validation of pipelines, criteria, settings and bounds goes through."""


@contextmanager
def validations() -> Iterator[list[str]]:
    """The names of the functions that validate while the block runs."""
    found: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code in VALIDATION:
            found.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def inspect_a_part(workspace: Workspace, station: Station, frame: Frame) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    inspect_item(workspace, station.operator, begun.session_id, station.item_id, frame)


def test_a_second_part_is_inspected_without_parsing_or_validating(
    station: Station, frames: list[Frame], tmp_path: Path
) -> None:
    gate = tmp_path / "gate.json"
    write_bounds(gate, QualityBounds(min_mean=1.0))
    with Workspace.open(station.store, settings=StationSettings(gate=str(gate))) as workspace:
        with validations() as first:
            inspect_a_part(workspace, station, frames[0])
        assert {"validate_definition", "read_bounds", "model_validate"} <= set(first)
        with validations() as second:
            inspect_a_part(workspace, station, frames[1])
        assert second == []


def pulled(workspace: Workspace, kind: type[Master], record_id: str, **fields: Any) -> None:
    """As a pull changes a record."""
    with workspace.database.transaction() as session, remote_changes(session):
        record = session.get_one(kind, record_id)
        for name, value in fields.items():
            setattr(record, name, value)
        record.rev = (record.rev or 0) + 1


def new_settings(workspace: Workspace, station: Station) -> None:
    with workspace.database.transaction() as session, remote_changes(session):
        session.add(StationConfig(device_id=DEVICE, settings={"thresholds": {station.item_id: 7.0}}, rev=70))


def new_definition(workspace: Workspace, station: Station) -> None:
    with workspace.database.read() as session:
        pipeline = session.get_one(Pipeline, session.get_one(InspectionItem, station.item_id).pipeline_id)
        definition = {**pipeline.definition, "description": "another"}
    pulled(workspace, Pipeline, pipeline.id, definition=definition)


def new_model_record(workspace: Workspace, station: Station) -> None:
    (item,) = list_items(workspace, station.target_id)
    assert item.model_id is not None
    pulled(workspace, ModelFile, item.model_id, metrics={"threshold": 8.0})


CHANGES: dict[str, Callable[[Workspace, Station], object]] = {
    "its criteria here": lambda at, station: set_item_threshold(at, station.engineer, station.item_id, 5.0, "r"),
    "its name elsewhere": lambda at, station: pulled(at, InspectionItem, station.item_id, name="Front"),
    "its pipeline": new_definition,
    "its model": new_model_record,
    "the station's settings": new_settings,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_an_item_is_inspected_by_prepares_it_again(
    workspace: Workspace, station: Station, change: Callable[[Workspace, Station], object]
) -> None:
    first = prepare_item(workspace, station.item_id).preparation
    assert prepare_item(workspace, station.item_id).preparation is first
    change(workspace, station)
    again = prepare_item(workspace, station.item_id).preparation
    assert again is not first
    assert prepare_item(workspace, station.item_id).preparation is again


def test_a_change_of_another_record_prepares_nothing_again(workspace: Workspace, station: Station) -> None:
    first = prepare_item(workspace, station.item_id).preparation
    with workspace.database.transaction() as session, remote_changes(session):
        session.add(StationConfig(device_id="another-station", settings={}, rev=70))
    assert prepare_item(workspace, station.item_id).preparation is first


def test_changed_bounds_of_image_quality_are_read_again(station: Station, frames: list[Frame], tmp_path: Path) -> None:
    gate = tmp_path / "gate.json"
    write_bounds(gate, QualityBounds(min_mean=1.0))
    with Workspace.open(station.store, settings=StationSettings(gate=str(gate))) as workspace:
        inspect_a_part(workspace, station, frames[0])
        gate.write_text(json.dumps({"min_mean": 254.0}))
        with pytest.raises(FrameRefused):
            inspect_a_part(workspace, station, frames[0])
