"""Environment variables that look like settings of the product and are none are reported, not passed over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.core.settings import ServerSettings

_PREFIX, _PREFIX_OF_SERVER = "IMAGEFLOW_", "IMAGEFLOW_SERVER_"
_READ_ELSEWHERE = frozenset({"IMAGEFLOW_DATA", "IMAGEFLOW_BENCH_DETECTOR", "IMAGEFLOW_PROOF_KILLS"})
"""Of benchmarks and tests, which read them by themselves."""
_LANGUAGE = frozenset({"IMAGEFLOW_LANGUAGE"})


def warn_of_unknown_variables() -> None:
    """Report the variables that are no setting of a station, of the inspection engine or of the benchmarks.

    Those that begin as the server's do are left to ``server_settings``: other commands load nothing of the server.
    """
    given = {name for name in _given() if not name.startswith(_PREFIX_OF_SERVER)}
    if given <= _READ_ELSEWHERE | _LANGUAGE:
        return  # Most commands begin so, and need not wait for the settings.
    known = _READ_ELSEWHERE | _of_station()
    if not given <= known:
        _warn(given, known | _of_server())


def server_settings(**given: Any) -> ServerSettings:
    """Return the server's settings as ``load_settings`` does, and report variables of a server that are none of them.

    Raises:
        InvalidInput: as ``load_settings``.
    """
    from server.core.settings_loading import load_settings

    settings = load_settings(**given)
    _warn({name for name in _given() if name.startswith(_PREFIX_OF_SERVER)}, _of_server())
    return settings


def _given() -> set[str]:
    """Return the names of the product's variables as the settings read them, whatever their case."""
    return {name for name in map(str.upper, os.environ) if name.startswith(_PREFIX)}


def _of_station() -> frozenset[str]:
    from app.station.settings import StationSettings
    from inspection.runtime.settings import InspectionSettings

    names = {*StationSettings.model_fields, *InspectionSettings.model_fields}
    return frozenset(f"{_PREFIX}{name.upper()}" for name in names)


def _of_server() -> frozenset[str]:
    from server.core.settings import PREFIX, ServerSettings

    return frozenset(f"{PREFIX}{name.upper()}" for name in ServerSettings.model_fields)


def _warn(given: set[str], known: frozenset[str]) -> None:
    from app.command_line import warn_about
    from models.messages import LocalText
    from models.misspelt import unknown_settings

    for found in unknown_settings(given, known, LocalText.of("value-environment", {})):
        warn_about(found)
