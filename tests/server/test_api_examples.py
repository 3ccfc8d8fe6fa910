"""The examples of the API document run as they are printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.executing import jpeg
from tests.support.server_process import environment, run, server

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "api-examples.md"
PASSWORD = "correct horse battery staple"
PATIENCE_S = 90


@pytest.fixture(scope="module")
def example_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that the page asks for, of a server that runs."""
    folder = tmp_path_factory.mktemp("examples")
    data, image = folder / "data", folder / "part.jpg"
    image.write_bytes(jpeg(640, 480))
    added = run(
        "admin", "users", "add", "anna", "--role", "supervisor", "--password-stdin", "--data-dir", data, given=PASSWORD
    )
    assert added.returncode == 0, added.stderr
    with server(data) as (_, url, _lines):
        given = {"URL": url, "USER": "anna", "PASSWORD": PASSWORD}
        yield environment(**{f"SERVER_{name}": value for name, value in given.items()}, IMAGE=str(image))


def examples(language: str) -> str:
    """Return the examples of a language as one program."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S))


def finished(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_examples_for_curl_run(tmp_path: Path, example_environment: dict[str, str]) -> None:
    program = tmp_path / "examples.sh"
    program.write_text("set -eu\n" + examples("sh"), encoding="utf-8")
    written = finished(["bash", str(program)], tmp_path, example_environment)
    assert '"status":"completed"' in written
    assert (tmp_path / "preview.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_examples_for_python_run(tmp_path: Path, example_environment: dict[str, str]) -> None:
    program = tmp_path / "examples.py"
    program.write_text(examples("python"), encoding="utf-8")
    variables = {name: value for name, value in example_environment.items() if name != "PYTHONWARNINGS"}
    assert "edges: 100.0 %" in finished([sys.executable, str(program)], tmp_path, variables)
    assert (tmp_path / "0-part-picture.png").is_file()


def websocket_of(node: str, folder: Path) -> list[str]:
    """Return the options that give Node the WebSocket of browsers: its own, before Node 20 that of the package ws."""
    own = "--experimental-websocket"
    if subprocess.run([node, own, "--version"], capture_output=True, check=False).returncode == 0:
        return [own]
    packaged = folder / "websocket.cjs"
    packaged.write_text("globalThis.WebSocket ??= require('/usr/share/nodejs/ws');")
    return ["--require", str(packaged)]


def test_the_examples_for_javascript_run(tmp_path: Path, example_environment: dict[str, str]) -> None:
    node = shutil.which("node")
    assert node is not None, "Node is missing: make setup installs deploy/test-packages.txt"
    program = tmp_path / "examples.mjs"
    program.write_text(examples("javascript"), encoding="utf-8")
    command = [node, "--no-warnings", *websocket_of(node, tmp_path), str(program)]
    assert "part-picture.png" in finished(command, tmp_path, example_environment)
