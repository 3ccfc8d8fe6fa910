"""``/docs``: the OpenAPI document as one plain page, without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """\
body{font-family:system-ui,"Noto Sans CJK JP",sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;
line-height:1.5;color:#1c2326;background:#f7f8f8}
details{background:#fff;border:1px solid #cfd6d8;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}code,pre{font-family:ui-monospace,monospace;font-size:.92em}
pre{background:#eef1f2;padding:.6rem;overflow:auto;border-radius:4px}
.method{display:inline-block;min-width:4.5em;font-weight:700}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#dfe5e7;background:#15191b}details{background:#1d2326;border-color:#3a4448}
pre{background:#262e31}a{color:#8cc8e8}}"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'; base-uri 'none'"
"""Content security policy of the page: its own style sheet and nothing else."""


def render(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])}</p>",
        "<p>The same as a machine reads it: <a href=/openapi.json>/openapi.json</a></p>",
    ]
    for tag, operations in _by_tag(document).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts.extend(_operation(*operation) for operation in operations)
    parts.append("<h2>schemas</h2>")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(
            f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>"
        )
    return "".join(parts)


def _by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            found.setdefault(tag, []).append((method, path, operation))
    return found


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [
        f"<details><summary><span class=method>{method.upper()}</span> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary><p>{escape(operation.get('description', ''))}</p>"
    ]
    parameters = operation.get("parameters", [])
    if parameters:
        lines.append("<h4>Parameters</h4><table>")
        for one in parameters:
            needed = "required" if one.get("required") else ""
            lines.append(
                f"<tr><td><code>{escape(one['name'])}</code><td>{escape(one['in'])}<td>{needed}"
                f"<td>{escape(one.get('description', ''))}</tr>"
            )
        lines.append("</table>")
    body = operation.get("requestBody")
    if body:
        lines.append(f"<h4>Body</h4>{_content(body['content'])}")
    lines.append("<h4>Answers</h4><table>")
    for code, answer in sorted(operation["responses"].items()):
        content = _content(answer.get("content", {}))
        lines.append(f"<tr><td><b>{escape(code)}</b><td>{escape(answer.get('description', ''))}<td>{content}</tr>")
    lines.append("</table></details>")
    return "".join(lines)


def _content(content: dict[str, Any]) -> str:
    return "<br>".join(_media(kind, entry.get("schema", {})) for kind, entry in content.items())


def _media(kind: str, schema: dict[str, Any]) -> str:
    names = sorted(set(_references(schema)))
    links = ", ".join(f"<a href='#{escape(name)}'>{escape(name)}</a>" for name in names)
    return f"<code>{escape(kind)}</code> {links}"


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _json(schema: dict[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=1, ensure_ascii=False))}</pre>"
