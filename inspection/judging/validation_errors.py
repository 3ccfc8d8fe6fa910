"""Validation errors of fields that contradict each other; messages ``value-…`` in ``resources/messages``."""

from __future__ import annotations

from pydantic_core import PydanticCustomError


def none_given(first: str, second: str) -> PydanticCustomError:
    """Return the error for two fields of which at least one must be given."""
    return PydanticCustomError("none_given", "give {first}, {second} or both", {"first": first, "second": second})


def not_one_of(first: str, second: str) -> PydanticCustomError:
    """Return the error for two fields of which one, and not both, may be given."""
    return PydanticCustomError("not_one_of", "give {first} or {second}, not both", {"first": first, "second": second})


def not_in_order(lower: str, upper: str) -> PydanticCustomError:
    """Return the error for a lower bound above the upper one."""
    return PydanticCustomError(
        "not_in_order", "{lower} must not be larger than {upper}", {"lower": lower, "upper": upper}
    )


def goes_with(given: str, needed: str) -> PydanticCustomError:
    """Return the error for a field that needs another one."""
    return PydanticCustomError("goes_with", "{given} goes with {needed}", {"given": given, "needed": needed})


def same_point(first: str, second: str) -> PydanticCustomError:
    """Return the error for two ends of a line that coincide."""
    return PydanticCustomError(
        "same_point", "{first} and {second} must not be the same point", {"first": first, "second": second}
    )
