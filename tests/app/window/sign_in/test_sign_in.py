from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.station.operations.enrolment import supply_credential
from app.station.operations.sign_in import sign_in
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from app.window.shell.station import build_station
from app.window.sync.presenter import SyncPresenter
from models.clock import utc_now
from models.devices import Device
from models.errors import NotSignedIn
from models.messages import Language
from models.users import UserCredential
from server.auth.identity.secrets import digest_of
from sync.shared.problems import code_of
from sync.station.state import SERVER_URL, set_value
from tests.support.real_server import ServerProcess
from tests.support.station import DEVICE, Station
from tests.support.user_robot import UserRobot

PASSWORD = "correct horse"


@pytest.fixture
def has_signed_in_before(workspace: Workspace, station: Station) -> None:
    """What an earlier sign-in with the server leaves on the station."""
    digest = PasswordHash((Argon2Hasher(),)).hash(PASSWORD)
    credential = UserCredential(
        user_id=station.operator.user_id, password_digest=digest, expires_at=utc_now() + timedelta(days=1)
    )
    with workspace.database.transaction() as session:
        session.add(credential)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that knows the station by the credential ``secret``."""
    process = ServerProcess(tmp_path_factory.mktemp("central"))
    process.add(Device(id=DEVICE, name="Station", credential_digest=digest_of("secret")))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def with_server(server: ServerProcess, station: Station) -> None:
    """The station belongs to that server rather than to one that never answers; ask for it before ``workspace``."""
    with Workspace.open(station.store, settings=StationSettings()) as opened, opened.database.transaction() as session:
        set_value(session, SERVER_URL, server.url)


def give_credential(robot: UserRobot, credential: str) -> None:
    screen = robot.window.window.screens["enrolment"]
    screen.credential.setText(credential)
    robot.qtbot.keyClick(screen.credential, Qt.Key.Key_Return)
    robot.until(lambda: not robot.enrolment.state.busy)


def is_marked_offline(robot: UserRobot) -> bool:
    """Return whether the heading shows more than the name of a user who signed in without the server."""
    user = robot.context.user
    assert user is not None
    name = user.display_name or user.username
    heading = robot.window.window.top_bar.user.text()
    return not user.online and name in heading and not heading.endswith(name)


def type_and_enter(robot: UserRobot, username: str, password: str) -> None:
    screen = robot.window.window.screens["sign_in"]
    screen.username.setFocus()
    robot.qtbot.keyClicks(screen.username, username)
    robot.qtbot.keyClick(screen.username, Qt.Key.Key_Return)
    assert robot.focus is screen.password
    robot.qtbot.keyClicks(screen.password, password)
    robot.qtbot.keyClick(screen.password, Qt.Key.Key_Return)
    assert screen.password.text() == ""


@pytest.mark.usefixtures("has_signed_in_before")
def test_who_has_signed_in_before_signs_in_without_the_server(robot: UserRobot) -> None:
    type_and_enter(robot, "operator", PASSWORD)
    robot.until(lambda: robot.context.screen == "home")
    assert is_marked_offline(robot)
    robot.until(lambda: robot.home.state.targets)


@pytest.mark.usefixtures("has_signed_in_before")
def test_a_wrong_password_can_be_typed_again(robot: UserRobot) -> None:
    type_and_enter(robot, "operator", "wrong")
    robot.until(robot.window.window.banner.isVisible)
    assert robot.context.screen == "sign_in"
    assert robot.context.user is None
    robot.until(robot.window.window.screens["sign_in"].button.isEnabled)
    screen = robot.window.window.screens["sign_in"]
    robot.qtbot.keyClicks(screen.password, PASSWORD)
    robot.qtbot.keyClick(screen.password, Qt.Key.Key_Return)
    robot.until(lambda: robot.context.screen == "home")
    assert not robot.window.window.banner.isVisible()


def test_a_first_sign_in_without_the_server_is_refused_with_its_reason(robot: UserRobot) -> None:
    type_and_enter(robot, "operator", PASSWORD)
    robot.until(lambda: robot.banner_says("sign-in-never-online", username="operator"))
    assert robot.context.screen == "sign_in"


def test_an_empty_password_is_asked_for(robot: UserRobot) -> None:
    robot.sign_in_presenter.sign_in("operator", "")
    assert robot.banner_says("window-credentials-missing")


@pytest.mark.usefixtures("has_signed_in_before")
def test_signing_out_closes_the_source(robot: UserRobot) -> None:
    robot.start_work()
    robot.key(Qt.Key.Key_F10)
    assert robot.context.screen == "sign_in"
    assert robot.work.state.target is None
    robot.until(lambda: robot.window.workers.is_idle)


def test_a_missing_device_credential_can_be_supplied_before_sign_in(robot: UserRobot) -> None:
    robot.window.start()
    robot.until(lambda: robot.banner_says("window-credential-needed"))
    assert robot.context.screen == "sign_in"
    robot.navigate("enrolment")
    screen = robot.window.window.screens["enrolment"]
    assert robot.focus is screen.credential
    robot.qtbot.keyClicks(screen.credential, "secret")
    robot.qtbot.keyClick(screen.credential, Qt.Key.Key_Return)
    robot.until(lambda: robot.context.screen == "sign_in")
    robot.until(lambda: not robot.window.window.banner.isVisible())
    assert robot.context.workspace.link.engine.stop()


@pytest.mark.usefixtures("with_server")
def test_a_mistyped_device_credential_can_be_corrected_at_once(robot: UserRobot) -> None:
    robot.window.start()
    robot.until(lambda: robot.banner_says("window-credential-needed"))
    robot.navigate("enrolment")
    give_credential(robot, "not the right one")
    robot.until(lambda: robot.banner_says("window-credential-wrong"))
    assert robot.context.screen == "enrolment"
    assert robot.context.workspace.needs_credential
    assert robot.enrolment.state.needs_credential
    give_credential(robot, "secret")
    robot.until(lambda: robot.context.screen == "sign_in")
    robot.until(lambda: not robot.window.window.banner.isVisible())
    assert "enrolment" not in robot.context.reachable_screens()
    assert robot.context.workspace.link.engine.stop()


@pytest.mark.usefixtures("with_server", "has_signed_in_before")
def test_a_credential_the_server_refuses_later_is_asked_for_again(robot: UserRobot) -> None:
    workspace = robot.context.workspace
    workspace.try_credential("typed while the server was away")
    type_and_enter(robot, "operator", PASSWORD)
    robot.until(lambda: robot.context.screen == "home")
    assert is_marked_offline(robot)
    assert workspace.needs_credential
    robot.context.sign_out()
    workspace.try_credential("typed while the server was away")
    workspace.start_sync()
    # The status is polled: the window may see the refusal, or only the pass after it, which misses what was forgotten.
    asked = ("window-credential-refused", "window-credential-needed")
    robot.until(lambda: any(robot.banner_says(code) for code in asked))
    assert "enrolment" in robot.context.reachable_screens()
    assert workspace.needs_credential
    status = robot.window.presenter(SyncPresenter).state.status
    assert status is not None
    assert status.needs_credential
    # It counts what waits; that all is sent would reassure for no reason.
    assert re.findall(r"\d+", robot.chip.first_line) == [str(status.waiting + status.blobs_waiting)]
    assert workspace.link.engine.stop()


@pytest.mark.usefixtures("with_server")
def test_a_first_sign_in_at_a_refused_station_names_the_station_as_the_reason(workspace: Workspace) -> None:
    workspace.try_credential("not the right one")
    with pytest.raises(NotSignedIn) as caught:
        sign_in(workspace, "operator", PASSWORD)
    assert code_of(caught.value) == "device-wrong"


@pytest.mark.usefixtures("with_server")
def test_a_credential_that_was_right_once_outlasts_a_station_that_is_disabled_for_a_while(
    workspace: Workspace, server: ServerProcess
) -> None:
    supply_credential(workspace, "secret")
    database = server.database()
    try:
        with database.transaction() as session:
            device = session.get(Device, DEVICE)
            assert device is not None
            device.credential_digest = digest_of("another")
        with pytest.raises(NotSignedIn):
            workspace.link.engine.run_once()
        assert not workspace.needs_credential
        assert workspace.link.engine.status().needs_credential
    finally:
        with database.transaction() as session:
            device = session.get(Device, DEVICE)
            assert device is not None
            device.credential_digest = digest_of("secret")
        database.close()


def test_an_enrolment_without_a_server_is_refused_in_the_banner(robot: UserRobot) -> None:
    robot.window.show_screen("enrolment")
    robot.enrolment.enrol("", "")
    assert robot.banner_says("window-enrolment-missing")


@pytest.mark.parametrize(("given", "shown"), [("ja", "ja"), (None, "en")])
def test_a_language_given_at_the_start_is_kept_whoever_signs_in(
    qtbot: QtBot, workspace: Workspace, station: Station, given: Language | None, shown: Language
) -> None:
    assert station.engineer.language == "en"
    opened = build_station(workspace, language=given, theme="light")
    try:
        opened.context.sign_in(station.engineer)
        assert opened.language.language == shown
    finally:
        opened.close()
