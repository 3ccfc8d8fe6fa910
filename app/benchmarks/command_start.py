"""Measures how soon ``imageflow --help`` is there: the list of commands loads none of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from app.benchmarks.probing import Row, print_values
from app.benchmarks.processes import run_module

ROWS = (Row("help_s", "s", "start of the process to the end of the list of commands", at_most=0.5),)


def main(folder: Path, quick: bool) -> Mapping[str, float]:
    """Run ``imageflow --help`` once."""
    del folder, quick
    began = time.perf_counter()
    run_module("app", ["--help"])
    return {"help_s": time.perf_counter() - began}


if __name__ == "__main__":
    print_values(main)
