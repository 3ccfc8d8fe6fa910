"""Memory of a process, as Linux tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
    return _status(process_id, "VmRSS")


def growth(process_id: int, idle_mb: float) -> Growth:
    """Return what a process took since ``begin``, which returned ``idle_mb``."""
    return Growth(idle_mb, _status(process_id, "VmHWM"))


def _status(process_id: int, name: str) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"the system does not report {name}")
