"""Executions of pipelines, their runs and their outputs."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "executions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("pipeline_id", sa.String(length=36), nullable=False),
        sa.Column("pipeline_name", sa.String(length=200), nullable=False),
        sa.Column("pipeline_version", sa.Integer(), nullable=False),
        sa.Column("definition", models.base.Json, nullable=False),
        sa.Column("parameters", models.base.Json, nullable=False),
        sa.Column(
            "priority", sa.Enum("high", "normal", "low", name="priority", native_enum=False, length=32), nullable=False
        ),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                name="executionstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "execution_mode",
            sa.Enum("direct_grpc", "kafka_fallback", name="executionmode", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("idempotency_key", sa.String(length=128), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("processing_time_ms", sa.Double(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_values", models.base.Json, nullable=False),
        sa.Column("cancel_requested_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("worker_id", sa.String(length=64), nullable=True),
        sa.Column("fencing_token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", models.base.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("started_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("ended_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("fk_executions_pipeline_id_pipelines")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("created_by", "idempotency_key", name=op.f("uq_executions_created_by")),
    )
    op.create_index(op.f("ix_executions_ended_at"), "executions", ["ended_at"], unique=False)
    op.create_index(op.f("ix_executions_pipeline_id"), "executions", ["pipeline_id"], unique=False)
    op.create_index(op.f("ix_executions_user_id"), "executions", ["user_id"], unique=False)
    op.create_index("ix_executions_waiting", "executions", ["status", "rank", "id"], unique=False)
    op.create_table(
        "execution_outputs",
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("execution_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "output_kind",
            sa.Enum("picture", "heatmap", "result", name="outputkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["executions.id"],
            name=op.f("fk_execution_outputs_execution_id_executions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_execution_outputs_file_id_stored_files")
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_execution_outputs")),
    )
    op.create_index(op.f("ix_execution_outputs_execution_id"), "execution_outputs", ["execution_id"], unique=False)
    op.create_table(
        "execution_runs",
        sa.Column("execution_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                name="executionstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("verdict", sa.Enum("OK", "NG", name="verdict", native_enum=False, length=32), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_values", models.base.Json, nullable=False),
        sa.Column("steps", models.base.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["executions.id"],
            name=op.f("fk_execution_runs_execution_id_executions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_execution_runs_file_id_stored_files")),
        sa.PrimaryKeyConstraint("execution_id", "position", name=op.f("pk_execution_runs")),
    )
    op.create_index(op.f("ix_execution_runs_file_id"), "execution_runs", ["file_id"], unique=False)
