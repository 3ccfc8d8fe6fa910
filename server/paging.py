"""Pages of lists: query parameters in, one envelope out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.schemas.common import Page

RecordT = TypeVar("RecordT")
ReplyT = TypeVar("ReplyT")
_MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is asked for."""

    page: int
    page_size: int
    search: str


def page_query(
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES, description="Page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, le=500, description="Entries a page.")] = 50,
    search: Annotated[str, Query(max_length=200, description="Text that an entry contains.")] = "",
) -> PageQuery:
    """Return the query parameters of a list."""
    return PageQuery(page, page_size, search.replace("\0", "").strip())


Paging = Annotated[PageQuery, Depends(page_query)]


def matching(search: str, columns: Sequence[InstrumentedAttribute[str]]) -> ColumnElement[bool]:
    """Return the condition that one of ``columns`` contains ``search``, whatever its case."""
    return or_(*(column.icontains(search, autoescape=True) for column in columns))


def fetch_page(
    session: Session, query: Select[RecordT], wanted: PageQuery, reply: Callable[[RecordT], ReplyT]
) -> Page[ReplyT]:
    """Run an ordered query for one page and count the whole."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows: Sequence[Any] = session.scalars(
        query.limit(wanted.page_size).offset((wanted.page - 1) * wanted.page_size)
    ).all()
    return Page[Any](
        items=[reply(row) for row in rows],
        total_count=total,
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-total // wanted.page_size),
    )
