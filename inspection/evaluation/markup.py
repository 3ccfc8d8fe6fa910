"""Small pieces of HTML; every text that goes in is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, or HTML that is already escaped, and its class."""

    text: str
    kind: str = ""
    html: bool = False


def text(value: object) -> str:
    """Return a value as text that HTML takes literally, in attributes too."""
    return escape(str(value), quote=True)


def section(identifier: str, heading: str, *parts: str) -> str:
    """Return a section under a heading of the second level."""
    body = "\n".join(part for part in parts if part)
    return (
        f'<section id="{identifier}" aria-labelledby="{identifier}-heading">\n'
        f'<h2 id="{identifier}-heading">{text(heading)}</h2>\n{body}\n</section>'
    )


def paragraph(words: str, kind: str = "") -> str:
    """Return a paragraph of plain words."""
    return f"<p{_class(kind)}>{text(words)}</p>"


def table(caption: str, heads: Sequence[Cell], rows: Iterable[tuple[str, Sequence[Cell]]], kind: str = "") -> str:
    """Return a table whose first column are row headings.

    Args:
        caption: what the table tells.
        heads: of the columns.
        rows: class and cells of each row.
        kind: class of the table.
    """
    top = "".join(f'<th scope="col"{_class(head.kind)}>{_content(head)}</th>' for head in heads)
    lines = []
    for row_kind, cells in rows:
        first = f'<th scope="row"{_class(cells[0].kind)}>{_content(cells[0])}</th>'
        others = "".join(f"<td{_class(cell.kind)}>{_content(cell)}</td>" for cell in cells[1:])
        lines.append(f"<tr{_class(row_kind)}>{first}{others}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table{_class(kind)}><caption>{text(caption)}</caption>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def plot(svg: str, alternative: str, caption: str) -> str:
    """Return a figure with an SVG as its picture, told in words to who cannot see it."""
    source = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure class="plot"><img src="data:image/svg+xml;base64,{source}" alt="{text(alternative)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def jpeg_source(data: bytes) -> str:
    """Return a JPEG as an address that holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _content(cell: Cell) -> str:
    return cell.text if cell.html else text(cell.text)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
