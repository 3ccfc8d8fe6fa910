"""Environment variables and names in a store's file that look like settings and are none are reported."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.command_line.variables import server_settings, warn_of_unknown_variables
from app.station.settings import save_settings
from app.station.workspace import Workspace
from tests.support.command import run
from tests.support.messages import says

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("app", "inspection", "sync", "models", "server", "deploy", "tests/proofs")
OF_RECIPES = {"IMAGEFLOW_TALLY_DAYS", "IMAGEFLOW_SERVER_MAX_LOTS"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("IMAGEFLOW_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("IMAGEFLOW_LANGAUGE", "IMAGEFLOW_LANGUAGE"), ("IMAGEFLOW_SEVER_PORT", "IMAGEFLOW_SERVER_PORT")],
)
def test_every_command_reports_a_misspelt_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, nearest: str
) -> None:
    monkeypatch.setenv(given, "1")
    code, out, err = run(capsys, "--version")
    assert (code, out.startswith("imageflow ")) == (0, True)
    assert says(err, "setting-misspelt", setting=given)
    assert says(err, "setting-misspelt", member="advice", nearest=nearest)


def test_a_command_of_the_server_reports_a_misspelt_variable_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("IMAGEFLOW_SERVER_PROT", "9000")
    code, _, err = run(capsys, "admin", "users", "list", "--data-dir", tmp_path)
    assert code == 1
    assert says(err, "setting-misspelt", setting="IMAGEFLOW_SERVER_PROT")
    assert says(err, "setting-misspelt", member="advice", nearest="IMAGEFLOW_SERVER_PORT")


def test_a_variable_that_the_product_reads_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".sh", ".yml", ""}]
    text = "".join(path.read_text(encoding="utf-8") for path in [*sources, ROOT / "Makefile"] if path.is_file())
    named = set(re.findall(r"\bIMAGEFLOW_[A-Z_]*[A-Z]\b", text)) - OF_RECIPES
    assert {"IMAGEFLOW_DATA", "IMAGEFLOW_HOME", "IMAGEFLOW_BACKBONES", "IMAGEFLOW_THREADS"} < named
    monkeypatch.setattr(os, "environ", dict.fromkeys(named, ""))
    warn_of_unknown_variables()
    assert capsys.readouterr().err == ""


def test_a_variable_counts_in_any_case(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("imageflow_server_log_level", "error")
    assert server_settings().log_level == "error"
    assert capsys.readouterr().err == ""


def test_a_misspelt_name_in_the_file_of_a_store_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Workspace.open(tmp_path).close()
    save_settings(tmp_path, sync_hold="images")
    path = tmp_path / "settings.json"
    path.write_text(path.read_text(encoding="utf-8").replace("sync_hold", "snyc_hold"), encoding="utf-8")
    code, _, err = run(capsys, "item", "list", "--store", tmp_path)
    assert code == 0
    assert says(err, "setting-misspelt", place=path, setting="snyc_hold")
    assert says(err, "setting-misspelt", member="advice", nearest="sync_hold")
