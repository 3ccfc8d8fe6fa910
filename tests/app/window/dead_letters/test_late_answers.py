"""The question why a change is given up, answered late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.station.operations import dead_letters
from app.station.workspace import Workspace
from app.window.presenting.context import StationContext
from app.window.presenting.running import Lane
from models.ids import new_id
from sync.station.dropping import Consequences
from tests.support.presenters import LateRunner, Start
from tests.support.refused_changes import refused_change
from tests.support.station import Station


@pytest.mark.parametrize("same_person", [True, False])
def test_the_question_why_is_asked_of_the_person_who_wants_to_give_up_alone(
    workspace: Workspace, station: Station, monkeypatch: pytest.MonkeyPatch, same_person: bool
) -> None:
    monkeypatch.setattr(dead_letters, "what_goes_with", lambda *_: Consequences(0, {}))
    runner = LateRunner(Lane.DATABASE)
    context = StationContext(workspace, runner)
    context.register("start", Start(context), needs_user=False)
    context.sign_in(station.engineer)
    presenter = refused_change(context)
    presenter.ask_why()
    context.sign_out()
    context.sign_in(station.engineer if same_person else replace(station.engineer, user_id=new_id()))
    runner.end()
    assert presenter.state.dropping is same_person
