"""Requests made of the API document itself, by every role: each answer is held against the document."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from tests.support import schemathesis_hooks
from tests.support.serving import Served, serve_with_users

CONFIG = Path(schemathesis_hooks.__file__).with_name("schemathesis.toml")
SIGN_OUT = "/api/v1/auth/logout"
ALL = "examples,coverage,fuzzing,stateful"
# Who may change most goes through everything; for the others what they may do differs, not what is answered.
CALLERS = {
    "admin": ALL,
    "supervisor": "examples,fuzzing,stateful",
    "inspector": "examples,fuzzing,stateful",
    "integrator": "examples,fuzzing,stateful",
    "device": "examples,fuzzing,stateful",
    # Nothing that it makes could be used by a next step.
    "anonymous": "examples,fuzzing",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server of its own: its users are disabled and renamed by what is drawn."""
    with serve_with_users(tmp_path / "data") as running:
        # Made once and kept: on a busy machine it takes longer than schemathesis waits.
        with httpx.Client(trust_env=False, timeout=240) as client:
            client.get(f"{running.url}/openapi.json").raise_for_status()
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_one_that_the_document_allows(served: Served, caller: str, tmp_path: Path) -> None:
    found = explore(served, caller, tmp_path, "--phases", CALLERS[caller], "--exclude-path", SIGN_OUT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
def test_signing_out_answers_as_the_document_allows(served: Served, tmp_path: Path) -> None:
    found = explore(served, "inspector", tmp_path, "--include-path", SIGN_OUT)
    assert found.returncode == 0, found.stdout + found.stderr


def explore(served: Served, caller: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with all of its checks, the same requests each time."""
    authorization = served[caller].headers.get("Authorization")
    claims = jwt.decode(authorization.split()[1], options={"verify_signature": False}) if authorization else {}
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": schemathesis_hooks.__name__,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "CALLER_DATABASE": str(served.context.settings.data_dir / "server.sqlite3"),
        "CALLER_ROLE": caller,
        "CALLER_USER_ID": str(claims.get("sub", "")),
        "CALLER_SESSION_ID": str(claims.get("sid", "")),
        "CALLER_DEVICE_ID": str(claims.get("did") or ""),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
    command += [f"{served.url}/openapi.json", "--checks", "all", "--generation-deterministic", "--no-color"]
    command += ["--max-examples", "3", "--suppress-health-check", "all", *options]
    if authorization:
        command += ["--header", f"Authorization: {authorization}"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=280, env=environment, cwd=folder
    )
