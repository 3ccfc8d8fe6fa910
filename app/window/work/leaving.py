"""Leaving a part that nobody has decided on."""

from __future__ import annotations

from app.station.operations.users import SignedInUser
from app.window.presenting.context import StationContext
from app.window.presenting.messages import PartLeftOpen
from app.window.presenting.running import Lane, Task
from models.errors import UserFacingError


def cancel_part(context: StationContext, user: SignedInUser, session_id: str) -> None:
    """Cancel a part that ``user`` has left; one that cannot be cancelled is published as left open."""
    workspace = context.workspace

    def cancel(_: Task) -> None:
        from app.station.operations.sessions import cancel_session

        cancel_session(workspace, user, session_id, reason="left by the operator")

    def keep_open(error: UserFacingError) -> None:
        context.report("leave")(error)
        context.publish(PartLeftOpen(session_id))

    context.runner.run(cancel, lane=Lane.DATABASE, on_success=lambda _: None, on_failure=keep_open)
