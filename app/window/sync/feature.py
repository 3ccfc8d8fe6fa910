"""Registers the sync page, with its chip in the bar at the top."""

from __future__ import annotations

from app.window.feature import Feature
from app.window.sync.chip import SyncChip
from app.window.sync.presenter import SCREEN, SyncPresenter
from app.window.sync.screen import SyncScreen

FEATURE = Feature(
    name=SCREEN,
    make_presenter=SyncPresenter,
    make_screen=SyncScreen,
    function_key="F4",
    make_status=SyncChip,
)
