"""Pipelines: definition, validation, running."""

from inspection.components.registry import InspectionCancelled
from inspection.pipeline.definition import (
    INPUT,
    PipelineDefinition,
    PipelineStep,
    default_definition,
    ready_definition,
    ready_names,
)
from inspection.pipeline.reading import read_definition
from inspection.pipeline.runner import (
    InProcess,
    InspectionOutcome,
    Runner,
    StepExecutor,
    StepProgress,
)
from inspection.pipeline.sight import seen_otherwise, sight_of, steps_before, taken_otherwise
from inspection.pipeline.validation import ValidatedPipeline, validate_definition
from inspection.pipeline.viewpoint import Viewpoint, anomaly_step

__all__ = [
    "INPUT",
    "InProcess",
    "InspectionCancelled",
    "InspectionOutcome",
    "PipelineDefinition",
    "PipelineStep",
    "Runner",
    "StepExecutor",
    "StepProgress",
    "ValidatedPipeline",
    "Viewpoint",
    "anomaly_step",
    "default_definition",
    "read_definition",
    "ready_definition",
    "ready_names",
    "seen_otherwise",
    "sight_of",
    "steps_before",
    "taken_otherwise",
    "validate_definition",
]
