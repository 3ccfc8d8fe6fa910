from __future__ import annotations

import ast
import io
import string
from pathlib import Path
from typing import Any, get_args

import pytest
from rich.console import Console

import app.demo
from app.demo.outcome import PartOutcome, figures
from app.demo.parts import DemoParts
from app.demo.practice_store import PracticeStore
from app.demo.report import print_report
from app.demo.scenario import Scenario
from app.demo.server_setup import ENGINEER, OPERATOR
from app.demo.wording import Wording, phrases
from inspection.anomaly.training.progress import Stage
from models.errors import UnreadableImage
from models.messages import LANGUAGES, Language
from models.states import HumanVerdict, Verdict

DEMO = Path(app.demo.__file__).parent
STAGES = get_args(Stage)
WARNINGS = ("sample-too-small", "few-groups", "threshold-lifted", "duplicates", "two-sizes", "skipped")


def placeholders(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}


def keys_said() -> set[str]:
    """Every key that is a literal in a call of ``phrase``."""
    files = [*DEMO.glob("*.py"), DEMO.parent / "command_line" / "demo.py"]
    calls = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return {
        node.args[0].value
        for node in calls
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "phrase"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_phrase_is_there_in_both_languages_with_the_same_values() -> None:
    english, japanese = phrases("en"), phrases("ja")
    assert english.keys() == japanese.keys()
    assert [key for key in english if placeholders(english[key]) != placeholders(japanese[key])] == []
    assert [key for key in english if english[key] == japanese[key]] == []


def test_the_phrases_are_exactly_those_that_the_demo_says() -> None:
    made = {*(f"stage-{stage}" for stage in STAGES), *(f"warning-{warning}" for warning in WARNINGS)}
    made |= {f"user-{username}" for username in (ENGINEER, OPERATOR)}
    assert keys_said() | made == set(phrases("en"))


def report() -> dict[str, Any]:
    outcome = PartOutcome(1, "1", "1.png", "good", True, Verdict.OK, HumanVerdict.OK, 0.5, 1.0, 9.0, True)
    return {
        **figures([outcome]),
        "name": "-",
        "agrees": True,
        "training": {"images": 8, "seconds": 1.5, "threshold": 1.0, "warnings": list(WARNINGS)},
        "sync": {"synced_records": 5, "waiting": 0, "dead": 0, "images_compared": 2},
        "skipped": [],
        "problems": [],
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_printed_in_the_users_language_alone(language: Language) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_report(report(), console, Wording(language))
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    for key in ("escapes", "overkill", "without-server", "synced", "images-equal", "warning-duplicates"):
        for spoken in LANGUAGES:
            assert (phrases(spoken)[key] in printed) == (spoken == language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_skipped_image_is_reported_in_the_users_language(tmp_path: Path, language: Language) -> None:
    scenario = Scenario(
        PracticeStore(tmp_path), DemoParts("-", (), tmp_path, (), ()), tmp_path, lambda sentence: None, language
    )
    error = UnreadableImage("image-empty", name="a.png")
    scenario.skip(error)
    assert error.text(language).detail in scenario.skipped[0]
    assert error.text(language).advice in scenario.skipped[0]
