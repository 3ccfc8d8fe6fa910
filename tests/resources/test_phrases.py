"""The phrases that commands print: the same ones, with the same values, in every language."""

from __future__ import annotations

import string

from app.command_line.wording import phrases
from models.messages import LANGUAGES


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_phrase_of_the_commands_is_there_in_every_language() -> None:
    keys = [set(phrases(language)) for language in LANGUAGES]
    assert keys[0] == keys[1]


def test_a_phrase_names_the_same_values_in_every_language() -> None:
    english, japanese = (phrases(language) for language in LANGUAGES)
    differing = {key for key, text in english.items() if values_of(text) != values_of(japanese[key])}
    assert differing == set()
