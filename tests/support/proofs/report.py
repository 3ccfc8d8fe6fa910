"""What the long proofs say: a row for each part, and lines in between so that nobody waits without a word."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 132
EVERY_S = 30.0
"""Between two lines that say what is still being done."""


@dataclass(frozen=True)
class Row:
    """What came of a part.

    Attributes:
        part: its name.
        count: what was done how often.
        seconds: how long it took.
        fault: what was found; empty when the part holds.
        remark: said beside a part that holds.
    """

    part: str
    count: str
    seconds: float
    fault: str = ""
    remark: str = "holds"

    def __str__(self) -> str:
        return f"{self.part:<66.66}  {self.count:<46}  {self.seconds:5.0f} s  {self.fault or self.remark}"


def say(text: str) -> None:
    """Write a line at once, also into a file or a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def heading(title: str) -> None:
    say(f"\n{title}\n{'-' * WIDTH}")


def summary(rows: Sequence[Row], seconds: float) -> None:
    """Write the rows of all parts, what became of them together, and how long all took."""
    heading("Summary")
    for row in rows:
        say(str(row))
    failed = [row for row in rows if row.fault]
    say(f"\n{f'{len(failed)} of {len(rows)} FAILED' if failed else 'All proofs hold.'} ({seconds:.0f} s)")


@contextlib.contextmanager
def going_on(state: Callable[[], str]) -> Iterator[None]:
    """Within the block, say every half minute what is being done.

    Args:
        state: returns it, without a line's end; called in another thread.
    """
    ended, began = threading.Event(), time.monotonic()

    def tell() -> None:
        while not ended.wait(EVERY_S):
            say(f"  … {time.monotonic() - began:5.0f} s  {state()}")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
