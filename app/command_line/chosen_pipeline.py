"""The pipeline that a command is given, and the files its steps use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from inspection.anomaly.seeing import Seen
    from inspection.pipeline import PipelineDefinition
    from inspection.step_models import StepModel

ViewOption = Annotated[
    Path | None,
    typer.Option(
        "--pipeline",
        help="Take images as the step anomaly of this pipeline (JSON, or a ready one) sees them; needed where steps "
        "before it crop, align, filter or ignore.",
        metavar="FILE|NAME",
    ),
]
ViewModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="With --pipeline: reference image, or model, of a step before anomaly; NAME=FILE, repeated, where steps "
        "use several.",
        metavar="[NAME=]FILE",
    ),
]


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
        typer.BadParameter: when there are two of one name, or no step uses the name.
        UserFacingError: as ``load_model``.
    """
    from inspection.files import is_there
    from inspection.model_files import load_model

    models: dict[str, StepModel] = {}
    for text in given:
        name, separator, file = text.partition("=")
        if separator and name not in names and is_there(Path(file)) and not is_there(Path(text)):
            known = ", ".join(sorted(names)) or "none"
            raise typer.BadParameter(f"no step uses a model {name!r}; the steps use {known}", param_hint="--model")
        if not separator or name not in names:
            name, file = next(iter(names)) if len(names) == 1 else "default", text
        if name in models:
            raise typer.BadParameter(f"there are two for {name!r}; say which is which: NAME=FILE", param_hint="--model")
        models[name] = load_model(Path(file))
    return models


def measured_model(path: Path | None, given: Sequence[str]) -> tuple[Path, list[str]]:
    """Return the model file to measure, and what else is given: the one under the name ``anomaly`` uses, or the first.

    Args:
        path: the pipeline, or None without one.
        given: ``FILE`` or ``NAME=FILE``, at least one.

    Raises:
        UserFacingError: as ``chosen_definition`` and ``anomaly_step``.
    """
    if path is None:
        return Path(given[0]), list(given[1:])
    from inspection.pipeline import anomaly_step

    pipeline, step_id = anomaly_step(chosen_definition(path))
    own = next(name for step in pipeline.steps if step.id == step_id for name in step.models().values())
    named = [text for text in given if text.startswith(f"{own}=")]
    measured = named[0] if named else given[0]
    others = list(given)
    others.remove(measured)
    return Path(measured.removeprefix(f"{own}=")), others


def chosen_view(path: Path | None, given: Sequence[str]) -> Seen:
    """Return what gives images as the step ``anomaly`` of the pipeline is given them; without one, as they are.

    Raises:
        typer.BadParameter: for models that no step before ``anomaly`` uses.
        UserFacingError: as ``chosen_definition``, ``chosen_models``, ``anomaly_step`` and ``Viewpoint``.
    """
    from inspection.anomaly.seeing import AS_THEY_ARE

    if path is None:
        if given:
            raise typer.BadParameter("goes with --pipeline", param_hint="--model")
        return AS_THEY_ARE
    from inspection.pipeline import Viewpoint, anomaly_step, steps_before

    pipeline, step_id = anomaly_step(chosen_definition(path))
    names = {name for step in steps_before(pipeline, step_id) for name in step.models().values()}
    if given and not names:
        raise typer.BadParameter("no step before anomaly uses one", param_hint="--model")
    return Viewpoint(pipeline, step_id, chosen_models(names, given))
