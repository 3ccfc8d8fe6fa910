"""Inspecting parts in tests, and in the processes that tests kill."""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path

from app.station.operations.history import PartSummary
from app.station.operations.inspection import ItemInspection, inspect_item
from app.station.operations.sessions import begin_session
from app.station.operations.users import SignedInUser
from app.station.operations.verification import verify
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.imaging.frames import Frame
from inspection.sources.folder import FolderSource
from models.states import HumanVerdict, Role


def capture(
    workspace: Workspace, operator: SignedInUser, target_id: str, item_id: str, frame: Frame, serial: str = "1"
) -> ItemInspection:
    """Begin a session and inspect its item on ``frame``."""
    begun = begin_session(workspace, operator, target_id=target_id, lot="L1", serial_number=serial)
    return inspect_item(workspace, operator, begun.session_id, item_id, frame)


def agree(workspace: Workspace, operator: SignedInUser, inspection: ItemInspection) -> PartSummary:
    """Let the operator decide as the machine."""
    verdict = HumanVerdict(inspection.verdict.value)
    return verify(workspace, operator, inspection.session_id, verdict, ai_result_id=inspection.ai_result_id)


def main(store: str, target_id: str, item_id: str, user_id: str, images: str, left_open: str = "") -> None:
    """Inspect parts until killed; a line on standard output for each that is stored.

    With ``left_open`` only the part with that serial number is inspected, nobody decides on it, and the process waits.
    """
    operator = SignedInUser(user_id, "operator", "operator", Role.INSPECTOR, "en", online=False)
    with Workspace.open(Path(store), settings=StationSettings()) as workspace:
        if left_open:
            with FolderSource(Path(images)) as source:
                frame = source.read()
            assert frame is not None
            _print(capture(workspace, operator, target_id, item_id, frame, left_open))
            threading.Event().wait()
        for number in itertools.count(1):
            with FolderSource(Path(images)) as source:
                while (frame := source.read()) is not None:
                    found = capture(workspace, operator, target_id, item_id, frame, f"{number}-{frame.sequence}")
                    agree(workspace, operator, found)
                    _print(found)


def _print(found: ItemInspection) -> None:
    sys.stdout.write(f"{found.session_id} {found.image_sha256}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
