"""The query parameters of lists."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query

from models.errors import InvalidInput
from models.messages import LocalText
from server.core.paging import PageQuery

_MOST_PAGES = 1_000_000
_MOST_ENTRIES = 500 * _MOST_PAGES


async def page_query(
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES, description="Page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, le=500, description="Entries a page.")] = 50,
    search: Annotated[str, Query(max_length=200, description="Text that an entry contains.")] = "",
) -> PageQuery:
    """Return the query parameters of a list, but its order."""
    return PageQuery(page, page_size, search.replace("\0", "").strip())


def paging_by(*members: str) -> Callable[..., Coroutine[Any, Any, PageQuery]]:
    """Return the dependency of a list that can be ordered by some members of its entries."""
    orders = [f"{direction}{member}" for member in members for direction in ("", "-")]
    text = "Member to order by, `-` before it for the largest first."
    declared = Query(default=None, description=text, json_schema_extra={"enum": list(orders)})

    async def query(
        paged: Annotated[PageQuery, Depends(page_query)],
        sort: str | None = declared,
    ) -> PageQuery:
        if sort is not None and sort not in orders:
            message = LocalText.of("value-enum", {"expected": ", ".join(repr(order) for order in orders)})
            entry = {"field": "sort", "message": message, "value": sort}
            raise InvalidInput("validation-error", members={"validation_errors": [entry]})
        return replace(paged, sort=sort or "")

    return query


def paging_or_offset_by(*members: str) -> Callable[..., Coroutine[Any, Any, PageQuery]]:
    """Return the dependency of a list whose clients may count entries in place of pages; as ``paging_by``."""
    of_pages = Depends(paging_by(*members))

    async def query(
        paged: PageQuery = of_pages,
        limit: Annotated[int | None, Query(ge=1, le=500, description="Entries, in place of `page_size`.")] = None,
        offset: Annotated[
            int | None, Query(ge=0, le=_MOST_ENTRIES, description="Entries to pass over, in place of `page`.")
        ] = None,
    ) -> PageQuery:
        if limit is None and offset is None:
            return paged
        size, skipped = limit or paged.page_size, offset or 0
        return replace(paged, page=skipped // size + 1, page_size=size, offset=skipped)

    return query
