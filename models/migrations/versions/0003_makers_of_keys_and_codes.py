"""Who made keys and enrolment codes, codes that are withdrawn, and generations of a station's tokens.

The audit trail says who made the keys and codes of before. A key whose maker may no longer make keys is revoked, as it
would have been with its maker's access; one that was made at the server's command line, or by another key, stays.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

import models.base
from models.clock import utc_now
from models.named import search_text_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AUDIT = sa.table(
    "audit_entries",
    sa.column("device_id"),
    sa.column("created_at", models.base.UtcDateTime()),
    sa.column("actor"),
    sa.column("action"),
    sa.column("subject_id"),
    sa.column("detail", models.base.Json),
)
_USERS = sa.table(
    "users",
    sa.column("id"),
    sa.column("username"),
    sa.column("role"),
    sa.column("active", sa.Boolean()),
    sa.column("created_at", models.base.UtcDateTime()),
    sa.column("deleted_at", models.base.UtcDateTime()),
)
_MADE: dict[str, str] = {"api_keys": "name", "enrolment_codes": "device_name"}
_SERVER = "server"


def upgrade() -> None:
    """Apply this version."""
    op.add_column("devices", sa.Column("token_generation", sa.Integer(), server_default="0", nullable=False))
    op.add_column("enrolment_codes", sa.Column("device_id", sa.String(length=36), nullable=True))
    op.add_column("enrolment_codes", sa.Column("withdrawn_at", models.base.UtcDateTime(), nullable=True))
    op.add_column("enrolment_codes", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    for table, name in _MADE.items():
        op.add_column(table, sa.Column("created_by", sa.String(length=64), server_default="", nullable=False))
        op.add_column(table, sa.Column("created_by_id", sa.String(length=36), nullable=True))
        op.create_index(f"ix_{table}_created_by_id", table, ["created_by_id"])
        _name_makers(table, name)
    _name_stations_of_codes()
    _revoke_keys_of_former_administrators()


def _entries(action: str) -> list[Any]:
    query = sa.select(_AUDIT).where(_AUDIT.c.action == action, _AUDIT.c.device_id == _SERVER)
    return list(op.get_bind().execute(query).mappings())


def _name_makers(table: str, name: str) -> None:
    columns = ("id", name, "created_by", "created_by_id", "search_text")
    made = sa.table(table, *(sa.column(column) for column in columns))
    action = "key.created" if table == "api_keys" else "enrolment-code.created"
    entries = {entry["subject_id"]: entry for entry in _entries(action)}
    for row in op.get_bind().execute(sa.select(made)).mappings().all():
        entry = entries.get(row["id"])
        maker = entry["actor"] if entry is not None else ""
        values = {
            "created_by": maker,
            "created_by_id": _user_of(maker, entry["created_at"]) if entry is not None else None,
            "search_text": search_text_of([row[name], maker]),
        }
        op.get_bind().execute(sa.update(made).where(made.c.id == row["id"]).values(values))


def _user_of(name: str, moment: datetime) -> str | None:
    """Return the user who had a name at a moment: a name is free again when its user is deleted."""
    query = sa.select(_USERS.c.id).where(
        _USERS.c.username == name,
        _USERS.c.created_at <= moment,
        sa.or_(_USERS.c.deleted_at.is_(None), _USERS.c.deleted_at >= moment),
    )
    found: str | None = op.get_bind().execute(query.limit(1)).scalar()
    return found


def _name_stations_of_codes() -> None:
    codes = sa.table("enrolment_codes", sa.column("id"), sa.column("device_id"))
    for entry in _entries("device.enrolled"):
        change = sa.update(codes).where(codes.c.id == entry["detail"].get("enrolment_code_id", ""))
        op.get_bind().execute(change.values(device_id=entry["subject_id"]))


def _revoke_keys_of_former_administrators() -> None:
    keys = sa.table("api_keys", sa.column("created_by_id"), sa.column("revoked_at", models.base.UtcDateTime()))
    makers = sa.select(_USERS.c.id).where(
        _USERS.c.role == "admin", _USERS.c.active.is_(True), _USERS.c.deleted_at.is_(None)
    )
    former = keys.c.created_by_id.is_not(None) & keys.c.created_by_id.not_in(makers)
    op.get_bind().execute(sa.update(keys).where(former, keys.c.revoked_at.is_(None)).values(revoked_at=utc_now()))
