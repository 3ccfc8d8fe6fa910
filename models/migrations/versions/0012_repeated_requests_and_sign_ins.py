"""Answers to requests that may come again, and failed sign-ins, for all processes of a server together."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "idempotent_requests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("etag", sa.String(length=200), nullable=True),
        sa.Column("begun_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(op.f("ix_idempotent_requests_expires_at"), "idempotent_requests", ["expires_at"])
    op.create_table(
        "sign_in_counts",
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_sign_in_counts")),
    )
    op.create_index(op.f("ix_sign_in_counts_expires_at"), "sign_in_counts", ["expires_at"])
