"""What one person asked for fails when another one is at the station: only the one who asked reads why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.station.operations.open_sessions import OpenPart
from app.station.workspace import Workspace
from app.window.conflicts.presenter import ConflictsPresenter
from app.window.dead_letters.presenter import DeadLettersPresenter
from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.enrolment.state import AnewSetUp
from app.window.open_parts.presenter import OpenPartsPresenter
from app.window.presenting.context import StationContext
from app.window.presenting.running import Lane
from app.window.presenting.state_presenter import StatePresenter
from app.window.sync.presenter import SyncPresenter
from models.clock import utc_now
from models.ids import new_id
from models.states import Verdict
from sync.station.conflicts import ShownConflict, Side
from sync.station.dropping import Consequences
from sync.station.engine import SyncStatus
from sync.station.new_device import HeldCounts
from tests.support.presenters import LateRunner, Start
from tests.support.refused_changes import refused_change
from tests.support.station import NOWHERE, Station

Begin = Callable[[StationContext], StatePresenter[Any]]


def send(context: StationContext) -> DeadLettersPresenter:
    presenter = refused_change(context)
    presenter.send()
    return presenter


def ask_why(context: StationContext) -> DeadLettersPresenter:
    presenter = refused_change(context)
    presenter.ask_why()
    return presenter


def drop(context: StationContext) -> DeadLettersPresenter:
    presenter = refused_change(context)
    presenter._show(replace(presenter.state, goes_along=Consequences(0, {})))
    presenter.drop("not needed")
    return presenter


def take_mine(context: StationContext) -> ConflictsPresenter:
    """Take the station's value of a conflict that the store does not hold."""
    presenter = ConflictsPresenter(context)
    side = Side("Lid", "", False, "", None)
    conflict = ShownConflict(new_id(), "target", new_id(), "", "name", side, side, None, True, utc_now(), None)
    presenter._show(replace(presenter.state, conflicts=(conflict,), chosen_id=conflict.id, user=context.user))
    presenter.take_mine()
    return presenter


def open_part(context: StationContext) -> OpenPartsPresenter:
    """The screen of open parts with one that the store does not hold."""
    presenter = OpenPartsPresenter(context)
    part = OpenPart(new_id(), context.signed_in_user.user_id, "PLATE", "Plate", "1", None, Verdict.OK)
    presenter._show(replace(presenter.state, parts=(part,), chosen_id=part.session_id, user=context.user))
    return presenter


def resume(context: StationContext) -> OpenPartsPresenter:
    presenter = open_part(context)
    presenter.resume()
    return presenter


def cancel(context: StationContext) -> OpenPartsPresenter:
    presenter = open_part(context)
    presenter.cancel()
    return presenter


def synchronise(context: StationContext) -> SyncPresenter:
    """Begin a pass with a server that does not answer."""
    presenter = SyncPresenter(context)
    presenter.sync_now()
    return presenter


def enrol_anew(context: StationContext) -> EnrolmentPresenter:
    """Begin to set the station up at a server that does not answer."""
    presenter = EnrolmentPresenter(context)
    anew = AnewSetUp(HeldCounts({}, 0, 0), SyncStatus(), address=NOWHERE, code="code", asking=True)
    presenter._show(replace(presenter.state, anew=anew))
    presenter.enrol_anew(send_all=False)
    return presenter


BEGUN: list[tuple[Begin, str]] = [
    (send, "dead_letters"),
    (ask_why, "dead_letters"),
    (drop, "dead_letters"),
    (take_mine, "conflicts"),
    (resume, "open_parts"),
    (cancel, "open_parts"),
    (synchronise, "sync"),
    (enrol_anew, "enrolment"),
]


@pytest.fixture
def runner() -> LateRunner:
    return LateRunner(Lane.DATABASE, Lane.NETWORK)


@pytest.fixture
def context(workspace: Workspace, station: Station, runner: LateRunner) -> StationContext:
    """The engineer is signed in."""
    made = StationContext(workspace, runner)
    made.register("start", Start(made), needs_user=False)
    made.sign_in(station.engineer)
    return made


def shown_on(context: StationContext, screen: str) -> str | None:
    """Return what the notice that is shown on a screen is about, None without any."""
    context.notices.show_for(screen)
    return context.notices.shown.about if context.notices.shown is not None else None


@pytest.mark.parametrize(("begin", "about"), BEGUN)
def test_a_late_failure_is_shown_to_nobody_but_the_person_who_asked(
    context: StationContext, runner: LateRunner, station: Station, begin: Begin, about: str
) -> None:
    failures: list[object] = []
    begin(context).failed.connect(failures.append)
    context.sign_out()
    context.sign_in(station.operator)
    runner.lanes.clear()
    runner.end()
    assert len(failures) == 1
    seen = [shown_on(context, about)]
    context.sign_out()
    seen.append(shown_on(context, about))
    context.sign_in(replace(station.engineer, online=not station.engineer.online))
    seen.append(shown_on(context, about))
    assert seen == [None, None, about]


@pytest.mark.parametrize(("begin", "about"), BEGUN)
def test_a_late_failure_is_not_shown_while_nobody_is_signed_in(
    context: StationContext, runner: LateRunner, begin: Begin, about: str
) -> None:
    begin(context)
    context.sign_out()
    runner.lanes.clear()
    runner.end()
    assert shown_on(context, about) is None


@pytest.mark.parametrize(("begin", "about"), BEGUN)
def test_a_failure_is_shown_to_the_person_who_asked(
    context: StationContext, runner: LateRunner, begin: Begin, about: str
) -> None:
    begin(context)
    runner.lanes.clear()
    runner.end()
    assert shown_on(context, about) == about
