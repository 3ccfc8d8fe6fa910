"""Who is told of the anomalies of a sensor."""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    severities = sa.Enum("low", "medium", "high", "critical", name="severity", native_enum=False, length=32)
    op.create_table(
        "sensor_alert_settings",
        sa.Column("sensor", sa.String(length=64), nullable=False),
        sa.Column("after_rows", sa.Integer(), nullable=False),
        sa.Column("severity", severities, nullable=False),
        sa.Column("mail", models.base.Json, nullable=False),
        sa.Column("webhooks", models.base.Json, nullable=False),
        sa.Column("line_stop", sa.Boolean(), nullable=False),
        sa.Column("stations", models.base.Json, nullable=True),
        sa.Column("silenced_until", models.base.UtcDateTime(), nullable=True),
        sa.Column("updated_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sensor", name=op.f("pk_sensor_alert_settings")),
    )
