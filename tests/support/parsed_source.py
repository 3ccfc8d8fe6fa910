"""Source files as trees, parsed once for all tests of a process."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def parsed(*folders: str) -> dict[Path, ast.Module]:
    """Return every Python file below folders, by its path from the root.

    Args:
        folders: names below the root.
    """
    return {path: tree for folder in folders for path, tree in _trees(folder).items()}


@cache
def _trees(folder: str) -> dict[Path, ast.Module]:
    # Hundreds of thousands of nodes that stay: looking for garbage among them costs more than parsing does, now and
    # in every later test.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        files = sorted((ROOT / folder).rglob("*.py"))
        trees = {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in files}
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
    return trees
