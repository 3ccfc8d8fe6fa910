"""Who made the two values of a conflict."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    for column in ("kept_by", "lost_by"):
        op.add_column("sync_conflicts", sa.Column(column, sa.String(length=300), server_default="", nullable=False))
