"""Reading of pipeline files; errors name the file."""

from __future__ import annotations

import json
from pathlib import Path

from inspection.judging.criteria import Criteria
from inspection.pipeline.definition import PipelineDefinition
from inspection.pipeline.validation import ValidatedPipeline, validate_definition
from models.errors import InvalidInput
from models.messages import LocalText
from models.storage import reason_of


def read_pipeline(path: Path) -> ValidatedPipeline:
    """Read and validate a pipeline file.

    Raises:
        FileNotFoundError: when there is none.
        InvalidInput: ``pipeline-file-criteria`` when it holds criteria, ``pipeline-file-unusable``, which names the
            file and repeats what ``PipelineDefinition.parse`` or ``validate_definition`` raised.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidInput("pipeline-file-unusable", file=str(path), reason=reason_of(error)) from error
    try:
        return validate_definition(PipelineDefinition.parse(content))
    except InvalidInput as error:
        fields = criteria_fields(content)
        if fields:
            raise InvalidInput("pipeline-file-criteria", file=str(path), fields=", ".join(fields)) from error
        reason = LocalText.of(error.code, error.values)
        raise InvalidInput("pipeline-file-unusable", members=error.members, file=str(path), reason=reason) from error


def criteria_fields(content: bytes) -> list[str]:
    """Return the fields of criteria that a JSON text without steps has, in alphabetical order."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict) or "steps" in value:
        return []
    return sorted(value.keys() & Criteria.model_fields.keys())
