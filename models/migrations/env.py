"""Alembic's own command line ends here: migrations run from inside the program (see ``upgrade.py``)."""

from alembic import context

if context.is_offline_mode():
    raise RuntimeError("Use models.migrations.revise to write a schema version.")
