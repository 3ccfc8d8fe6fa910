"""Lists in the terminal: tables of text for people, one JSON object a line for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

_GAP = "  "


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the header and the rows, one line each, with columns of equal width in a terminal.

    Args:
        header: names of the columns.
        rows: a text for each column; East Asian characters count as wide as a terminal shows them.
    """
    from rich.cells import cell_len

    lines = [header, *rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(header))]

    def padded(line: Sequence[str]) -> str:
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True))
        return _GAP.join(cells).rstrip()

    return [padded(line) for line in lines]


def labelled_lines(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each label and its text, the texts below each other."""
    return table_lines(rows[0], rows[1:]) if rows else []


def print_json_lines(records: Iterable[Mapping[str, Any]]) -> None:
    """Print each record of a list as one JSON object a line; an empty list prints nothing."""
    for record in records:
        typer.echo(json.dumps(record, ensure_ascii=False))
