"""A station and a real server process: enrolment, sign-in with and without it, and the demo's day without a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.parts import DemoParts, given_parts
from app.demo.practice_store import PracticeStore
from app.demo.scenario import Scenario
from app.demo.server_setup import ENGINEER, OPERATOR, ServerAdministration, ServerSetup, create_admin
from app.server_process import ServerProcess
from app.station.operations.enrolment import enrol
from app.station.operations.masters import list_items, list_targets
from app.station.operations.sign_in import sign_in
from app.station.operations.sync_status import sync_now, sync_status
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from models.errors import Conflict, NotSignedIn, Unavailable, UserFacingError
from models.states import Role
from resources.parts import write_parts
from sync.shared.problems import code_of
from tests.support.errors import has_code
from tests.support.headless_day import run_headless


@dataclass(frozen=True)
class Central:
    server: ServerProcess
    administration: ServerAdministration
    setup: ServerSetup


@dataclass(frozen=True)
class Enrolled:
    server: ServerProcess
    workspace: Workspace
    setup: ServerSetup
    code: str


@pytest.fixture(autouse=True)
def no_store_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEFLOW_HOME", raising=False)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> DemoParts:
    folder = write_parts(tmp_path_factory.mktemp("parts"), good=8, test_good=5, defects_per_class=2)
    return given_parts(folder.train_good, folder.test, limit=None)


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory, parts: DemoParts) -> Iterator[Central]:
    server = ServerProcess(tmp_path_factory.mktemp("central"))
    server.start()
    try:
        administration = ServerAdministration(server, create_admin(server.data_dir))
        yield Central(server, administration, administration.set_up(parts, "en"))
    finally:
        server.stop()


@pytest.fixture
def enrolled(tmp_path: Path, central: Central) -> Iterator[Enrolled]:
    server = central.server
    if not server.running:
        server.start()
    code = central.administration.enrolment_code("Line 1")
    with Workspace.open(tmp_path / "store", settings=StationSettings(request_timeout_s=30)) as workspace:
        enrol(workspace, server_url=f"{server.url}/", code=f" {code} ", name="Test station")
        yield Enrolled(server, workspace, central.setup, code)


def test_an_enrolled_station_pulls_the_masters_when_a_user_signs_in(enrolled: Enrolled) -> None:
    workspace, setup = enrolled.workspace, enrolled.setup
    with pytest.raises(Conflict, check=has_code("already-enrolled", server=enrolled.server.url)):
        enrol(workspace, server_url=enrolled.server.url, code=enrolled.code)
    # Nobody has synchronised yet: the sign-in brings the users.
    engineer = sign_in(workspace, ENGINEER, setup.passwords[ENGINEER])
    assert (engineer.role, engineer.online, engineer.may_train) == (Role.SUPERVISOR, True, True)
    (target,) = list_targets(workspace)
    (item,) = list_items(workspace, target.id)
    assert (target.id, item.id, item.model_ready) == (setup.target_id, setup.item_id, False)
    sync_now(workspace)
    assert sync_status(workspace).waiting == 0


def test_a_code_is_good_once(enrolled: Enrolled, tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "other", settings=StationSettings()) as other:
        with pytest.raises(UserFacingError) as refused:
            enrol(other, server_url=enrolled.server.url, code=enrolled.code)
        assert code_of(refused.value) == "enrolment-code-wrong"
        assert not other.enrolled


@pytest.mark.slow
def test_without_the_server_the_password_of_the_last_sign_in_counts(enrolled: Enrolled) -> None:
    workspace, password = enrolled.workspace, enrolled.setup.passwords[OPERATOR]
    sign_in(workspace, OPERATOR, password)
    enrolled.server.stop()
    assert not sign_in(workspace, OPERATOR, password).online
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, OPERATOR, "wrong")
    assert refused.value.code == "sign-in-wrong"
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, ENGINEER, enrolled.setup.passwords[ENGINEER])
    assert refused.value.code == "sign-in-never-online"
    with pytest.raises(Unavailable):
        sync_now(workspace)


@pytest.mark.slow
def test_whom_the_server_refuses_does_not_get_in_when_it_is_away(enrolled: Enrolled) -> None:
    workspace, password = enrolled.workspace, enrolled.setup.passwords[OPERATOR]
    sign_in(workspace, OPERATOR, password)
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, OPERATOR, "wrong")
    assert refused.value.code == "sign-in-wrong"
    enrolled.server.stop()
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, OPERATOR, password)
    assert refused.value.code == "sign-in-never-online"


def test_a_station_without_a_keyring_asks_for_its_credential_after_a_restart(enrolled: Enrolled) -> None:
    store = enrolled.workspace.store
    enrolled.workspace.close()
    with Workspace.open(store, settings=StationSettings(request_timeout_s=30)) as again:
        assert again.enrolled
        assert again.needs_credential
        with pytest.raises(NotSignedIn):
            sync_now(again)
        again.try_credential("not the right one")
        with pytest.raises(UserFacingError) as refused:
            sync_now(again)
        assert code_of(refused.value) == "device-wrong"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_demos_day_comes_out_right_without_any_window(tmp_path: Path, parts: DemoParts) -> None:
    practice = PracticeStore(tmp_path / "store")
    practice.open()
    stated: list[str] = []
    scenario = Scenario(practice, parts, tmp_path / "out", stated.append)
    try:
        scenario.set_up_server()
        assert run_headless(scenario) == scenario.half_way
        scenario.settle()
        report = scenario.report()
    finally:
        scenario.close()
        practice.close()
    assert report["agrees"], report["problems"]
    assert report["finished"]
    assert report["parts"]["total"] == len(parts.test)
    assert report["sync"]["images_compared"] == 2 * len(parts.test)
    assert scenario.wording.phrase("server-goes", parts=scenario.half_way) in stated
