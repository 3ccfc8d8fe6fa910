"""Registers enrolment."""

from __future__ import annotations

from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.enrolment.screen import EnrolmentScreen
from app.window.feature import Feature

FEATURE = Feature(name="enrolment", make_presenter=EnrolmentPresenter, make_screen=EnrolmentScreen)
