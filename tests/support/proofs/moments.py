"""Time and ids of a proof: each place has its own wall clock, and every run with one seed is the same run."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

from tests.support.sync_stores import Wall

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moments:
    """Who acts at this moment, and so which wall clock tells the time.

    Args:
        seed: of the random part of ids.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._wall = Wall()

    @contextlib.contextmanager
    def of(self, wall: Wall) -> Iterator[None]:
        """Let ``wall`` tell the time within the block."""
        before, self._wall = self._wall, wall
        try:
            yield
        finally:
            self._wall = before

    def milliseconds(self) -> int:
        return self._wall()

    def uuid7(self) -> uuid.UUID:
        """A UUIDv7 as the product makes them, of the wall clock and of the seed."""
        number = (max(self.milliseconds(), 0) & (1 << 48) - 1) << 80
        number |= 0x7 << 76 | self.chance.getrandbits(12) << 64 | 0b10 << 62 | self.chance.getrandbits(62)
        return uuid.UUID(int=number)


@contextlib.contextmanager
def injected(moments: Moments) -> Iterator[None]:
    """Let the product take its time and its ids from ``moments``."""

    class Present(datetime):
        fromisoformat = staticmethod(datetime.fromisoformat)

        @classmethod
        def now(cls, tz=None):
            return (_EPOCH + timedelta(milliseconds=moments.milliseconds())).astimezone(tz)

    with mock.patch("models.clock.datetime", Present), mock.patch("models.ids.uuid_utils", moments):
        yield
