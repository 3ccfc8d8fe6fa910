"""Users who made the two values of a conflict, apart from their stations."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    with op.batch_alter_table("sync_conflicts") as table:
        table.add_column(sa.Column("kept_user", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("lost_user", sa.String(length=64), nullable=True))
