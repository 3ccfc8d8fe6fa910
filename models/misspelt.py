"""Names of settings that nothing reads, and what they were most likely meant to be."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from models.errors import InvalidInput

_ALIKE = 0.75
"""Least share of letters that two names must have in common, in their order, for one to be offered for the other."""


def unknown_settings(given: Iterable[str], known: Collection[str], place: object) -> list[InvalidInput]:
    """Return an error for each given name that is not known, with the known name that is most like it.

    Args:
        given: names as somebody wrote them.
        known: those that are read.
        place: where the names stand, a text for a person.

    Returns:
        ``setting-misspelt``, or ``setting-unknown`` where no known name is like it; in the order of the names.
    """
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return []
    # Loaded only where a name is wrong.
    from difflib import get_close_matches

    found = []
    for name in unknown:
        nearest = get_close_matches(name, known, 1, _ALIKE)
        if nearest:
            found.append(InvalidInput("setting-misspelt", setting=name, place=place, nearest=nearest[0]))
        else:
            found.append(InvalidInput("setting-unknown", setting=name, place=place))
    return found
