"""The name of a ready pipeline means it, whatever lies in the working directory."""

from pathlib import Path

import pytest

from app.command_line.chosen_pipeline import chosen_pipeline


def test_a_folder_with_the_name_of_a_ready_pipeline_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = chosen_pipeline(Path("codes"))
    (tmp_path / "codes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert chosen_pipeline(Path("codes")).definition == expected.definition
