"""Write the next schema version from the difference between the records and the newest version.

For developers: ``python -m models.migrations.revise "what changes" 0002``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON

import models.records  # noqa: F401 - completes the metadata
from models.base import Base, UtcDateTime
from models.database import Database

_HEADER = '''"""{message}."""

import sqlalchemy as sa
from alembic import op
import models.base

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
'''


def _render_item(kind: str, value: Any, context: Any) -> str | Literal[False]:
    del context
    if kind == "type" and isinstance(value, UtcDateTime):
        return "models.base.UtcDateTime()"
    if kind == "type" and isinstance(value, JSON):
        return "models.base.Json"
    return False


def write_revision(message: str, revision: str) -> Path:
    """Compare, write ``versions/<revision>_<message>.py`` and return its path."""
    from models.migrations.upgrade import scripts

    with tempfile.TemporaryDirectory() as folder:
        database = Database.at(Path(folder) / "compare.sqlite3")
        heads = scripts().get_heads()
        if heads:
            database.migrate()
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            difference = produce_migrations(context, Base.metadata)
            if difference.upgrade_ops is None:
                raise RuntimeError("Alembic gave no difference")
            body = render_python_code(difference.upgrade_ops, render_item=_render_item, migration_context=context)
        database.close()
    down = repr(heads[0]) if heads else "None"
    text = _HEADER.format(message=message, revision=revision, down=down)
    path = Path(__file__).parent / "versions" / f"{revision}_{message.lower().replace(' ', '_')}.py"
    path.write_text(text + "    " + body.strip() + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_revision(sys.argv[1], sys.argv[2])}\n")
