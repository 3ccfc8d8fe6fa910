"""The demo's output folder: names of what it writes there, and room for a new run's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from app.demo.outcome import PartOutcome
from app.window.features import FEATURES
from models.states import Verdict
from models.storage import cut_to_bytes, make_folder, not_written

REPORT = "report.json"
OVERLAYS = "overlays"
SCREENSHOTS = "screenshots"

OFFLINE = "offline"
"""Begins the names of the screens' pictures taken while the server was away."""
PICTURES = ("home-training", "work-ok", "work-ng")
"""Pictures of moments, besides one of each screen."""

_LONGEST_LABEL = 80
"""Bytes of a label in the name of an overlay, so that every file system takes the name."""
_VERDICTS = "|".join(re.escape(verdict.value) for verdict in Verdict)
_OVERLAY = re.compile(rf"\d{{3,}}_.+_(?:{_VERDICTS})\.png", re.DOTALL)
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{12}\.part", re.DOTALL)


def overlay_name(outcome: PartOutcome) -> str:
    """Return the name of a part's overlay, such as ``007_scratch_NG.png``."""
    label = cut_to_bytes(outcome.label or "unlabelled", _LONGEST_LABEL)
    return f"{outcome.number:03d}_{label}_{outcome.ai_verdict.value}.png"


def screenshot_names() -> frozenset[str]:
    """Return the name of every picture of the window that the demo can take."""
    screens = [*FEATURES, *(f"{OFFLINE}-{screen}" for screen in FEATURES)]
    return frozenset(f"{name}.png" for name in (*screens, *PICTURES))


def begin_output(folder: Path) -> None:
    """Make ``folder`` ready for a new run: the report, overlays and screenshots of an earlier one go, nothing else.

    Files go by the names that the demo itself gives, with what a killed run left unfinished of them.

    Raises:
        Unavailable: ``file-disk-full`` or ``file-not-written`` when a folder cannot be made or a file not be removed.
    """
    screenshots = screenshot_names()
    make_folder(folder)
    _remove(folder, lambda name: name == REPORT)
    for below, is_ours in (
        (OVERLAYS, lambda name: _OVERLAY.fullmatch(name) is not None),
        (SCREENSHOTS, lambda name: name in screenshots),
    ):
        make_folder(folder / below)
        _remove(folder / below, is_ours)


def _remove(folder: Path, is_ours: Callable[[str], bool]) -> None:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise not_written(folder, error) from error
    for entry in entries:
        unfinished = _UNFINISHED.fullmatch(entry.name)
        if is_ours(unfinished["name"] if unfinished else entry.name) and (entry.is_symlink() or entry.is_file()):
            try:
                entry.unlink()
            except OSError as error:
                raise not_written(entry, error) from error
