"""The registered processing components, as the server shows them; loaded when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.names import folded
from server.components.schemas import ComponentReply
from server.core.paging import PageQuery
from server.services.service import service_of
from sync.shared.schemas import Page

if TYPE_CHECKING:
    from inspection.components.registry import Component


def list_components(wanted: PageQuery) -> Page[ComponentReply]:
    """Return a page of components; the search looks at id, name and description."""
    from inspection.components.registry import components

    described = [_reply(found) for found in components().values()]
    search = folded(wanted.search)
    matching = [one for one in described if search in folded(f"{one.id} {one.name} {one.description}")]
    if wanted.sort:
        matching.sort(key=lambda one: str(getattr(one, wanted.sorted_by)), reverse=wanted.descends)
    start = (wanted.page - 1) * wanted.page_size
    return Page[ComponentReply](
        items=matching[start : start + wanted.page_size],
        total_count=len(matching),
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-len(matching) // wanted.page_size),
    )


def get_component(component_id: str) -> ComponentReply:
    """Return one component; ``NotFound`` when there is none of this id."""
    from inspection.components.registry import component

    return _reply(component(component_id))


def _reply(found: Component) -> ComponentReply:
    service = service_of(found.name)
    runs_in = ["local"] if service is None else ["local", service]
    return ComponentReply.model_validate({**found.describe(), "runs_in": runs_in})
