"""Options that became commands of their own."""

import pytest

from app.command_line.moved_options import MOVED
from models.messages import LANGUAGES
from tests.support.command import run
from tests.support.messages import says

_OPTIONS = [(command, option, moved) for command, options in MOVED.items() for option, moved in options.items()]


@pytest.mark.parametrize(("command", "option", "moved"), _OPTIONS)
def test_an_option_that_has_moved_names_the_command_in_its_place(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], option: str, moved: str
) -> None:
    code, out, err = run(capsys, *command, "file", option, "x")
    assert (code, out) == (2, "")
    shown = " ".join(err.replace("│", " ").split())
    assert moved in shown


def test_a_moved_option_is_refused_with_its_value_behind_an_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "model", "threshold", "m.model", "--set=3")[0] == 2


def test_a_file_named_like_a_moved_option_is_taken_after_two_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "model", "threshold", "--", "--set")[0] == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_refusal_is_in_the_readers_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    err = run(capsys, "inspect", "--learn-gate", "gate.json", "good")[2]
    shown = err.replace("│", " ")
    assert [known for known in LANGUAGES if says(shown, "option-moved", known)] == [language]
