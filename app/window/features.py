"""The features of the window, one line each; a feature's folder is of the same name and has ``feature.FEATURE``.

The order is that of the navigation list; of several screens that want to be the start, the first is.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.window.feature import Feature

FEATURES = (
    "enrolment",
    "sign_in",
    "open_parts",
    "home",
    "work",
    "sync",
    "dead_letters",
    "conflicts",
)


def load_features() -> tuple[Feature[Any], ...]:
    """Import every feature of the list and return them in order."""
    return tuple(importlib.import_module(f"app.window.{name}.feature").FEATURE for name in FEATURES)
