"""What holds for the tests themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.support.parsed_source import ROOT, parsed

ROOMS = ("app", "inspection", "sync", "models", "resources", "server")
LONGEST_NAME = 80


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Yield every module that a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield from (f"{package}.{name.name}" for name in node.names)


def test_a_file_imports_nothing_of_the_tests_but_their_helpers() -> None:
    wrong = [
        (str(path), name)
        for path, tree in parsed("tests").items()
        for name in imported_modules(tree)
        if name.startswith((".", "tests")) and not name.startswith("tests.support.")
    ]
    assert wrong == []


@cache
def named_tests() -> list[tuple[str, str]]:
    """Return the file and the name of every test."""
    return [
        (str(path), node.name)
        for path, tree in parsed("tests").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


def test_the_name_of_a_test_has_at_most_80_characters() -> None:
    assert [(path, name) for path, name in named_tests() if len(name.removeprefix("test_")) > LONGEST_NAME] == []


def whitelisted() -> list[str]:
    """Return the names of the whitelist of unused code, in its order."""
    tree = ast.parse((ROOT / "deploy" / "vulture_whitelist.py").read_text(encoding="utf-8"))
    return [node.value.id for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Name)]


def test_a_whitelisted_name_exists_in_the_source() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    assert set(whitelisted()) - words == set()


def test_the_whitelist_names_nothing_twice() -> None:
    names = whitelisted()
    assert [name for name in names if names.count(name) > 1] == []


def test_the_name_of_a_test_joins_no_two_behaviours() -> None:
    assert [(path, name) for path, name in named_tests() if "and" in name.split("_")] == []
