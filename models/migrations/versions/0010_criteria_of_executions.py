"""The criteria that an execution judges by."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("executions", sa.Column("criteria", models.base.Json, server_default="{}", nullable=False))
