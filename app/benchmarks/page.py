"""``docs/performance.md``: a part for each area, so that one can be measured again without the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.benchmarks.areas import AREAS
from app.benchmarks.figures import Figure
from app.benchmarks.runner import Outcome

INTRODUCTION = """\
# Performance

`make bench` measures all of this and writes this page again; `imageflow bench AREA --write docs/performance.md` does
so for one part. Beside every figure is the command that makes it; `--data DIR`, else
`IMAGEFLOW_DATA`, names the folder of the data sets (CONTRIBUTING, test data); `--json` prints the figures by name.

What is about speed or memory runs several times, each time in a process of its own, in turn with the other
measurements, and the median counts. Accuracy is measured once: the same data, seed and versions give the same figures.
An interval of 95 % says how far a figure may be off because other images would give another one; differences inside it
say nothing.
"""
_PART = re.compile(r"<!-- part (?P<name>[a-z]+) -->\n.*?<!-- end (?P=name) -->\n", re.DOTALL)


def update_page(old: str, outcomes: Sequence[Outcome], machine: str, day: str) -> str:
    """Return the page with the parts of ``outcomes`` in place of the old ones; other parts stay as they are.

    So does the part of an area that nothing could be measured of, because its data are not here.

    Args:
        old: the page so far; may be empty.
        outcomes: of the areas that were measured.
        machine: they were measured on, in one line.
        day: they were measured.
    """
    parts = {match["name"]: match[0] for match in _PART.finditer(old)}
    measured = [outcome for outcome in outcomes if outcome.figures or outcome.area.name not in parts]
    parts.update({outcome.area.name: part_of(outcome, machine, day) for outcome in measured})
    return "\n".join([INTRODUCTION, *(parts[name] for name in AREAS if name in parts)])


def part_of(outcome: Outcome, machine: str, day: str) -> str:
    """Return an area's part of the page."""
    area = outcome.area
    lines = [
        f"<!-- part {area.name} -->",
        f"## {area.title}",
        "",
        f"`{area.command}`, measured {day} on: {machine}.",
        "",
    ]
    if outcome.figures:
        lines += [*_table(outcome.figures), ""]
    missed = [figure.name for figure in outcome.figures if figure.met is False]
    if missed:
        lines += [f"Missed: {', '.join(f'`{name}`' for name in missed)}.", ""]
    lines += [f"Not measured here: {reason}\n" for reason in outcome.missing]
    lines += [f"{note.strip()}\n" for note in outcome.notes]
    lines.append(f"<!-- end {area.name} -->\n")
    return "\n".join(lines)


def json_values(outcomes: Sequence[Outcome], machine: Mapping[str, str]) -> dict[str, object]:
    """Return figure by name, and under ``machine`` what they were measured on."""
    figures = {figure.name: figure.model_dump(mode="json") for outcome in outcomes for figure in outcome.figures}
    return {"machine": dict(machine), **figures}


def what_text(figure: Figure) -> str:
    """Return what a figure is, in a terminal; where it has no value with the reason."""
    return figure.what if figure.value is not None else f"{figure.what}; {figure.note}"


def value_text(figure: Figure) -> str:
    """Return a figure's value with its unit, a dash for none."""
    if figure.value is None:
        return "–"
    return f"{_short(figure.value)} {figure.unit}".strip()


def interval_text(figure: Figure) -> str:
    """Return a figure's interval, nothing for none."""
    return "" if figure.interval is None else f"{_short(figure.interval[0])} – {_short(figure.interval[1])}"


def met_text(figure: Figure) -> str:
    """Return whether the goal was met, in a word."""
    return {True: "yes", False: "**no**", None: ""}[figure.met]


def read_page(path: Path) -> str | None:
    """Return the page as it is, empty when there is none; None when the file is something else or unreadable."""
    if not path.exists():
        return ""
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return page if page.startswith(INTRODUCTION.splitlines()[0]) or not page.strip() else None


def _table(figures: Sequence[Figure]) -> list[str]:
    columns = {
        "figure": [f"`{figure.name}`" for figure in figures],
        "what": ["; ".join(part for part in (figure.what, figure.note) if part) for figure in figures],
        "value": [value_text(figure) for figure in figures],
        "95 %": [interval_text(figure) for figure in figures],
        "goal": [figure.goal for figure in figures],
        "met": [met_text(figure) for figure in figures],
        "command": [f"`{figure.command}`" for figure in figures],
    }
    used = {title: cells for title, cells in columns.items() if any(cells)}
    rows = [list(used), ["---"] * len(used), *zip(*used.values(), strict=True)]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def _short(value: float) -> str:
    """Return three significant digits, without an exponent for what people meet here."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
