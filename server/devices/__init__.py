"""Stations: enrolment, their tokens, the settings handed to them."""
