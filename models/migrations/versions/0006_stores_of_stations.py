"""The stores that give themselves out as a station, and masters that stations offer after a restore."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("devices", sa.Column("succeeds_id", sa.String(length=36), nullable=True))
    op.create_table(
        "device_stores",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("lease", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_stores")),
    )
    op.create_index(op.f("ix_device_stores_device_id"), "device_stores", ["device_id"])
    op.create_table(
        "offered_masters",
        sa.Column("entity", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("clock", sa.String(length=96), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("offered_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("taken_at", models.base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("entity", "entity_id", name=op.f("pk_offered_masters")),
    )
