"""The pipeline that a command is given, and the files its steps use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from inspection.anomaly.view import View
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


def chosen_models(names: Collection[str], given: Sequence[str], users: str = "step") -> dict[str, StepModel]:
    """Load each model file under its name; one without a name has that of the pipeline's only model.

    Args:
        names: of the models that steps use.
        given: ``FILE`` or ``NAME=FILE``, as on the command line.
        users: which steps those are, for messages.

    Raises:
        typer.BadParameter: when there are two of one name, or no step uses the name.
        UserFacingError: as ``load_model``.
    """
    from inspection.model_files import load_model

    models: dict[str, StepModel] = {}
    for text in given:
        name, file = _named(text, names)
        if name and name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise typer.BadParameter(f"no {users} uses a model {name!r}; used are: {known}", param_hint="--model")
        if not name:
            name = next(iter(names)) if len(names) == 1 else "default"
        if name in models:
            raise typer.BadParameter(f"there are two for {name!r}; say which is which: NAME=FILE", param_hint="--model")
        models[name] = load_model(file)
    return models


def _named(text: str, names: Collection[str]) -> tuple[str, Path]:
    """Return name and file of ``[NAME=]FILE``; a file whose own name holds a ``=`` has no name before it."""
    from inspection.files import is_there

    name, separator, file = text.partition("=")
    if separator and (name in names or (is_there(Path(file)) and not is_there(Path(text)))):
        return name, Path(file)
    return "", Path(text)


def measured_model(path: Path | None, given: Sequence[str]) -> tuple[Path, list[str]]:
    """Return the model file to measure, and what else is given.

    It is the one under the name that ``anomaly`` uses, else the first that has no name of another.

    Args:
        path: the pipeline, or None for the step alone.
        given: ``FILE`` or ``NAME=FILE``, at least one.

    Raises:
        typer.BadParameter: when there are two under that name, or none that may be meant.
        UserFacingError: as ``chosen_definition`` and ``anomaly_step``.
    """
    from inspection.pipeline import anomaly_step, default_definition

    pipeline, step_id = anomaly_step(default_definition() if path is None else chosen_definition(path))
    own = next(name for step in pipeline.steps if step.id == step_id for name in step.models().values())
    named = [(*_named(text, pipeline.models()), text) for text in given]
    mine = [entry for entry in named if entry[0] == own]
    if len(mine) > 1:
        raise typer.BadParameter(f"there are two for {own!r}; say which is which: NAME=FILE", param_hint="--model")
    candidates = mine or [entry for entry in named if not entry[0]]
    if not candidates:
        raise typer.BadParameter(f"none is for {own!r}, which the step anomaly uses", param_hint="--model")
    _, file, text = candidates[0]
    others = list(given)
    others.remove(text)
    return file, others


def chosen_view(path: Path | None, given: Sequence[str]) -> View:
    """Return what gives images as the step ``anomaly`` of the pipeline is given them; without one, as they are.

    Raises:
        typer.BadParameter: for models that no step before ``anomaly`` uses.
        UserFacingError: as ``chosen_definition``, ``chosen_models``, ``anomaly_step`` and ``Viewpoint``.
    """
    from inspection.anomaly.view import AS_THEY_ARE

    if path is None:
        if given:
            raise typer.BadParameter("goes with --pipeline", param_hint="--model")
        return AS_THEY_ARE
    from inspection.pipeline import Viewpoint, anomaly_step, steps_before

    pipeline, step_id = anomaly_step(chosen_definition(path))
    names = {name for step in steps_before(pipeline, step_id) for name in step.models().values()}
    if given and not names:
        raise typer.BadParameter("no step before anomaly uses one", param_hint="--model")
    return Viewpoint(pipeline, step_id, chosen_models(names, given, "step before anomaly"))
