"""``/components``."""

from __future__ import annotations

from fastapi import APIRouter

from inspection.components.registry import component, components
from server.components.schemas import ComponentReply
from server.http.dependencies import ANY_PRINCIPAL
from server.http.paging import Paging
from sync.shared.schemas import Page

router = APIRouter(prefix="/components", tags=["pipelines"], dependencies=ANY_PRINCIPAL)


@router.get("", summary="List processing components")
def list_components(paging: Paging) -> Page[ComponentReply]:
    """Each with the JSON Schema of its parameters; the search looks at name and description."""
    described = [ComponentReply.model_validate(found.describe()) for found in components().values()]
    wanted = paging.search.lower()
    matching = [one for one in described if wanted in f"{one.id} {one.name} {one.description}".lower()]
    start = (paging.page - 1) * paging.page_size
    return Page[ComponentReply](
        items=matching[start : start + paging.page_size],
        total_count=len(matching),
        page=paging.page,
        page_size=paging.page_size,
        total_pages=-(-len(matching) // paging.page_size),
    )


@router.get("/{component_id}", summary="One processing component")
def get_component(component_id: str) -> ComponentReply:
    """With the JSON Schema of its parameters."""
    return ComponentReply.model_validate(component(component_id).describe())
