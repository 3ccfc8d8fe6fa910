"""HTML from the Jinja2 templates in ``resources/report``; every value is escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from inspection.evaluation import formatting
from inspection.evaluation.wording import Wording


def render(template: str, wording: Wording, values: Mapping[str, object]) -> str:
    """Return a template filled in.

    Args:
        template: file in ``resources/report``.
        wording: the template's phrases, which it calls as ``t(key, value=…)``.
        values: by the names that the template uses.

    Raises:
        jinja2.UndefinedError: when the template uses a value that is not given: a bug.
        KeyError: when it uses a phrase that does not exist: a bug.
    """
    return _environment().get_template(template).render(language=wording.language, t=wording.text, **values)


def data_uri(media_type: str, data: bytes) -> str:
    """Return ``data`` as a ``data:`` URI (RFC 2397), so that the page needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("resources", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        number=formatting.number,
        percent=formatting.percent,
        short_percent=formatting.short_percent,
        percent_range=formatting.percent_range,
        count_and_share=formatting.count_and_share,
    )
    return made
