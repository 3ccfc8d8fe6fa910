"""The screen of refused changes with one, without a server that has refused it."""

from __future__ import annotations

from dataclasses import replace

from app.window.dead_letters.presenter import DeadLettersPresenter
from app.window.presenting.context import StationContext
from models.clock import utc_now
from models.ids import new_id
from models.states import ChangeOperation
from sync.station.dead_letters import DeadLetter


def refused_change(context: StationContext) -> DeadLettersPresenter:
    """Return the screen with a change that the store does not hold, chosen."""
    presenter = DeadLettersPresenter(context)
    letter = DeadLetter(
        new_id(), "inspection_session", new_id(), ChangeOperation.INSERT, {}, utc_now(), 1, "gone", {}, 0
    )
    presenter._show(
        replace(presenter.state, letters=(letter,), chosen_id=letter.change_id, user=context.user, waiting=1)
    )
    return presenter
