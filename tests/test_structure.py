"""What holds for the tests themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))


def imported_modules(path: Path) -> Iterator[str]:
    """Yield every module that a file imports from the tests, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield from (f"{package}.{name.name}" for name in node.names)


def relative(path: Path) -> str:
    return str(path.relative_to(TESTS))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_imports_nothing_of_the_tests_but_their_helpers(path: Path) -> None:
    own = [name for name in imported_modules(path) if name.startswith((".", "tests"))]
    assert [name for name in own if not name.startswith("tests.support.")] == []
