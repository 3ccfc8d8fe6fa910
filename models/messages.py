"""Texts of errors in English and Japanese, read once from ``resources/messages/<language>/*.json``."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, Self

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


_CLIENT_ADVICE = "advice_for_client"
_ONE = "1"
_OR = "|"
_NO_BLANK_AFTER = ("。", "！", "？", "）")


class _TextFormatter(string.Formatter):
    """Fills a text in as ``str.format`` does; ``{count:image|images}`` is the first word for 1, else the second."""

    def format_field(self, value: object, format_spec: str) -> str:
        """Return a value as its format says."""
        singular, either, plural = format_spec.partition(_OR)
        if either:
            return singular if str(value) == _ONE else plural
        return str(super().format_field(value, format_spec))


_FORMATTER = _TextFormatter()


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return a text of the catalogue or of the phrases with ``values`` filled in.

    Raises:
        KeyError: when the text names a value that was not given: a bug.
    """
    return _FORMATTER.vformat(text, (), values)


def join_sentences(*sentences: str) -> str:
    """Return sentences, some of them empty, as one text: with blanks between them, in Japanese without."""
    joined = ""
    for sentence in filter(None, sentences):
        joined += f"{'' if not joined or joined.endswith(_NO_BLANK_AFTER) else ' '}{sentence}"
    return joined


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What a person reads: what it is, what happened, what to do next."""

    title: str
    detail: str
    advice: str

    @property
    def explanation(self) -> str:
        """What happened and what to do next, as one text."""
        return join_sentences(self.detail, self.advice)


class LocalText(str):
    """A part of a text, such as a reason: English as a ``str``, available in the reader's language.

    It may be a value of an error or in its members, which are made before the reader is known.

    Args:
        english: the English text.
        code: of its text in the catalogue; empty leaves it English in every language.
        values: what that text names.
    """

    code: str
    values: dict[str, object]

    def __new__(cls, english: str, code: str = "", values: dict[str, object] | None = None) -> Self:
        """Return the text."""
        made = super().__new__(cls, english)
        made.code, made.values = code, dict(values or {})
        return made

    @classmethod
    def of(cls, code: str, values: dict[str, object]) -> Self:
        """Return the detail of ``code`` as a part of another text.

        Raises:
            KeyError: as ``error_text``.
        """
        return cls(error_text(code, values).detail, code, values)

    def in_language(self, language: str) -> str:
        """Return it in ``language``."""
        if language != "ja" or not self.code:
            return str(self)
        return error_text(self.code, self.values, language).detail


class JoinedText(LocalText):
    """Several parts of a text as one, each in the reader's language.

    Args:
        parts: the parts, at least one.
        separator: between them.
        rest: after the last one.
    """

    parts: tuple[LocalText, ...]
    separator: str
    rest: str

    def __new__(cls, parts: Sequence[LocalText], separator: str, rest: str = "") -> Self:
        """Return the text."""
        made = super().__new__(cls, separator.join(parts) + rest)
        made.parts, made.separator, made.rest = tuple(parts), separator, rest
        return made

    def in_language(self, language: str) -> str:
        """Return it in ``language``."""
        return self.separator.join(part.in_language(language) for part in self.parts) + self.rest


@cache
def catalogue(language: Language) -> dict[str, dict[str, str]]:
    """Return every error text of a language: code → ``{title, detail, advice}``, some with ``advice_for_client``.

    Raises:
        ValueError: when two files define the same code.
    """
    texts: dict[str, dict[str, str]] = {}
    for file in sorted((files("resources") / "messages" / language).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json"):
            continue
        for code, text in json.loads(file.read_text(encoding="utf-8")).items():
            if code in texts:
                raise ValueError(f"message {code!r} is defined twice in {language}")
            texts[code] = text
    return texts


def choose_language(wanted: str | None) -> Language:
    """Return the supported language for a locale name or an ``Accept-Language`` header; English when none fits.

    The first supported language by quality value wins (RFC 9110, section 12.5.4).
    """
    ranked: list[tuple[float, int, Language]] = []
    for position, part in enumerate((wanted or "").split(",")):
        name, _, parameters = part.partition(";")
        quality = 1.0
        if parameters.strip().startswith("q="):
            try:
                quality = float(parameters.strip()[2:])
            except ValueError:
                quality = 0.0
        for language in LANGUAGES:
            if name.strip().lower().replace("_", "-").split("-")[0] == language and quality > 0:
                ranked.append((-quality, position, language))
    return min(ranked)[2] if ranked else "en"


def error_text(code: str, values: dict[str, object], language: str = "en", *, for_client: bool = False) -> ErrorText:
    """Return the text of ``code`` with ``values`` filled in, a ``LocalText`` among them in that language.

    Args:
        code: key of the catalogue.
        values: what the text names.
        language: ``"en"`` or ``"ja"``.
        for_client: give the advice for a client of the API, who has no window, disk or command line of the server at
            hand, where it differs from that for the person at the computer.

    Raises:
        KeyError: when the catalogue has no such code or the text names a value that was not given: both are bugs.
    """
    entry = catalogue("ja" if language == "ja" else "en")[code]
    values = {name: _within(value, language) for name, value in values.items()}
    return ErrorText(
        title=fill(entry["title"], values),
        detail=fill(entry["detail"], values),
        advice=fill(entry.get(_CLIENT_ADVICE, entry["advice"]) if for_client else entry["advice"], values),
    )


def _within(value: object, language: str) -> object:
    """Return a value for use within a sentence, without a full stop of its own."""
    return value.in_language(language).rstrip(".。") if isinstance(value, LocalText) else value
