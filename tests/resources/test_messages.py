import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

import models.errors
from models.messages import LANGUAGES, Language, catalogue
from tests.support.parsed_source import parsed

ROOT = Path(models.errors.__file__).parents[1]
ROOMS = ("app", "inspection", "sync", "models", "server")
PARTS = ("title", "detail", "advice")
ENDS = ("。", "？", "）", "」", "}")
EXAMPLE = "。例: "
"""After which comes what is typed as it is."""
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
ROOM_OF_FILE = {"window": "app", "evaluation": "inspection"}
"""The room whose texts a file holds, where it is not named after it."""
BELOW = {
    "models": {"models"},
    "inspection": {"inspection", "models"},
    "sync": {"sync", "models"},
    "server": {"server", "inspection", "sync", "models"},
    "app": {"app", "inspection", "sync", "models"},
}
"""The rooms whose texts a room may use: its own, and those it imports."""
OTHER_WORDS = (
    "ステーション",
    "責任者",
    "資格情報",
    "誤報",
    "撮像",
    "ワーク ",
    "ワークを",
    "スレッショルド",
    "しきい値",
    "フォルダを",
    "フォルダに",
    "ユーザを",
)
"""Instead of: 検査端末, 品質管理者, 認証情報, 誤検出, 撮影, 部品, 閾値, フォルダー, ユーザー."""
WITHOUT_ADVICE = frozenset(
    {
        "image-skipped",  # one line a file; images-left-out, the line after them, has the advice
        "frame-by-key",  # what the keys do
        "scores-written",
        # What a process of the server does, in the one line of its start.
        "server-listens",
        "server-listens-without-users",
        "service-listens",
        "service-model-awaited",
        "worker-runs",
        # What a table of sensors was read as: nothing is wrong.
        "sensor-columns-unused",
        "sensor-constant",
        "sensor-left-out",
        "sensor-nearly-constant",
        "sensor-table-no-value",
        "sensor-table-units",
        # Parts of a sentence of another text.
        "detector-inputs",
        "detector-metadata-empty-name",
        "detector-metadata-long-name",
        "detector-metadata-numbers",
        "detector-metadata-odd-name",
        "detector-metadata-size",
        "detector-metadata-three",
        "detector-outputs",
        "detector-text-large",
        "detector-text-not-utf8",
        "detector-yaml-invalid",
        "detector-yaml-place",
        "detector-yaml-values",
        "genicam-option-form",
        "model-own-training",
        "preprocessing-after-steps",
        "preprocessing-none",
    }
)
"""Texts that need no advice; those named ``value-…`` are the reasons within another text."""
LITERALLY = frozenset({"server-refused"})
"""Texts that are the server's words, in the language that it was asked for."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def snake(code: str) -> str:
    """Return a code as pydantic writes the type of an error."""
    return code.replace("-", "_")


def advice(code: str, language: Language) -> str:
    """Return the advice of a text without blanks around it."""
    return catalogue(language)[code]["advice"].strip()


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


@cache
def raised_in_source() -> list[Raised]:
    """Every error class called with a literal code: first, as ``code=``, or as one of two by a condition."""
    trees = parsed(*ROOMS)
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
            where = f"{path}:{node.lineno}"
            for given in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]:
                choices = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
                found += [
                    Raised(choice.value, values, where)
                    for choice in choices
                    if isinstance(choice, ast.Constant) and isinstance(choice.value, str)
                ]
    return found


def parts_in_source() -> Iterator[tuple[str, str]]:
    """Give the code of every part of a text that is made with a literal code, with where it is made."""
    for path, tree in parsed(*ROOMS).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"LocalText.of", "RejectedValueError"}:
                for given in node.args[:1]:
                    if isinstance(given, ast.Constant):
                        yield str(given.value), path.as_posix()


def codes_of_source() -> tuple[set[str], list[re.Pattern[str]]]:
    """Every string of the source, and a pattern for every one that is put together of words with hyphens."""
    words, patterns = set(), []
    for tree in parsed(*ROOMS).values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                fixed = [str(part) for part in parts if part is not None]
                if re.fullmatch(r"[a-z]*-[a-z-]*", "".join(fixed)):
                    patterns.append(re.compile("".join(".+" if part is None else str(part) for part in parts)))
    return words, patterns


def room_of_texts() -> dict[str, str]:
    """Every code with the room whose file holds its text."""
    return {
        code: ROOM_OF_FILE.get(file.stem, file.stem)
        for file in sorted((ROOT / "resources/messages/en").glob("*.json"))
        for code in json.loads(file.read_text(encoding="utf-8"))
    }


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


def rooms_below(where: str) -> set[str]:
    """Return the rooms whose texts a file may use; the commands import the server too."""
    return BELOW[where.split("/", maxsplit=1)[0]] | ({"server"} if where.startswith("app/command_line/") else set())


def test_a_text_is_in_the_file_of_a_room_that_its_user_imports() -> None:
    rooms = room_of_texts()
    used = {(one.code, one.where) for one in raised_in_source()} | set(parts_in_source())
    assert [(code, where) for code, where in sorted(used) if rooms[code] not in rooms_below(where)] == []


def test_a_file_of_part_of_a_room_holds_the_codes_of_its_name() -> None:
    for file in (ROOT / "resources" / "messages" / "en").glob("*.json"):
        for code in json.loads(file.read_text(encoding="utf-8")):
            part = code.partition("-")[0]
            assert part == file.stem or not {part, file.stem} & ROOM_OF_FILE.keys(), code


def test_every_text_is_used() -> None:
    words, patterns = codes_of_source()
    of_pydantic = set(get_args(ErrorType))
    prefixed = {f"{word}" for word in words if re.fullmatch(r"[a-z]+-", word)}  # joined to a suffix, as "verdict-"
    unused = [
        code
        for code in catalogue("en")
        if code not in words
        and not any(pattern.fullmatch(code) for pattern in patterns)
        and not any(
            code.startswith(prefix) and ({code.removeprefix(prefix), snake(code.removeprefix(prefix))} & words)
            for prefix in prefixed
        )
        and snake(code.removeprefix("value-")) not in of_pydantic
    ]
    assert unused == []


def test_every_raised_error_has_an_advice_in_every_language() -> None:
    without = [one.code for one in raised_in_source() for language in LANGUAGES if not advice(one.code, language)]
    assert without == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_parts_of_texts_have_no_advice(language: Language) -> None:
    without = {code for code in catalogue(language) if not advice(code, language) and not code.startswith("value-")}
    assert without == WITHOUT_ADVICE


@pytest.mark.parametrize("part", PARTS)
def test_a_japanese_text_is_in_japanese(part: str) -> None:
    texts = {code: text[part] for code, text in catalogue("ja").items() if code not in LITERALLY}
    others = {code: text for code, text in texts.items() if text and not JAPANESE.search(text)}
    only_values = {code for code, text in others.items() if not re.sub(r"\{\w+\}|\W", "", text)}
    assert others.keys() - only_values == set()


def test_a_detail_consists_of_values_in_both_languages_or_in_none() -> None:
    only = [
        {code for code, text in catalogue(one).items() if not re.search(r"\w", re.sub(r"\{\w+\}", "", text["detail"]))}
        for one in LANGUAGES
    ]
    assert only[0] == only[1]


def test_a_japanese_text_has_one_word_for_one_idea() -> None:
    texts = [(code, text) for code, parts in catalogue("ja").items() for text in parts.values()]
    for folder in ("phrases/ja", "translations"):
        files = [
            path for path in (ROOT / "resources" / folder).glob("*") if path.suffix == ".json" or "_ja.ts" in path.name
        ]
        texts += [(path.name, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    assert texts
    assert [(place, text) for place, text in texts if any(word in text for word in OTHER_WORDS)] == []


def test_a_japanese_advice_ends_with_its_full_stop() -> None:
    advice = {code: text["advice"].rstrip() for code, text in catalogue("ja").items() if text["advice"].strip()}
    assert {code: text for code, text in advice.items() if not text.endswith(ENDS) and EXAMPLE not in text} == {}


def test_the_same_errors_have_advice_for_clients_in_both_languages() -> None:
    with_advice = [{code for code, text in catalogue(one).items() if "advice_for_client" in text} for one in LANGUAGES]
    assert with_advice[0] == with_advice[1]


@pytest.mark.parametrize("entity", ["target", "item", "pipeline", "defect-class"])
def test_every_kind_of_master_has_a_text_for_not_being_there(entity: str) -> None:
    assert f"{entity}-not-found" in catalogue("en")
