"""Search and uniqueness of names without regard to case and width.

Names from before that differ in case or width alone keep their text. Of such records the oldest gets the plain key;
each other one gets a key of its own, and is found by its exact name.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.named import search_text_of
from models.names import key_of, set_apart

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEARCHED: dict[str, tuple[str, ...]] = {
    "users": ("username", "display_name"),
    "targets": ("code", "name", "description"),
    "defect_classes": ("code", "name_en", "name_ja"),
    "inspection_items": ("name", "description"),
    "pipelines": ("name", "description"),
    "inspection_sessions": ("lot", "serial_number"),
    "devices": ("name", "id"),
    "api_keys": ("name",),
}
_NAMED = {"users": "username", "targets": "code", "defect_classes": "code"}
_PAGE = 1_000


def upgrade() -> None:
    """Apply this version."""
    for table, searched in _SEARCHED.items():
        op.add_column(table, sa.Column("search_text", sa.Text(), server_default="", nullable=False))
        _fill_search_text(table, searched)
    for table, name in _NAMED.items():
        op.add_column(table, sa.Column("name_key", sa.String(length=255), server_default="", nullable=False))
        _fill_name_key(table, name)
        kept = sa.text("deleted_at IS NULL")
        op.create_index(
            f"uq_{table}_name_key", table, ["name_key"], unique=True, sqlite_where=kept, postgresql_where=kept
        )


def _fill_search_text(table: str, searched: Sequence[str]) -> None:
    columns = sa.table(table, sa.column("id"), sa.column("search_text"), *(sa.column(name) for name in searched))
    after = ""
    while True:
        query = sa.select(columns).where(columns.c.id > after).order_by(columns.c.id).limit(_PAGE)
        rows = op.get_bind().execute(query).mappings().all()
        if not rows:
            return
        texts = [{"of_id": row["id"], "found_by": search_text_of([row[name] for name in searched])} for row in rows]
        change = sa.update(columns).where(columns.c.id == sa.bindparam("of_id"))
        op.get_bind().execute(change.values(search_text=sa.bindparam("found_by")), texts)
        after = rows[-1]["id"]


def _fill_name_key(table: str, name: str) -> None:
    columns = sa.table(table, *(sa.column(column) for column in ("id", "name_key", "deleted_at", name)))
    taken: set[str] = set()
    # Ids of version 7 begin with the time, so the oldest record comes first, the same one on every computer.
    for row in op.get_bind().execute(sa.select(columns).order_by(columns.c.id)).mappings().all():
        key = key_of(row[name])
        if row["deleted_at"] is None:
            if key in taken:
                key = set_apart(key, row["id"])
            taken.add(key)
        op.get_bind().execute(sa.update(columns).where(columns.c.id == row["id"]).values(name_key=key))
