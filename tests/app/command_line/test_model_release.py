"""``imageflow model release`` against a real server."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.command_line import main
from app.station.operations.enrolment import enrol as enrol_station
from app.station.operations.sync_overview import sync_overview
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.anomaly import TrainingReport
from models.pipelines import ModelFile
from models.storage import sha256_of
from models.targets import InspectionItem
from sync.station.state import RELEASE_KEY, set_value
from tests.support.serving import PASSWORD, Served, enrol, make_item, make_pipeline, serve_with_users

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def item_id(served: Served) -> str:
    """An item whose pipeline has a model already."""
    made = make_item(served, pipeline_id=make_pipeline(served)["id"])
    model = ModelFile(name="first", model_kind="anomaly", sha256=sha256_of(b"first"), size_bytes=5)
    with served.context.database.transaction() as session:
        session.add(model)
        session.flush()
        session.get_one(InspectionItem, made["id"]).pipeline_parameters = {"anomaly": {"model": model.id}}
    return str(made["id"])


@pytest.fixture
def release(served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run ``imageflow model release`` as the supervisor; returns exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
        code = 0
        try:
            main(["model", "release", *arguments, "--server", served.url, "--user", "supervisor", "--password-stdin"])
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def parsed(done: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = done
    assert code == 0, err
    # The server runs in this process, and its log, whose lines have an event, is on the same output.
    said = (json.loads(line) for line in out.splitlines() if line.startswith("{"))
    return next(one for one in said if "event" not in one)


def test_a_model_goes_from_its_file_to_some_stations_then_to_all(
    served: Served, item_id: str, report: TrainingReport, release: Any
) -> None:
    station = enrol(served)["device_id"]
    draft = parsed(release("create", str(report.path), "--item", item_id, "--json"))
    assert (draft["state"], draft["sha256"]) == ("draft", report.digest)
    staged = parsed(release("stage", draft["id"], "--station", station, "--json"))
    assert (staged["state"], staged["stations"]) == ("staged", [station])
    assert parsed(release("publish", draft["id"], "--json"))["state"] == "released"
    assert parsed(release("show", draft["id"], "--json"))["reports"] == []
    assert draft["id"] in release("list")[1]
    assert parsed(release("rollback", draft["id"], "--json"))["state"] == "rolled_back"


def test_a_station_inspects_with_a_release_after_a_pass(
    served: Served, item_id: str, report: TrainingReport, release: Any, tmp_path: Path
) -> None:
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Line 1"}).json()["code"]
    with Workspace.open(tmp_path / "store", settings=StationSettings()) as station:
        enrol_station(station, server_url=served.url, code=code)
        draft = parsed(release("create", str(report.path), "--item", item_id, "--json"))
        parsed(release("stage", draft["id"], "--station", station.device_id, "--json"))
        engine = station.link.engine
        assert "release-signature-wrong" not in engine.run_once().problems
        (shown,) = sync_overview(station).releases
        assert (shown.release_id, shown.in_use) == (draft["id"], True)
        engine.run_once()
        (found,) = parsed(release("show", draft["id"], "--json"))["reports"]
        assert (found["device_id"], found["verified"]) == (station.device_id, True)
        parsed(release("rollback", draft["id"], "--json"))
        engine.run_once()
        assert sync_overview(station).releases == ()


def test_a_release_that_another_server_signed_is_refused_after_a_pass(
    served: Served, item_id: str, report: TrainingReport, release: Any, tmp_path: Path
) -> None:
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Line 2"}).json()["code"]
    with Workspace.open(tmp_path / "store", settings=StationSettings()) as station:
        enrol_station(station, server_url=served.url, code=code)
        with station.database.transaction() as session:
            set_value(session, RELEASE_KEY, base64.b64encode(bytes(32)).decode())
        draft = parsed(release("create", str(report.path), "--item", item_id, "--json"))
        parsed(release("stage", draft["id"], "--station", station.device_id, "--json"))
        assert "release-signature-wrong" in station.link.engine.run_once().problems
        (shown,) = sync_overview(station).releases
        assert (shown.in_use, shown.code) == (False, "release-signature-wrong")


def test_a_refusal_of_the_server_ends_with_1(release: Any) -> None:
    code, _, err = release("publish", "0197c000-0000-7000-8000-00000000a0a1")
    assert code == 1
    assert "Traceback" not in err


def test_a_file_that_is_no_model_is_refused_before_it_is_sent(item_id: str, release: Any, tmp_path: Path) -> None:
    file = tmp_path / "no.model"
    file.write_bytes(b"no model")
    code, _, err = release("create", str(file), "--item", item_id)
    assert code == 1
    assert "Traceback" not in err
