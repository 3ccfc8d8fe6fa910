"""Memory of a process, as Linux tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.benchmarks.probing import peak_megabytes, resident_megabytes


@dataclass(frozen=True, slots=True)
class Growth:
    """How much memory a process had, in MB (10^6 bytes), and the most that it took since."""

    idle_mb: float
    peak_mb: float

    @property
    def above_idle_mb(self) -> float:
        """How much the peak is above the beginning."""
        return self.peak_mb - self.idle_mb


def begin(process_id: int) -> float:
    """Forget the peak of a process so far and return what it has in RAM now, in MB."""
    Path(f"/proc/{process_id}/clear_refs").write_text("5", encoding="ascii")
    return resident_megabytes(process_id)


def growth(process_id: int, idle_mb: float) -> Growth:
    """Return what a process took since ``begin``, which returned ``idle_mb``."""
    return Growth(idle_mb, peak_megabytes(process_id))
