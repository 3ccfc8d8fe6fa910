"""Sensor anomaly models, and the streams of machines that are scored with them."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    statuses = sa.Enum("training", "ready", "failed", name="sensormodelstatus", native_enum=False, length=32)
    methods = sa.Enum("percentile", "automatic", "manual", name="thresholdmethod", native_enum=False, length=32)
    op.create_table(
        "sensor_models",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sensor", sa.String(length=64), nullable=False),
        sa.Column("status", statuses, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("columns", models.base.Json, nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("threshold_method", methods, nullable=False),
        sa.Column("threshold_percent", sa.Double(), nullable=True),
        sa.Column("learned_sha256", sa.String(length=64), nullable=False),
        sa.Column("learning", sa.LargeBinary(), nullable=True),
        sa.Column("rows_learned", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("heartbeat_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("error_values", models.base.Json, nullable=False),
        sa.Column("findings", models.base.Json, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("search_text", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor_models")),
    )
    op.create_index(op.f("ix_sensor_models_learned_sha256"), "sensor_models", ["learned_sha256"], unique=False)
    op.create_index("ix_sensor_models_sensor_active", "sensor_models", ["sensor", "active"], unique=False)
    op.create_index(op.f("ix_sensor_models_sha256"), "sensor_models", ["sha256"], unique=False)
    op.create_table(
        "sensor_streams",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("newest", sa.Double(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("anomalies", sa.BigInteger(), nullable=False),
        sa.Column("last_status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["sensor_models.id"], name=op.f("fk_sensor_streams_model_id_sensor_models")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor_streams")),
    )
    op.create_index(op.f("ix_sensor_streams_model_id"), "sensor_streams", ["model_id"], unique=False)
