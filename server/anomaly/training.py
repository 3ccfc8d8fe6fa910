"""Trainings on uploaded tables: one at a time in a process of its own, seen in the record of their model."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import update

from models.clock import utc_now
from models.error_values import stored_values
from models.errors import Conflict, UserFacingError
from models.ids import new_id
from models.sensors import SensorModelRecord, SensorModelStatus
from server.anomaly.rules import HEARTBEAT_S
from server.anomaly.schemas import SensorModelForm, SensorModelReply
from server.anomaly.service import SUBJECT, set_trained
from server.anomaly.training_folders import TrainingFolders
from server.anomaly.training_process import TrainingProcess
from server.anomaly.uploads import MAX_MODEL_BYTES, read_model
from server.audit import audited, made
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.structlog_import import structlog

_MOST_WAITING = 16
_PIECE = 1024 * 1024
_log = structlog.get_logger("imageflow.server")


class SensorTrainings:
    """The trainings of this process.

    Args:
        context: the server's parts.
    """

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._home = TrainingFolders(context.settings.data_dir / "trainings")
        self._home.collect()
        self._lock = threading.Lock()
        self._waiting: dict[str, TrainingProcess] = {}
        self._reported = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ThreadPoolExecutor-SENSOR")

    def begin(
        self,
        who: Principal,
        form: SensorModelForm,
        file: BinaryIO,
        checkpoint: BinaryIO | None = None,
        *,
        table_name: str = "",
    ) -> tuple[SensorModelReply, bool]:
        """Begin a training and return its model, with whether it is new.

        Args:
            who: on whose behalf.
            form: how to train.
            file: the table, CSV.
            checkpoint: weights to import instead of training; the table gives their scaling.
            table_name: of the table, for messages.

        Raises:
            Conflict: ``anomaly-trainings-wait``; ``id-taken`` when the id belongs to another model.
        """
        folder = Path(tempfile.mkdtemp(prefix="training-", dir=self._home.folder()))
        try:
            _write_request(folder, form, file, checkpoint, table_name)
            reply, new = self._recorded(who, form)
            if new:
                self._queue(who, form, reply.id, folder)
            else:
                shutil.rmtree(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return reply, new

    def close(self) -> None:
        """End the training that runs, and those that wait; their models record that the training was lost."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            running = list(self._waiting.values())
        for process in running:
            process.stop()
        self._thread.shutdown(wait=True)
        self._home.close()

    def _recorded(self, who: Principal, form: SensorModelForm) -> tuple[SensorModelReply, bool]:
        with self._context.database.local_transaction(who.user_id) as session:
            existing = session.get(SensorModelRecord, form.id) if form.id is not None else None
            if existing is not None:
                if (existing.name, existing.sensor) != (form.name or form.sensor, form.sensor):
                    raise Conflict("id-taken", id=existing.id)
                return SensorModelReply.model_validate(existing), False
            record = SensorModelRecord(
                id=form.id or new_id(),
                name=form.name or form.sensor,
                sensor=form.sensor,
                status=SensorModelStatus.TRAINING,
                heartbeat_at=utc_now(),
                created_by=who.username,
            )
            session.add(record)
            session.flush()
            content = {"name": record.name, "sensor": record.sensor}
            audited(session, who, f"{SUBJECT}.training-begun", SUBJECT, record.id, changes=made(content))
            return SensorModelReply.model_validate(record), True

    def _queue(self, who: Principal, form: SensorModelForm, model_id: str, folder: Path) -> None:
        process = TrainingProcess(folder)
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                self._failed(model_id, Conflict("anomaly-trainings-wait", most=_MOST_WAITING))
                raise Conflict("anomaly-trainings-wait", most=_MOST_WAITING)
            self._waiting[model_id] = process
        self._thread.submit(self._run, who, form, model_id, folder, process)

    def _run(
        self, who: Principal, form: SensorModelForm, model_id: str, folder: Path, process: TrainingProcess
    ) -> None:
        try:
            self._run_to_its_end(who, form, model_id, folder, process)
        except Exception as error:
            # On a thread of its own nobody else would hear of a bug, or of a store that is away.
            _log.error("training of a sensor model not recorded", model=model_id, exc_info=error)
            raise
        finally:
            with self._lock:
                del self._waiting[model_id]
            shutil.rmtree(folder, ignore_errors=True)

    def _run_to_its_end(
        self, who: Principal, form: SensorModelForm, model_id: str, folder: Path, process: TrainingProcess
    ) -> None:
        try:
            findings = process.run(lambda percent: self._progress(model_id, percent))
            self._finish(who, form, model_id, folder, findings)
        except UserFacingError as error:
            self._failed(model_id, error)

    def _progress(self, model_id: str, percent: float) -> None:
        """Write the progress, and for those that wait that somebody still has them."""
        now = time.monotonic()
        if now - self._reported < HEARTBEAT_S / 2:
            return
        self._reported = now
        with self._lock:
            waiting = list(self._waiting)
        with self._context.database.local_transaction() as session:
            alive = update(SensorModelRecord).where(SensorModelRecord.id.in_(waiting)).values(heartbeat_at=utc_now())
            session.connection().execute(alive)
            done = update(SensorModelRecord).where(SensorModelRecord.id == model_id).values(progress=percent)
            session.connection().execute(done)

    def _finish(
        self, who: Principal, form: SensorModelForm, model_id: str, folder: Path, findings: list[dict[str, object]]
    ) -> None:
        with (folder / "model.npz").open("rb") as opened:
            file = read_model(opened, "model.npz")
        self._context.objects.put(file.sha256, file.data)
        with self._context.database.transaction(who.user_id) as session:
            record = session.get(SensorModelRecord, model_id, with_for_update=True)
            if record is None:
                return  # Deleted after it seemed to be lost.
            set_trained(session, record, file, activate=form.activate)
            record.findings = list(findings)
            session.flush()
            content = {"sha256": file.sha256, "rows": record.rows, "active": record.active}
            audited(session, who, f"{SUBJECT}.trained", SUBJECT, model_id, changes=made(content))

    def _failed(self, model_id: str, error: UserFacingError) -> None:
        with self._context.database.local_transaction() as session:
            failed = {
                "status": SensorModelStatus.FAILED,
                "error_code": error.code,
                "error_values": stored_values(error.values),
            }
            session.connection().execute(
                update(SensorModelRecord).where(SensorModelRecord.id == model_id).values(**failed)
            )


def _write_request(
    folder: Path, form: SensorModelForm, file: BinaryIO, checkpoint: BinaryIO | None, table_name: str
) -> None:
    # Loaded with the first training: they bring NumPy along.
    from inspection.sensor import SensorTraining
    from inspection.sensor.training.process import CHECKPOINT, DATA, REQUEST, TrainingRequest

    request = TrainingRequest(
        settings=SensorTraining(
            name=form.name or form.sensor,
            window=1 if checkpoint is not None else form.window,
            percent=form.percent,
            false_alarms_per_week=form.false_alarms_per_week,
            auto_threshold=form.automatic,
            scaling=form.scaling,
            epochs=form.epochs,
            seed=form.seed,
        ),
        leave_out=tuple(form.leave_out),
        keep=tuple(form.keep),
        encoding=form.encoding,
        decimal=form.decimal or None,
        skip_lines=form.skip_lines,
        missing=tuple(form.missing),
        table_name=table_name,
    )
    (folder / REQUEST).write_text(request.model_dump_json(), encoding="utf-8")
    with (folder / DATA).open("wb") as out:
        shutil.copyfileobj(file, out, _PIECE)
    if checkpoint is not None:
        (folder / CHECKPOINT).write_bytes(checkpoint.read(MAX_MODEL_BYTES))
