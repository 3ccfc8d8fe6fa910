"""The engine's own benchmarks: each module measures one area and returns figures under names that stay."""

from inspection.benchmarks.figures import Figure

__all__ = ["Figure"]
