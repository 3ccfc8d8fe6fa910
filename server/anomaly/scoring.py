"""Scores of rows and batches; the arithmetic is that of ``inspection.sensor``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.errors import Conflict, InvalidInput
from models.messages import LocalText
from server.anomaly.schemas import (
    BatchReply,
    BatchRequest,
    BatchResult,
    EpisodeReply,
    EpisodeSensor,
    ScoreReply,
    ScoreRequest,
)
from server.context import ServerContext
from server.sensors.shelf import LoadedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inspection.sensor import Episode, RowScores

_CODES = ("sensor-wrong-length", "sensor-value-infinite", "sensor-too-many-missing")


def score(context: ServerContext, body: ScoreRequest) -> ScoreReply:
    """Return the score of one row.

    Raises:
        NotFound: ``anomaly-no-active-model``, ``anomaly-model-unknown``.
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``, ``sensor-too-many-missing``, naming the field.
        Conflict: ``anomaly-model-of-windows``, whose rows are scored in a stream.
    """
    loaded = find_model(context, body.sensor, body.model)
    if loaded.model.needs_order:
        raise Conflict("anomaly-model-of-windows", window=loaded.model.metadata.window)
    try:
        found = loaded.single_rows.push(body.values)
    except InvalidInput as error:
        raise of_field(error, "values") from error
    explained = {"threshold": found.threshold, "contributions": found.contributions} if body.explain else {}
    reply = ScoreReply(score=found.score, status=found.status, **explained)
    # Last, since a request that fails on the short way is answered again on the long one.
    context.metrics.scores.add(loaded.version.sensor, found.status, 1, found.score, found.threshold)
    context.sensors.runs.note(
        loaded.version.sensor, anomaly=found.status == "anomaly", after=loaded.version.alert_after
    )
    return reply


def score_batch(context: ServerContext, body: BatchRequest) -> BatchReply:
    """Return the scores of a batch, for a model of windows those of the rows of one machine in the order of time.

    Raises:
        NotFound: ``anomaly-no-active-model``, ``anomaly-model-unknown``.
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``, naming the field.
    """
    from inspection.sensor import episodes_of, score_rows

    loaded = find_model(context, body.sensor, body.model)
    model = loaded.model
    values = table_of(body.rows, model.input_dimension)
    try:
        found = score_rows(model, values)
    except InvalidInput as error:
        raise of_field(error, "rows") from error
    threshold = found.threshold
    _count(context, loaded, found)
    results = [_result(score, threshold) for score in found.scores.tolist()]
    episodes = episodes_of(found, model.metadata.hold_off) if model.needs_order else ()
    return BatchReply(
        results=results,
        anomalies=int(found.alarms.sum()),
        threshold=threshold,
        episodes=[_episode(one) for one in episodes],
    )


def _count(context: ServerContext, loaded: LoadedModel, found: RowScores) -> None:
    import numpy as np

    judged = ~np.isnan(found.scores)
    beyond = judged & (found.scores > found.threshold)
    for status, rows in (("normal", judged & ~beyond), ("anomaly", beyond), ("not-judged", ~judged)):
        count = int(rows.sum())
        if count:
            total = 0.0 if status == "not-judged" else float(found.scores[rows].sum())
            context.metrics.scores.add(loaded.version.sensor, status, count, total, found.threshold)


def _episode(episode: Episode) -> EpisodeReply:
    return EpisodeReply(
        start=episode.start,
        end=episode.end,
        peak=episode.peak,
        score=episode.score,
        anomalies=episode.alarms,
        open=episode.open,
        sensors=[EpisodeSensor(column=name, share=share) for name, share in episode.sensors],
    )


def find_model(context: ServerContext, sensor: str, model_id: str | None) -> LoadedModel:
    """Return the model that is named, else the active one of the sensor.

    Raises:
        NotFound: ``anomaly-no-active-model``, ``anomaly-model-unknown``.
    """
    return context.sensors.active(sensor) if model_id is None else context.sensors.model(model_id)


def table_of(rows: Sequence[Sequence[float | None]], expected: int) -> NDArray[np.float64]:
    """Return rows as float64 ``(rows, expected)``, NaN for None.

    Raises:
        InvalidInput: ``sensor-wrong-length``, naming the row.
    """
    import numpy as np

    for place, row in enumerate(rows):
        if len(row) != expected:
            values = {"given": len(row), "expected": expected}
            raise of_field(InvalidInput("sensor-wrong-length", members=dict(values), **values), f"rows.{place}")
    return np.array(rows, np.float64)


def of_field(error: InvalidInput, field: str) -> InvalidInput:
    """Return an error of a row as one that names the field of the request."""
    if error.code not in _CODES:
        return error
    entry = {"field": field, "message": LocalText.of(error.code, error.values)}
    return InvalidInput(error.code, members={**error.members, "validation_errors": [entry]}, **error.values)


def _result(score: float, threshold: float) -> BatchResult:
    if score != score:  # noqa: PLR0124 - NaN: the row is not judged
        return BatchResult(score=None, status="not-judged")
    return BatchResult(score=score, status="anomaly" if score > threshold else "normal")
