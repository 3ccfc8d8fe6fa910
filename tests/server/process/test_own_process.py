"""What a process of a server sets for itself."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")

_IMAGES = """
import json, resource
from server.process.own_process import set_up_process
set_up_process()
def work():
    images = [b"x" * 6_000_000 for _ in range(4)]
    del images
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))
"""
_PAGES_OF_ALL = 20 * 4 * 6_000_000 // 4096


def _faults(**variables: str) -> int:
    command = [sys.executable, "-c", _IMAGES]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, check=True, timeout=60)
    return int(json.loads(done.stdout))


def test_the_memory_of_images_is_used_again() -> None:
    assert _faults() < _PAGES_OF_ALL / 50


def test_whoever_starts_the_process_may_set_the_allocator() -> None:
    assert _faults(MALLOC_TRIM_THRESHOLD_="0", MALLOC_MMAP_THRESHOLD_="65536") > _PAGES_OF_ALL / 2


def test_files_of_a_server_are_for_its_own_user(tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = "import sys; from server.process.own_process import set_up_process; set_up_process(); open(sys.argv[1], 'x')"
    subprocess.run([sys.executable, "-c", code, str(made)], check=True, timeout=60)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
