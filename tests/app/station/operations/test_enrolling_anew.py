"""A station that becomes another one at its server, as the command does it, over HTTP."""

from __future__ import annotations

import json
import shutil

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend
from sqlalchemy import select

from app.station.operations.enrolment import enrol, enrol_anew
from app.station.workspace import Workspace
from models.audit import AuditEntry, append_audit, verify_audit
from models.devices import Device
from sync.station.state import COMPARED_TO, SERVER_URL, get_value
from tests.support.command import run
from tests.support.serving import Served, serve_with_users

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


def code(served: Served) -> str:
    return served["admin"].post("/enrolment-codes", json={"device_name": "Line 1"}).json()["code"]


@pytest.fixture
def workspace(served, tmp_path):
    """An enrolled station with an audit entry that its server has and one that it has not."""
    with Workspace.open(tmp_path / "store") as opened:
        enrol(opened, server_url=served.url, code=code(served))
        remark(opened, "sent")
        opened.link.engine.run_once()
        remark(opened, "not.sent")
        yield opened


def printed(out: str) -> dict:
    """The last line of what a command printed; the server of this process logs before it."""
    return json.loads(out.splitlines()[-1])


def remark(workspace: Workspace, action: str) -> None:
    with workspace.database.transaction() as session:
        append_audit(session, device_id=workspace.device_id, actor="a", action=action)


def test_a_station_enrolled_anew_succeeds_the_former_one(served, workspace):
    former = workspace.device_id
    made = enrol_anew(workspace, server_url=served.url, code=code(served))
    with served.context.database.read() as session:
        assert session.get_one(Device, made.device_id).succeeds_id == former


def test_a_station_enrolled_anew_synchronises_at_once(served, workspace):
    enrol_anew(workspace, code=code(served))
    report = workspace.link.engine.run_once()
    assert report.dead == 0
    with workspace.database.read() as session:
        assert verify_audit(session) == []


def test_what_was_sent_before_is_not_sent_by_the_new_station(served, workspace):
    made = enrol_anew(workspace, server_url=served.url, code=code(served))
    workspace.link.engine.run_once()
    query = select(AuditEntry.action).where(AuditEntry.device_id == made.device_id).order_by(AuditEntry.sequence)
    with served.context.database.read() as session:
        actions = session.scalars(query).all()
    assert actions == ["not.sent", "audit.entries_moved", "sync.enrolled_anew"]


def test_the_command_enrols_anew(capsys, served, workspace, tmp_path):
    workspace.close()
    arguments = ("--server", served.url, "--code", code(served), "--yes", "--json", "--store", tmp_path / "store")
    ended, out, err = run(capsys, "sync", "enrol-anew", *arguments)
    assert (ended, printed(out)["device_id"] != workspace.device_id) == (0, True), err


def test_the_command_shows_what_is_held_before_it_asks(capsys, workspace, tmp_path):
    workspace.close()
    ended, _, err = run(capsys, "sync", "send-all", "--yes", "--store", tmp_path / "store")
    assert ended == 0
    assert "audit_entry" in err


def test_everything_is_compared_after_send_all(capsys, workspace, tmp_path):
    workspace.close()
    run(capsys, "sync", "send-all", "--yes", "--store", tmp_path / "store")
    with Workspace.open(tmp_path / "store") as again, again.database.read() as session:
        assert get_value(session, COMPARED_TO) is not None
        assert get_value(session, SERVER_URL)


def test_the_command_exports_what_was_not_sent(capsys, workspace, tmp_path):
    workspace.close()
    ended, out, _ = run(capsys, "sync", "export", "--out", tmp_path / "out", "--json", "--store", tmp_path / "store")
    assert (ended, printed(out)["changes"]) == (0, 1)


def test_the_status_tells_the_identity_of_the_store(capsys, workspace, tmp_path):
    workspace.close()
    _, out, _ = run(capsys, "sync", "status", "--json", "--store", tmp_path / "store")
    store = printed(out)["store"]
    assert (store["store_id"] is not None, store["forked_at"], store["waits_for_others"]) == (True, None, 0)


class MemoryKeyring(KeyringBackend):
    """A keyring that all stores of one computer share."""

    priority = 1  # type: ignore[assignment]  # the base class declares a property

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


def test_a_copy_enrolled_anew_leaves_the_originals_credential_in_the_keyring(served, tmp_path):
    shared = MemoryKeyring()
    keyring.set_keyring(shared)
    with Workspace.open(tmp_path / "store") as original:
        enrol(original, server_url=served.url, code=code(served))
        former = original.device_id
        original.link.engine.run_once()
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    with Workspace.open(tmp_path / "copy") as copy:
        made = enrol_anew(copy, server_url=served.url, code=code(served))
    assert shared.kept.keys() == {former, made.device_id}
    with Workspace.open(tmp_path / "store") as original:
        assert original.link.engine.run_once().dead == 0
