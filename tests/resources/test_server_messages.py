"""Every error the server raises has its text in both languages, and is given what the text names."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import models.errors
import server
from models.errors import UserFacingError
from models.messages import LANGUAGES, catalogue
from server.http import refusals
from server.http.refusals import HttpRefusal

KINDS = {
    name for name, kind in vars(models.errors).items() if isinstance(kind, type) and issubclass(kind, UserFacingError)
} | {name for name, kind in vars(refusals).items() if isinstance(kind, type) and issubclass(kind, HttpRefusal)}


def raised() -> Iterator[tuple[str, set[str], str]]:
    """Give code, named values and place of every error that is made with a literal code."""
    for path in sorted(Path(server.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS):
                continue
            if isinstance(node.args[0], ast.JoinedStr):
                continue  # the kinds of masters, below
            values = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and "-" in part.value:
                    yield part.value, values, f"{path.name}:{node.lineno}"


def named_in(text: dict[str, str]) -> set[str]:
    return {name for part in text.values() for _, name, _, _ in string.Formatter().parse(part) if name}


def test_every_code_has_a_text_in_both_languages_that_names_only_what_is_given() -> None:
    found = list(raised())
    assert len(found) > 50
    for code, values, place in found:
        for language in LANGUAGES:
            assert code in catalogue(language), (code, language, place)
            assert named_in(catalogue(language)[code]) <= values, (code, language, place)


def test_every_kind_of_master_has_a_text_for_not_being_there() -> None:
    for entity in ("target", "item", "pipeline", "defect-class"):
        for language in LANGUAGES:
            assert f"{entity}-not-found" in catalogue(language)


def test_both_languages_name_the_same_values() -> None:
    english, japanese = catalogue("en"), catalogue("ja")
    for code, text in english.items():
        assert named_in(text) == named_in(japanese[code]), code
