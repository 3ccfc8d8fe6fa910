"""What looks at input takes time in proportion to its length, whatever the input is."""

from __future__ import annotations

import ast
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
import server
import sync.shared
from models.clock import Stamp, parse_rfc3339
from models.errors import ImageFlowError
from models.ids import is_id
from models.messages import choose_language
from server.auth.identity.secrets import normalised_code
from server.auth.identity.tokens import TokenIssuer, TokenKind
from server.core.settings import ServerSettings
from server.files.images import safe_name
from server.http.json_guard import JsonGuard, require_bounded
from server.http.limits import media_type
from server.http.periods import day_or_time
from server.http.ranges import same_tag, wanted_range
from server.http.sync_bodies import parse_content_range

SIZE = 20_000
FAST_S = 0.004
"""Four times ``SIZE`` in this time is no danger; quadratic work takes seconds."""
HOSTILE: tuple[Callable[[int], str], ...] = (
    lambda n: "a" * n,
    lambda n: "0" * n,
    lambda n: " " * n,
    lambda n: "\\" * n,
    lambda n: '"' + '\\"' * n,
    lambda n: "[" * 40 + '"' + '\\"' * n,
    lambda n: "[]{}" * n,
    lambda n: "a-b.c," * n,
    lambda n: "en;q=" + "0" * n + ",",
    lambda n: "bytes=" + "0" * n + "-",
    lambda n: "2026-01-31T" + "0" * n,
    lambda n: "\ud800\u202e" * n,
    lambda n: "." * n + "\n",
)
TOKENS = TokenIssuer("k" * 48, ServerSettings())
PARSERS: dict[str, Callable[[str], object]] = {
    "json": lambda text: require_bounded(text.encode(errors="replace"), 500, 10**9),
    "json beyond the first look": lambda text: JsonGuard(10**9).feed(text.encode(errors="replace")),
    "language": choose_language,
    "media type": media_type,
    "enrolment code": normalised_code,
    "token": lambda text: TOKENS.read(text, TokenKind.ACCESS),
    "token of three parts": lambda text: TOKENS.read(f"eyJhbGciOiJIUzI1NiJ9.{text}.x", TokenKind.ACCESS),
    "range": lambda text: wanted_range(text, 100),
    "content range": parse_content_range,
    "entity tag": lambda text: same_tag(text, '"x"'),
    "day": day_or_time,
    "time": parse_rfc3339,
    "stamp": Stamp.parse,
    "id": is_id,
    "file name": lambda text: safe_name(text, "png"),
}


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Give every regular expression of the rooms that see what clients send, by its place."""
    for room in (server, models, sync.shared):
        folder = Path(str(room.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                pattern = _pattern(node, path, folder, room.__name__)
                if pattern is not None:
                    yield f"{path.name}:{pattern.pattern!r}", pattern


def _pattern(node: ast.AST, path: Path, folder: Path, room: str) -> re.Pattern[str] | re.Pattern[bytes] | None:
    """Return what a call of ``re`` or a ``pattern=`` compiles; a pattern that is no constant must have a name."""
    if not isinstance(node, ast.Call):
        return None
    found = next((keyword.value for keyword in node.keywords if keyword.arg == "pattern"), None)
    called = node.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "re":
        found = node.args[0]
    if found is None:
        return None
    if isinstance(found, ast.Name):
        module = ".".join((room, *path.relative_to(folder).with_suffix("").parts))
        return re.compile(getattr(import_module(module), found.id))
    return re.compile(ast.literal_eval(found))


PATTERNS = dict(patterns())


def seconds(look: Callable[[str], object], text: str) -> float:
    """Return the least time of three, of this thread alone."""
    taken = []
    for _ in range(3):
        began = time.thread_time()
        with contextlib.suppress(ImageFlowError, ValueError):
            look(text)
        taken.append(time.thread_time() - began)
    return min(taken)


def grows_in_proportion(look: Callable[[str], object], make: Callable[[int], str]) -> bool:
    """Compare a length with four times as much: 4 in proportion, 16 when it grows with the square."""
    small, large = seconds(look, make(SIZE)), seconds(look, make(4 * SIZE))
    return large < FAST_S or large < 9 * small


def test_every_regular_expression_is_found() -> None:
    assert len(PATTERNS) >= 10


@pytest.mark.parametrize("place", PATTERNS)
def test_a_regular_expression_takes_time_in_proportion(place: str) -> None:
    pattern = PATTERNS[place]

    def look(text: str) -> None:
        for method in (pattern.search, pattern.fullmatch):
            method(text.encode(errors="replace") if isinstance(pattern.pattern, bytes) else text)  # type: ignore[arg-type]

    assert [number for number, make in enumerate(HOSTILE) if not grows_in_proportion(look, make)] == []


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_of_input_takes_time_in_proportion(name: str) -> None:
    assert [number for number, make in enumerate(HOSTILE) if not grows_in_proportion(PARSERS[name], make)] == []


def nested(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((nested(part) for part in value.values()), default=0)
    return 1 + max((nested(part) for part in value), default=0) if isinstance(value, list) else 0


def counted(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(counted(part) for part in value.values())
    return 1 + sum(counted(part) for part in value) if isinstance(value, list) else 1


trees = st.recursive(
    st.none() | st.integers() | st.text('"\\[]{},:x', max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('"\\[{,', max_size=4), inner, max_size=4),
    max_leaves=30,
)


@given(trees, st.integers(1, 7))
def test_depth_is_counted_as_the_parser_sees_it_in_pieces_of_any_length(tree: object, piece: int) -> None:
    import json

    data = json.dumps(tree).encode()
    guard = JsonGuard(1_000)
    for start in range(0, len(data), piece):
        guard.feed(data[start : start + piece])
    assert guard.deepest == nested(tree)
    assert guard.values >= counted(tree)
