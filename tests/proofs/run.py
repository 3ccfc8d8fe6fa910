"""``make proofs``: the long form of the proofs of the synchronisation, shown as tables; ends with 1 when one fails.

python -m tests.proofs.run --examples 2000 --bug-examples 300 --kills 50
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.proofs.mutations import MUTATIONS, PLANT, POWER_CUT, SCENARIO, Mutation, plant

ROOT = Path(__file__).parents[2]
REAL = ("tests/proofs/test_killed.py", "tests/proofs/test_real_link.py", "tests/proofs/test_full_disk.py")
WIDTH = 118
SHARE = 50
"""Examples of the state machine in one process."""


def run_plant(seed: int, examples: int) -> dict[str, Any]:
    """Do so many examples of the state machine in this process and return what came of it."""
    import hypothesis
    from hypothesis.stateful import run_state_machine_as_test

    from tests.support.proofs.plant import Plant, profile

    found = ""
    try:
        run_state_machine_as_test(hypothesis.seed(seed)(Plant), settings=profile(examples))
    except BaseException as error:  # noqa: BLE001 - a planted bug may raise anything
        traceback.print_exc()
        found = (str(error).splitlines() or [type(error).__name__])[0]
    return {"examples": Plant.examples, "found": found}


def run_power_cut(bug: str) -> dict[str, Any]:
    """Look at the disk after a cut at each moment and return how many were looked at and the first loss."""
    from tests.support.proofs.power_cut import losses, traced

    folder = Path(tempfile.mkdtemp())
    try:
        place = folder / "place"
        place.mkdir()
        moments = 0
        for moment, lost in losses(place, traced(place, bug)):
            moments += 1
            if lost:
                return {"examples": moments, "found": f"{lost} ({moment})"}
        return {"examples": moments, "found": ""}
    finally:
        shutil.rmtree(folder)


def run_scenarios(bug: str) -> dict[str, Any]:
    """Do the scenarios that have to find a bug, or those of all bugs; return their number and the first that failed."""
    import pytest

    class Reports:
        ended, failed = 0, ""

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            self.ended += report.when == "call"
            self.failed = self.failed or (report.nodeid if report.failed else "")

    tests = sorted({test for mutation in MUTATIONS if bug in {"", mutation.name} for test in mutation.tests})
    reports = Reports()
    # This process has loaded the list of bugs, and with it a package whose asserts tests show in full.
    options = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*options, *(str(ROOT / test) for test in tests)], [reports])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(f"the scenarios could not be done: {code!r}")
    return {"examples": reports.ended, "found": reports.failed}


def child(*arguments: object) -> tuple[dict[str, Any], float, str]:
    """Do a part of the proofs in a process of its own; return its answer, its seconds, what it wrote beside."""
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.proofs.run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    lines = done.stdout.splitlines()
    answer = json.loads(lines[-1]) if done.returncode == 0 and lines else {"examples": 0, "found": ""}
    broken = "" if done.returncode == 0 else done.stderr
    return {"broken": broken, **answer}, time.monotonic() - began, done.stderr


def table(title: str, rows: Iterable[Sequence[object]]) -> None:
    say(f"\n{title}\n{'-' * WIDTH}")
    for row in rows:
        say("  ".join(str(cell) for cell in row))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def prove_plant(examples: int, workers: int) -> bool:
    """Share the examples among processes, each with a seed of its own."""
    say(f"\nState machine: eight invariants after each rest\n{'-' * WIDTH}")
    total, sound = 0, True
    with ThreadPoolExecutor(workers) as pool:
        seeds = range(1, -(-examples // SHARE) + 1)
        for seed, (answer, seconds, beside) in zip(seeds, pool.map(_share, seeds), strict=True):
            total += answer["examples"]
            failed = bool(answer["found"] or answer["broken"] or answer["examples"] < SHARE)
            sound = sound and not failed
            result = (answer["found"] or "did not end well") if failed else "nothing found"
            say(f"seed {seed:>3}  {answer['examples']:>4} examples  {seconds:6.0f} s  {result}")
            if failed:
                say(beside)
    say(f"{total} examples")
    return sound


def _share(seed: int) -> tuple[dict[str, Any], float, str]:
    return child("plant", seed, SHARE, "")


def prove_bugs(examples: int, workers: int) -> bool:
    """Let each planted bug be found by its proof."""

    def find(mutation: Mutation) -> tuple[Mutation, dict[str, Any], float]:
        answer, seconds, _ = child(*works[mutation.proof], mutation.name)
        return mutation, answer, seconds

    works = {PLANT: ("plant", 1, examples), POWER_CUT: ("power-cut",), SCENARIO: ("scenario",)}
    say(f"\nPlanted bugs: each must be found\n{'-' * WIDTH}")
    answer, seconds, beside = child("scenario", "")
    if answer["found"] or answer["broken"]:
        say(f"a scenario fails without a bug: {answer['found']}\n{beside}")
        return False
    say(f"{answer['examples']} scenarios hold without a bug  {seconds:.0f} s")
    alive = []
    with ThreadPoolExecutor(workers) as pool:
        for mutation, answer, seconds in pool.map(find, MUTATIONS):
            killed = bool(answer["found"]) and not answer["broken"]
            if not killed:
                alive.append(mutation.name)
                say(str(answer["broken"]))
            fate = f"found by the {mutation.proof} in {answer['examples']:>3}" if killed else "SURVIVED"
            how = answer["found"].rpartition("::")[2][:70]
            say(f"{mutation.name:<66}  {fate:<34}  {seconds:4.0f} s  {how}")
    return not alive


def prove_power_cut() -> bool:
    answer, seconds, beside = child("power-cut", "")
    rows = [(f"{answer['examples']} moments", f"{seconds:.0f} s", answer["found"] or "nothing lost")]
    table("Power cut: what a disk has that keeps what was synced", rows)
    if answer["broken"]:
        say(beside)
    return not answer["found"] and not answer["broken"] and answer["examples"] > 0


def prove_real_processes(kills: int) -> bool:
    table("Real processes: killed, cut off, without room", [(f"{kills} kills each",)])
    environment = {**os.environ, "IMAGEFLOW_PROOF_KILLS": str(kills)}
    present = [path for path in REAL if (ROOT / path).exists()]
    command = [sys.executable, "-m", "pytest", "-v", "--timeout", "3600", "-p", "no:cacheprovider", *present]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="of the state machine")
    parser.add_argument("--bug-examples", type=int, default=100, help="most, for each planted bug")
    parser.add_argument("--kills", type=int, default=50, help="of each process")
    parser.add_argument("--only", choices=["plant", "bugs", "power-cut", "real"], action="append")
    wanted = parser.parse_args()
    workers = os.cpu_count() or 1
    proofs = {
        "power-cut": prove_power_cut,
        "real": lambda: prove_real_processes(wanted.kills),
        "bugs": lambda: prove_bugs(wanted.bug_examples, workers),
        "plant": lambda: prove_plant(wanted.examples, workers),
    }
    began = time.monotonic()
    failed = [name for name, prove in proofs.items() if name in (wanted.only or proofs) and not prove()]
    say(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All proofs hold.'} ({time.monotonic() - began:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["plant"]:
        if sys.argv[4]:
            plant(sys.argv[4])
        sys.stdout.write(json.dumps(run_plant(int(sys.argv[2]), int(sys.argv[3]))) + "\n")
    elif sys.argv[1:2] == ["power-cut"]:
        sys.stdout.write(json.dumps(run_power_cut(sys.argv[2])) + "\n")
    elif sys.argv[1:2] == ["scenario"]:
        if sys.argv[2]:
            plant(sys.argv[2])
        sys.stdout.write("\n" + json.dumps(run_scenarios(sys.argv[2])) + "\n")
    else:
        sys.exit(main())
