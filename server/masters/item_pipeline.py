"""Which pipeline inspects an item; one unit of work a call."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.pipelines import Pipeline
from models.targets import InspectionItem
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.revisions import WHATEVER, Expected
from server.masters.repository import alive
from server.masters.rules import column_values, require_valid
from server.masters.schemas import ItemPipeline, ItemPipelineReply


def get_item_pipeline(context: ServerContext, item_id: str) -> ItemPipelineReply:
    """Return the pipeline of an item; ``NotFound`` ``item-not-found``."""
    with context.database.read() as session:
        item = alive(session, InspectionItem, item_id)
        return _of(session, item)


def set_item_pipeline(
    context: ServerContext, who: Principal, item_id: str, body: ItemPipeline, expected: Expected = WHATEVER
) -> ItemPipelineReply:
    """Give an item its pipeline and parameters.

    Raises:
        NotFound: ``item-not-found``.
        PreconditionFailed: ``revision-mismatch``.
        DoesNotFit: when the pipeline is not there or does not run with these parameters.
    """
    with context.database.transaction(who.user_id) as session:
        item = alive(session, InspectionItem, item_id)
        expected.require(_of(session, item), body)
        chosen = {"pipeline_id": body.pipeline_id, "pipeline_parameters": dict(body.pipeline_parameters)}
        # Checked even when nothing changes: the pipeline may have been deleted meanwhile.
        before = column_values(item)
        require_valid(session, InspectionItem, {**before, **chosen}, chosen.keys())
        for name, value in chosen.items():
            setattr(item, name, value)
        changes = differences(before, chosen)
        if changes:
            audited(session, who, "item.changed", "item", item.id, changes=changes)
        session.flush()
        return _of(session, item)


def _of(session: Session, item: InspectionItem) -> ItemPipelineReply:
    pipeline = session.get(Pipeline, item.pipeline_id) if item.pipeline_id else None
    return ItemPipelineReply(
        item_id=item.id,
        pipeline_id=item.pipeline_id,
        pipeline_version=pipeline.version if pipeline else None,
        pipeline_parameters=item.pipeline_parameters,
    )
