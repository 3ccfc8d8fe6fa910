"""The threshold of a sensor model: seen beside the errors it is chosen from, and moved without training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.sensors import SensorModelRecord, ThresholdMethod
from server.anomaly.repository import model_by_id
from server.anomaly.rules import require_ready
from server.anomaly.schemas import Percentile, ThresholdChange, ThresholdReply
from server.anomaly.service import SUBJECT
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.revisions import WHATEVER, Expected

if TYPE_CHECKING:
    from inspection.sensor import SensorModel

_PERCENTS = (95.0, 96.0, 97.0, 98.0, 99.0)


def get_threshold(context: ServerContext, model_id: str) -> ThresholdReply:
    """Return the threshold of a model with the histogram of the errors.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: ``anomaly-model-not-ready``.
    """
    with context.database.read() as session:
        record = model_by_id(session, model_id)
    require_ready(record.status)
    return _reply(record, context.sensors.load(record.sha256))


def set_threshold(
    context: ServerContext, who: Principal, model_id: str, body: ThresholdChange, expected: Expected = WHATEVER
) -> ThresholdReply:
    """Move the threshold of a model; the rows after it are judged by the new one.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: ``anomaly-model-not-ready``.
        PreconditionFailed: ``revision-mismatch``.
    """
    from inspection.sensor import choose_again

    with context.database.read() as session:
        record = model_by_id(session, model_id)
    require_ready(record.status)
    # Loaded before the transaction: the object store may take its time.
    model = context.sensors.load(record.sha256)
    if body.value is not None:
        method, threshold = ThresholdMethod.MANUAL, body.value
    else:
        method = ThresholdMethod.AUTOMATIC if body.automatic else ThresholdMethod.PERCENTILE
        threshold = choose_again(model, body.percent)
    chosen = {"threshold": threshold, "threshold_method": method, "threshold_percent": body.percent}
    with context.database.local_transaction(who.user_id) as session:
        record = model_by_id(session, model_id, locked=True)
        expected.require(_reply(record, model))
        changes = differences({name: getattr(record, name) for name in chosen}, chosen)
        record.threshold, record.threshold_method, record.threshold_percent = threshold, method, body.percent
        session.flush()
        if changes:
            audited(session, who, f"{SUBJECT}.threshold-changed", SUBJECT, model_id, changes=changes)
        return _reply(record, model)


def _reply(record: SensorModelRecord, model: SensorModel) -> ThresholdReply:
    from inspection.sensor import choose_again

    return ThresholdReply(
        threshold=record.threshold if record.threshold is not None else model.metadata.threshold,
        method=record.threshold_method,
        percent=record.threshold_percent,
        percentiles=[Percentile(percent=percent, threshold=choose_again(model, percent)) for percent in _PERCENTS],
        automatic=choose_again(model, None),
        histogram_counts=model.reference.histogram_counts.tolist(),
        histogram_edges=model.reference.histogram_edges.tolist(),
        held_out=model.metadata.threshold_held_out,
    )
