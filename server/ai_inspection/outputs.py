"""What an execution has put out for one of its files, read for its judgement."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import NotFound, Unavailable
from models.results import InspectionResult
from models.states import OutputKind
from server.context import ServerContext
from server.executions.schemas import OutputFile


@dataclass(frozen=True, slots=True)
class RunOutput:
    """The output of a run.

    Attributes:
        result: its findings and their judgement.
        heatmap: None without an anomaly step.
    """

    result: InspectionResult
    heatmap: OutputFile | None


def output_of(context: ServerContext, files: list[OutputFile], file_index: int) -> RunOutput:
    """Return what the run on an input file has put out.

    Args:
        context: the server's parts.
        files: of the execution.
        file_index: place of the input file.

    Raises:
        NotFound: ``execution-output-unknown`` when the file has no result.
        Unavailable: ``objects-unreachable``, also when its bytes are not there.
    """
    found = {file.output_kind: file for file in files if file.file_index == file_index}
    result = found.get(OutputKind.RESULT)
    if result is None:
        raise NotFound("execution-output-unknown")
    try:
        data = context.objects.read(result.sha256)
    except NotFound as error:
        raise Unavailable("objects-unreachable") from error
    return RunOutput(InspectionResult.model_validate_json(data), found.get(OutputKind.HEATMAP))
