"""The pipeline that a command is given, and how its steps give images to a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.chosen_models import chosen_models
from inspection.imaging.reading import AS_DECLARED, Reading

if TYPE_CHECKING:
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.pipeline import ValidatedPipeline

PreprocessingPipelineOption = Annotated[
    Path | None,
    typer.Option(
        "--pipeline",
        help="Take images as the step anomaly of this pipeline (JSON, or a ready one) is given them; needed where "
        "steps before it crop, align, filter or ignore.",
        metavar="FILE|NAME",
    ),
]
PreprocessingModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="With --pipeline: reference image, or model, of a step before anomaly; NAME=FILE, repeated, where steps "
        "use several.",
        metavar="[NAME=]FILE",
    ),
]


def chosen_pipeline(path: Path) -> ValidatedPipeline:
    """Return the pipeline of a file, or the ready one of that name.

    Raises:
        NotFound: ``pipeline-not-ready`` or ``file-missing``.
        InvalidInput: as ``read_pipeline``.
    """
    from inspection.pipeline import read_pipeline, ready_definition, ready_names, validate_definition
    from models.errors import NotFound
    from models.storage import is_folder

    if str(path) in ready_names() and is_folder(path):
        # The folder is something else: no folder is a pipeline.
        return validate_definition(ready_definition(str(path)))
    try:
        return read_pipeline(path)
    except FileNotFoundError as error:
        if str(path) in ready_names():
            return validate_definition(ready_definition(str(path)))
        if path.suffix == "" and path.parent == Path():
            raise NotFound("pipeline-not-ready", name=str(path), known=", ".join(ready_names())) from error
        raise NotFound("file-missing", file=str(path)) from error


def chosen_step(path: Path | None) -> tuple[ValidatedPipeline, str]:
    """Return the pipeline, by default the ready one, and the id of its step ``anomaly``.

    Raises:
        UserFacingError: as ``chosen_pipeline`` and ``anomaly_step``.
    """
    from inspection.pipeline import anomaly_step, default_definition, validate_definition

    pipeline = validate_definition(default_definition()) if path is None else chosen_pipeline(path)
    return pipeline, anomaly_step(pipeline)


def chosen_preprocessing(path: Path | None, given: Sequence[str], reading: Reading = AS_DECLARED) -> ImagePreprocessor:
    """Return what gives images as the step ``anomaly`` of the pipeline is given them; without one, as they are.

    Raises:
        typer.BadParameter: for models without a pipeline, or as ``preprocessing_before``.
        UserFacingError: as ``chosen_step`` and ``preprocessing_before``.
    """
    from inspection.anomaly.preprocessing import NO_PREPROCESSING

    if path is not None:
        return preprocessing_before(*chosen_step(path), given, reading)
    if given:
        raise typer.BadParameter("goes with --pipeline", param_hint="--model")
    return NO_PREPROCESSING


def preprocessing_before(
    pipeline: ValidatedPipeline, step_id: str, given: Sequence[str], reading: Reading = AS_DECLARED
) -> ImagePreprocessor:
    """Return what gives images as a step is given them.

    Args:
        pipeline: that holds the step.
        step_id: of the step.
        given: ``FILE`` or ``NAME=FILE`` of the models that the steps before it use.
        reading: how reference images are read.

    Raises:
        typer.BadParameter: as ``chosen_models``.
        UserFacingError: as ``chosen_models`` and ``PreprocessingPrefix``.
    """
    from inspection.pipeline import PreprocessingPrefix, steps_before

    names = {name for step in steps_before(pipeline, step_id) for name in step.models().values()}
    return PreprocessingPrefix(pipeline, step_id, chosen_models(names, given, "step before anomaly", reading=reading))
