"""The only module that imports ``structlog``; the others import it from here.

It loads rich for tracebacks in colour, which a log of JSON lines has not: 5 MB.
"""

from __future__ import annotations

from server.core.lean_imports import without

with without("rich"):
    import structlog

__all__ = ["structlog"]
