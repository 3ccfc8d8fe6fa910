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
from inspection.pipeline.preprocessing import Viewpoint, anomaly_step
from inspection.pipeline.preprocessing_records import (
    ViewMismatch,
    steps_before,
    view_mismatch,
    view_mismatches,
    view_record,
)
from inspection.pipeline.reading import read_definition
from inspection.pipeline.runner import (
    InProcess,
    InspectionOutcome,
    Runner,
    StepExecutor,
    StepProgress,
)
from inspection.pipeline.validation import ValidatedPipeline, validate_definition

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
    "ViewMismatch",
    "Viewpoint",
    "anomaly_step",
    "default_definition",
    "read_definition",
    "ready_definition",
    "ready_names",
    "steps_before",
    "validate_definition",
    "view_mismatch",
    "view_mismatches",
    "view_record",
]
