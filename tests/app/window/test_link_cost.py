"""What the system says of the link: asked of a NetworkManager on a bus of the tests' own, without a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.network_manager import METERED, NOT_METERED, network_manager

pytestmark = pytest.mark.slow
ASK = "from app.window.link_cost import system_says_metered; print(system_says_metered())"
FOLLOW = """
from PySide6.QtCore import QCoreApplication, QTimer
from app.window.link_cost import LinkCost

application = QCoreApplication([])
QTimer.singleShot(20_000, application.quit)
cost = LinkCost(lambda metered: (print(metered, cost.metered, flush=True), application.quit()))
print(cost.metered, flush=True)
application.exec()
cost.close()
"""


@pytest.mark.parametrize(("metered", "answer"), [(METERED, "True"), (NOT_METERED, "False")])
def test_the_system_is_asked_whether_the_link_is_metered(tmp_path: Path, metered: int, answer: str) -> None:
    with network_manager(tmp_path, metered) as manager:
        asked = subprocess.run(
            [sys.executable, "-c", ASK], env=manager.environment, capture_output=True, text=True, timeout=60, check=True
        )
    assert asked.stdout.split() == [answer]


def test_a_change_of_the_link_is_followed(tmp_path: Path) -> None:
    with (
        network_manager(tmp_path, METERED) as manager,
        subprocess.Popen(
            [sys.executable, "-c", FOLLOW], env=manager.environment, stdout=subprocess.PIPE, text=True
        ) as following,
    ):
        assert following.stdout is not None
        assert following.stdout.readline() == "True\n"
        manager.says(NOT_METERED)
        assert following.stdout.readline() == "False False\n"


def test_a_link_is_not_metered_where_no_system_says_so(tmp_path: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PATH": "", "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert asked.stdout.split()[0] in {"False", "None"}
