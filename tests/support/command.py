"""The command as its user calls it: in the process of the tests, or in one of its own."""

import os
import subprocess
import sys

import pytest

from app.command_line import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run ``imageflow`` with ``arguments``; return its exit code, what it printed and what it wrote on stderr."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    reported = capsys.readouterr()
    assert "Traceback" not in reported.err
    return int(ended.value.code or 0), reported.out, reported.err


def imageflow(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``imageflow`` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )
