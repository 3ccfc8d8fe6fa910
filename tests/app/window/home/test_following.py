"""The home screen follows what others change of the masters while it is shown."""

from __future__ import annotations

from app.station.operations.thresholds import set_item_threshold
from app.station.workspace import Workspace
from app.window.widgets.score_histogram import ScoreHistogram
from models.targets import Target
from models.tracking import remote_changes
from tests.support.station import Station
from tests.support.user_robot import UserRobot


def test_a_threshold_set_by_another_program_moves_in_the_histogram(robot: UserRobot, station: Station) -> None:
    robot.sign_in()
    robot.until(lambda: robot.home.state.scores)
    before = robot.home.state.scores
    assert before is not None
    with Workspace.open(station.store, exclusive=False) as other:
        set_item_threshold(other, station.engineer, station.item_id, before.threshold + 1.5, "seen on the line")
    robot.until(lambda: robot.home.state.scores != before)
    assert robot.home.state.scores is not None
    assert robot.home.state.scores.threshold == before.threshold + 1.5
    chart = robot.window.window.findChild(ScoreHistogram)
    assert f"{before.threshold + 1.5:.2f}" in chart.accessibleName()


def test_a_target_that_synchronisation_brings_is_offered_at_once(robot: UserRobot) -> None:
    robot.sign_in()
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        session.add(Target(code="NEW", name="New", rev=99))
    robot.until(lambda: "NEW" in {target.code for target in robot.home.state.targets})
    assert robot.home.state.target_id == robot.station.target_id


def test_what_did_not_change_is_not_read_again(robot: UserRobot) -> None:
    robot.sign_in()
    robot.until(lambda: robot.home.state.scores)
    robot.until(lambda: robot.window.workers.is_idle)
    shown = []
    robot.home.changed.connect(shown.append)
    robot.home.poll()
    robot.until(lambda: robot.window.workers.is_idle)
    assert shown == []
