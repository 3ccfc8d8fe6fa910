"""The operator's day on the operations alone, without any window; what the window does, step by step."""

from __future__ import annotations

from collections.abc import Callable

from app.demo.operator import decide
from app.demo.scenario import Scenario
from app.demo.server_setup import ENGINEER, OPERATOR
from app.station.operations.enrolment import enrol
from app.station.operations.inspection import inspect_item
from app.station.operations.sessions import begin_session
from app.station.operations.sign_in import sign_in, sign_out
from app.station.operations.sync_status import sync_now
from app.station.operations.training import train_item_model
from app.station.operations.users import SignedInUser
from app.station.operations.verification import verify
from inspection.anomaly import TrainingProgress
from inspection.imaging.frames import Frame
from inspection.sources.base import ImageSource
from models.errors import UnreadableImage
from models.results import MarkedDefect


def run_headless(scenario: Scenario, on_training: Callable[[TrainingProgress], None] | None = None) -> int | None:
    """Enrol, train, inspect every part with the scripted operator; the server is stopped half-way.

    Returns:
        After how many parts the server was stopped.

    Raises:
        UserFacingError: when a step fails.
    """
    workspace = scenario.open_station()
    setup = scenario.setup
    enrol(workspace, server_url=scenario.server_url, code=setup.code, name="Demo station")
    sync_now(workspace)
    engineer = sign_in(workspace, ENGINEER, setup.passwords[ENGINEER])
    scenario.trained = train_item_model(
        workspace, engineer, setup.item_id, scenario.parts.train_good, on_progress=on_training
    )
    sign_out(workspace, engineer)
    operator = sign_in(workspace, OPERATOR, setup.passwords[OPERATOR])
    stopped_after: int | None = None
    with scenario.parts.source() as source:
        while not source.ended:
            if stopped_after is None and len(scenario.outcomes) >= scenario.half_way:
                scenario.stop_server()
                stopped_after = len(scenario.outcomes)
            frame = _next(scenario, source)
            if frame is not None:
                _inspect(scenario, operator, frame)
    return stopped_after


def _next(scenario: Scenario, source: ImageSource) -> Frame | None:
    try:
        return source.read()
    except UnreadableImage as error:
        scenario.skip(error)
        return None


def _inspect(scenario: Scenario, operator: SignedInUser, frame: Frame) -> None:
    workspace, part = scenario.workspace, scenario.parts.part_at(frame.path)
    begun = begin_session(
        workspace,
        operator,
        target_id=scenario.setup.target_id,
        lot=part.lot,
        serial_number=part.serial_number,
    )
    inspection = inspect_item(workspace, operator, begun.session_id, scenario.setup.item_id, frame)
    decision = decide(len(scenario.outcomes) + 1, part, inspection.verdict)
    defects = [MarkedDefect(class_name=decision.defect_class)] if decision.defect_class else []
    summary = verify(
        workspace,
        operator,
        begun.session_id,
        decision.verdict,
        ai_result_id=inspection.ai_result_id,
        defects=defects,
        seconds=0.0,
    )
    scenario.keep_overlay(scenario.record(inspection, summary), inspection)
