"""Streams of machines: their state is in the database, so that any replica goes on, also after a restart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, undefer

from models.clock import utc_now
from models.errors import Conflict, Unavailable
from models.insertion import insert_if_absent
from models.sensors import SensorModelRecord, SensorStreamRecord
from server.anomaly.alerting import note_run
from server.anomaly.schemas import EpisodeSensor
from server.anomaly.scoring import find_model
from server.anomaly.stream_schemas import (
    StreamDetail,
    StreamEpisode,
    StreamReply,
    StreamResult,
    StreamResults,
    StreamRows,
)
from server.audit import audited, made, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery, in_order
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected
from server.sensors.shelf import LoadedModel
from sync.shared.schemas import Page

if TYPE_CHECKING:
    from inspection.sensor import EpisodeLog, TimedEpisode
    from server.anomaly.stream_scoring import Advanced
    from server.anomaly.stream_state import ScoredRow

SUBJECT = "sensor-stream"
_TRIES = 8
"""Writers of one stream that may overtake each other; a machine has one."""


def push_rows(context: ServerContext, who: Principal, stream_id: str, body: StreamRows) -> StreamResults:
    """Score further rows of a machine; its stream begins with the first ones, by the active model of the sensor.

    The same rows sent again have the same results and no effect.

    Raises:
        NotFound: ``anomaly-no-active-model``, ``anomaly-model-unknown``.
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``, naming the row.
        Conflict: ``anomaly-stream-of-another-model`` when the request names a model and the stream has another one.
        Unavailable: ``anomaly-stream-busy`` when others write the stream all the time.
    """
    for _ in range(_TRIES):
        present = _present(context, stream_id)
        if present is None:
            loaded = find_model(context, body.sensor, body.model)
        elif body.model is not None and body.model != present.model_id:
            raise Conflict("anomaly-stream-of-another-model", id=stream_id)
        else:
            loaded = context.sensors.model(present.model_id)
        advanced, state = _advanced(loaded, present, body)
        if not advanced.scored or _written(context, who, stream_id, loaded, present, advanced, state):
            if advanced.scored:
                _count(context, loaded, advanced)
                _note_alert(context, loaded, stream_id, present, advanced)
            threshold = loaded.model.metadata.threshold
            results = [_result(row, repeated=repeated) for row, repeated in advanced.results]
            columns = loaded.model.metadata.columns
            episodes = [_episode(columns, one, is_open=is_open) for one, is_open in advanced.episodes]
            return StreamResults(
                results=results, anomalies=_anomalies(advanced), threshold=threshold, episodes=episodes
            )
    raise Unavailable("anomaly-stream-busy", id=stream_id)


def list_streams(context: ServerContext, model_id: str | None, wanted: PageQuery) -> Page[StreamReply]:
    """Return a page of streams, by their names unless another order is asked for."""
    query = select(SensorStreamRecord).order_by(SensorStreamRecord.id)
    if model_id is not None:
        query = query.where(SensorStreamRecord.model_id == model_id)
    if wanted.search:
        query = query.where(SensorStreamRecord.id.icontains(wanted.search, autoescape=True))
    with context.database.read() as session:
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        page = in_order(query, SensorStreamRecord, wanted).limit(wanted.page_size).offset(wanted.skipped)
        found = session.scalars(page).all()
    return Page[StreamReply](
        items=[_reply(record) for record in found],
        total_count=total,
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-total // wanted.page_size),
    )


def get_stream(context: ServerContext, stream_id: str) -> StreamDetail:
    """Return a stream with its newest episodes; ``NotFound`` ``anomaly-stream-unknown``."""
    from server.anomaly.stream_state import log_of

    with context.database.read() as session:
        record = _by_id(session, stream_id)
        reply, state = _reply(record), record.state
        columns = session.get_one(SensorModelRecord, record.model_id).columns
    log = log_of(state) or _log_from_before(context, reply.model_id, state)
    episodes = [_episode(columns, one, is_open=log.is_open(one)) for one in log.episodes]
    return StreamDetail(**reply.model_dump(), episodes=episodes)


def delete_stream(context: ServerContext, who: Principal, stream_id: str, expected: Expected = WHATEVER) -> None:
    """Forget a stream; the next row begins a new one.

    Raises:
        NotFound: ``anomaly-stream-unknown``.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = _by_id(session, stream_id, locked=True)
        expected.require(_reply(record))
        gone = removed({"model_id": record.model_id, "rows": record.rows, "anomalies": record.anomalies})
        session.delete(record)
        session.flush()
        audited(session, who, f"{SUBJECT}.deleted", SUBJECT, stream_id, changes=gone)


def _log_from_before(context: ServerContext, model_id: str, state: bytes) -> EpisodeLog:
    """Return the episodes of a state that does not say how long they are open: its model does."""
    from server.anomaly.stream_state import decode, new_log

    model = context.sensors.model(model_id).model
    return decode(state, model)[2] if model.needs_order else new_log(model)


def _present(context: ServerContext, stream_id: str) -> SensorStreamRecord | None:
    with context.database.read() as session:
        return session.get(SensorStreamRecord, stream_id, options=[undefer(SensorStreamRecord.state)])


def _by_id(session: Session, stream_id: str, *, locked: bool = False) -> SensorStreamRecord:
    return require_record(session, SensorStreamRecord, stream_id, "anomaly-stream-unknown", locked=locked)


def _advanced(loaded: LoadedModel, present: SensorStreamRecord | None, body: StreamRows) -> tuple[Advanced, bytes]:
    # Loaded with the first stream: they bring NumPy along.
    from server.anomaly.stream_scoring import advance
    from server.anomaly.stream_state import Remembered, decode, encode, new_log

    model = loaded.model
    known = (None, Remembered(), new_log(model)) if present is None else decode(present.state, model)
    state, remembered, log = known
    advanced = advance(model, state, remembered, log, present.newest if present else None, body.rows)
    return advanced, encode(advanced.state, remembered.by_time.values(), log, needs_order=model.needs_order)


def _written(
    context: ServerContext,
    who: Principal,
    stream_id: str,
    loaded: LoadedModel,
    present: SensorStreamRecord | None,
    advanced: Advanced,
    state: bytes,
) -> bool:
    """Write the stream unless somebody else has written it since it was read; return whether it was written."""
    changed: dict[str, Any] = {
        "state": state,
        "newest": advanced.newest,
        "rows": (present.rows if present else 0) + len(advanced.scored),
        "anomalies": (present.anomalies if present else 0) + _anomalies(advanced),
        "last_status": advanced.scored[-1].status,
        "updated_at": utc_now(),
    }
    with context.database.local_transaction(who.user_id) as session:
        if present is None:
            record = SensorStreamRecord(
                id=stream_id, model_id=loaded.version.model_id, created_by=who.username, **changed
            )
            if not insert_if_absent(session, record):
                return False
            audited(session, who, f"{SUBJECT}.created", SUBJECT, stream_id, changes=made({"model_id": record.model_id}))
            return True
        written = session.connection().execute(
            update(SensorStreamRecord)
            .where(SensorStreamRecord.id == stream_id, SensorStreamRecord.version == present.version)
            .values(version=present.version + 1, **changed)
        )
        return written.rowcount == 1


def _count(context: ServerContext, loaded: LoadedModel, advanced: Advanced) -> None:
    threshold = loaded.model.metadata.threshold
    for row in advanced.scored:
        score = 0.0 if math.isnan(row.score) else row.score
        context.metrics.scores.add(loaded.version.sensor, row.status, 1, score, threshold)


def _note_alert(
    context: ServerContext,
    loaded: LoadedModel,
    stream_id: str,
    present: SensorStreamRecord | None,
    advanced: Advanced,
) -> None:
    """Raise or clear the alert of a stream; nothing is asked while a normal machine stays normal."""
    after, last = loaded.version.alert_after, advanced.scored[-1].status
    was_anomaly = present is not None and present.last_status == "anomaly"
    if after is None or not (last == "anomaly" or was_anomaly or _anomalies(advanced)):
        return
    run = 0 if last in {"normal", "filling"} else advanced.run
    if run == 0 or run >= after:
        note_run(context, loaded.version.sensor, run, stream_id)


def _anomalies(advanced: Advanced) -> int:
    return sum(row.status == "anomaly" for row in advanced.scored)


def _result(row: ScoredRow, *, repeated: bool) -> StreamResult:
    score = None if math.isnan(row.score) else row.score
    return StreamResult(at=_moment(row.at), score=score, status=row.status, repeated=repeated)


def _episode(columns: Sequence[str], episode: TimedEpisode, *, is_open: bool) -> StreamEpisode:
    return StreamEpisode(
        start=_moment(episode.start),
        end=_moment(episode.end),
        peak=_moment(episode.peak),
        score=episode.score,
        anomalies=episode.alarms,
        open=is_open,
        sensors=[EpisodeSensor(column=columns[place], share=share) for place, share in episode.sensors],
    )


def _reply(record: SensorStreamRecord) -> StreamReply:
    columns = {name: getattr(record, name) for name in StreamReply.model_fields if hasattr(record, name)}
    return StreamReply(**columns, newest_at=None if record.newest is None else _moment(record.newest))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
