"""The runner of the pipeline and models that a command is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.command_line.chosen_models import chosen_models, given_model
from app.command_line.chosen_pipeline import chosen_pipeline

if TYPE_CHECKING:
    from inspection.imaging.reading import Reading
    from inspection.judging.criteria import Criteria
    from inspection.model_files.step_models import StepModel
    from inspection.pipeline import Runner, ValidatedPipeline


def chosen_runner(path: Path | None, given: list[str], rule: Criteria, reading: Reading) -> tuple[Runner, Reading]:
    """Return the runner of the pipeline and how images are read for its models; print its warnings.

    The warnings: a threshold of the criteria that is for none of the models, and a model that was trained on images
    preprocessed differently.
    """
    from app.command_line import warn, warn_about
    from inspection.pipeline import Runner, preprocessing_mismatches
    from inspection.pipeline.criteria_fit import classes_of_models, require_criteria_fit
    from inspection.pipeline.value_ranges import range_of_models

    pipeline, models = _chosen(path, given, reading)
    reading = replace(reading, values=range_of_models(models.values(), reading.values))
    if rule.threshold is not None and rule.threshold_model not in {None, *(model.digest for model in models.values())}:
        warn("criteria-threshold-not-applicable")
    runner = Runner(pipeline, models)
    require_criteria_fit(pipeline, rule, classes_of_models(models))
    # Steps that use the same model alike would give the same warning twice.
    differing = {str(error): error for error in (found.error() for found in preprocessing_mismatches(pipeline, models))}
    for error in differing.values():
        warn_about(error)
    return runner, reading


def _chosen(path: Path | None, given: list[str], reading: Reading) -> tuple[ValidatedPipeline, dict[str, StepModel]]:
    """Return the pipeline with its models; without a pipeline the one that suits the kind of the only model."""
    from inspection.model_files.step_models import ModelKind
    from inspection.model_library.loading import load_model
    from inspection.pipeline import default_definition, ready_definition, validate_definition

    only = given_model(given[0], {"default"}) if path is None and len(given) == 1 else None
    if only is not None and only.name in {"", "default"}:
        model = load_model(only.file, reading=reading)
        detects = model.kind in {ModelKind.DETECTOR, ModelKind.CLASSIFIER}
        definition = ready_definition("detection") if detects else default_definition()
        return validate_definition(definition), {"default": model}
    pipeline = validate_definition(default_definition()) if path is None else chosen_pipeline(path)
    return pipeline, chosen_models(pipeline.models(), given, reading=reading)
