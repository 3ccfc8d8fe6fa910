from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from app.command_line import main
from app.station.operations.inspection import inspect_item
from app.station.operations.masters import list_items, list_targets
from app.station.operations.model_scores import score_distribution
from app.station.operations.preparation import prepare_item
from app.station.operations.sessions import begin_session
from app.station.operations.thresholds import NEW_MODEL, applied_threshold_of, set_item_threshold, threshold_changes
from app.station.operations.training import TrainedModel, train_item_model
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.anomaly import TrainingProgress, TrainingSettings
from inspection.imaging.datasets import image_files
from inspection.imaging.frames import Frame
from inspection.recipe.thresholds import AppliedThreshold
from models.audit import AuditEntry, verify_audit
from models.clock import utc_now
from models.errors import DoesNotFit, NotFound, PermissionDenied
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.states import Verdict
from models.sync import OutboxEntry
from models.targets import InspectionItem
from models.tracking import remote_changes
from models.users import User, UserCredential
from tests.support.command import run
from tests.support.messages import says
from tests.support.station import DEVICE, Station


def item_of(workspace: Workspace, station: Station) -> tuple[float | None, str | None]:
    (item,) = list_items(workspace, station.target_id)
    return item.threshold, item.threshold_origin


def put_config(workspace: Workspace, device_id: str | None, settings: dict[str, object]) -> None:
    """As a pull brings it."""
    with workspace.database.transaction() as session, remote_changes(session):
        session.add(StationConfig(device_id=device_id, settings=settings, rev=50))


def test_the_threshold_of_an_item_wins_over_the_stations_over_the_models(
    workspace: Workspace, station: Station
) -> None:
    own = prepare_item(workspace, station.item_id).criteria.threshold
    models, origin = item_of(workspace, station)
    assert (own, origin) == (None, "model")
    put_config(workspace, None, {"thresholds": {station.item_id: 7.5, "another": 1.0}})
    assert item_of(workspace, station) == (7.5, "station")
    assert prepare_item(workspace, station.item_id).criteria.threshold == 7.5
    put_config(workspace, DEVICE, {"thresholds": {station.item_id: 6.5}, "language": "ja"})
    put_config(workspace, "another-station", {"thresholds": {station.item_id: 1.5}})
    assert item_of(workspace, station) == (6.5, "station")
    set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "too many overkills")
    assert item_of(workspace, station) == (5.5, "item")
    assert prepare_item(workspace, station.item_id).criteria.threshold == 5.5
    set_item_threshold(workspace, station.engineer, station.item_id, None, "as the line has it")
    assert item_of(workspace, station) == (6.5, "station")
    assert models is not None


def test_a_setting_without_this_item_leaves_the_models_own(workspace: Workspace, station: Station) -> None:
    put_config(workspace, None, {"thresholds": {"another": 1.0}})
    assert item_of(workspace, station)[1] == "model"
    assert prepare_item(workspace, station.item_id).criteria.threshold is None


def test_settings_that_make_no_sense_are_reported_with_the_item(workspace: Workspace, station: Station) -> None:
    put_config(workspace, None, {"thresholds": {station.item_id: -1}})
    with pytest.raises(DoesNotFit) as caught:
        prepare_item(workspace, station.item_id)
    assert caught.value.code == "item-criteria-invalid"


def test_the_verdict_follows_a_changed_threshold_without_retraining(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    before = inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    assert before.score is not None
    for value, verdict in ((before.score * 1.01, Verdict.OK), (before.score * 0.99, Verdict.NG)):
        set_item_threshold(workspace, station.engineer, station.item_id, value, "seen on the histogram")
        found = inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
        assert (found.threshold, found.verdict) == (value, verdict)
        assert found.score == before.score
    (item,) = list_items(workspace, station.target_id)
    assert score_distribution(workspace, item).threshold == before.score * 0.99


def test_a_change_of_threshold_has_a_version_with_its_reason(workspace: Workspace, station: Station) -> None:
    models, _ = item_of(workspace, station)
    first = set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "first")
    second = set_item_threshold(workspace, station.engineer, station.item_id, 6.5, "過検出が多い")
    assert threshold_changes(workspace, station.item_id) == [first, second]
    assert (first.version, second.version) == (1, 2)
    assert first.before is not None
    assert (first.before.value, first.before.origin) == (models, "model")
    assert second.before == first.after
    with workspace.database.read() as session:
        item = session.get_one(InspectionItem, station.item_id)
        model = prepare_item(workspace, station.item_id).model_sha256
        assert item.criteria == {"threshold": 6.5, "threshold_model": model}
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == station.item_id)).all()
        assert entries[-1].actor == "engineer"
        assert entries[-1].detail["reason"] == "過検出が多い"
        assert entries[-1].detail["model_sha256"] == model
        waiting = session.scalars(select(OutboxEntry).where(OutboxEntry.entity_id == station.item_id)).all()
        assert any("6.5" in json.dumps(entry.fields) for entry in waiting)
        assert verify_audit(session) == []


def test_other_criteria_stay_as_they_are(workspace: Workspace, station: Station) -> None:
    with workspace.database.transaction() as session:
        session.get_one(InspectionItem, station.item_id).criteria = {"minimum_defect_area": 9.0}
    set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "r")
    with workspace.database.read() as session:
        criteria = session.get_one(InspectionItem, station.item_id).criteria
    assert (criteria["minimum_defect_area"], criteria["threshold"]) == (9.0, 5.5)
    set_item_threshold(workspace, station.engineer, station.item_id, None, "r")
    with workspace.database.read() as session:
        assert session.get_one(InspectionItem, station.item_id).criteria == {"minimum_defect_area": 9.0}


def test_an_operator_changes_no_threshold(workspace: Workspace, station: Station) -> None:
    with pytest.raises(PermissionDenied):
        set_item_threshold(workspace, station.operator, station.item_id, 5.5, "r")
    assert threshold_changes(workspace, station.item_id) == []
    assert item_of(workspace, station)[1] == "model"


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_threshold_changes_nothing(workspace: Workspace, station: Station, value: float) -> None:
    with pytest.raises(DoesNotFit) as caught:
        set_item_threshold(workspace, station.engineer, station.item_id, value, "r")
    assert caught.value.code == "item-criteria-invalid"
    assert threshold_changes(workspace, station.item_id) == []


@pytest.mark.parametrize("stored", ["x", -1, {"a": 1}, float("inf"), (5.5, "not a digest")])
def test_a_threshold_that_came_invalid_with_an_item_can_be_set_right(
    workspace: Workspace, station: Station, stored: object
) -> None:
    own, _ = item_of(workspace, station)
    with workspace.database.transaction() as session, remote_changes(session):
        item = session.get_one(InspectionItem, station.item_id)
        value, model = stored if isinstance(stored, tuple) else (stored, None)
        item.criteria = {**item.criteria, "threshold": value, "threshold_model": model}
    assert item_of(workspace, station) == (own, "model")
    for look in (prepare_item, applied_threshold_of):
        with pytest.raises(DoesNotFit) as caught:
            look(workspace, station.item_id)
        assert caught.value.code == "item-criteria-invalid"
        setting = "threshold_model" if isinstance(stored, tuple) else "threshold"
        assert (caught.value.values["item"], caught.value.values["setting"]) == ("Surface", setting)
    change = set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "mended")
    model = prepare_item(workspace, station.item_id).model_sha256
    assert (change.before, change.after) == (AppliedThreshold(own, "model"), AppliedThreshold(5.5, "item", model))


def test_a_threshold_for_another_model_is_refused(workspace: Workspace, station: Station) -> None:
    with pytest.raises(DoesNotFit) as caught:
        set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "r", model_sha256="0" * 64)
    assert caught.value.code == "threshold-of-other-model"
    with pytest.raises(NotFound):
        set_item_threshold(workspace, station.engineer, "no-such-item", 5.5, "r")


def use_model(workspace: Workspace, station: Station, sha256: str, threshold: float = 9.0) -> None:
    """As a pull brings it: the item is inspected with another model, and nothing else has changed."""
    with workspace.database.transaction() as session, remote_changes(session):
        known = session.scalars(select(ModelFile).where(ModelFile.sha256 == sha256)).first()
        model = known or ModelFile(
            name="M", model_kind="anomaly", sha256=sha256, size_bytes=1, metrics={"threshold": threshold}
        )
        session.add(model)
        session.flush()
        item = session.get_one(InspectionItem, station.item_id)
        item.pipeline_parameters = {"anomaly": {"model": model.id}}
        item.rev = (item.rev or 0) + 1


def for_model(station: Station, threshold: float, sha256: str) -> dict[str, object]:
    """Settings as the server hands them out."""
    return {"thresholds": {station.item_id: threshold}, "threshold_models": {station.item_id: sha256}}


def test_a_threshold_of_another_model_gives_way_to_the_next_in_order(workspace: Workspace, station: Station) -> None:
    item = station.item_id
    first, second = prepare_item(workspace, item).model_sha256, "b" * 64
    assert first is not None
    own, _ = item_of(workspace, station)
    put_config(workspace, None, for_model(station, 7.5, first))
    set_item_threshold(workspace, station.engineer, item, 5.5, "for the first model")
    assert applied_threshold_of(workspace, item) == AppliedThreshold(5.5, "item", first)
    use_model(workspace, station, second)
    assert applied_threshold_of(workspace, item) == AppliedThreshold(9.0, "model", None, ("item", "station"))
    put_config(workspace, DEVICE, for_model(station, 6.5, second))
    assert applied_threshold_of(workspace, item) == AppliedThreshold(6.5, "station", second, ("item",))
    change = set_item_threshold(workspace, station.engineer, item, 4.5, "for the second", model_sha256=second)
    assert change.before == AppliedThreshold(6.5, "station", second, ("item",))
    assert applied_threshold_of(workspace, item) == AppliedThreshold(4.5, "item", second)
    use_model(workspace, station, first)
    assert applied_threshold_of(workspace, item) == AppliedThreshold(own, "model", None, ("item", "station"))
    assert prepare_item(workspace, item).criteria.threshold is None


def test_a_threshold_that_names_no_model_counts_for_every_one(workspace: Workspace, station: Station) -> None:
    put_config(workspace, DEVICE, {"thresholds": {station.item_id: 6.5}})
    put_config(workspace, None, for_model(station, 7.5, "b" * 64))
    use_model(workspace, station, "c" * 64)
    assert item_of(workspace, station) == (6.5, "station")
    with workspace.database.transaction() as session, remote_changes(session):
        session.get_one(InspectionItem, station.item_id).criteria = {"threshold": 5.5}
    assert applied_threshold_of(workspace, station.item_id) == AppliedThreshold(5.5, "item")


def test_models_of_thresholds_that_make_no_sense_are_reported_with_the_item(
    workspace: Workspace, station: Station
) -> None:
    put_config(workspace, None, for_model(station, 6.5, "not a digest"))
    with pytest.raises(DoesNotFit) as caught:
        applied_threshold_of(workspace, station.item_id)
    assert caught.value.code == "item-criteria-invalid"
    assert (caught.value.values["item"], caught.value.values["setting"]) == ("Surface", "threshold_models")


def retrain(workspace: Workspace, station: Station, images: slice) -> TrainedModel:
    return train_item_model(
        workspace,
        station.engineer,
        station.item_id,
        image_files(station.parts.train_good)[images],
        settings=TrainingSettings(backbone="efficientnet-lite0", bank_size=100, folds=2),
    )


@pytest.mark.slow
def test_the_history_of_thresholds_has_no_gap_when_a_new_model_begins(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    item = station.item_id
    first = prepare_item(workspace, item).model_sha256
    assert first is not None
    put_config(workspace, DEVICE, for_model(station, 6.5, first))
    set_item_threshold(workspace, station.engineer, item, 5.5, "for the model of today")
    trained = retrain(workspace, station, slice(6))
    assert applied_threshold_of(workspace, item) == AppliedThreshold(trained.threshold, "model", None, ("station",))
    with workspace.database.read() as session:
        assert session.get_one(InspectionItem, item).criteria == {}
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    assert inspect_item(workspace, station.operator, begun.session_id, item, frames[0]).threshold == trained.threshold
    again = retrain(workspace, station, slice(6, 12))
    set_item_threshold(workspace, station.engineer, item, 4.5, "for the newest")
    changes = threshold_changes(workspace, item)
    assert [(change.version, change.reason) for change in changes] == [
        (1, "for the model of today"),
        (2, NEW_MODEL),
        (3, NEW_MODEL),
        (4, "for the newest"),
    ]
    assert [change.after for change in changes[:-1]] == [change.before for change in changes[1:]]
    held = changes[-1].before
    assert held is not None
    assert (held.value, held.origin) == (again.threshold, "model")
    with workspace.database.read() as session:
        reported = session.scalars(select(AuditEntry).where(AuditEntry.action == "item.inspected")).one()
        assert reported.detail["thresholds_skipped"] == ["station"]
        assert verify_audit(session) == []


def test_settings_that_make_no_sense_are_refused_before_training_begins(workspace: Workspace, station: Station) -> None:
    put_config(workspace, None, {"thresholds": {station.item_id: -1}})
    reported: list[TrainingProgress] = []
    with pytest.raises(DoesNotFit) as caught:
        train_item_model(workspace, station.engineer, station.item_id, [], on_progress=reported.append)
    assert (caught.value.code, reported) == ("item-criteria-invalid", [])


@pytest.mark.slow
def test_training_the_model_of_one_step_leaves_the_threshold_of_another_steps_model(
    workspace: Workspace, station: Station
) -> None:
    with workspace.database.transaction() as session, remote_changes(session):
        model = ModelFile(name="M", model_kind="anomaly", sha256="b" * 64, size_bytes=1, metrics={"threshold": 9.0})
        detector = ModelFile(name="D", model_kind="detector", sha256="d" * 64, size_bytes=1)
        session.add_all([model, detector])
        session.flush()
        item = session.get_one(InspectionItem, station.item_id)
        pipeline = session.get_one(Pipeline, item.pipeline_id)
        steps = [
            {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}},
            *pipeline.definition["steps"],
            {"id": "second", "component": "anomaly", "inputs": {"image": "input"}},
        ]
        pipeline.definition, pipeline.rev = {**pipeline.definition, "steps": steps}, 60
        named = {"find": {"model": detector.id}, **item.pipeline_parameters, "second": {"model": model.id}}
        item.pipeline_parameters, item.rev = named, 61
    assert item_of(workspace, station)[1] == "model"
    set_item_threshold(workspace, station.engineer, station.item_id, 5.5, "second step", model_sha256="b" * 64)
    with pytest.raises(DoesNotFit):
        set_item_threshold(workspace, station.engineer, station.item_id, 4.5, "r", model_sha256="d" * 64)
    retrain(workspace, station, slice(6))
    assert applied_threshold_of(workspace, station.item_id) == AppliedThreshold(5.5, "item", "b" * 64)


@pytest.mark.slow
def test_the_command_sets_a_threshold_as_the_window_would(
    station: Station, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        remember(workspace, "engineer", "right")
        remember(workspace, "operator", "right")
        models, _ = item_of(workspace, station)
        sha256 = prepare_item(workspace, station.item_id).model_sha256
        assert sha256 is not None
        model = str(workspace.blobs.path(sha256))
        (target,) = list_targets(workspace)
        (item,) = list_items(workspace, target.id)
    assert models is not None
    shared = ["item", "threshold", f"{target.code}/{item.name}", "--store", str(station.store)]
    change = ["--set", "5.5", "--model", model, "--reason", "overkill on line 2", "--password-stdin"]

    def run(*arguments: str, typed: str = "right") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
        with pytest.raises(SystemExit) as ended:
            main([*shared, *arguments])
        reported = capsys.readouterr()
        assert "Traceback" not in reported.err
        return int(ended.value.code or 0), reported.out, reported.err

    code, out, err = run("--json")
    assert (code, json.loads(out)["in_force"]) == (0, {"value": models, "origin": "model"}), err
    code, out, _ = run(*change, "--user", "engineer", typed="wrong")
    assert (code, out) == (1, "")
    code, out, err = run(*change, "--user", "operator")
    assert (code, out) == (1, "")
    assert "supervisor" in err
    code, out, err = run(*change, "--user", "engineer", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["item"], found["in_force"]["value"]) == (station.item_id, 5.5)
    (made,) = found["changes"]
    assert made["before"] == {"value": models, "origin": "model"}
    assert made["after"] == {"value": 5.5, "origin": "item", "model_sha256": sha256}
    assert (made["actor"], made["version"]) == ("engineer", 1)
    code, out, _ = run("--reset", "--reason", "back", "--password-stdin", "--user", "engineer")
    assert code == 0
    assert re.search(r"\b2\b", out)
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        put_config(workspace, None, for_model(station, 7.5, "b" * 64))
    code, out, err = run()
    assert f"{models:.4f}" in out
    assert says(err, "station-threshold-not-applicable")
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        assert item_of(workspace, station) == (models, "model")
        assert [change.reason for change in threshold_changes(workspace, station.item_id)] == [
            "overkill on line 2",
            "back",
        ]


def test_items_are_listed_with_the_threshold_they_are_inspected_with(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        put_config(workspace, None, {"thresholds": {station.item_id: 7.5}})
        (target,) = list_targets(workspace)
        (item,) = list_items(workspace, target.id)
    code, out, _ = run(capsys, "item", "list", "--store", station.store, "--json")
    assert code == 0
    listed = {"id": item.id, "target": target.code, "name": item.name, "threshold": 7.5, "origin": "station"}
    assert [json.loads(line) for line in out.splitlines()] == [listed]
    code, out, _ = run(capsys, "item", "list", "--store", station.store)
    header, row = out.splitlines()
    assert header.split() == ["id", "item", "threshold", "from"]
    assert row.split() == [item.id, f"{target.code}/{item.name}", "7.5000", "station"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0197c000-0000-7000-8000-000000000000", "item-not-listed"),
        ("NOPE/top", "target-unknown"),
        ("PLATE/nope", "item-not-listed"),
    ],
)
def test_an_item_that_is_not_there_fails_as_the_terminal_says_it(
    station: Station, capsys: pytest.CaptureFixture[str], given: str, expected: str
) -> None:
    code, out, err = run(capsys, "item", "threshold", given, "--store", station.store)
    assert (code, out) == (1, "")
    assert says(err, expected)
    assert given.partition("/")[0] in err


def remember(workspace: Workspace, username: str, password: str) -> None:
    """As an earlier sign-in with the server leaves it."""
    digest = PasswordHash((Argon2Hasher(),)).hash(password)
    with workspace.database.transaction() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        expires = utc_now() + timedelta(days=1)
        session.add(UserCredential(user_id=user.id, password_digest=digest, expires_at=expires))
