"""``docs/roles.md``: who may ask for what, as the routes say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/roles.md"
CALLERS = ("inspector", "supervisor", "admin", "integrator", "station", "anonymous")
_PREFIX = "/api/v1"
_WEBSOCKETS = "\n## WebSockets\n"
_METHODS = {"get": "GET", "post": "POST", "put": "PUT", "delete": "DELETE"}


def rows_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield path, method and callers of every operation of an API document, in the order of the page."""
    for path in sorted(document["paths"]):
        for method, name in _METHODS.items():
            operation = document["paths"][path].get(method)
            if operation is not None:
                callers = frozenset(operation["x-roles"]) if "security" in operation else frozenset(CALLERS)
                yield path.removeprefix(_PREFIX), name, callers


def table_of(document: Mapping[str, Any]) -> str:
    """Return the page's table."""
    lines = [f"| path | method | {' | '.join(CALLERS)} |", "| --- | --- |" + " :-: |" * len(CALLERS)]
    for path, method, callers in rows_of(document):
        marks = " | ".join("x" if caller in callers else "" for caller in CALLERS)
        lines.append(f"| `{path}` | {method} | {marks} |")
    return "\n".join(lines) + "\n"


def rows_of_page(text: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield path, method and callers of every row of the page's table of routes."""
    for path, method, *marks in _cells(text.partition(_WEBSOCKETS)[0]):
        yield path, method, _marked(marks)


def websockets_of_page(text: str) -> dict[str, frozenset[str]]:
    """Return the callers of every WebSocket of the page, by its path."""
    return {path: _marked(marks) for path, *marks in _cells(text.partition(_WEBSOCKETS)[2])}


def _cells(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def _marked(marks: Sequence[str]) -> frozenset[str]:
    return frozenset(caller for caller, mark in zip(CALLERS, marks, strict=True) if mark)
