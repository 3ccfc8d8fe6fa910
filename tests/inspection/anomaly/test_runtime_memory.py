"""The memory of a process that only scores images."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inspection.anomaly import TrainingReport

MEGABYTES = 250
SCORING = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from app.benchmarks.probing import peak_megabytes
from inspection.anomaly import load_bundle
from pathlib import Path

model = load_bundle(Path(sys.argv[1]), threads=2)
sizes = [(320, 320), (240, 320)] * 20
with ThreadPoolExecutor(2) as pool:
    for _ in pool.map(lambda size: model.score(np.zeros(size, np.uint8)), sizes):
        pass
print(peak_megabytes())
"""


@pytest.mark.slow
def test_scoring_images_of_two_sizes_in_two_threads_stays_within_the_goal(report: TrainingReport) -> None:
    found = subprocess.run(
        [sys.executable, "-c", SCORING, str(report.path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert float(found.stdout) <= MEGABYTES
