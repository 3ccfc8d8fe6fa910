"""``/audit``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import Role
from server.audit_trail import service
from server.audit_trail.schemas import AuditReply
from server.audit_trail.service import AuditFilter
from server.core.paging import PageQuery
from server.http.dependencies import Context, require
from server.http.paging import paging_by
from server.http.periods import InPeriod
from server.http.revisions import Read
from server.http.routes import feature_router
from sync.shared.schemas import DeviceName, NamedId, Page, Text

router = feature_router(prefix="/audit", tags=["audit"])
ADMIN_ONLY = [Depends(require(Role.ADMIN))]
AuditPaging = Annotated[PageQuery, Depends(paging_by("created_at", "actor", "action"))]


async def audit_filter(
    period: InPeriod,
    device_id: Annotated[
        DeviceName | None, Query(max_length=64, description="Only the chain of this station, or of `server`.")
    ] = None,
    actor: Annotated[Text | None, Query(max_length=64, description="Only what this user, station or key did.")] = None,
    action: Annotated[Text | None, Query(max_length=64, description="Only this action.")] = None,
    subject: Annotated[Text | None, Query(max_length=64, description="Only this kind of record.")] = None,
    subject_id: Annotated[Text | None, Query(max_length=64, description="Only this record.")] = None,
) -> AuditFilter:
    """Return which entries a list shows."""
    return AuditFilter(period, device_id, actor, action, subject, subject_id)


@router.get("", summary="List audit entries", dependencies=ADMIN_ONLY)
def list_entries(
    context: Context, paging: AuditPaging, wanted: Annotated[AuditFilter, Depends(audit_filter)]
) -> Page[AuditReply]:
    """Administrators only; newest first. `imageflow data verify` checks that no entry was changed or left out."""
    return service.list_entries(context, wanted, paging)


@router.get("/{entry_id}", summary="One audit entry", dependencies=ADMIN_ONLY)
def get_entry(entry_id: NamedId, context: Context, answer: Read) -> AuditReply:
    """Administrators only."""
    return answer.of(service.get_entry(context, entry_id))
