"""Online learning of a sensor model: within the bounds of its guard, from rows in the order of time, revertible."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.orm import undefer

from models.errors import Conflict, InvalidInput, NotFound, Unavailable
from models.messages import Language
from models.sensors import SensorModelRecord
from models.storage import sha256_of
from server.anomaly.learning_schemas import (
    DriftReply,
    DriftRequest,
    LearnedRows,
    LearningReply,
    LearnRequest,
    ShiftReply,
)
from server.anomaly.repository import model_by_id
from server.anomaly.rules import require_ready
from server.anomaly.scoring import of_field, table_of
from server.anomaly.service import SUBJECT
from server.anomaly.stream_schemas import StreamRow, seconds_of
from server.anomaly.uploads import NPZ
from server.audit import audited, differences, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.revisions import WHATEVER, Expected
from server.objects.records import record_blob

if TYPE_CHECKING:
    from inspection.sensor import OnlineLearner

_TRIES = 8
_LATE, _NOT_JUDGED = "late", "not-judged"


def learn(context: ServerContext, who: Principal, model_id: str, body: LearnRequest) -> LearnedRows:
    """Learn from rows, those of them that are clearly normal, and return what became of them.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: ``anomaly-model-not-ready``; ``anomaly-series-follows``, as it follows its machine by itself.
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``, naming the row; nothing is learned then.
        Unavailable: ``anomaly-learning-busy`` when others teach the model all the time.
    """
    from inspection.sensor import model_bytes
    from server.anomaly.learning_state import encode_learning

    for _ in range(_TRIES):
        record = _record(context, model_id)
        learner, newest = _learner(context, record)
        before = learner.model
        outcome, newest = _taught(learner, newest, body.rows)
        changed = {
            "learning": encode_learning(learner.state(), newest),
            "rows_learned": learner.rows_learned,
            "version": record.version + 1,
        }
        data = b""
        if learner.model is not before:
            data = model_bytes(learner.model)
            changed["learned_sha256"] = sha256_of(data)
            context.objects.put(sha256_of(data), data)
        with context.database.local_transaction(who.user_id) as session:
            if data:
                record_blob(session, sha256_of(data), len(data), NPZ)
            written = session.connection().execute(
                update(SensorModelRecord)
                .where(SensorModelRecord.id == model_id, SensorModelRecord.version == record.version)
                .values(**changed)
            )
            if written.rowcount == 1:
                changes = differences(
                    {"rows_learned": record.rows_learned, "learned_sha256": record.learned_sha256},
                    {name: changed[name] for name in ("rows_learned", "learned_sha256") if name in changed},
                )
                audited(session, who, f"{SUBJECT}.learned", SUBJECT, model_id, changes=changes)
                return _learned(learner, outcome)
    raise Unavailable("anomaly-learning-busy")


def get_learning(context: ServerContext, model_id: str) -> tuple[LearningReply, str]:
    """Return what a model has learned, and its revision.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: as ``learn``.
    """
    record = _record(context, model_id)
    learner, _ = _learner(context, record)
    return LearningReply(**_members(learner)), _revision_of(record)


def revert(context: ServerContext, who: Principal, model_id: str, expected: Expected = WHATEVER) -> None:
    """Take back what a model has learned.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = model_by_id(session, model_id, locked=True)
        expected.require_revision(_revision_of(record))
        gone = removed({"rows_learned": record.rows_learned, "learned_sha256": record.learned_sha256 or None})
        record.learned_sha256, record.learning, record.rows_learned = "", None, 0
        record.version += 1
        session.flush()
        audited(session, who, f"{SUBJECT}.learning-reverted", SUBJECT, model_id, changes=gone)


def drift(context: ServerContext, model_id: str, body: DriftRequest, language: Language) -> list[DriftReply]:
    """Return how far the values of each sensor have moved from those of the training.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        InvalidInput: ``sensor-wrong-length``, naming the row.
    """
    from inspection.sensor import drift_report

    model = context.sensors.model(model_id).model
    values = table_of(body.rows, model.input_dimension)
    return [
        DriftReply(
            column=found.column,
            rows=found.rows,
            stability_index=found.stability_index,
            distance=found.distance,
            shift=found.shift,
            level=found.level,
            message=found.text(language).detail,
        )
        for found in drift_report(model, values)
    ]


def _revision_of(record: SensorModelRecord) -> str:
    """Return the revision of what a model has learned."""
    return f"{record.id}-{record.version}"


def _record(context: ServerContext, model_id: str) -> SensorModelRecord:
    with context.database.read() as session:
        record = session.get(SensorModelRecord, model_id, options=[undefer(SensorModelRecord.learning)])
    if record is None:
        raise NotFound("anomaly-model-unknown")
    require_ready(record.status)
    return record


def _learner(context: ServerContext, record: SensorModelRecord) -> tuple[OnlineLearner, float]:
    from inspection.sensor import OnlineLearner
    from server.anomaly.learning_state import decode_learning

    threshold = record.threshold or 0.0
    reference = context.sensors.load(record.sha256).with_threshold(threshold)
    if reference.series is not None:
        raise Conflict("anomaly-series-follows")
    if record.learning is None:
        return OnlineLearner(reference), float("-inf")
    state, newest = decode_learning(record.learning)
    current = context.sensors.load(record.learned_sha256).with_threshold(threshold) if record.learned_sha256 else None
    return OnlineLearner(reference, current=current, state=state), newest


def _taught(learner: OnlineLearner, newest: float, rows: list[StreamRow]) -> tuple[Counter[str], float]:
    """Push rows in the order of time; return how often each thing became of one, and the time of the newest."""
    model = learner.model
    for place, row in enumerate(rows):
        try:
            model.row(row.values)
        except InvalidInput as error:
            raise of_field(error, f"rows.{place}.values") from error
    outcome: Counter[str] = Counter()
    for row in sorted(rows, key=lambda one: one.at):
        at = seconds_of(row.at)
        if at <= newest:
            outcome[_LATE] += 1
            continue
        newest = at
        try:
            outcome[learner.push(row.values, at).reason] += 1
        except InvalidInput as error:
            if error.code != "sensor-too-many-missing":
                raise
            outcome[_NOT_JUDGED] += 1
    return outcome, newest


def _learned(learner: OnlineLearner, outcome: Counter[str]) -> LearnedRows:
    return LearnedRows(
        **_members(learner),
        accepted=outcome["waiting"],
        too_near_the_threshold=outcome["too-near-the-threshold"],
        quarantined=outcome["quarantine"],
        warming_up=outcome["warming-up"],
        not_judged=outcome[_NOT_JUDGED],
        late=outcome[_LATE],
    )


def _members(learner: OnlineLearner) -> dict[str, object]:
    state = learner.state()
    return {
        "rows_learned": learner.rows_learned,
        "waiting": len(state.waiting),
        "quarantine_left": state.quarantine_left,
        "shifts": [
            ShiftReply(feature=one.feature, distance=one.distance, at_bound=one.at_bound)
            for one in learner.feature_shift()
        ],
    }
