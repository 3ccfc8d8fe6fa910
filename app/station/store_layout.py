"""The files and folders of a station's store."""

from __future__ import annotations

DATABASE = "station.sqlite3"
BLOBS = "blobs"
LOGS = "logs"
WORK = "work"
"""Unfinished work; whatever is in it when a station starts was left by a crash and is removed."""
LOCK = "station.lock"
