"""What commands print that is no message, in the user's language: ``resources/phrases/<language>/*.json``.

``station`` has the phrases of the station's commands, ``models`` those of training and of models, ``images`` those of
inspection, gate and calibration, ``server`` those of a server's administration.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

_FILES = ("station", "models", "images", "server")


def phrase(key: str, **values: object) -> str:
    """Return the phrase ``key`` with ``values`` filled in, in the language of the command line.

    Raises:
        KeyError: when there is no such phrase or it names a value that was not given: both are bugs.
    """
    from app.command_line import language
    from models.messages import fill

    return fill(phrases(language())[key], values)


@cache
def phrases(language: str) -> dict[str, str]:
    """Return every phrase in a language, by its key.

    Raises:
        ValueError: when two files have the same key.
    """
    found: dict[str, str] = {}
    for name in _FILES:
        file = files("resources") / "phrases" / language / f"{name}.json"
        for key, text in json.loads(file.read_text(encoding="utf-8")).items():
            if key in found:
                raise ValueError(f"phrase {key!r} is there twice in {language}")
            found[str(key)] = str(text)
    return found
