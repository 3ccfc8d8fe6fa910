"""The query parameters of lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from server.core.paging import PageQuery

_MOST_PAGES = 1_000_000
_MOST_ENTRIES = 500 * _MOST_PAGES


async def page_query(
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES, description="Page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, le=500, description="Entries a page.")] = 50,
    search: Annotated[str, Query(max_length=200, description="Text that an entry contains.")] = "",
) -> PageQuery:
    """Return the query parameters of a list."""
    return PageQuery(page, page_size, search.replace("\0", "").strip())


async def page_or_offset_query(
    paged: Annotated[PageQuery, Depends(page_query)],
    limit: Annotated[int | None, Query(ge=1, le=500, description="Entries, in place of `page_size`.")] = None,
    offset: Annotated[
        int | None, Query(ge=0, le=_MOST_ENTRIES, description="Entries to pass over, in place of `page`.")
    ] = None,
) -> PageQuery:
    """Return the query parameters of a list whose clients may count entries in place of pages."""
    if limit is None and offset is None:
        return paged
    size, skipped = limit or paged.page_size, offset or 0
    return PageQuery(skipped // size + 1, size, paged.search, skipped)


PagingOrOffset = Annotated[PageQuery, Depends(page_or_offset_query)]
Paging = Annotated[PageQuery, Depends(page_query)]
