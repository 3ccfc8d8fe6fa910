"""What the pages name exists: files, links, modules, commands and their options, tests, classes, settings."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import models
from app.command_line import command_group, load_command
from app.station.settings import StationSettings
from inspection.sources import ADDRESS_KINDS
from server.core.settings import ServerSettings

ROOT = Path(models.__file__).parents[1]
ROOMS = ("app", "inspection", "sync", "models", "resources", "server")
FOLDERS = (*ROOMS, "tests", "docs", "deploy", ".ci")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
}
ARCHITECTURE = "docs/architecture.md"
CITED = re.compile(r"(\]\()?(?<![\w/-])(?<!\[)([\w/-]*\w\.md)\b")
MADE = re.compile(r"^New file \*\*`([^`]+)`\*\*", re.MULTILINE)
"""A file that a recipe makes, so that it must not be there yet."""
OF_EXAMPLES = frozenset({"LotReply", "PartVerified", "TallyPresenter"})
"""Classes of the recipes' examples, named in the text too."""
OF_VARIABLES = frozenset({"app.openapi"})
"""Attributes of variables with the name of a room."""
OF_LIBRARIES = frozenset({"NaN", "tr"})


def examples(text: str) -> list[str]:
    """Return the blocks of code of a page."""
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def inline(text: str) -> list[str]:
    """Return the inline code of a page."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def paths(text: str) -> Iterator[str]:
    """Give the paths in inline code, and those of tests in commands."""
    words = [word for code in (*inline(text), *examples(text)) for word in re.split(r"[\s\"'(),=]+", code)]
    for word in words:
        if re.fullmatch(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*", word):
            yield word.rstrip(".")


def made_by_recipes() -> frozenset[str]:
    """Return the files that recipes make, with their folders."""
    files = [Path(name) for text in PAGES.values() for name in MADE.findall(text)]
    return frozenset(place.as_posix() for file in files for place in (file, file.parent))


@cache
def names_of(module: Path) -> frozenset[str]:
    """Return what a module defines at its top and within its classes."""
    names: set[str] = set()
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
            case ast.ImportFrom() | ast.Import():
                names.update(alias.asname or alias.name for alias in node.names)
    return frozenset(names)


@cache
def all_names() -> frozenset[str]:
    """Return everything that is defined in the rooms and in the protos."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    protos = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "resources" / "protos").glob("*.proto"))
    declared = re.findall(r"^\s*(?:service|message|enum|rpc) (\w+)", protos, re.MULTILINE)
    return frozenset([*declared, *(name for path in files for name in names_of(path))])


@cache
def names_of_tests() -> frozenset[str]:
    """Return every test."""
    return frozenset(name for path in (ROOT / "tests").rglob("*.py") for name in names_of(path) if "test_" in name)


def missing_of_module(dotted: str) -> str | None:
    """Return what of ``package.module.name`` does not exist; None when all of it does."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if file.is_file():
            rest = parts[count:]
            return None if not rest or rest[0] in names_of(file) else dotted
    return dotted


@cache
def audit_actions() -> frozenset[str]:
    """Return the actions of audit entries, which read as a module and a name of it."""
    sources = (path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return frozenset(name for source in sources for name in re.findall(r'action="(\w+\.\w+)"', source))


def called(text: str) -> Iterator[list[str]]:
    """Give the words of every call of ``imageflow`` and of every call written without that word."""
    lines = [line for block in examples(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in (*lines, *inline(text)):
        for part in re.split(r"\s\|\s|;|&&|\$\(|#", line.replace("…", "")):
            words = split(part.strip())
            words = words[1:] if words and words[0].endswith("=") else words
            if words and words[0].rpartition("/")[2] == "imageflow":
                yield words[1:]
            elif len(words) > 1 and words[0] in COMMANDS and part in inline(text):
                yield words


def split(text: str) -> list[str]:
    """Return the words of a command line; a page may leave a quotation open."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


COMMANDS = tuple(command_group().commands)


def unknown_in(words: list[str]) -> str | None:
    """Return the sub-command or option of a call that does not exist."""
    if not words or words[0].isupper() or words[0].startswith("-"):
        return None
    if words[0] not in COMMANDS:
        return words[0]
    command: Any = load_command(words[0])
    known = options_of(command)
    for word in words[1:]:
        below: Mapping[str, Any] = getattr(command, "commands", {})
        if word.startswith("--") and word.partition("=")[0] not in known:
            return word
        if word in below:
            command = below[word]
            known = options_of(command)
        elif below and re.fullmatch(r"[a-z]+(-[a-z]+)*", word):
            return word
    return None


def options_of(command: Any) -> set[str]:
    """Return the options of a command."""
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return known | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES)
def test_a_relative_link_of_a_page_leads_to_a_file(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", PAGES[page])
    wrong = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        there = file.exists() and (not anchor or anchor in anchors(file.read_text(encoding="utf-8")))
        wrong += [] if there else [target]
    assert wrong == []


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES)
def test_a_path_that_a_page_names_exists(page: str) -> None:
    made = made_by_recipes()
    assert [path for path in paths(PAGES[page]) if not (ROOT / path).exists() and path.rstrip("/") not in made] == []


def test_a_file_that_a_recipe_makes_is_not_there_yet() -> None:
    found = [name for text in PAGES.values() for name in MADE.findall(text)]
    assert found
    assert [name for name in found if (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_module_that_a_page_names_exists(page: str) -> None:
    pattern = rf"(?<![\w./@-])(?:{'|'.join(ROOMS)})(?:\.\w+)+"
    made = {name.removesuffix(".py").replace("/", ".") for name in made_by_recipes()}
    named = {name for code in inline(PAGES[page]) for name in re.findall(pattern, code) if "/" not in code}
    named |= {name for block in examples(PAGES[page]) for name in re.findall(rf"python -m ({pattern})", block)}
    files = {name for name in named if name.endswith((".md", ".csv", ".pth", ".npz", ".json", ".txt"))}
    assert [name for name in sorted(named - files - made - audit_actions()) if missing_of_module(name)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_that_a_docstring_names_exists(room: str) -> None:
    pattern = rf"(?<![\w./@-])(?:{'|'.join(ROOMS)})(?:\.\w+)+"
    wrong = []
    for file in (ROOT / room).rglob("*.py"):
        for code in re.findall(r"``([^`\n]+)``", file.read_text(encoding="utf-8")):
            names = set(re.findall(pattern, code)) - OF_VARIABLES
            wrong += [f"{file.relative_to(ROOT)}: {name}" for name in names if missing_of_module(name) is not None]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_an_import_of_an_example_exists(page: str) -> None:
    made = {name.removesuffix(".py").replace("/", ".") for name in made_by_recipes()}
    wrong = []
    for block in examples(PAGES[page]):
        for module, names in re.findall(r"^from ((?:app|\w+)[\w.]*) import (.+)$", block, re.MULTILINE):
            if module.split(".")[0] not in (*ROOMS, "tests") or module in made:
                continue
            wanted = [f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(",")]
            wrong += [name for name in wanted if name not in made and missing_of_module(name) is not None]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_a_command_that_a_page_names_exists_with_its_options(page: str) -> None:
    wrong = [" ".join(words) for words in called(PAGES[page]) if unknown_in(words) is not None]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_a_make_target_that_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = [*inline(PAGES[page]), *(line for block in examples(PAGES[page]) for line in block.splitlines())]
    named = {found[1] for line in lines if (found := re.match(r"make ([a-z]+)\b", line))}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_a_test_that_a_page_names_exists(page: str) -> None:
    named = {name for code in inline(PAGES[page]) for name in re.findall(r"(?<![\w/])test_\w+(?!\.py|\w)", code)}
    assert named - names_of_tests() == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_class_or_function_that_a_page_names_exists(page: str) -> None:
    named = set()
    for code in inline(PAGES[page]):
        found = re.fullmatch(r"([A-Z][a-z]+[A-Z]\w+)(?:\.(\w+))?(?:\(.*\))?|(\w+)\(\)", code)
        named |= {name for name in found.groups() if name} if found else set()
    assert named - all_names() - OF_EXAMPLES - OF_LIBRARIES == set()


@pytest.mark.parametrize("page", PAGES)
def test_an_environment_variable_that_a_page_names_exists(page: str) -> None:
    settings = {f"IMAGEFLOW_{name.upper()}" for name in StationSettings.model_fields}
    settings |= {f"IMAGEFLOW_SERVER_{name.upper()}" for name in ServerSettings.model_fields}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = set(re.findall(r"\bIMAGEFLOW_[A-Z_]*[A-Z]\b", PAGES[page])) - settings
    examples_of_recipes = {"IMAGEFLOW_SERVER_MAX_LOTS", "IMAGEFLOW_TALLY_DAYS"} if page == "docs/recipes.md" else set()
    assert [name for name in named - examples_of_recipes if name not in sources and name not in tests] == []


def test_a_page_that_the_source_cites_exists() -> None:
    wrong = []
    for room in (*ROOMS, "deploy"):
        for file in (ROOT / room).rglob("*"):
            if file.suffix not in {".py", ".json", ".sh", ".ts", ".html"}:
                continue
            for link, page in CITED.findall(file.read_text(encoding="utf-8")):
                # A link is relative to the page that the text becomes a part of.
                if not (ROOT / ("docs" if link else "") / page).is_file():
                    wrong.append(f"{file.relative_to(ROOT)}: {page}")
    assert wrong == []


def floors_of_page() -> dict[str, list[list[str]]]:
    """Return the floors of each room as the architecture page draws them, the highest first."""
    block = next(block for block in examples(PAGES[ARCHITECTURE]) if re.search(r"^models +consistency", block, re.M))
    floors: dict[str, list[list[str]]] = {}
    room = ""
    for line in block.splitlines():
        if line.strip():
            room = line.split()[0] if line[0] != " " else room
            drawn = re.split(r"\s{2,}", line.removeprefix(room).strip())[0]
            floors.setdefault(room, []).append(drawn.split(" | "))
    return floors


def floors_of_contract(room: str) -> list[list[str]]:
    """Return the floors of a room as its contract names them, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract["containers"] == [room]
    )
    return [layer.split(" | ") for layer in layers]


@pytest.mark.parametrize("room", ["app", "inspection", "models", "server", "sync"])
def test_the_architecture_page_names_every_floor(room: str) -> None:
    assert floors_of_page()[room] == floors_of_contract(room)


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page not in PAGES:
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", PAGES[page]):
            waiting.append(((ROOT / page).parent / target).resolve().relative_to(ROOT).as_posix())
    assert set(PAGES) - seen - {"CHANGELOG.md"} == set()


@pytest.mark.parametrize(
    "call", ["inspect --learn-gate g.json", "model nothing", "export", "item threshold X --apply", "data nothing"]
)
def test_a_call_that_does_not_exist_is_found(call: str) -> None:
    assert unknown_in(call.split()) is not None


@pytest.mark.parametrize("code", ["`imageflow train images`", "`model list DIR`", "```sh\nx=$(imageflow sync)\n```"])
def test_a_call_is_found_wherever_it_is_written(code: str) -> None:
    assert len(list(called(code))) == 1


@pytest.mark.parametrize("name", ["app.nothing", "app.window.features.NOTHING", "sync.shared.merge.merge_nothing"])
def test_a_module_or_name_that_does_not_exist_is_found(name: str) -> None:
    assert missing_of_module(name) == name


def test_the_readme_names_every_kind_of_image_source() -> None:
    # rtsps:// is rtsp:// to whoever reads the page.
    assert [kind for kind in ADDRESS_KINDS if kind != "rtsps://" and f"`{kind}" not in PAGES["README.md"]] == []
