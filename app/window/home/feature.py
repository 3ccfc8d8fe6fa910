"""Registers the home screen."""

from __future__ import annotations

from app.window.feature import Feature
from app.window.home.presenter import HomePresenter
from app.window.home.screen import HomeScreen

FEATURE = Feature(name="home", make_presenter=HomePresenter, make_screen=HomeScreen, needs_user=True)
