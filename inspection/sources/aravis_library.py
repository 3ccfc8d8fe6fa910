"""Loading the system's Aravis library through PyGObject (extra ``genicam``)."""

from __future__ import annotations

import importlib
from typing import Any

from models.errors import Unavailable


def load_aravis() -> tuple[Any, type[Exception]]:
    """Return the Aravis module and the exception that its calls raise.

    Raises:
        Unavailable: ``genicam-packages-missing`` without PyGObject, ``genicam-library-missing`` without Aravis.
    """
    try:
        gi = importlib.import_module("gi")
    except ImportError as error:
        raise Unavailable("genicam-packages-missing", reason=str(error)) from error
    try:
        gi.require_version("Aravis", "0.8")
        aravis = importlib.import_module("gi.repository.Aravis")
        glib = importlib.import_module("gi.repository.GLib")
    except (ImportError, ValueError) as error:
        raise Unavailable("genicam-library-missing", reason=str(error)) from error
    return aravis, glib.Error
