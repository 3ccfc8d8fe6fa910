from __future__ import annotations

from datetime import timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from PySide6.QtCore import Qt

from app.workspace import Workspace
from models.clock import utc_now
from models.users import UserCredential
from tests.app.conftest import Station
from tests.app.ui.conftest import Desk

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


def type_and_enter(desk: Desk, username: str, password: str) -> None:
    screen = desk.window.window.screens["sign_in"]
    screen.username.setFocus()
    desk.qtbot.keyClicks(screen.username, username)
    desk.qtbot.keyClick(screen.username, Qt.Key.Key_Return)
    assert desk.focus is screen.password
    desk.qtbot.keyClicks(screen.password, password)
    desk.qtbot.keyClick(screen.password, Qt.Key.Key_Return)
    assert screen.password.text() == ""


@pytest.mark.usefixtures("has_signed_in_before")
def test_who_has_signed_in_before_signs_in_without_the_server(desk: Desk) -> None:
    type_and_enter(desk, "operator", PASSWORD)
    desk.until(lambda: desk.window.presenters.session.screen == "home")
    assert "offline" in desk.window.window.top_bar.subtitle.text()
    desk.until(lambda: desk.home.state.targets)


@pytest.mark.usefixtures("has_signed_in_before")
def test_a_wrong_password_is_told_in_the_banner_and_can_be_typed_again(desk: Desk) -> None:
    type_and_enter(desk, "operator", "wrong")
    desk.until(desk.window.window.banner.isVisible)
    assert desk.window.presenters.session.screen == "sign_in"
    assert desk.window.presenters.session.user is None
    desk.until(desk.window.window.screens["sign_in"].button.isEnabled)
    screen = desk.window.window.screens["sign_in"]
    desk.qtbot.keyClicks(screen.password, PASSWORD)
    desk.qtbot.keyClick(screen.password, Qt.Key.Key_Return)
    desk.until(lambda: desk.window.presenters.session.screen == "home")
    assert not desk.window.window.banner.isVisible()


def test_who_was_never_online_here_is_told_why_it_does_not_work(desk: Desk) -> None:
    type_and_enter(desk, "operator", PASSWORD)
    desk.until(desk.window.window.banner.isVisible)
    assert desk.window.presenters.session.screen == "sign_in"


def test_an_empty_password_is_asked_for(desk: Desk) -> None:
    desk.window.presenters.sign_in.sign_in("operator", "")
    assert "missing" in desk.window.window.banner.text


@pytest.mark.usefixtures("has_signed_in_before")
def test_signing_out_closes_the_source_and_leads_back_to_sign_in(desk: Desk) -> None:
    desk.start_work()
    desk.key(Qt.Key.Key_F10)
    assert desk.window.presenters.session.screen == "sign_in"
    assert desk.work.state.target is None
    desk.until(lambda: desk.window.workers.is_idle)


def test_the_missing_device_credential_is_told_and_sign_in_is_possible_meanwhile(desk: Desk) -> None:
    desk.window.start()
    desk.until(lambda: "credential" in desk.window.window.banner.text)
    assert desk.window.presenters.session.screen == "sign_in"
    desk.key(Qt.Key.Key_F11)
    screen = desk.window.window.screens["enrolment"]
    assert desk.focus is screen.credential
    desk.qtbot.keyClicks(screen.credential, "secret")
    desk.qtbot.keyClick(screen.credential, Qt.Key.Key_Return)
    desk.until(lambda: desk.window.presenters.session.screen == "sign_in")
    desk.until(lambda: not desk.window.window.banner.isVisible())
    desk.window.presenters.session.workspace.stop_sync()


def test_an_unknown_server_is_told_at_enrolment_and_the_form_stays(desk: Desk) -> None:
    desk.window.show_screen("enrolment")
    desk.window.presenters.enrolment.enrol("", "")
    assert "missing" in desk.window.window.banner.text
