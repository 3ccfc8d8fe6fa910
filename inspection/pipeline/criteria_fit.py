"""Criteria that a pipeline cannot meet, or that never apply: classes its models lack, codes its steps do not read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from inspection.judging.codes import readable_formats
from inspection.judging.criteria import Criteria
from inspection.judging.judgement import ANOMALY_CLASS
from inspection.model_files.step_models import StepModel
from inspection.pipeline.validation import ValidatedPipeline
from models.errors import DoesNotFit

_DETECTION, _READING = "ai_detection", "barcode"
_SHOWN = 20


def require_criteria_fit(
    pipeline: ValidatedPipeline, criteria: Criteria, classes_of: Callable[[str], Collection[str] | None]
) -> None:
    """Check that the criteria count only classes that the pipeline can report, and want codes that its steps read.

    A class that no model has would never be counted, and a part with the class that was meant would pass. Pipelines
    without detection are not checked for classes, nor those with a model whose classes are unknown; those without a
    step that reads codes not for codes.

    Args:
        pipeline: that runs.
        criteria: by which its findings are judged.
        classes_of: returns the classes of the model of a name; None when they are unknown.

    Raises:
        DoesNotFit: ``criteria-class-unknown`` with the first such class; ``criteria-code-format`` with the first rule
            whose formats no step looks for; ``criteria-code-count`` when the steps end before there are enough codes.
    """
    _require_codes(pipeline, criteria)
    known = _reported_classes(pipeline, classes_of)
    if known is None:
        return
    for name in criteria.max_detections:
        if name not in known:
            shown = ", ".join(list(known)[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
            raise DoesNotFit("criteria-class-unknown", value=name, known=shown)


def _require_codes(pipeline: ValidatedPipeline, criteria: Criteria) -> None:
    if all(step.component.name != _READING for step in pipeline.steps):
        return
    # Loaded with the first such step, as a window is shown before.
    from inspection.components.barcode import BarcodeParameters

    steps = [step.parameters for step in pipeline.steps if isinstance(step.parameters, BarcodeParameters)]
    read = readable_formats([name for step in steps for name in step.formats])
    for name, rule in criteria.codes.items():
        if rule.least and rule.formats and read.isdisjoint(rule.formats):
            raise DoesNotFit(
                "criteria-code-format", name=name, given=", ".join(rule.formats), known=", ".join(sorted(read))
            )
    expected = [step.expected for step in steps]
    least = sum(rule.least for rule in criteria.codes.values())
    most = sum(number for number in expected if number is not None)
    # One code may meet several rules, unless they want different formats.
    apart = len({rule.formats for rule in criteria.codes.values() if rule.formats}) == len(criteria.codes)
    if None not in expected and apart and most < least:
        raise DoesNotFit("criteria-code-count", expected=most, least=least)


def classes_of_models(models: Mapping[str, StepModel]) -> Callable[[str], Collection[str] | None]:
    """Return the function that gives the classes of loaded detectors and classifiers."""
    from inspection.detection.model.classifier import Classifier
    from inspection.detection.model.detector import Detector

    def classes_of(name: str) -> Collection[str] | None:
        model = models.get(name)
        return model.description.names if isinstance(model, (Detector, Classifier)) else None

    return classes_of


def _reported_classes(
    pipeline: ValidatedPipeline, classes_of: Callable[[str], Collection[str] | None]
) -> dict[str, None] | None:
    """Return the classes in the order of the models; None without detection or with a model that is unknown."""
    detecting = [step for step in pipeline.steps if step.component.name == _DETECTION]
    reported: dict[str, None] = {}
    for step in detecting:
        for name in step.models().values():
            classes = classes_of(name)
            if classes is None:
                return None
            wanted = getattr(step.parameters, "classes", None)
            reported.update(dict.fromkeys(found for found in classes if wanted is None or found in wanted))
    if not detecting:
        return None
    # Regions of an anomaly model are counted where the criteria say so.
    return {**reported, ANOMALY_CLASS: None}
