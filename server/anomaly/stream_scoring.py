"""What becomes of further rows of a stream: a function of its state, the model and the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from inspection.sensor import EpisodeLog, SensorModel, SensorStream, StreamState, TimedEpisode
from models.errors import InvalidInput
from server.anomaly.scoring import of_field
from server.anomaly.stream_schemas import StreamRow, StreamStatus, seconds_of
from server.anomaly.stream_state import Remembered, ScoredRow


@dataclass(frozen=True, slots=True)
class Advanced:
    """A stream after further rows.

    Attributes:
        results: of the request's rows in its order, each with whether it was scored before.
        scored: the rows that this request scored, in the order of time.
        state: after them.
        newest: time of the newest row that was scored.
        episodes: that were open before, or began with these rows, each with whether it may go on; in the order of time.
        run: anomalies in a row up to the newest one, as far as they are remembered; rows that are not judged count
            neither way.
    """

    results: list[tuple[ScoredRow, bool]]
    scored: list[ScoredRow]
    state: StreamState
    newest: float | None
    episodes: list[tuple[TimedEpisode, bool]]
    run: int


def advance(
    model: SensorModel,
    state: StreamState | None,
    remembered: Remembered,
    log: EpisodeLog,
    newest: float | None,
    rows: Sequence[StreamRow],
) -> Advanced:
    """Score rows in the order of time and return the stream after them.

    Rows of one request may come in any order. One whose time was scored before is answered as then and not scored
    again; one that is older than the newest, and not remembered, is late: windows only grow.

    Args:
        model: scores the rows.
        state: of the stream before; None for a new one.
        remembered: the newest results; those of this request are added.
        log: the episodes; the rows are added to it.
        newest: time of the newest row before.
        rows: of the request.

    Raises:
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``, naming the row; nothing is scored then.
    """
    for place, row in enumerate(rows):
        try:
            model.row(row.values)
        except InvalidInput as error:
            raise of_field(error, f"rows.{place}.values") from error
    stream = SensorStream(model, state)
    before = {one.start for one in log.episodes if not log.is_open(one)}
    results: dict[int, tuple[ScoredRow, bool]] = {}
    scored: list[ScoredRow] = []
    for place in sorted(range(len(rows)), key=lambda one: rows[one].at):
        at = seconds_of(rows[place].at)
        known = remembered.by_time.get(at)
        if known is not None:
            results[place] = known, True
        elif newest is not None and at <= newest:
            results[place] = ScoredRow(at, math.nan, "late"), False
        else:
            found = _score(stream, log, at, rows[place].values)
            remembered.add(found)
            scored.append(found)
            results[place], newest = (found, False), at
    return Advanced(
        results=[results[place] for place in range(len(rows))],
        scored=scored,
        state=stream.state(),
        newest=newest,
        episodes=[(one, log.is_open(one)) for one in log.episodes if model.needs_order and one.start not in before],
        run=_run(remembered),
    )


def _run(remembered: Remembered) -> int:
    judged = (row.status for row in reversed(remembered.by_time.values()) if row.status != "not-judged")
    return sum(1 for _ in takewhile(lambda status: status == "anomaly", judged))


def _score(stream: SensorStream, log: EpisodeLog, at: float, values: Sequence[float | None]) -> ScoredRow:
    filling = stream.warming_up
    try:
        found = stream.push(values, at)
    except InvalidInput as error:
        if error.code != "sensor-too-many-missing":
            raise
        log.add(at, None)
        return ScoredRow(at, math.nan, "not-judged")
    if 2 * sum(value is None for value in values) > len(values):
        # A window judges the rows of the past too: this row itself has next to no values.
        log.add(at, None)
        return ScoredRow(at, math.nan, "not-judged")
    log.add(at, None if filling else found)
    status: StreamStatus = "filling" if filling else found.status
    return ScoredRow(at, found.score, status)
