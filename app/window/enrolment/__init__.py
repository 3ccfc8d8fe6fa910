"""Enrolment of the station at a server."""
