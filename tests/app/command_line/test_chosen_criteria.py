"""Criteria that a command is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.command_line.chosen_criteria import read_criteria
from models.errors import InvalidInput


def refused(path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_criteria(path, None)
    return caught.value


@pytest.mark.parametrize("content", ["not JSON", "[1]"])
def test_a_file_of_something_else_is_refused_as_a_whole(tmp_path: Path, content: str) -> None:
    path = tmp_path / "criteria.json"
    path.write_text(content, encoding="utf-8")
    error = refused(path)
    assert (error.code, error.values["file"]) == ("criteria-unusable", str(path))


def test_a_folder_is_refused_with_the_words_of_the_system(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "criteria-unusable"


def test_a_wrong_field_of_criteria_is_named(tmp_path: Path) -> None:
    path = tmp_path / "criteria.json"
    path.write_text('{"threshold": "high"}', encoding="utf-8")
    error = refused(path)
    assert (error.code, error.values["field"]) == ("criteria-malformed", "threshold")
