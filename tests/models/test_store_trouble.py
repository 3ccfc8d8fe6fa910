"""Faults of the database as they are told: a disk without room is no broken disk."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from models.store_trouble import trouble_of

Usage = namedtuple("Usage", ["total", "used", "free"])


def told(monkeypatch, tmp_path, *, free: int | None, url: str = "") -> str | None:
    """Return the code for an I/O error on a disk with so many bytes free; None is a disk that does not answer."""

    def usage(folder: object) -> Usage:
        if free is None:
            raise OSError(5, "Input/output error", str(folder))
        return Usage(10**9, 10**9 - free, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    error = OperationalError("PRAGMA journal_mode=WAL", {}, sqlite3.OperationalError("disk I/O error"))
    trouble = trouble_of(error, make_url(url or f"sqlite:///{tmp_path / 'store.sqlite3'}"))
    return trouble and trouble.code


@pytest.mark.parametrize(("free", "code"), [(0, "disk-full"), (10**8, "disk-failing"), (None, "disk-failing")])
def test_an_input_error_is_a_full_disk_where_nothing_is_free(monkeypatch, tmp_path, free, code):
    assert told(monkeypatch, tmp_path, free=free) == code


def test_the_disk_of_this_machine_says_nothing_of_another_machines_database(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path, free=0, url="postgresql+psycopg://server/store") == "disk-failing"
