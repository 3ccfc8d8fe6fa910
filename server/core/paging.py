"""Pages of lists: which part is asked for, and the one envelope that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.database import Database
from models.named import Searchable
from models.names import folded
from sync.shared.schemas import Page

ReplyT = TypeVar("ReplyT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is asked for.

    Attributes:
        page: from 1.
        page_size: entries of a page.
        search: text that an entry contains.
        offset: entries to pass over, where the client counts entries and not pages.
        sort: a member of the reply that the list is ordered by, ``-`` before it for the other direction; empty is the
            list's own order.
    """

    page: int
    page_size: int
    search: str
    offset: int | None = None
    sort: str = ""

    @property
    def sorted_by(self) -> str:
        """The member that the list is ordered by."""
        return self.sort.removeprefix("-")

    @property
    def descends(self) -> bool:
        """Whether the largest comes first."""
        return self.sort.startswith("-")

    @property
    def skipped(self) -> int:
        """Entries before the first one that is asked for."""
        return (self.page - 1) * self.page_size if self.offset is None else self.offset


def matching(search: str, record: type[Searchable]) -> ColumnElement[bool]:
    """Return the condition that a searched column contains ``search``, in any case and width."""
    return record.search_text.contains(folded(search), autoescape=True)


def searched(query: Select[Any], search: str, record: type[Searchable]) -> Select[Any]:
    """Return a query for those of its records that contain ``search``; for all of them when it is empty."""
    return query.where(matching(search, record)) if search else query


def named(session: Session, query: Select[Any], record: type[Any], search: str) -> Select[Any]:
    """Return a query for those of its records whose name contains ``search``, in any case and width.

    For kinds without ``search_text``, of which there are some thousands at most: their names are compared here.

    Args:
        session: reads the names.
        query: selects records of the kind ``record``.
        record: kind of the records, with an id and a name.
        search: empty for all of them.
    """
    if not search:
        return query
    wanted = folded(search)
    names = session.execute(query.order_by(None).with_only_columns(record.id, record.name)).all()
    return query.where(record.id.in_([row.id for row in names if wanted in folded(row.name)]))


def in_order(query: Select[Any], record: type[Any], wanted: PageQuery) -> Select[Any]:
    """Return a query in the order that is asked for, else in its own; what has no value comes last.

    Args:
        query: selects records in a complete order.
        record: kind of the records; each column that lists may be ordered by has the name of a member of the reply.
        wanted: with the order.
    """
    if not wanted.sort:
        return query
    column = getattr(record, wanted.sorted_by)
    direction = column.desc() if wanted.descends else column.asc()
    return query.order_by(None).order_by(direction.nulls_last(), record.id)


@dataclass(frozen=True, slots=True)
class PageStatements(Generic[ReplyT]):
    """The two statements of a list, made once for a list that is asked for often: building them costs as much as a run.

    Attributes:
        rows: one page, with the parameters ``limit`` and ``offset``.
        count: all rows.
        page: wire form of a page.
    """

    rows: Select[Any]
    count: Select[int]
    page: type[Page[ReplyT]]

    @classmethod
    def of(cls, query: Select[Any], reply: type[ReplyT], wanted: PageQuery | None = None) -> PageStatements[ReplyT]:
        """Return the statements of an ordered query.

        Only the columns of the reply are read, and no records are made of them: three quarters of a list's time.

        Args:
            query: selects records; its order is complete, so that pages do not overlap.
            reply: wire form of a record; its members have the names of columns.
            wanted: with the order that is asked for.
        """
        record = query.column_descriptions[0]["entity"]
        query = query if wanted is None else in_order(query, record, wanted)
        columns = query.with_only_columns(*(getattr(record, name) for name in reply.model_fields))
        counted = select(func.count()).select_from(query.order_by(None).subquery())
        return cls(columns.limit(bindparam("limit")).offset(bindparam("offset")), counted, Page[reply])  # type: ignore[valid-type]  # pydantic makes the class from the value


def fetch_page(reader: Session | Connection, statements: PageStatements[ReplyT], wanted: PageQuery) -> Page[ReplyT]:
    """Read one page of a list and count the whole; the count is read only where the page does not tell it."""
    offset = wanted.skipped
    found = reader.execute(statements.rows, {"limit": wanted.page_size, "offset": offset}).mappings().all()
    total = offset + len(found)
    if len(found) == wanted.page_size or (offset and not found):
        total = reader.scalar(statements.count) or 0
    # The page of this very reply: the framework validates a page of anything else once more.
    return statements.page(
        items=[dict(row) for row in found],  # validated here, all in one call
        total_count=total,
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-total // wanted.page_size),
    )


def search_page(
    database: Database, query: Select[Any], record: type[Searchable], reply: type[ReplyT], wanted: PageQuery
) -> Page[ReplyT]:
    """Read one page of the records that contain what is searched for.

    Args:
        database: read in a transaction of its own.
        query: selects records of the kind ``record``; its order is complete, so that pages do not overlap.
        record: kind of the records.
        reply: wire form of a record; its members have the names of columns.
        wanted: which part, and the search.
    """
    statements = PageStatements.of(searched(query, wanted.search, record), reply, wanted)
    with database.read() as session:
        return fetch_page(session, statements, wanted)
