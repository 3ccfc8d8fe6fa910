"""Releases of models to stations, and what a station found when it checked one."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    states = sa.Enum("draft", "staged", "released", "rolled_back", name="releasestate", native_enum=False, length=32)
    op.create_table(
        "model_releases",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("replaces_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("stations", models.base.Json, nullable=False),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.Column("released_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("field_clocks", models.base.Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("clock", sa.String(length=96), nullable=False),
        sa.Column("extra", models.base.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["inspection_items.id"], name=op.f("fk_model_releases_item_id_inspection_items")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model_files.id"], name=op.f("fk_model_releases_model_id_model_files")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["model_files.id"], name=op.f("fk_model_releases_replaces_id_model_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_releases")),
    )
    op.create_index(op.f("ix_model_releases_item_id"), "model_releases", ["item_id"])
    op.create_table(
        "release_checks",
        sa.Column("release_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("checked_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release_checks")),
    )
