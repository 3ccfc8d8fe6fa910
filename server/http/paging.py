"""The query parameters of lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from server.core.paging import PageQuery

_MOST_PAGES = 1_000_000


async def page_query(
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES, description="Page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, le=500, description="Entries a page.")] = 50,
    search: Annotated[str, Query(max_length=200, description="Text that an entry contains.")] = "",
) -> PageQuery:
    """Return the query parameters of a list."""
    return PageQuery(page, page_size, search.replace("\0", "").strip())


Paging = Annotated[PageQuery, Depends(page_query)]
