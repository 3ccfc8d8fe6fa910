from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.station.operations.history import image_digests, part, read_picture, recent_parts
from app.station.operations.inspection import inspect_item
from app.station.operations.masters import find_target, list_defect_classes, list_items, list_targets
from app.station.operations.open_sessions import reopen_part
from app.station.operations.preparation import prepare_item
from app.station.operations.sessions import begin_session, cancel_session
from app.station.operations.sign_in import sign_in, sign_out
from app.station.operations.statistics import station_statistics
from app.station.operations.training import train_item_model
from app.station.operations.verification import complete_session, verify
from app.station.workspace import Workspace
from inspection.anomaly import TrainingCancelled, TrainingSettings
from inspection.imaging.datasets import image_files
from inspection.imaging.frames import Frame
from inspection.pipeline import ready_definition
from inspection.recipe.overrides import merge_overrides
from models.audit import verify_audit
from models.clock import utc_now
from models.errors import Conflict, DoesNotFit, InvalidInput, NotFound, NotSignedIn, PermissionDenied, Unavailable
from models.pipelines import ModelFile, Pipeline
from models.results import MarkedDefect
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, SessionStatus, Verdict
from models.sync import Blob, OutboxEntry
from models.targets import InspectionItem
from models.users import User, UserCredential
from models.verification import HumanVerification
from tests.support.capture import agree, capture
from tests.support.errors import has_code
from tests.support.station import Station


def test_masters_are_listed_with_the_trained_model(workspace: Workspace, station: Station) -> None:
    (target,) = list_targets(workspace)
    (item,) = list_items(workspace, target.id)
    assert find_target(workspace, "PLATE") == target
    assert item.model_ready
    assert item.threshold is not None
    assert [kind.name("ja") for kind in list_defect_classes(workspace)] == ["傷"]
    with pytest.raises(NotFound, check=has_code("target-unknown", code_or_id="NOPE")):
        find_target(workspace, "NOPE")


def test_an_inspection_commits_its_image_with_its_result(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    assert inspection.session_status is SessionStatus.AI_COMPLETED
    assert (read_picture(workspace, inspection.image_sha256) == frames[0].pixels).all()
    assert inspection.heatmap_sha256 is not None
    heatmap = read_picture(workspace, inspection.heatmap_sha256)
    assert heatmap.shape == frames[0].pixels.shape[:2]
    with workspace.database.read() as session:
        waiting = set(session.scalars(select(OutboxEntry.entity_id)))
        result = session.get_one(AIResult, inspection.ai_result_id)
        assert {inspection.session_id, inspection.image_id, result.id} <= waiting
        assert result.model_sha256 == prepare_item(workspace, station.item_id).model_sha256
        assert session.get_one(Blob, inspection.image_sha256).uploaded_at is None
        assert verify_audit(session) == []


def test_the_stored_heatmap_is_brightest_where_the_score_is_highest(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    defective = next(frame for frame in frames if frame.label != "good")
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, defective)
    assert inspection.outcome.heatmap is not None
    assert inspection.heatmap_sha256 is not None
    stored = read_picture(workspace, inspection.heatmap_sha256)
    highest = inspection.outcome.heatmap >= inspection.outcome.heatmap.max()
    assert stored[highest].min() == stored.max()


def test_a_decision_against_the_verdict_completes_the_session_as_overruled(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    other = HumanVerdict.NG if inspection.verdict is Verdict.OK else HumanVerdict.OK
    marked = [MarkedDefect(class_name="scratch")] if other is HumanVerdict.NG else []
    summary = verify(
        workspace, station.operator, inspection.session_id, other, defects=marked, comment=" seen ", seconds=2.5
    )
    assert summary.overruled
    assert (summary.status, summary.effective_verdict, summary.username) == (
        SessionStatus.COMPLETED,
        other,
        "operator",
    )
    with workspace.database.read() as session:
        decision = session.scalars(select(HumanVerification)).one()
        assert (decision.comment, decision.seconds) == ("seen", 2.5)


def test_a_later_decision_corrects_without_overwriting_the_first(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    verify(workspace, station.operator, inspection.session_id, HumanVerdict.HOLD)
    assert station_statistics(workspace)["summary"]["hold_count"] == 1
    summary = verify(workspace, station.operator, inspection.session_id, HumanVerdict.OK)
    assert summary.effective_verdict is HumanVerdict.OK
    assert station_statistics(workspace)["summary"] == {
        "total_inspections": 1,
        "ok_count": 1,
        "ng_count": 0,
        "hold_count": 0,
        "ok_rate": 100.0,
    }
    with workspace.database.read() as session:
        assert session.scalar(select(func.count()).select_from(HumanVerification)) == 2


def test_a_decision_needs_a_result_first(workspace: Workspace, station: Station) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    with pytest.raises(Conflict) as caught:
        verify(workspace, station.operator, begun.session_id, HumanVerdict.OK)
    assert caught.value.code == "session-not-inspected"
    with pytest.raises(Conflict):
        complete_session(workspace, station.operator, begun.session_id)


def test_a_cancelled_part_takes_no_capture(workspace: Workspace, station: Station, frames: list[Frame]) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    cancel_session(workspace, station.operator, begun.session_id, "dropped")
    before = set(workspace.blobs.digests())
    with pytest.raises(Conflict, check=has_code("session-ended", status="CANCELLED")):
        inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    assert set(workspace.blobs.digests()) == before
    assert station_statistics(workspace)["summary"]["total_inspections"] == 0
    with pytest.raises(Conflict):
        reopen_part(workspace, begun.session_id)


def test_the_machines_verdict_stands_where_nobody_decides(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    summary = complete_session(workspace, station.operator, inspection.session_id)
    assert summary.human_verdict is None
    assert summary.effective_verdict == inspection.verdict.value
    assert part(workspace, inspection.session_id) == summary


def test_recent_parts_come_newest_first_up_to_the_number_asked(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    for serial in ("1", "2", "3"):
        inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0], serial)
        agree(workspace, station.operator, inspection)
    assert [found.serial_number for found in recent_parts(workspace, 2)] == ["3", "2"]
    # The same picture three times is one file, and six image records name it and its heatmap.
    assert len(image_digests(workspace)) == 6
    assert len({image.sha256 for image in image_digests(workspace)}) == 2


def test_marked_defects_are_counted_by_class_of_the_newest_decision(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    scratch, dent = MarkedDefect(class_name="scratch"), MarkedDefect(class_name="dent")
    verify(workspace, station.operator, inspection.session_id, HumanVerdict.NG, defects=[scratch])
    verify(workspace, station.operator, inspection.session_id, HumanVerdict.NG, defects=[dent, dent])
    assert station_statistics(workspace)["defect_analysis"] == {"dent": 2}


def test_statistics_keep_to_the_days_asked_for(workspace: Workspace, station: Station, frames: list[Frame]) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    agree(workspace, station.operator, inspection)
    today = utc_now().date()
    assert station_statistics(workspace, today, today)["summary"]["total_inspections"] == 1
    assert station_statistics(workspace, today + timedelta(days=1))["daily_trends"] == []
    assert station_statistics(workspace, None, today - timedelta(days=1))["daily_trends"] == []


def test_an_operator_does_not_train(workspace: Workspace, station: Station) -> None:
    with pytest.raises(PermissionDenied, check=has_code("role-not-enough", role="inspector", wanted="supervisor")):
        train_item_model(workspace, station.operator, station.item_id, image_files(station.parts.train_good))


def test_a_cancelled_training_changes_nothing(workspace: Workspace, station: Station) -> None:
    import threading

    cancel = threading.Event()
    cancel.set()
    blobs = set(workspace.blobs.digests())
    with pytest.raises(TrainingCancelled):
        train_item_model(
            workspace, station.engineer, station.item_id, image_files(station.parts.train_good), cancel=cancel
        )
    assert set(workspace.blobs.digests()) == blobs
    assert not list(workspace.work_folder.iterdir())


@pytest.mark.slow
def test_a_training_gives_the_item_another_model_in_one_step(workspace: Workspace, station: Station) -> None:
    images = image_files(station.parts.train_good)[:6]
    settings = TrainingSettings(backbone="efficientnet-lite0", bank_size=150, folds=2)
    trained = train_item_model(workspace, station.engineer, station.item_id, images, settings=settings)
    assert prepare_item(workspace, station.item_id).model_sha256 == trained.sha256
    with workspace.database.read() as session:
        entries = session.scalars(
            select(OutboxEntry).where(OutboxEntry.entity_id.in_([trained.model_id, station.item_id]))
        ).all()
        assert {entry.user_id for entry in entries} == {station.engineer.user_id}
        assert session.scalar(select(func.count()).select_from(ModelFile)) == 2


def test_an_item_without_a_model_says_what_to_do(workspace: Workspace, station: Station) -> None:
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        session.get_one(InspectionItem, station.item_id).pipeline_parameters = {}
    with pytest.raises(DoesNotFit) as caught:
        prepare_item(workspace, station.item_id)
    assert caught.value.code == "item-without-model"


def test_a_model_that_has_not_come_yet_is_reported(workspace: Workspace, station: Station) -> None:
    digest = prepare_item(workspace, station.item_id).model_sha256
    assert digest is not None
    workspace.models.clear()
    workspace.blobs.delete(digest)
    with pytest.raises(Unavailable) as refused:
        prepare_item(workspace, station.item_id)
    assert refused.value.code == "model-not-here"


def test_the_items_own_threshold_decides(workspace: Workspace, station: Station, frames: list[Frame]) -> None:
    for threshold, verdict in ((1e-6, Verdict.NG), (1e6, Verdict.OK)):
        with workspace.database.transaction(actor=station.engineer.user_id) as session:
            session.get_one(InspectionItem, station.item_id).criteria = {"threshold": threshold}
        inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
        assert (inspection.verdict, inspection.threshold) == (verdict, threshold)


def test_a_part_whose_code_is_not_read_is_not_ok_at_the_station(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    definition = ready_definition("codes").model_dump(mode="json")
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        pipeline = Pipeline(name="Codes", definition=definition)
        session.add(pipeline)
        session.flush()
        item = session.get_one(InspectionItem, station.item_id)
        item.pipeline_id, item.pipeline_parameters = pipeline.id, {}
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    assert inspection.verdict is Verdict.NG
    with workspace.database.read() as session:
        assert session.get_one(AIResult, inspection.ai_result_id).reasons == ["code-none"]


def test_wrong_criteria_are_reported_by_name(workspace: Workspace, station: Station) -> None:
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        session.get_one(InspectionItem, station.item_id).criteria = {"threshold": -1}
    with pytest.raises(DoesNotFit, check=has_code("item-criteria-invalid", item="Surface", setting="threshold")):
        prepare_item(workspace, station.item_id)


def test_an_items_parameters_go_over_the_pipelines_own() -> None:
    definition = {"steps": [{"id": "a", "parameters": {"x": 1, "y": 2}}, {"id": "b"}]}
    merged = merge_overrides(definition, {"a": {"y": 3}, "c": {"z": 4}})
    assert merged["steps"] == [{"id": "a", "parameters": {"x": 1, "y": 3}}, {"id": "b", "parameters": {}}]


def test_without_the_server_only_those_sign_in_who_did_so_with_it(workspace: Workspace, station: Station) -> None:
    with pytest.raises(NotSignedIn) as caught:
        sign_in(workspace, "operator", "right")
    assert caught.value.code == "sign-in-never-online"
    _keep_password(workspace, "operator", "right", days=1)
    user = sign_in(workspace, " operator ", "right")
    assert (user.user_id, user.online) == (station.operator.user_id, False)
    sign_out(workspace, user)
    with pytest.raises(NotSignedIn) as caught:
        sign_in(workspace, "operator", "wrong")
    assert caught.value.code == "sign-in-wrong"


def test_offline_sign_in_ends_by_setting(workspace: Workspace) -> None:
    _keep_password(workspace, "operator", "right", days=-1)
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, "operator", "right")
    assert refused.value.code == "sign-in-expired"


def test_a_disabled_user_does_not_sign_in_offline(workspace: Workspace) -> None:
    _keep_password(workspace, "operator", "right", days=1)
    with workspace.database.transaction() as session:
        session.scalars(select(User).where(User.username == "operator")).one().active = False
    with pytest.raises(NotSignedIn) as caught:
        sign_in(workspace, "operator", "right")
    assert caught.value.code == "user-disabled"


def test_a_vanished_image_file_leaves_no_record(workspace: Workspace, station: Station, tmp_path: Path) -> None:
    from inspection.imaging.files import encode_png
    from inspection.sources.folder import FolderSource
    from models.errors import UnreadableImage

    folder = tmp_path / "camera"
    folder.mkdir()
    import numpy as np

    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(encode_png(np.full((64, 64, 3), 128, np.uint8)))
    with FolderSource(folder) as source:
        (folder / "a.png").unlink()
        with pytest.raises(UnreadableImage):
            source.read()
        frame = source.read()
    assert frame is not None
    capture(workspace, station.operator, station.target_id, station.item_id, frame)
    with workspace.database.read() as session:
        assert session.scalar(select(func.count()).select_from(InspectionSession)) == 1
        assert session.scalar(select(func.count()).select_from(ImageRecord)) == 2


def test_a_name_or_password_of_another_width_signs_in_offline(workspace: Workspace, station: Station) -> None:
    _keep_password(workspace, "operator", "パスワードはながい", days=1)
    assert sign_in(workspace, "ＯＰＥＲＡＴＯＲ", "ﾊﾟｽﾜｰﾄﾞはながい").user_id == station.operator.user_id


def _keep_password(workspace: Workspace, username: str, password: str, days: int) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    digest = PasswordHash((Argon2Hasher(),)).hash(password)
    with workspace.database.transaction() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        session.add(
            UserCredential(user_id=user.id, password_digest=digest, expires_at=utc_now() + timedelta(days=days))
        )


@pytest.mark.parametrize("code", ["A" * 129, "A\x00B", "A\x1dB", "A\nB"])
def test_a_code_the_server_would_refuse_for_good_is_refused_while_the_part_is_at_hand(
    workspace: Workspace, station: Station, code: str
) -> None:
    with pytest.raises(InvalidInput, check=has_code("part-code-unusable", limit=128)):
        begin_session(workspace, station.operator, target_id=station.target_id, serial_number=code)
    with workspace.database.read() as session:
        assert session.scalar(select(func.count()).select_from(InspectionSession)) == 0
