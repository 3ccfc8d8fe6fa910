"""``/components``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from server.components import service
from server.components.schemas import ComponentReply
from server.core.paging import PageQuery
from server.http.dependencies import ANY_PRINCIPAL
from server.http.paging import paging_by
from server.http.revisions import Read
from server.http.routes import feature_router
from sync.shared.schemas import Page

router = feature_router(prefix="/components", tags=["pipelines"], dependencies=ANY_PRINCIPAL)
ComponentPaging = Annotated[PageQuery, Depends(paging_by("id", "name"))]


@router.get("", summary="List processing components")
def list_components(paging: ComponentPaging) -> Page[ComponentReply]:
    """Each with the JSON Schema of its parameters; the search looks at name and description."""
    return service.list_components(paging)


@router.get("/{component_id}", summary="One processing component")
def get_component(component_id: str, answer: Read) -> ComponentReply:
    """With the JSON Schema of its parameters."""
    return answer.of(service.get_component(component_id))
