"""Progress where there is no terminal: a line now and then."""

from __future__ import annotations

import sys

import pytest

from app.command_line import progress_lines
from app.command_line.options import progress_bar
from app.command_line.progress_lines import ProgressLines


def test_a_line_is_written_every_ten_seconds_at_most() -> None:
    written: list[str] = []
    clock = iter((0.0, 4.0, 11.0, 12.0, 30.0))
    lines = ProgressLines(written.append, lambda: next(clock))
    for done in (1, 2, 3):
        lines.advance(f"Fitting {done}/4", done / 4)
    lines.advance("Checking the file", None)
    assert written == ["Fitting 2/4 (50%)\n", "Checking the file\n"]


def test_a_long_command_writes_progress_into_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_lines, "EVERY_S", 0.0)
    assert not sys.stderr.isatty()
    with progress_bar("Training") as advance:
        advance("Fitting the model 1/2", 0.5)
    assert capsys.readouterr() == ("", "Fitting the model 1/2 (50%)\n")


def test_results_in_a_pipe_are_the_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_lines, "EVERY_S", 0.0)
    with progress_bar("Inspecting", beside_output=True) as advance:
        advance("Inspecting 1/2", 0.5)
    assert capsys.readouterr() == ("", "")
