"""Parts of the long proofs, each done in a process of its own: ``python -m tests.support.proofs.parts PART ...``.

The last line that such a process writes is what came of it, as JSON; ``real`` writes a line for each test as it ends.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.support.proofs.mutations import MUTATIONS, plant

ROOT = Path(__file__).parents[3]
REAL = ("tests/proofs/test_killed.py", "tests/proofs/test_real_link.py", "tests/proofs/test_full_disk.py")


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


def run_real() -> dict[str, Any]:
    """Do the proofs with real processes, a line before and after each, and return how many there were."""
    import pytest

    class Lines:
        ended = 0

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            self._write(began=nodeid)

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.when == "call" or report.failed:
                self.ended += 1
                done = dict(report.user_properties)
                fault = str(report.longrepr) if report.failed else ""
                self._write(ended=report.nodeid, seconds=report.duration, done=done, fault=fault)

        def _write(self, **line: object) -> None:
            sys.__stdout__.write("\n" + json.dumps(line) + "\n")  # type: ignore[union-attr]  # there in a process of its own
            sys.__stdout__.flush()  # type: ignore[union-attr]

    lines = Lines()
    options = ["-q", "-s", "--timeout", "3600", "-p", "no:cacheprovider", "-p", "no:terminalreporter"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*options, *(str(ROOT / path) for path in REAL)], [lines])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(f"the proofs with real processes could not be done: {code!r}")
    return {"examples": lines.ended, "found": ""}


def main(part: str, *given: str) -> dict[str, Any]:
    """Do a part and return what came of it."""
    if part == "plant":
        seed, examples, bug = given
        if bug:
            plant(bug)
        return run_plant(int(seed), int(examples))
    if part == "power-cut":
        return run_power_cut(*given)
    if part == "scenario":
        if given[0]:
            plant(given[0])
        return run_scenarios(*given)
    if part == "real":
        return run_real()
    raise ValueError(f"{part} is no part of the proofs")


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(*sys.argv[1:])) + "\n")
