"""The real demo, as a user starts it: to its end, and killed at moments all over it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from resources.parts import PartsFolder, write_parts

IMAGEFLOW = (sys.executable, "-m", "app")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("IMAGEFLOW_")},
    "QT_QPA_PLATFORM": "offscreen",
    "IMAGEFLOW_LANGUAGE": "en",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}
PATIENCE_S = 150.0
SCREENS = {"enrolment", "sign_in", "home", "work", "sync"}


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> PartsFolder:
    return write_parts(tmp_path_factory.mktemp("set"), good=8, test_good=5, defects_per_class=2)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_report_of_the_demo_agrees_with_both_databases(tmp_path: Path) -> None:
    out, store = tmp_path / "out", tmp_path / "store"
    done = subprocess.run(
        [*IMAGEFLOW, "demo", "--auto", "--json", "--out", str(out), "--store", str(store)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == report
    assert report["agrees"]
    assert report["finished"]
    assert report["parts"]["good"] >= 30
    assert report["parts"]["defective"] >= 30
    assert report["parts"]["without_server"] == report["parts"]["total"] // 2
    assert report["auroc"] >= 0.95
    assert report["sync"]["waiting"] == report["sync"]["dead"] == report["sync"]["unsynced_records"] == 0
    assert report["sync"]["images_compared"] == 2 * report["parts"]["total"]
    assert report["statistics"]["server"] == report["statistics"]["station"]
    assert_views_follow_from_results(report)
    overlays = list((out / "overlays").glob("*.png"))
    assert len(overlays) == report["parts"]["total"]
    assert {path.stem for path in (out / "screenshots").glob("*.png")} >= SCREENS
    assert verified(store)


def assert_views_follow_from_results(report: dict[str, Any]) -> None:
    for result in report["results"]:
        label = "OK" if result["label"] == "good" else "NG"
        assert result["effective"] == (label if result["number"] % 10 == 0 else result["ai"])
    for view in ("ai", "effective"):
        passed = [result for result in report["results"] if result[view] == "OK" and result["label"] != "good"]
        assert report[view]["escapes"]["count"] == len(passed)
    summary = report["statistics"]["server"]["summary"]
    assert (summary["ok_count"], summary["ng_count"]) == (report["effective"]["ok"], report["effective"]["ng"])


MOMENTS: dict[str, Callable[[Path, Path], bool]] = {
    "as the station's store is made": lambda store, out: (store / "demo" / "station.sqlite3").exists(),
    "in the training": lambda store, out: any((store / "demo" / "work").glob("training-*")),
    "in the inspection": lambda store, out: len(list((out / "overlays").glob("*.png"))) >= 2,
    "without the server": lambda store, out: len(list((out / "overlays").glob("*.png"))) >= 7,
    "while it synchronises": lambda store, out: (out / "screenshots" / "offline-work.png").exists(),
}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_demo_leaves_a_consistent_store(small_set: PartsFolder, tmp_path: Path, moment: str) -> None:
    out, store = tmp_path / "out", tmp_path / "store"
    with started_demo(small_set, out, store) as demo:
        wait_until(lambda: MOMENTS[moment](store, out) or demo.poll() is not None)
        assert demo.poll() is None
        server = server_of(store)
        demo.kill()
        demo.wait()
    wait_until(lambda: server is None or not alive(server))
    assert server_of(store) is None
    assert verified(store)
    with Workspace.open(store / "demo", settings=StationSettings()) as workspace:
        assert workspace.recovery.missing_blobs == ()
    assert check_store(store / "demo").consistent


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_a_demo_stopped_by_ctrl_c_stops_its_server(small_set: PartsFolder, tmp_path: Path) -> None:
    out, store = tmp_path / "out", tmp_path / "store"
    with started_demo(small_set, out, store) as demo:
        wait_until(lambda: (store / "demo" / "server" / "server.json").exists() or demo.poll() is not None)
        server = server_of(store)
        assert server is not None
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 130
    wait_until(lambda: not alive(server))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_without_auto_the_person_at_the_keys_decides(small_set: PartsFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders = [str(tmp_path / "store"), str(out), str(small_set.train_good), str(small_set.test)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.at_the_keys", *folders],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["parts"]["total"] == 11
    assert report["parts"]["overruled"] == 0


@contextmanager
def started_demo(parts: PartsFolder, out: Path, store: Path) -> Iterator[subprocess.Popen[bytes]]:
    folders = ["--good", str(parts.train_good), "--test", str(parts.test)]
    log = out.with_suffix(".log")
    with log.open("wb") as written:
        demo = subprocess.Popen(
            [*IMAGEFLOW, "demo", "--auto", *folders, "--out", str(out), "--store", str(store)],
            stdout=written,
            stderr=written,
            env=ENVIRONMENT,
        )
        try:
            yield demo
        finally:
            demo.kill()
            demo.wait()


def verified(store: Path) -> bool:
    """Return whether `imageflow data verify` finds nothing; a store it cannot open fails too."""
    done = subprocess.run(
        [*IMAGEFLOW, "data", "verify", "--store", str(store)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )
    return done.returncode == 0 and not done.stderr


def server_of(store: Path) -> int | None:
    """Return the process id of the demo's server."""
    try:
        return int(json.loads((store / "demo" / "server" / "server.json").read_text(encoding="utf-8"))["pid"])
    except FileNotFoundError:
        return None


def alive(process_id: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be reaped does not."""
    if sys.platform == "linux":
        try:
            state = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state != "Z"
    try:
        os.kill(process_id, 0)
    except OSError:
        return False
    return True


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
