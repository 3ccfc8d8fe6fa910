"""The pipeline that a command is given, and the files its steps use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from inspection.pipeline import PipelineDefinition
    from inspection.step_models import StepModel


def chosen_definition(path: Path) -> PipelineDefinition:
    """Read the pipeline, or take the ready one of that name.

    Raises:
        NotFound: ``pipeline-not-ready`` or ``file-missing``.
        InvalidInput: as ``read_definition``.
    """
    from inspection.pipeline import read_definition, ready_definition, ready_names
    from models.errors import NotFound

    try:
        return read_definition(path)
    except FileNotFoundError as error:
        if str(path) in ready_names():
            return ready_definition(str(path))
        if path.suffix == "" and path.parent == Path():
            raise NotFound("pipeline-not-ready", name=str(path), known=", ".join(ready_names())) from error
        raise NotFound("file-missing", file=str(path)) from error


def chosen_models(names: Collection[str], given: Sequence[str]) -> dict[str, StepModel]:
    """Load each model file under its name; one without a name has that of the pipeline's only model.

    Args:
        names: of the models that steps use.
        given: ``FILE`` or ``NAME=FILE``, as on the command line.

    Raises:
        typer.BadParameter: when there are two of one name.
        UserFacingError: as ``load_model``.
    """
    from inspection.model_files import load_model

    models: dict[str, StepModel] = {}
    for text in given:
        name, separator, file = text.partition("=")
        if not separator or name not in names:
            name, file = next(iter(names)) if len(names) == 1 else "default", text
        if name in models:
            raise typer.BadParameter(f"there are two for {name!r}", param_hint="--model")
        models[name] = load_model(Path(file))
    return models
