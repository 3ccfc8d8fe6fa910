"""Registers the screen of refused changes."""

from __future__ import annotations

from app.window.dead_letters.presenter import SCREEN, DeadLettersPresenter
from app.window.dead_letters.screen import DeadLettersScreen
from app.window.feature import Feature

FEATURE = Feature(name=SCREEN, make_presenter=DeadLettersPresenter, make_screen=DeadLettersScreen, needs_user=True)
