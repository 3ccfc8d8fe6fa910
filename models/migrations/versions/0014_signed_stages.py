"""Signatures of the stages that releases of models are in."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    with op.batch_alter_table("model_releases") as table:
        table.add_column(sa.Column("stage_signature", sa.String(length=128), server_default="", nullable=False))
