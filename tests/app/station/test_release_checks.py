"""A station checks a release before it inspects with it: signature, digest, scores of the training."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from app.station.operations.masters import list_items
from app.station.operations.preparation import prepare_item
from app.station.operations.sync_overview import release_warning, sync_overview
from app.station.release_checks import ReleaseChecks
from app.station.workspace import Workspace
from inspection.anomaly import TrainingReport
from inspection.model_files.archive import MANIFEST, pack
from models.audit import AuditEntry
from models.clock import utc_now
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.states import ReleaseState
from models.targets import InspectionItem
from models.tracking import remote_changes
from sync.shared.releases import stage_statement, statement
from sync.station.blobs import remember_blob
from sync.station.state import RELEASE_KEY, set_value
from tests.support.station import Station

KEY = Ed25519PrivateKey.generate()


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def arrive(workspace: Workspace, station: Station, data: bytes, signer: Ed25519PrivateKey = KEY) -> ModelRelease:
    """Let a release for all stations have come with its bundle."""
    sha256 = workspace.blobs.put(data)
    with workspace.database.transaction() as session, remote_changes(session):
        item = session.get_one(InspectionItem, station.item_id)
        ((_, parameters),) = item.pipeline_parameters.items()
        model = ModelFile(
            name="second",
            model_kind="anomaly",
            sha256=sha256,
            size_bytes=len(data),
            item_id=item.id,
            metrics={"threshold": 12.5},
            rev=70,
        )
        session.add(model)
        session.flush()
        remember_blob(session, sha256, len(data), "application/zip").uploaded_at = utc_now()
        release = ModelRelease(
            name="second",
            item_id=item.id,
            model_id=model.id,
            replaces_id=parameters["model"],
            sha256=sha256,
            size_bytes=len(data),
            state=ReleaseState.RELEASED,
            released_at=utc_now(),
            rev=71,
        )
        release.signature = base64.b64encode(signer.sign(statement(release))).decode()
        release.stage_signature = base64.b64encode(signer.sign(stage_statement(release))).decode()
        session.add(release)
        set_value(session, RELEASE_KEY, public(KEY))
    return release


def checked(workspace: Workspace) -> list[str]:
    client = workspace.link.client
    return ReleaseChecks(workspace.database, workspace.blobs, client, workspace.device_id).run()


def in_use(workspace: Workspace, station: Station) -> str:
    sha256 = prepare_item(workspace, station.item_id).model_sha256
    assert sha256 is not None
    return sha256


def action_of(workspace: Workspace, release: ModelRelease) -> tuple[str, str]:
    with workspace.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == release.id)).one()
        return entry.action, entry.detail.get("code", "")


def other_scores(bundle: Path) -> bytes:
    """Return a whole bundle that says other scores of its training than it gives."""
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        parts = {name: archive.read(name) for name in manifest["members"]}
    manifest["probes"] = [score * 1.5 for score in manifest["probes"]]
    return pack({name: value for name, value in manifest.items() if name != "members"}, parts)


def test_the_station_inspects_with_a_release_that_holds(
    workspace: Workspace, station: Station, report: TrainingReport
) -> None:
    before = in_use(workspace, station)
    release = arrive(workspace, station, report.path.read_bytes())
    assert in_use(workspace, station) == before, "not before it is checked"
    assert checked(workspace) == []
    assert in_use(workspace, station) == release.sha256
    assert action_of(workspace, release) == ("model-release.verified", "")
    (item,) = list_items(workspace, station.target_id)
    assert (item.model_id, item.threshold, item.model_ready) == (release.model_id, 12.5, True)
    (shown,) = sync_overview(workspace).releases
    assert (shown.release_id, shown.in_use, shown.code) == (release.id, True, "")
    assert release_warning(workspace) is None


def test_a_release_of_another_server_is_refused(workspace: Workspace, station: Station, report: TrainingReport) -> None:
    before = in_use(workspace, station)
    release = arrive(workspace, station, report.path.read_bytes(), Ed25519PrivateKey.generate())
    assert checked(workspace) == ["release-signature-wrong"]
    assert in_use(workspace, station) == before
    assert action_of(workspace, release) == ("model-release.refused", "release-signature-wrong")
    assert checked(workspace) == [], "it is told once"
    warning = release_warning(workspace)
    assert warning is not None
    assert (warning.code, warning.values["reason"]) == ("window-release-refused", "release-signature-wrong")


def test_a_changed_bundle_is_refused(workspace: Workspace, station: Station, report: TrainingReport) -> None:
    release = arrive(workspace, station, report.path.read_bytes())
    path = workspace.blobs.path(release.sha256)
    data = bytearray(path.read_bytes())
    data[-2_000] ^= 1
    path.write_bytes(data)
    assert checked(workspace) == ["release-digest-differs"]


def test_a_bundle_that_scores_otherwise_here_is_refused(
    workspace: Workspace, station: Station, report: TrainingReport
) -> None:
    before = in_use(workspace, station)
    release = arrive(workspace, station, other_scores(report.path))
    assert checked(workspace) == ["release-scores-differ"]
    assert in_use(workspace, station) == before
    assert action_of(workspace, release) == ("model-release.refused", "release-scores-differ")


def test_the_model_before_is_in_use_again_after_taking_back(
    workspace: Workspace, station: Station, report: TrainingReport
) -> None:
    before = in_use(workspace, station)
    release = arrive(workspace, station, report.path.read_bytes())
    checked(workspace)
    with workspace.database.transaction() as session, remote_changes(session):
        record = session.get_one(ModelRelease, release.id)
        record.state, record.rev = ReleaseState.ROLLED_BACK, 72
    assert in_use(workspace, station) == before


def test_a_release_whose_bytes_have_not_come_waits(
    workspace: Workspace, station: Station, report: TrainingReport
) -> None:
    release = arrive(workspace, station, report.path.read_bytes())
    workspace.blobs.delete(release.sha256)
    assert checked(workspace) == []
    workspace.blobs.put(report.path.read_bytes())
    assert checked(workspace) == []
    assert in_use(workspace, station) == release.sha256


def test_a_release_whose_stage_was_changed_is_refused(
    workspace: Workspace, station: Station, report: TrainingReport
) -> None:
    before = in_use(workspace, station)
    release = arrive(workspace, station, report.path.read_bytes())
    with workspace.database.transaction() as session, remote_changes(session):
        session.get_one(ModelRelease, release.id).stations = ["another"]
    assert checked(workspace) == ["release-stage-wrong"]
    assert in_use(workspace, station) == before
