"""Every rule gives the same answer at every door: REST, sync push, the station, the window, commands, the demo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from app.command_line.chosen_pipeline import chosen_step
from app.command_line.train_images import train_images_command
from app.demo.parts import given_parts
from app.station.operations.masters import list_items
from app.station.operations.thresholds import applied_threshold_of
from app.station.operations.training import train_item_model
from app.station.workspace import Workspace
from app.window.home.presenter import HomePresenter
from app.window.presenting.context import StationContext
from inspection.imaging.files import encode_png
from inspection.pipeline import default_definition
from inspection.recipe.reading import read_recipe, read_threshold
from models.errors import UserFacingError
from models.ids import new_id
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.storage import write_atomically
from models.synced import Master
from models.targets import DefectClass, InspectionItem, Target
from models.tracking import remote_changes
from sync.shared.item_records import ItemRecords
from tests.support.doors import (
    Answer,
    InlineRunner,
    MasterDoor,
    Push,
    Rest,
    ask_command_line,
    ask_master_door,
    ask_station,
)
from tests.support.serving import Served, serve_with_users
from tests.support.station import Station

Json = dict[str, Any]
RecordT = TypeVar("RecordT", bound=Master)
STEP: Json = {"id": "edges", "component": "filter", "inputs": {"image": "input"}}
EDGES: Json = {"filter_type": "edge", "low": 50, "high": 150}


def pipeline(*steps: Json) -> Json:
    return {"format_version": 1, "name": "P", "steps": list(steps)}


GOOD = pipeline({**STEP, "parameters": EDGES})
ANOMALY: Json = {"id": "anomaly", "component": "anomaly", "inputs": {"image": "input"}}
DETECTION: Json = {"id": "detect", "component": "ai_detection", "inputs": {"image": "input"}}
CROPPED: Json = {
    "id": "crop",
    "component": "crop",
    "inputs": {"image": "input"},
    "parameters": {"rectangle": {"x": 0, "y": 0, "width": 9, "height": 9}},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module", params=[Rest, Push], ids=["REST", "push"])
def door(request: pytest.FixtureRequest, served: Served) -> MasterDoor:
    made: MasterDoor = request.param(served)
    return made


RUNS: dict[str, tuple[Json, Json, Json, Answer]] = {
    "everything fits": (GOOD, {"edges": {"low": 20}}, {"minimum_confidence": 0.5}, None),
    "a component is unknown": (pipeline({**STEP, "component": "nothing"}), {}, {}, "pipeline"),
    "a step has no input": (pipeline({**STEP, "inputs": {}}), {}, {}, "pipeline"),
    "a parameter is out of range": (pipeline({**STEP, "parameters": {"radius": 0}}), {}, {}, "pipeline"),
    "there are no steps": (pipeline(), {}, {}, "pipeline"),
    "an override is out of range": (GOOD, {"edges": {"radius": 0}}, {}, "pipeline"),
    "an override is unknown": (GOOD, {"edges": {"colour": 1}}, {}, "pipeline"),
    "an override only fits its own step's default": (GOOD, {"edges": {"high": 40}}, {}, "pipeline"),
    "a criterion is out of range": (GOOD, {}, {"threshold": -1}, "criteria"),
    "a criterion is unknown": (GOOD, {}, {"speed": 1}, "criteria"),
    "limits are in the wrong order": (GOOD, {}, {"measurements": {"a": {"lower": 2, "upper": 1}}}, "criteria"),
    "a code's format is read by no step": (
        pipeline({"id": "c", "component": "barcode", "inputs": {"image": "input"}, "parameters": {"formats": ["qr"]}}),
        {},
        {"codes": {"lot": {"formats": ["code-128"]}}},
        "criteria",
    ),
    "a threshold's model is no digest": (GOOD, {}, {"threshold": 1, "threshold_model": "x"}, "criteria"),
}


@pytest.mark.parametrize(("definition", "overrides", "criteria", "expected"), RUNS.values(), ids=RUNS)
def test_what_can_be_inspected_is_one_answer(
    served: Served,
    workspace: Workspace,
    tmp_path: Path,
    definition: Json,
    overrides: Json,
    criteria: Json,
    expected: Answer,
) -> None:
    answers = {
        "REST": ask_master_door(Rest(served), definition, overrides, criteria),
        "push": ask_master_door(Push(served), definition, overrides, criteria),
        "command line": ask_command_line(tmp_path, definition, overrides, criteria),
    }
    if definition["steps"]:  # A record with none cannot come to a station: no door of the server takes it.
        answers["station"] = ask_station(workspace, definition, overrides, criteria)
    assert set(answers.values()) == {expected}, answers


@pytest.mark.parametrize("overrides", [{"nowhere": {}}, {"edges": 5}], ids=["an unknown step", "no object"])
def test_overrides_of_a_wrong_form_are_refused_everywhere(
    served: Served, workspace: Workspace, overrides: Json
) -> None:
    answers = {
        "REST": ask_master_door(Rest(served), GOOD, overrides, {}),
        "push": ask_master_door(Push(served), GOOD, overrides, {}),
        "station": ask_station(workspace, GOOD, overrides, {}),
    }
    assert set(answers.values()) == {"pipeline"}, answers


def made(door: MasterDoor, definition: Json = GOOD) -> tuple[Target, Pipeline, InspectionItem]:
    """A target with an item and its pipeline, made through a door."""
    target, used = Target(code=new_id(), name="T"), Pipeline(name="P", definition=definition)
    item = InspectionItem(target_id=target.id, name="I", pipeline_id=used.id)
    for record in (target, used, item):
        assert door.create(record) is None
    return target, used, item


def stored(door: MasterDoor, record: RecordT) -> RecordT:
    with door.context.database.read() as session:
        return session.get_one(type(record), record.id)


def test_the_version_counts_up_with_the_definition_alone(door: MasterDoor) -> None:
    _, used, _ = made(door)
    versions = [stored(door, used).version]
    other = pipeline({**STEP, "parameters": {**EDGES, "low": 10}})
    for change in ({"name": "Q"}, {"definition": other}, {"definition": other}, {"definition": GOOD}):
        assert door.change(used, **change) is None
        versions.append(stored(door, used).version)
    assert versions == [1, 1, 2, 2, 3]


def test_a_deleted_target_takes_its_items_along(door: MasterDoor) -> None:
    target, _, item = made(door)
    assert door.delete(target) is None
    assert stored(door, item).deleted_at is not None


def test_a_pipeline_in_use_is_not_deleted(door: MasterDoor) -> None:
    _, used, item = made(door)
    assert door.delete(used) == "pipeline-in-use"
    assert stored(door, used).deleted_at is None
    assert door.change(item, pipeline_id=None, pipeline_parameters={}) is None
    assert door.delete(used) is None
    assert stored(door, used).deleted_at is not None


def test_a_definition_under_which_an_item_would_not_run_is_refused(door: MasterDoor) -> None:
    _, used, item = made(door)
    assert door.change(item, pipeline_id=used.id, pipeline_parameters={"edges": {"low": 20}}) is None
    assert door.change(used, definition=pipeline({**STEP, "id": "other"})) == "pipeline"
    assert (stored(door, used).version, stored(door, used).definition) == (1, GOOD)


def test_an_item_is_not_given_a_deleted_pipeline(door: MasterDoor) -> None:
    _, _, item = made(door)
    gone = Pipeline(name="Gone", definition=GOOD)
    assert door.create(gone) is None
    assert door.delete(gone) is None
    assert door.change(item, pipeline_id=gone.id, pipeline_parameters={}) == "pipeline"


def test_a_model_of_another_kind_is_refused(door: MasterDoor) -> None:
    definition = pipeline(ANOMALY)
    _, used, item = made(door, definition)
    detector = ModelFile(name="D", model_kind="detector", sha256="d" * 64, size_bytes=1)
    with door.context.database.transaction() as session:
        session.add(detector)
    named = {"anomaly": {"model": detector.id}}
    assert door.change(item, pipeline_id=used.id, pipeline_parameters=named) == "pipeline"


def test_a_model_of_another_kind_is_refused_by_the_station(workspace: Workspace) -> None:
    detector = ModelFile(name="D", model_kind="detector", sha256="d" * 64, size_bytes=1, rev=9)
    named = {"anomaly": {"model": detector.id}}
    assert ask_station(workspace, pipeline(ANOMALY), named, {}, detector) == "pipeline"


def test_criteria_that_count_a_class_the_model_lacks_are_refused(door: MasterDoor) -> None:
    _, used, item = made(door, pipeline(DETECTION))
    detector = ModelFile(
        name="Lamps", model_kind="detector", sha256="e" * 64, size_bytes=1, metrics={"classes": ["off", "on"]}
    )
    with door.context.database.transaction() as session:
        session.add(detector)
    chosen = {"detect": {"model": detector.id}}
    wrong, right = {"max_detections": {"False": 0}}, {"max_detections": {"off": 0}}
    assert door.change(item, criteria=wrong) is None  # its model is not chosen yet
    assert door.change(item, pipeline_id=used.id, pipeline_parameters=chosen) == "criteria"
    assert door.change(item, criteria=right) is None
    assert door.change(item, pipeline_id=used.id, pipeline_parameters=chosen) is None
    assert door.change(item, criteria=wrong) == "criteria"
    narrowed = pipeline({**DETECTION, "parameters": {"classes": ["on"]}})
    assert door.change(used, definition=narrowed) == "pipeline"
    assert (stored(door, item).criteria, stored(door, used).version) == (right, 1)


def test_a_code_is_taken_once(served: Served) -> None:
    code = new_id()
    taken = DefectClass(code=code, name_en="A", name_ja="あ")
    with served.context.database.transaction() as session:
        session.add(taken)
    again = {"code": code, "name_en": "B", "name_ja": "い"}
    rest = served["supervisor"].post("/inspection/defect-classes", json=again)
    assert rest.json()["type"].endswith("/code-taken")
    assert Push(served).create(DefectClass(**again)) == "code-taken"


def test_parameters_are_merged_alike_on_both_sides(served: Served, workspace: Workspace) -> None:
    overrides = {"edges": {"low": 20}}
    found = []
    for database in (served.context.database, workspace.database):
        target, used = Target(code=new_id(), name="T"), Pipeline(name="P", definition=GOOD)
        item = InspectionItem(target_id=target.id, name="I", pipeline_id=used.id, pipeline_parameters=overrides)
        with database.transaction() as session, remote_changes(session):
            for record in (target, used, item):
                session.add(record)
                session.flush()
            found.append(read_recipe(item, ItemRecords(session)).pipeline.steps[0].parameters)
    assert found[0] == found[1]
    assert {name: getattr(found[0], name) for name in EDGES} == {**EDGES, "low": 20}


THRESHOLDS: dict[str, tuple[Json, Json, tuple[float, str, tuple[str, ...]]]] = {
    "nothing is set": ({}, {}, (3.0, "model", ())),
    "the station's is set": ({}, {"thresholds": 5.0}, (5.0, "station", ())),
    "the item's is set": ({"threshold": 4.0}, {"thresholds": 5.0}, (4.0, "item", ())),
    "the item's is another model's": ({"threshold": 4.0, "threshold_model": "b" * 64}, {}, (3.0, "model", ("item",))),
    "both are another model's": (
        {"threshold": 4.0, "threshold_model": "b" * 64},
        {"thresholds": 5.0, "threshold_models": "c" * 64},
        (3.0, "model", ("item", "station")),
    ),
}


@pytest.mark.parametrize(("criteria", "settings", "expected"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_one_threshold_applies(
    served: Served,
    workspace: Workspace,
    criteria: Json,
    settings: Json,
    expected: tuple[float, str, tuple[str, ...]],
) -> None:
    device = new_id()
    workspace.device_id = device
    model = ModelFile(name="M", model_kind="anomaly", sha256="a" * 64, size_bytes=1, metrics={"threshold": 3.0})
    used, target = Pipeline(name="P", definition=pipeline(ANOMALY)), Target(code=new_id(), name="T")
    item = InspectionItem(
        target_id=target.id,
        name="I",
        criteria=criteria,
        pipeline_id=used.id,
        pipeline_parameters={"anomaly": {"model": model.id}},
    )
    config = StationConfig(device_id=device, settings={name: {item.id: value} for name, value in settings.items()})
    for database in (served.context.database, workspace.database):
        with database.transaction() as session, remote_changes(session):
            for record in (model, used, target, item, config):
                session.merge(record)
    with served.context.database.read() as session:
        on_server = read_threshold(session.get_one(InspectionItem, item.id), ItemRecords(session, device))
    on_station = applied_threshold_of(workspace, item.id)
    assert on_server is not None
    assert (on_server.value, on_server.origin, on_server.skipped) == expected
    assert on_station == on_server
    (shown,) = list_items(workspace, target.id)
    assert (shown.threshold, shown.threshold_origin) == expected[:2]


FOLDERS: dict[str, tuple[dict[str, int], int]] = {
    "one folder": ({"": 3}, 3),
    "beside defects": ({"good": 2, "scratch": 6}, 2),
    "by day": ({"monday": 2, "tuesday": 2}, 4),
    "loose ones count as good": ({"": 1, "ok_1": 2, "ng": 6}, 3),
}


@pytest.mark.usefixtures("backbone")
@pytest.mark.parametrize(("folders", "count"), FOLDERS.values(), ids=FOLDERS)
def test_the_good_images_of_a_folder_are_the_same_everywhere(
    workspace: Workspace, station: Station, tmp_path: Path, folders: dict[str, int], count: int
) -> None:
    good = fill(tmp_path / "good", folders)
    context = StationContext(workspace, InlineRunner())
    context.sign_in(station.engineer)
    home, failures = HomePresenter(context), list[UserFacingError]()
    home.failed.connect(failures.append)
    home.refresh()
    home.train_folder(str(good))
    counts = {
        "window": failures[0].values["count"],
        "command line": refusal(lambda: train_images_command(good, tmp_path / "m.model")).values["count"],
        "demo": refusal(lambda: given_parts(good, good, limit=None)).values["found"],
    }
    assert set(counts.values()) == {count}, counts


STEPS: dict[str, tuple[list[Json], str]] = {
    "one": ([ANOMALY], "too-few-images"),
    "none": ([STEP], "pipeline-without-anomaly"),
    "two of one picture": ([ANOMALY, {**ANOMALY, "id": "again"}], "too-few-images"),
    "two of different pictures": (
        [ANOMALY, CROPPED, {**ANOMALY, "id": "again", "inputs": {"image": "crop"}}],
        "pipeline-several-anomaly-steps",
    ),
}


@pytest.mark.usefixtures("backbone")
@pytest.mark.parametrize(("steps", "code"), STEPS.values(), ids=STEPS)
def test_one_step_is_trained(
    workspace: Workspace, station: Station, tmp_path: Path, steps: list[Json], code: str
) -> None:
    definition, file = pipeline(*steps), tmp_path / "pipeline.json"
    file.write_text(json.dumps(definition))
    good = fill(tmp_path / "good", {"": 2})
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, station.item_id)
        session.get_one(Pipeline, item.pipeline_id).definition = definition
    codes = {
        "station": refusal(
            lambda: train_item_model(workspace, station.engineer, station.item_id, sorted(good.iterdir()))
        ).code,
        "command line": refusal(lambda: train_images_command(good, tmp_path / "m.model", pipeline=file)).code,
    }
    assert set(codes.values()) == {code}, codes


def test_the_step_of_the_ready_pipeline_is_found_by_its_component(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(default_definition().model_dump_json())
    assert chosen_step(file)[1] == chosen_step(None)[1] == "anomaly"


def fill(folder: Path, counts: dict[str, int]) -> Path:
    """Write distinct images into sub-folders."""
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = random.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            write_atomically(folder / name / f"{number}.png", encode_png(pixels))
    return folder


def refusal(work: Callable[[], object]) -> UserFacingError:
    with pytest.raises(UserFacingError) as caught:
        work()
    return caught.value
