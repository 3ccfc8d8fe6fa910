import ast
import copy
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

import inspection
from models.errors import InvalidInput
from models.messages import LANGUAGES, LocalText, catalogue, error_text
from models.rejections import RejectedValueError, first_problem, not_json, rejection
from tests.support.parsed_source import parsed

_SENTENCE = re.compile(r"[A-Za-z]{3,} [a-z]{2,}")
"""Two English words in a row."""


class Shape(BaseModel):
    side: float = Field(default=1, gt=0, le=9)
    tone: Literal["dark", "bright", "any"] = "dark"
    corners: Annotated[tuple[int, ...], Field(min_length=3)] = (1, 2, 3)
    name: str = Field(default="x", min_length=1, max_length=5)

    @field_validator("name")
    @classmethod
    def _is_no_number(cls, value: str) -> str:
        if value.isdigit():
            raise RejectedValueError("value-goes-with", given="name", needed="letters")
        return value


class Drawing(BaseModel):
    shapes: list[Shape]


def rejected(**values: object) -> LocalText:
    with pytest.raises(ValidationError) as caught:
        Shape.model_validate(values)
    return rejection(caught.value.errors()[0])


@pytest.mark.parametrize(
    "values",
    [
        {"side": 0},
        {"side": 10},
        {"side": "wide"},
        {"tone": "grey"},
        {"corners": (1, 2)},
        {"corners": 3},
        {"name": "longer than five"},
        {"name": 7},
    ],
)
def test_a_rejected_value_reads_japanese_in_japanese(values: dict[str, object]) -> None:
    found = rejected(**values)
    assert _SENTENCE.search(found)
    assert not _SENTENCE.search(found.in_language("ja"))
    assert " or " not in found.in_language("ja")


def test_the_first_problem_names_the_field_by_its_path() -> None:
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate({"shapes": [{}, {"side": 0, "tone": "grey"}]})
    problem = first_problem(caught.value)
    assert problem.field == "shapes.1.side"
    assert problem.within("drawing").field == "drawing.shapes.1.side"
    assert problem.text.code == "value-of-field"
    assert problem.text.in_language("ja").startswith("shapes.1.side")


def test_a_problem_of_the_whole_value_is_its_reason_alone() -> None:
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate(7)
    problem = first_problem(caught.value)
    assert problem.field == ""
    assert problem.text == problem.reason


def test_the_reason_a_validator_raises_is_kept_in_both_languages() -> None:
    with pytest.raises(ValidationError) as caught:
        Shape.model_validate({"name": "42"})
    reason = first_problem(caught.value).reason
    assert (reason.code, reason.values) == ("value-goes-with", {"given": "name", "needed": "letters"})


def test_what_has_no_text_of_its_own_is_reported_as_not_allowed() -> None:
    odd = {"type": "odd_thing", "msg": "Value error, Something odd", "loc": (), "input": None}
    assert rejection(odd) == "Something odd"
    assert rejection(odd).in_language("ja") == error_text("value-invalid", {}, "ja").detail


@pytest.mark.parametrize(("text", "place"), [('{"a": 1,\n  b}', ("2", "3")), ("", ("1", "1"))])
def test_a_text_that_is_no_json_is_reported_by_its_place(text: str, place: tuple[str, str]) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    for language in LANGUAGES:
        reported = not_json(caught.value).in_language(language)
        assert re.findall(r"\d+", reported) == list(place)
    assert not _SENTENCE.search(not_json(caught.value).in_language("ja"))
    assert not_json(RecursionError()).in_language("ja") == error_text("value-json-invalid", {}, "ja").detail


def test_a_reason_within_a_text_does_not_end_the_sentence_twice() -> None:
    error = InvalidInput("pipeline-parameter", step="a", field="parameters.side", reason=rejected(side=10))
    values = {"step": "a", "field": "parameters.side"}
    for language, stop in (("en", "."), ("ja", "。")):
        reason = error_text("value-less-than-equal", {"le": 9.0}, language).detail
        assert reason.endswith(stop)
        expected = error_text("pipeline-parameter", {**values, "reason": reason.rstrip(stop)}, language).detail
        assert error.text(language).detail == expected
        assert not expected.endswith(stop * 2)


def test_a_local_text_is_a_text_wherever_one_is_wanted() -> None:
    found = rejected(side=10)
    assert json.loads(json.dumps({"message": found})) == {"message": str(found)}
    assert copy.deepcopy(found).in_language("ja") == found.in_language("ja")


def test_every_contradiction_of_settings_has_a_text_in_each_language() -> None:
    codes = {}
    for path, tree in parsed("inspection").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "PydanticCustomError":
                first = node.args[0]
                assert isinstance(first, ast.Constant), path
                codes[f"value-{str(first.value).replace('_', '-')}"] = path.name
    assert len(codes) > 5
    for language in LANGUAGES:
        assert {code: where for code, where in codes.items() if code not in catalogue(language)} == {}


def test_no_parameters_or_criteria_are_refused_by_a_text_in_english_alone() -> None:
    """A plain ValueError within a validator has no Japanese."""
    room = Path(inspection.__file__).parent
    files = [
        *(room / "components").glob("*.py"),
        room / "judging" / "criteria.py",
        room / "image_quality" / "bounds.py",
    ]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any("validator" in ast.dump(mark) for mark in node.decorator_list):
                assert "ValueError" not in ast.dump(node), f"{path.name}: {node.name}"
