"""Registers the screen of open parts."""

from __future__ import annotations

from app.window.feature import Feature
from app.window.open_parts.presenter import SCREEN, OpenPartsPresenter
from app.window.open_parts.screen import OpenPartsScreen

FEATURE = Feature(name=SCREEN, make_presenter=OpenPartsPresenter, make_screen=OpenPartsScreen, needs_user=True)
