"""Registers the screen of conflicts."""

from __future__ import annotations

from app.window.conflicts.presenter import SCREEN, ConflictsPresenter
from app.window.conflicts.screen import ConflictsScreen
from app.window.feature import Feature

FEATURE = Feature(name=SCREEN, make_presenter=ConflictsPresenter, make_screen=ConflictsScreen, needs_user=True)
