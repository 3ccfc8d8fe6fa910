import ast
import string
from dataclasses import dataclass
from pathlib import Path

import pytest

import models.errors
from models.messages import LANGUAGES, Language, catalogue

ROOT = Path(models.errors.__file__).parents[1]
ROOMS = ("app", "inspection", "sync", "models", "server")
PARTS = ("title", "detail", "advice")
ENDS = ("。", "？", "）", "」", "}")
EXAMPLE = "。例: "
"""After which comes what is typed as it is."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def error_classes(trees: dict[Path, ast.Module]) -> set[str]:
    """Names of UserFacingError and of every class in the source that derives from it, however deep."""
    bases: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                names = {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
                bases.setdefault(node.name, set()).update(names)
    known = {"UserFacingError"}
    while True:
        more = {name for name, above in bases.items() if above & known} - known
        if not more:
            return known
        known |= more


@dataclass(frozen=True)
class Raised:
    """A place where an error is made with a literal code.

    Attributes:
        code: of it.
        values: that it is given by name; None when it is also given others.
        where: it is.
    """

    code: str
    values: frozenset[str] | None
    where: str


def raised_in_source() -> list[Raised]:
    """Every error class called with a literal code: first, as ``code=``, or as one of two by a condition."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    classes = error_classes(trees)
    found = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if (
                not isinstance(node, ast.Call)
                or getattr(node.func, "id", getattr(node.func, "attr", "")) not in classes
            ):
                continue
            named = {word.arg for word in node.keywords}
            values = None if None in named else frozenset(name for name in named if name is not None)
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            for given in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]:
                choices = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
                found += [
                    Raised(choice.value, values, where)
                    for choice in choices
                    if isinstance(choice, ast.Constant) and isinstance(choice.value, str)
                ]
    return found


def test_every_language_has_the_same_codes() -> None:
    assert set(catalogue("en")) == set(catalogue("ja"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_error_is_reported_without_its_parts(language: Language) -> None:
    incomplete = [
        code
        for code, text in catalogue(language).items()
        if set(text) - {"advice_for_client"} != set(PARTS) or not text["title"].strip() or not text["detail"].strip()
    ]
    assert incomplete == []


def test_every_language_names_the_same_values() -> None:
    differing = [
        code
        for code, text in catalogue("en").items()
        if {name for part in PARTS for name in placeholders(text[part])}
        != {name for part in PARTS for name in placeholders(catalogue("ja")[code][part])}
    ]
    assert differing == []


@pytest.mark.slow
def test_every_code_raised_in_the_source_has_a_text() -> None:
    found = raised_in_source()
    assert len(found) > 200, "few error codes found in the source: the search is broken"
    assert [one for one in found if one.code not in catalogue("en")] == []


def test_an_error_is_given_every_value_that_its_text_names() -> None:
    lacking = [
        one
        for one in raised_in_source()
        if one.values is not None
        and one.code in catalogue("en")
        and not {name for part in PARTS for name in placeholders(catalogue("en")[one.code][part])} <= one.values
    ]
    assert lacking == []


def test_a_japanese_advice_ends_with_its_full_stop() -> None:
    advice = {code: text["advice"].rstrip() for code, text in catalogue("ja").items() if text["advice"].strip()}
    assert {code: text for code, text in advice.items() if not text.endswith(ENDS) and EXAMPLE not in text} == {}


def test_the_same_errors_have_advice_for_clients_in_both_languages() -> None:
    with_advice = [{code for code, text in catalogue(one).items() if "advice_for_client" in text} for one in LANGUAGES]
    assert with_advice[0] == with_advice[1]


@pytest.mark.parametrize("entity", ["target", "item", "pipeline", "defect-class"])
def test_every_kind_of_master_has_a_text_for_not_being_there(entity: str) -> None:
    assert f"{entity}-not-found" in catalogue("en")
