"""Imports without what a library would load beside itself, and a server never uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(name: str) -> Iterator[None]:
    """Hide a package for the imports of a block; whoever imports it later gets it as always.

    Args:
        name: of the package; nothing is hidden when it is loaded already.
    """
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    # None makes importing that name fail.
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
