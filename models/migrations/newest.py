"""Whether a database has the newest schema, found without loading Alembic: most starts need no migration."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

NEWEST = "0016"
"""The newest of ``versions/``."""


def has_newest_schema(connection: Connection) -> bool:
    """Return whether the schema is the newest; False for an empty database and for one of a newer version."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    present = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return list(present) == [NEWEST]
