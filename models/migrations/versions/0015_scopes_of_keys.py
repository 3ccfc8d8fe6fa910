"""What API keys are limited to."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("api_keys", sa.Column("scopes", models.base.Json, server_default="[]", nullable=False))
