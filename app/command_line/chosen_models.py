"""The model files and reference images that a command is given: ``FILE``, or ``NAME=FILE`` by the name a step uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from inspection.imaging.reading import AS_DECLARED, Reading

if TYPE_CHECKING:
    from inspection.model_files.step_models import StepModel
    from inspection.pipeline import ValidatedPipeline

_HINT = "--model"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class GivenModel(NamedTuple):
    """A file and the name it is given under; empty where none was given."""

    name: str
    file: Path


def given_model(text: str, names: Collection[str]) -> GivenModel:
    """Read ``[NAME=]FILE``; a file whose own name holds a ``=`` has no name before it.

    Args:
        text: as on the command line.
        names: of the models that steps use.

    Raises:
        typer.BadParameter: when no file is named.
    """
    from models.storage import is_there

    name, separator, file = text.partition("=")
    if not text or (separator and not file):
        raise typer.BadParameter(f"{text!r} names no file", param_hint=_HINT)
    if not separator or not _NAME.fullmatch(name) or (name not in names and is_there(Path(text))):
        return GivenModel("", Path(text))
    return GivenModel(name, Path(file))


def given_models(texts: Sequence[str], names: Collection[str], users: str = "step") -> list[GivenModel]:
    """Read every ``[NAME=]FILE``.

    Args:
        texts: as on the command line.
        names: of the models that steps use.
        users: which steps those are, for messages.

    Raises:
        typer.BadParameter: when no file is named, no step uses a name, or there are two of one.
    """
    found = [given_model(text, names) for text in texts]
    known = ", ".join(sorted(names)) or "none"
    for place, (text, given) in enumerate(zip(texts, found, strict=True)):
        if given.name and given.name not in names:
            reason = f"no {users} uses a model {given.name!r}, and there is no file {text!r}; used are: {known}"
            raise typer.BadParameter(reason, param_hint=_HINT)
        if given.name and given.name in {other.name for other in found[:place]}:
            reason = f"there are two for {given.name!r}; name each: NAME=FILE"
            raise typer.BadParameter(reason, param_hint=_HINT)
    return found


def chosen_models(
    names: Collection[str], texts: Sequence[str], users: str = "step", *, reading: Reading = AS_DECLARED
) -> dict[str, StepModel]:
    """Load each file under its name; one without a name has that of the only model, or ``default`` among several.

    Args:
        names: of the models that steps use.
        texts: ``FILE`` or ``NAME=FILE``, as on the command line.
        users: which steps those are, for messages.
        reading: how reference images are read.

    Raises:
        typer.BadParameter: as ``given_models``, and when a file without a name may be one of several models.
        UserFacingError: as ``load_model``.
    """
    from inspection.model_library.loading import load_model

    files: dict[str, Path] = {}
    for given in given_models(texts, names, users):
        name = given.name or _unnamed(names, users)
        if name in files:
            raise typer.BadParameter(f"there are two for {name!r}; name each: NAME=FILE", param_hint=_HINT)
        files[name] = given.file
    return {name: load_model(file, reading=reading) for name, file in files.items()}


def measured_model(pipeline: ValidatedPipeline, step_id: str, texts: Sequence[str]) -> tuple[Path, list[str]]:
    """Return the model file that is measured, and what else is given.

    It is the one under the name that the step uses, else the first without a name.

    Args:
        pipeline: that holds the step.
        step_id: of the step ``anomaly``.
        texts: ``FILE`` or ``NAME=FILE``, as on the command line.

    Raises:
        typer.BadParameter: as ``given_models``, and when none can be meant.
    """
    own = next(name for step in pipeline.steps if step.id == step_id for name in step.models().values())
    found = given_models(texts, pipeline.models())
    names = [given.name for given in found]
    for wanted in (own, ""):
        if wanted in names:
            place = names.index(wanted)
            return found[place].file, [*texts[:place], *texts[place + 1 :]]
    raise typer.BadParameter(f"none is for {own!r}, which the step anomaly uses", param_hint=_HINT)


def _unnamed(names: Collection[str], users: str) -> str:
    if len(names) == 1:
        return next(iter(names))
    if "default" in names:
        return "default"
    if not names:
        raise typer.BadParameter(f"no {users} uses one", param_hint=_HINT)
    known = ", ".join(sorted(names))
    raise typer.BadParameter(f"name each: NAME=FILE; used are: {known}", param_hint=_HINT)
