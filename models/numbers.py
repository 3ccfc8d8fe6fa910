"""Numbers of JSON as members of wire schemas: what is written as a text is none."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, StrictInt


def _as_whole(given: object) -> object:
    """Take a number without a fraction for a whole one, as JSON Schema does: ``5.0`` is 5."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


AS_WHOLE = BeforeValidator(_as_whole)
"""Comes last in an annotation of its own bounds: ``Annotated[StrictInt, Field(ge=1), AS_WHOLE]``."""
Whole = Annotated[StrictInt, AS_WHOLE]
"""A whole number of JSON."""
