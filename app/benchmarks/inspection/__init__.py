"""The engine's own benchmarks: each module measures one area and returns figures under names that stay.

A module has ``measure(data, ...) -> list[Figure]`` and may have ``NOTES``, Markdown that stands under its figures: what
was tried for a goal that was missed, and what it gave. What is about speed is a probe (``probing``) instead.
"""

from app.benchmarks.figures import Figure

__all__ = ["Figure"]
