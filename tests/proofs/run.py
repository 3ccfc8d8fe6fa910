"""``make proofs``: the long form of the proofs, shown as tables; ends with 1 when one fails.

python -m tests.proofs.run --examples 2000 --bug-examples 100 --kills 50
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.proofs.mutations import MUTATIONS, PLANT, POWER_CUT, SCENARIO, Mutation
from tests.support.proofs.report import Row, going_on, heading, say, summary

ROOT = Path(__file__).parents[2]
SHARE = 50
"""Examples of the state machine in one process."""


class Children:
    """Processes that each do a part; ``running`` names what they do now and since when."""

    def __init__(self) -> None:
        self.running: dict[str, float] = {}

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        self.running[what] = time.monotonic()
        try:
            yield
        finally:
            del self.running[what]

    def __str__(self) -> str:
        now = time.monotonic()
        return ", ".join(f"{what} ({now - began:.0f} s)" for what, began in list(self.running.items()))

    def do(self, what: str, *arguments: object) -> tuple[dict[str, Any], float, str]:
        """Do a part in a process of its own; return its answer, its seconds, what it wrote beside."""
        began = time.monotonic()
        with self.doing(what):
            done = subprocess.run(_command(*arguments), capture_output=True, text=True, cwd=ROOT, check=False)
        lines = done.stdout.splitlines()
        answer = json.loads(lines[-1]) if done.returncode == 0 and lines else {"examples": 0, "found": ""}
        broken = "" if done.returncode == 0 else f"ended with {done.returncode}"
        return {"broken": broken, **answer}, time.monotonic() - began, done.stderr


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.support.proofs.parts", *map(str, arguments)]


def _fault(answer: dict[str, Any], least: int) -> str:
    """Return what is wrong with a proof that has to find nothing."""
    few = f"only {answer['examples']} were done" if answer["examples"] < least else ""
    return str(answer["found"] or answer["broken"] or few)


def prove_plant(examples: int, first: int, workers: int) -> list[Row]:
    """Share the examples among processes, each with a seed of its own."""
    heading("State machine: eight invariants after each rest")
    began, children, seeds = time.monotonic(), Children(), range(first, first + -(-examples // SHARE))
    total, faults = 0, []

    def share(seed: int) -> tuple[int, dict[str, Any], float, str]:
        return seed, *children.do(f"seed {seed}", "plant", seed, SHARE, "")

    with going_on(lambda: f"{total} of {examples} examples; {children}"), ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(share, seed) for seed in seeds]):
            seed, answer, seconds, beside = done.result()
            total += answer["examples"]
            row = Row(f"seed {seed}", f"{answer['examples']} examples", seconds, _fault(answer, SHARE), "nothing found")
            say(str(row))
            if row.fault:
                faults.append(f"seed {seed}: {row.fault}")
                say(beside)
    return [Row("state machine", f"{total} examples", time.monotonic() - began, "; ".join(faults), "nothing found")]


def prove_bugs(examples: int, workers: int) -> list[Row]:
    """Let each planted bug be found by its proof."""
    began, children, alive = time.monotonic(), Children(), []
    works = {PLANT: ("plant", 1, examples), POWER_CUT: ("power-cut",), SCENARIO: ("scenario",)}

    def find(mutation: Mutation) -> tuple[Mutation, dict[str, Any], float, str]:
        return mutation, *children.do(mutation.name, *works[mutation.proof], mutation.name)

    heading("Planted bugs: each must be found")
    answer, seconds, beside = children.do("scenarios without a bug", "scenario", "")
    sound = Row("scenarios without a bug", f"{answer['examples']} tests", seconds, _fault(answer, 1))
    say(str(sound))
    if sound.fault:
        say(beside)
        return [sound]
    with going_on(lambda: str(children)), ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(find, mutation) for mutation in MUTATIONS]):
            mutation, answer, seconds, beside = done.result()
            how = answer["found"].rpartition("::")[2][:60]
            row = Row(mutation.name, f"{mutation.proof}, {answer['examples']}", seconds, "" if how else "SURVIVED", how)
            say(str(row))
            if row.fault:
                alive.append(mutation.name)
                say(answer["broken"] and beside)
    count = f"{len(MUTATIONS) - len(alive)} of {len(MUTATIONS)} found"
    return [sound, Row("planted bugs", count, time.monotonic() - began, "; ".join(alive), "each is found")]


def prove_power_cut() -> list[Row]:
    heading("Power cut: what a disk has that keeps what was synced")
    children = Children()
    with going_on(lambda: str(children)):
        answer, seconds, beside = children.do("every moment", "power-cut", "")
    row = Row("power cut", f"{answer['examples']} moments", seconds, _fault(answer, 1), "nothing lost")
    say(str(row))
    if row.fault:
        say(beside)
    return [row]


def prove_real_processes(kills: int) -> list[Row]:
    """Do the proofs with real processes one after another, with a row for each."""
    heading("Real processes: killed, cut off, without room")
    children, rows = Children(), []
    environment = {**os.environ, "IMAGEFLOW_PROOF_KILLS": str(kills)}
    with tempfile.TemporaryFile("w+") as beside, going_on(lambda: str(children)):
        process = subprocess.Popen(
            _command("real"), stdout=subprocess.PIPE, stderr=beside, text=True, cwd=ROOT, env=environment
        )
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line) if line.startswith("{") else {}
            if "began" in said:
                children.running = {_sentence(said["began"]): time.monotonic()}
            if "ended" in said:
                count = ", ".join(f"{value} {name}" for name, value in said["done"].items())
                rows.append(Row(_sentence(said["ended"]), count, said["seconds"], "FAILED" if said["fault"] else ""))
                say(str(rows[-1]))
                if said["fault"]:
                    say(said["fault"])
        process.stdout.close()
        if process.wait() != 0 or not rows:
            rows.append(Row("proofs with real processes", "", 0, f"ended with {process.returncode}"))
            beside.seek(0)
            say(beside.read())
    return rows


def _sentence(nodeid: str) -> str:
    return nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def prove_executions(kills: int) -> list[Row]:
    """Kill API, worker and service while executions come, without a broker and over one."""
    heading("Executions: API, worker and service killed under load")
    began, children, rows = time.monotonic(), Children(), []
    command = [sys.executable, "-m", "tests.proofs.executions", "--kills", str(kills)]
    with going_on(lambda: str(children)), children.doing("executions"):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        for line in process.stdout:
            say(line.rstrip())
            way, _, done = line.rstrip().partition(": ")
            if " kills " in done:
                rows.append(Row(f"executions, {way}", done, time.monotonic() - began))
                began = time.monotonic()
        process.stdout.close()
        if process.wait() != 0 or not rows:
            rows.append(Row("executions", "", time.monotonic() - began, "FAILED, see above"))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="of the state machine")
    parser.add_argument("--seed", type=int, default=1, help="of the first 50 of them; each 50 have one of their own")
    parser.add_argument("--bug-examples", type=int, default=100, help="most, for each planted bug")
    parser.add_argument("--kills", type=int, default=50, help="of each process")
    parser.add_argument("--only", choices=["plant", "bugs", "power-cut", "real", "executions"], action="append")
    wanted = parser.parse_args()
    workers = os.cpu_count() or 1
    proofs: dict[str, Callable[[], Sequence[Row]]] = {
        "power-cut": prove_power_cut,
        "real": lambda: prove_real_processes(wanted.kills),
        "executions": lambda: prove_executions(wanted.kills),
        "bugs": lambda: prove_bugs(wanted.bug_examples, workers),
        "plant": lambda: prove_plant(wanted.examples, wanted.seed, workers),
    }
    began = time.monotonic()
    rows = [row for name, prove in proofs.items() if name in (wanted.only or proofs) for row in prove()]
    summary(rows, time.monotonic() - began)
    return 1 if any(row.fault for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
