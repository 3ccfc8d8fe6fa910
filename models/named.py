"""Columns that the store derives from names: what a search looks at, and the key by which a name is unique.

They are made here and not by SQL functions, whose idea of case and width differs between SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Connection, Index, String, Text, event, inspect, text
from sqlalchemy.orm import Mapped, MappedAsDataclass, Mapper, mapped_column

from models.names import LONGEST_KEY, folded, key_of

_SEARCH_TEXT = "search_text"
_NAME_KEY = "name_key"
DERIVED = frozenset({_SEARCH_TEXT, _NAME_KEY})
"""The columns derived here; each side of a synchronisation derives its own."""


class Searchable(MappedAsDataclass, kw_only=True, eq=False):
    """A record that lists search by text.

    Attributes:
        searched: the columns whose texts are searched.
        search_text: these texts, folded, one a line; not loaded with the record.
    """

    searched: ClassVar[tuple[str, ...]]

    search_text: Mapped[str] = mapped_column(Text, init=False, default="", server_default="", deferred=True)


class UniquelyNamed(MappedAsDataclass, kw_only=True, eq=False):
    """A record with a name that no other record has in any case or width.

    Attributes:
        unique_name: the column with the name.
        name_key: the folded name; unique among those not deleted.
    """

    unique_name: ClassVar[str]

    name_key: Mapped[str] = mapped_column(String(LONGEST_KEY), init=False, default="", server_default="")


def unique_while_kept(table: str, column: str) -> Index:
    """Return an index that keeps a column unique among the records of a table that are not deleted."""
    kept = text("deleted_at IS NULL")
    return Index(f"uq_{table}_{column}", column, unique=True, sqlite_where=kept, postgresql_where=kept)


def search_text_of(texts: list[str]) -> str:
    """Return what a search looks at."""
    return "\n".join(folded(one) for one in texts)


@event.listens_for(Searchable, "before_insert", propagate=True)
@event.listens_for(Searchable, "before_update", propagate=True)
def _derive_search_text(mapper: Mapper[Any], connection: Connection, record: Searchable) -> None:
    del mapper, connection
    # The column itself counts too: merging a new object over a stored one would empty it.
    if _has_changed(record, *record.searched, _SEARCH_TEXT):
        record.search_text = search_text_of([getattr(record, name) for name in record.searched])


@event.listens_for(UniquelyNamed, "before_insert", propagate=True)
@event.listens_for(UniquelyNamed, "before_update", propagate=True)
def _derive_name_key(mapper: Mapper[Any], connection: Connection, record: UniquelyNamed) -> None:
    del mapper, connection
    given = _has_changed(record, _NAME_KEY) and record.name_key
    if not given and _has_changed(record, record.unique_name, _NAME_KEY):
        record.name_key = key_of(getattr(record, record.unique_name))


def _has_changed(record: object, *names: str) -> bool:
    attributes = inspect(record).attrs
    return any(attributes[name].history.has_changes() for name in names)
