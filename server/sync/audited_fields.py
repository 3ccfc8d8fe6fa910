"""What the audit trail keeps of a pushed change: values that this version knows, of all others the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.pipelines import StationConfig
from models.synced import Synced, wire_fields
from sync.shared.station_config import known_settings

_Changes = dict[str, dict[str, Any]]
_KNOWN_MEMBERS: dict[tuple[type[Synced], str], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    (StationConfig, "settings"): known_settings,
}
"""JSON columns that take members of newer versions → what returns those that this version knows."""


def known_changes(record_type: type[Synced], changes: _Changes) -> tuple[_Changes, tuple[str, ...]]:
    """Return the changes whose values are known, and the names of the others, a member as ``column.member``.

    A value that is not known may be a secret.

    Args:
        record_type: of the changed record.
        changes: as ``differences``.
    """
    columns = wire_fields(record_type)
    known: _Changes = {}
    unknown: list[str] = []
    for name, change in changes.items():
        known_members = _KNOWN_MEMBERS.get((record_type, name))
        if name not in columns:
            unknown.append(name)
        elif known_members is None:
            known[name] = change
        else:
            kept = {side: None if value is None else known_members(value) for side, value in change.items()}
            if kept["old"] != kept["new"]:
                known[name] = kept
            old, new = change["old"] or {}, change["new"] or {}
            differing = {member for member in old.keys() | new.keys() if old.get(member) != new.get(member)}
            unknown += [f"{name}.{member}" for member in differing - known_members(dict.fromkeys(differing)).keys()]
    return known, tuple(sorted(unknown))
