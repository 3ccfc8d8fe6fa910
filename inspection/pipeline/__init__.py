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
from inspection.pipeline.outcome import InspectionOutcome, assemble_outcome
from inspection.pipeline.preprocessing import PreprocessingPrefix, anomaly_step
from inspection.pipeline.preprocessing_records import (
    PreprocessingMismatch,
    preprocessing_mismatch,
    preprocessing_mismatches,
    preprocessing_record,
    steps_before,
)
from inspection.pipeline.reading import read_pipeline
from inspection.pipeline.runner import (
    InProcess,
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
    "PreprocessingMismatch",
    "PreprocessingPrefix",
    "Runner",
    "StepExecutor",
    "StepProgress",
    "ValidatedPipeline",
    "anomaly_step",
    "assemble_outcome",
    "default_definition",
    "preprocessing_mismatch",
    "preprocessing_mismatches",
    "preprocessing_record",
    "read_pipeline",
    "ready_definition",
    "ready_names",
    "steps_before",
    "validate_definition",
]
