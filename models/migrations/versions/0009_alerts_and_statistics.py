"""Alerts, stops of the line, and counts of sessions by day."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "rule_kind",
            sa.Enum(
                "ng_rate", "ng_run", "score_drift", "station_silent", name="alertrulekind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("low", "medium", "high", "critical", name="severity", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("target_id", sa.String(length=36), nullable=True),
        sa.Column("item_id", sa.String(length=36), nullable=True),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("parameters", models.base.Json, nullable=False),
        sa.Column("mail", models.base.Json, nullable=False),
        sa.Column("webhooks", models.base.Json, nullable=False),
        sa.Column("line_stop", sa.Boolean(), nullable=False),
        sa.Column("silenced_until", models.base.UtcDateTime(), nullable=True),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=36), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("open_key", sa.String(length=300), nullable=True),
        sa.Column(
            "severity",
            sa.Enum("low", "medium", "high", "critical", name="severity", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("details", models.base.Json, nullable=False),
        sa.Column("data", models.base.Json, nullable=False),
        sa.Column("raised_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("cleared_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=False),
        sa.Column("silenced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("open_key", name=op.f("uq_alerts_open_key")),
    )
    op.create_index("ix_alerts_raised_at", "alerts", ["raised_at"], unique=False)
    op.create_index("ix_alerts_rule_id", "alerts", ["rule_id"], unique=False)
    op.create_table(
        "counted_sessions",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("counted", models.base.Json, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_counted_sessions")),
    )
    op.create_table(
        "daily_counts",
        sa.Column(
            "count_kind",
            sa.Enum("part", "item", "defect", name="countkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("target_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=False),
        sa.Column("machine", sa.String(length=4), nullable=False),
        sa.Column("person", sa.String(length=4), nullable=False),
        sa.Column("verdict", sa.String(length=4), nullable=False),
        sa.Column("class_name", sa.String(length=300), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "count_kind",
            "day",
            "target_id",
            "device_id",
            "user_id",
            "item_id",
            "machine",
            "person",
            "verdict",
            "class_name",
            name=op.f("pk_daily_counts"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_scores",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("score_sum", sa.BigInteger(), nullable=False),
        sa.Column("square_sum", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "item_id", "device_id", name=op.f("pk_daily_scores")),
    )
    op.create_table(
        "line_stops",
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("details", models.base.Json, nullable=False),
        sa.Column("stopped_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("released_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("field_clocks", models.base.Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("clock", sa.String(length=96), nullable=False),
        sa.Column("extra", models.base.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_stops")),
    )
    op.create_index(op.f("ix_line_stops_alert_id"), "line_stops", ["alert_id"], unique=False)
    op.create_index(op.f("ix_line_stops_device_id"), "line_stops", ["device_id"], unique=False)
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column(
            "event",
            sa.Enum("raised", "cleared", "acknowledged", name="alertevent", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "channel", sa.Enum("mail", "webhook", name="alertchannel", native_enum=False, length=32), nullable=False
        ),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("due_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=64), nullable=False),
        sa.Column("delivered_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("given_up_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_deliveries_alert_id_alerts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
    )
    op.create_index(op.f("ix_alert_deliveries_alert_id"), "alert_deliveries", ["alert_id"], unique=False)
    op.create_index("ix_alert_deliveries_due_at", "alert_deliveries", ["due_at"], unique=False)
