"""Executions: accepted, listed, read, cancelled; one unit of work a call."""

from __future__ import annotations

from models.errors import NotFound
from models.executions import Execution
from models.messages import Language, error_text
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions import repository
from server.executions.schemas import ExecutionDetail, ExecutionError, ExecutionReply
from server.sessions.rules import only_device


def state_of(context: ServerContext, who: Principal, execution_id: str, language: Language = "en") -> ExecutionDetail:
    """Return an execution with its files and steps as they are now.

    Args:
        context: the server's parts.
        who: who asks; a station alone sees its own.
        execution_id: of the execution.
        language: of the reason of a failure.

    Raises:
        NotFound: ``execution-not-found``; also for one that ``who`` may not read.
    """
    with context.database.read() as session:
        record = repository.execution_by_id(session, execution_id)
        if only_device(who) not in {None, record.device_id}:
            raise NotFound("execution-not-found")
        runs = repository.runs_of(session, record.id)
        return ExecutionDetail(
            **_reply(record).model_dump(),
            parameters=record.parameters,
            attempts=record.attempts,
            input_files=repository.input_files(runs),
            steps=repository.steps_of(runs),
            output_files=repository.outputs_of(session, record.id),
            error=_error(record, language),
        )


def _reply(record: Execution) -> ExecutionReply:
    values = {name: getattr(record, name) for name in ExecutionReply.model_fields if name != "execution_id"}
    return ExecutionReply(execution_id=record.id, **values)


def _error(record: Execution, language: Language) -> ExecutionError | None:
    if record.error_code is None:
        return None
    text = error_text(record.error_code, record.error_values, language, for_client=True)
    return ExecutionError(code=record.error_code, message=text.detail, advice=text.advice)
