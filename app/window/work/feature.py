"""Registers the work screen."""

from __future__ import annotations

from app.window.feature import Feature
from app.window.work.presenter import WorkPresenter
from app.window.work.screen import WorkScreen
from app.window.work.state import SCREEN

FEATURE = Feature(name=SCREEN, make_presenter=WorkPresenter, make_screen=WorkScreen, needs_user=True)
