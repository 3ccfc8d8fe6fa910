"""Registers sign-in."""

from __future__ import annotations

from app.window.feature import Feature
from app.window.sign_in.presenter import SignInPresenter
from app.window.sign_in.screen import SignInScreen

FEATURE = Feature(name="sign_in", make_presenter=SignInPresenter, make_screen=SignInScreen)
