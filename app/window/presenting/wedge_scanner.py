"""Distinguishes a hand scanner that types (a keyboard wedge) from a person by its speed; pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

KEY_GAP_S = 0.060
SAME_CODE_S = 2.0
LEAST_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Scanned:
    """A code came in."""

    code: str


@dataclass(frozen=True, slots=True)
class Typed:
    """These keys were a person's; ``enter`` when the Enter key follows them."""

    keys: str
    enter: bool = False


@dataclass(slots=True)
class WedgeScanner:
    """Collects keys until it is clear who typed them.

    A key is held back until the next one comes or ``KEY_GAP_S`` have passed (then the caller calls ``flush``). Keys
    that follow each other faster, at least ``LEAST_LENGTH`` of them, and an Enter as fast after the last are a scan.
    """

    _keys: list[str] = field(default_factory=list)
    _last_s: float = 0.0

    @property
    def waiting(self) -> bool:
        """Whether keys are held back."""
        return bool(self._keys)

    def key(self, character: str, now_s: float) -> Typed | None:
        """Take a printable key at ``now_s`` seconds; return keys that turn out to have been a person's."""
        released = self.flush() if now_s - self._last_s >= KEY_GAP_S else None
        self._keys.append(character)
        self._last_s = now_s
        return released

    def enter(self, now_s: float) -> Scanned | Typed:
        """Take the Enter key at ``now_s`` seconds."""
        keys = "".join(self._keys)
        self._keys.clear()
        if len(keys) >= LEAST_LENGTH and now_s - self._last_s < KEY_GAP_S:
            return Scanned(keys)
        return Typed(keys, enter=True)

    def flush(self) -> Typed | None:
        """Give up waiting; return the keys that were held back, None when there were none."""
        if not self._keys:
            return None
        keys = "".join(self._keys)
        self._keys.clear()
        return Typed(keys)


@dataclass(slots=True)
class RepeatedScan:
    """Ignores a second scan of the same code within ``SAME_CODE_S``: a trigger that was held too long."""

    _code: str = ""
    _at_s: float = float("-inf")

    def accepts(self, code: str, now_s: float) -> bool:
        """Return whether a scan at ``now_s`` seconds counts."""
        repeated = code == self._code and now_s - self._at_s < SAME_CODE_S
        self._code, self._at_s = code, now_s
        return not repeated
