"""Run migrations from inside the program: no configuration file, the whole upgrade in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from models.errors import Unavailable

_LOCK = 0x1F10_0001  # PostgreSQL advisory lock number: one replica migrates, the others wait


def scripts() -> ScriptDirectory:
    """Return the directory of schema versions."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to the newest schema, or to an older ``revision``; a cut leaves the old schema whole.

    Raises:
        Unavailable: ``store-newer`` when a newer version of the product wrote it.
    """
    directory = scripts()
    known = {script.revision for script in directory.walk_revisions()}

    def steps(present: tuple[str, ...] | str, context: MigrationContext) -> list[RevisionStep]:
        del context
        return directory._upgrade_revs(revision, present)  # type: ignore[arg-type]  # as Alembic's own command does

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        present = MigrationContext.configure(connection).get_current_heads()
        if not known.issuperset(present):
            raise Unavailable("store-newer")
        if present == tuple(directory.get_heads()):
            return
        with EnvironmentContext(Config(), directory) as environment:
            # Our own transaction spans all versions; Alembic opens none.
            environment.configure(connection=connection, fn=steps, transactional_ddl=False)
            environment.run_migrations()
