"""Small pipelines around the step ``anomaly``, and quick trainings through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspection.imaging.files import read_image
from inspection.model_files.reference import ReferenceImage
from inspection.pipeline import PipelineDefinition, PreprocessingPrefix, anomaly_step, validate_definition
from tests.support.trained_model import SMALL

QUICK = SMALL.model_copy(update={"bank_size": 200, "folds": 2})
CROP = ("crop", {"rectangle": {"x": 40, "y": 40, "width": 240, "height": 240}})
CLAHE = ("filter", {"filter_type": "clahe"})
RESIZE = ("resize", {"width": 250, "height": 250})
IGNORE = ("ignore", {"rectangles": [{"x": 60, "y": 60, "width": 160, "height": 130}], "outside": True})
ALIGN = ("align", {"motion": "rigid"})


def pipeline(*steps: tuple[str, dict[str, Any]]) -> PipelineDefinition:
    """Return the steps one after the other, then ``anomaly``, then an overlay."""
    chain: list[dict[str, Any]] = []
    for number, (component, parameters) in enumerate([*steps, ("anomaly", {})]):
        before = chain[-1]["id"] if chain else "input"
        found = {"component": component, "parameters": parameters, "inputs": {"image": before}}
        chain.append({"id": "anomaly" if component == "anomaly" else f"{component}-{number}", **found})
    overlay = {"filter_type": "overlay"}
    drawn = {"image": "input", "anomaly": "anomaly"}
    chain.append({"id": "overlay", "component": "filter", "parameters": overlay, "inputs": drawn})
    return PipelineDefinition.parse({"name": "Tried", "steps": chain})


def prefix_of(definition: PipelineDefinition, reference: Path | None = None) -> PreprocessingPrefix:
    models = {} if reference is None else {"reference": ReferenceImage.of(read_image(reference))}
    validated = validate_definition(definition)
    return PreprocessingPrefix(validated, anomaly_step(validated), models)
