"""The code on a sample part: lot and serial number."""

from __future__ import annotations

from resources.parts.mark import PART_NUMBER

LOTS = 6


def serial_number(index: int, seed: int) -> str:
    """Return the part's serial number; unique for an index and a seed, so that two sets do not collide."""
    return f"{PART_NUMBER.replace('-', '')}-{seed:03d}-{index:06d}"


def lot(index: int) -> str:
    """Return the part's lot; lots take turns, so that each has good parts and defective ones."""
    return f"LOT-2026-{index % LOTS + 1:03d}"
