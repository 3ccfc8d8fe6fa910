"""How a module of the product is started in a process of its own."""

from __future__ import annotations

import sys


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` in a fresh interpreter.

    The folder the user works in is no place modules are imported from: a ``torch.py`` of theirs is not ours to run.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
