import ast
import string
from pathlib import Path

import pytest

import models.errors
from models.messages import LANGUAGES, Language, catalogue

ROOT = Path(models.errors.__file__).parents[1]
ROOMS = ("app", "inspection", "sync", "models", "server")
PARTS = ("title", "detail", "advice")


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


def codes_in_source() -> dict[str, str]:
    """Every error code that is a literal first argument of an error class: code → where."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    classes = error_classes(trees)
    codes: dict[str, str] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            for value in given if name in classes else []:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    codes.setdefault(value.value, f"{path.relative_to(ROOT)}:{node.lineno}")
    return codes


def test_every_language_has_the_same_codes() -> None:
    assert set(catalogue("en")) == set(catalogue("ja"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_error_is_reported_without_a_title_and_a_detail(language: Language) -> None:
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


def test_every_code_raised_in_the_source_has_a_text() -> None:
    codes = codes_in_source()
    assert codes, "no error code found in the source: the search is broken"
    assert {code: where for code, where in codes.items() if code not in catalogue("en")} == {}


def test_the_same_errors_have_advice_for_clients_in_both_languages() -> None:
    with_advice = [{code for code, text in catalogue(one).items() if "advice_for_client" in text} for one in LANGUAGES]
    assert with_advice[0] == with_advice[1]
