from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click import Context
from typer.core import TyperGroup

from app.command_line import _COMMANDS, command_group, load_command
from app.demo.practice_store import PracticeStore
from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.imaging.files import encode_png
from models.errors import Unavailable
from sync.station.state import LAST_SUCCESS, set_value
from tests.support.command import imageflow
from tests.support.messages import says
from tests.support.station import Station

_HELP_COLUMNS = 78
"""Of a terminal of 80 columns, without the margins."""


def leaves(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that name it."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    for name, below in command.commands.items():
        yield from leaves(below, *path, name)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_down_to_the_last_has_help_with_examples_of_itself(name: str) -> None:
    for path, command in leaves(load_command(name), name):
        reported = f"{command.help}\n{command.epilog}"
        assert re.search(rf"(Examples:\s.*|Example: )imageflow {' '.join(path)}\b", reported, re.DOTALL), path


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_examples_fit_80_columns_without_a_mark_of_their_form(name: str) -> None:
    for path, command in leaves(load_command(name), name):
        reported = f"{command.help}\n{command.epilog or ''}"
        assert "\\b" not in reported, path
        assert [line for line in reported.splitlines() if "  imageflow " in line and len(line) > _HELP_COLUMNS] == []


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_the_usage_names_arguments_in_capitals_as_errors_do(name: str) -> None:
    for path, command in leaves(load_command(name), name):
        arguments = [param for param in command.params if param.param_type_name == "argument"]
        named = [param.make_metavar(Context(command)) for param in arguments]
        assert [text for text in named if text != text.upper()] == [], path


def test_the_list_of_commands_has_its_examples_unbroken_at_80_columns() -> None:
    done = imageflow("--help", COLUMNS="80")
    examples = [line.strip() for line in (command_group().help or "").splitlines() if line.startswith("  ")]
    assert len(examples) > 3
    assert all(example in done.stdout for example in examples)


def test_help_is_printed_with_its_examples() -> None:
    done = imageflow("train", "images", "--help")
    assert done.returncode == 0, done.stderr
    assert "imageflow train images --good good/ --out part.model" in done.stdout


def test_the_introductory_pages_name_each_command_for_a_sensor_or_scale() -> None:
    root = Path(__file__).parents[3]
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name in _COMMANDS if not re.search(rf"`(imageflow )?{name}`", changes)] == []
    introduction = (root / "README.md").read_text(encoding="utf-8")
    reported = ("imageflow calibrate ", "imageflow train sensor ", "imageflow model drift ")
    assert [command for command in reported if command not in introduction] == []


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_output_option_has_its_alias(name: str) -> None:
    for path, command in leaves(load_command(name), name):
        for option in command.params:
            assert ("--out" in option.opts) == ("--output" in option.opts), path


def test_a_file_name_of_raw_bytes_gives_a_line_of_json(tmp_path: Path) -> None:
    step = {"id": "e", "component": "filter", "parameters": {"filter_type": "edge"}, "inputs": {"image": "input"}}
    (tmp_path / "p.json").write_text(json.dumps({"name": "edges", "steps": [step]}))
    image = tmp_path / os.fsdecode(b"part-\xff.png")
    image.write_bytes(encode_png(np.zeros((40, 40), np.uint8)))
    arguments = ("inspect", "--pipeline", str(tmp_path / "p.json"), "--json", str(image))
    done = imageflow(*arguments, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == str(image)


def test_the_list_of_commands_is_made_without_loading_any() -> None:
    code = (
        "import sys\ntry:\n import app.command_line as c; c.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'PySide6', 'cv2', 'openvino', 'sqlalchemy', 'fastapi', 'torch', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'{heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in _COMMANDS)


@pytest.mark.parametrize("arguments", [("nonsense",), ("data", "nonsense"), ("demo", "--parts", "many")])
def test_wrong_usage_ends_with_2_without_a_traceback(arguments: tuple[str, ...]) -> None:
    done = imageflow(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.slow
def test_trouble_ends_with_1_reported_in_the_users_language(tmp_path: Path) -> None:
    arguments = ("data", "verify", "--store", str(tmp_path / "none"))
    english, japanese = imageflow(*arguments), imageflow(*arguments, IMAGEFLOW_LANGUAGE="ja")
    assert (english.returncode, japanese.returncode) == (1, 1)
    assert says(english.stderr, "no-store", folder=tmp_path / "none")
    assert says(japanese.stderr, "no-store", "ja", folder=tmp_path / "none")
    assert "Traceback" not in english.stderr + japanese.stderr


@pytest.mark.parametrize("command", [("data", "verify"), ("data", "verify", "--json"), ("sync", "status")])
def test_a_folder_where_nothing_was_stored_ends_with_1_naming_the_next_step(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = imageflow(*command, IMAGEFLOW_HOME=str(tmp_path / "none"), IMAGEFLOW_LANGUAGE="en")
    assert (done.returncode, done.stdout) == (1, "")
    assert says(done.stderr, "no-store", member="advice")


def test_a_wrong_config_is_reported_by_name() -> None:
    done = imageflow("data", "verify", IMAGEFLOW_THREADS="many")
    assert done.returncode == 1
    assert "IMAGEFLOW_THREADS" in done.stderr


@pytest.mark.parametrize("command", [("model", "list", "."), ("data", "verify")])
def test_a_language_that_is_not_there_is_refused_by_every_command(command: tuple[str, ...]) -> None:
    done = imageflow(*command, IMAGEFLOW_LANGUAGE="xx")
    assert (done.returncode, done.stdout) == (1, "")
    assert says(done.stderr, "settings-invalid", file="IMAGEFLOW_LANGUAGE")
    assert says(done.stderr, "value-literal-error", expected="en, ja")


@pytest.mark.slow
def test_a_store_verifies_with_0_only_while_it_is_consistent(station: Station) -> None:
    done = imageflow("data", "verify", "--store", str(station.store), "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)["stores"]
    assert report["consistent"]
    blob = next((station.store / "blobs").glob("??/*"))
    blob.unlink()
    done = imageflow("data", "verify", "--store", str(station.store), "--json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["stores"][0]["findings"]
    assert (finding["code"], finding["sha256"]) == ("finding-blob-unsent", blob.name)


@pytest.mark.slow
def test_the_last_pass_is_reported_in_the_form_of_every_other_time(tmp_path: Path) -> None:
    with Workspace.open(tmp_path, settings=StationSettings()) as workspace, workspace.database.transaction() as session:
        set_value(session, LAST_SUCCESS, "2026-07-27T10:30:00.577Z")
    text = imageflow("sync", "status", "--store", str(tmp_path))
    assert "2026-07-27T10:30:00.577Z\n" in text.stdout, text.stderr
    reported = imageflow("sync", "status", "--store", str(tmp_path), "--json")
    assert json.loads(reported.stdout)["last_success"] == "2026-07-27T10:30:00.577Z"


def test_verify_looks_at_the_practice_store_beside_the_real_one(station: Station) -> None:
    above = station.store.parent / "above"
    above.mkdir()
    station.store.rename(above / "demo")
    done = imageflow("data", "verify", IMAGEFLOW_HOME=str(above), IMAGEFLOW_LANGUAGE="en")
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "stated"),
    [
        (("--good", "nowhere", "--test", "nowhere"), "nowhere"),
        (("--good", "{empty}", "--test", "{empty}"), "empty"),
        (("--good", "{empty}"), "--test"),
        (("--out", "{file}/out"), "out"),
        (("--out", "{store}/demo/out"), "{store}/demo/out"),
    ],
)
def test_the_demo_keeps_the_earlier_run_when_it_refuses_a_folder(
    tmp_path: Path, arguments: tuple[str, ...], stated: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    earlier = PracticeStore(tmp_path / "store")
    earlier.open()
    earlier.close()
    (earlier.folder / "result").touch()
    places = {name: tmp_path / name for name in ("empty", "file", "store")}
    filled = [argument.format(**places) for argument in arguments]
    done = imageflow("demo", "--out", str(tmp_path / "out"), *filled, "--store", str(tmp_path / "store"))
    assert done.returncode == 1
    assert stated.format(**places) in done.stderr
    assert "Traceback" not in done.stderr
    assert (earlier.folder / "result").exists()


@pytest.mark.slow
def test_the_demo_clears_no_folder_that_is_not_its_own(tmp_path: Path) -> None:
    precious = tmp_path / "store" / "demo" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("do not lose", encoding="utf-8")
    done = imageflow("demo", "--auto", "--out", str(tmp_path / "out"), "--store", str(tmp_path / "store"))
    assert done.returncode == 1
    assert says(done.stderr, "demo-foreign-folder")
    assert precious.read_text(encoding="utf-8") == "do not lose"


def test_a_practice_store_names_the_file_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as refused:
        PracticeStore(tmp_path / "file").reserve()
    assert (refused.value.code, refused.value.values["folder"]) == ("store-folder-unusable", str(tmp_path / "file"))


def test_a_practice_store_opens_from_its_first_moment(tmp_path: Path) -> None:
    practice = PracticeStore(tmp_path)
    practice.open()
    practice.close()
    assert check_store(practice.folder).consistent
