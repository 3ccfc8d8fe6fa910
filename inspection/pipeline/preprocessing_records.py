"""What steps do to the images a model is given, kept by a training and compared when the model is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspection.anomaly.manifest import BundleManifest, ViewRecord, ViewStep
from inspection.anomaly.preparation import WORKING_SIDE
from inspection.components.resize import ResizeParameters
from inspection.model_files.step_models import StepModel
from inspection.pipeline.definition import INPUT
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from models.errors import DoesNotFit
from models.messages import LocalText
from models.storage import sha256_of


@dataclass(frozen=True, slots=True)
class ViewMismatch:
    """A model that is given images on which other steps ran than on those of its training.

    It can be scored all the same, but scores mean little: good parts look strange behind a crop that the training did
    not have.

    Attributes:
        name: of the model's file.
        model: its SHA-256.
        trained: what was done to the images of the training.
        here: what is done to those it is given.
        step: id of the step that gives it images; empty without a pipeline.
    """

    name: str
    model: str
    trained: ViewRecord
    here: ViewRecord
    step: str = ""

    def error(self, prefix: str = "", item: str = "") -> DoesNotFit:
        """Return what to tell a person; nobody has to raise it.

        Args:
            prefix: of the code, for those who tell it in words of their own: ``window-``.
            item: that is inspected, for these words.
        """
        if self.trained.components != self.here.components:
            code, trained, here = f"{prefix}model-view-differs", _in_words(self.trained), _in_words(self.here)
            return DoesNotFit(code, name=self.name, item=item, trained=trained, here=here)
        pairs = list(zip(self.trained.steps, self.here.steps, strict=True))
        changed = [here.component for trained, here in pairs if trained.does() != here.does()]
        # Where each step does the same, one of them is given another step's picture.
        differing = ", ".join(changed or self.here.components)
        steps = ", ".join(self.here.components)
        code = f"{prefix}model-view-settings-differ"
        return DoesNotFit(code, name=self.name, item=item, steps=steps, differing=differing)

    def as_json(self) -> dict[str, Any]:
        """Return what an audit trail keeps."""
        return {"step": self.step, "model": self.model, "trained": self.trained.digest, "here": self.here.digest}


def view_mismatches(pipeline: ValidatedPipeline, models: Mapping[str, StepModel]) -> tuple[ViewMismatch, ...]:
    """Return what differs for each step whose model was trained on images on which other steps ran.

    Args:
        pipeline: whose steps they are.
        models: by name, all that the steps use.
    """
    from inspection.anomaly.model import AnomalyModel

    digests = {name: model.digest for name, model in models.items()}
    found = []
    for step in pipeline.steps:
        for used in (models[name] for name in step.models().values()):
            if isinstance(used, AnomalyModel):
                here = view_record(pipeline, step.id, digests)
                found.append(view_mismatch(used.manifest, used.name, used.digest, here, step.id))
    return tuple(differing for differing in found if differing is not None)


def view_mismatch(
    manifest: BundleManifest, name: str, digest: str, here: ViewRecord, step: str = ""
) -> ViewMismatch | None:
    """Return what differs between the images of a model's training and those it is given; None when nothing does.

    Of a model whose file does not tell, nothing is known.

    Args:
        manifest: of the model.
        name: of its file.
        digest: SHA-256 of its file.
        here: what is done to the images it is given.
        step: id of the step that gives it images.
    """
    trained = manifest.view
    if trained is None or trained.digest == here.digest:
        return None
    return ViewMismatch(name, digest, trained, here, step)


def view_record(pipeline: ValidatedPipeline, step_id: str, digests: Mapping[str, str]) -> ViewRecord:
    """Return what is done to an image before a step is given it, whatever steps and models are called.

    A step right before it that only brings the image to a size to which a model for anomalies brings it by itself is
    left out. Settings that happen to change nothing count.

    Args:
        pipeline: that the step stands in.
        step_id: of a step that takes a picture at its port ``image``.
        digests: name → SHA-256 of the models and reference images that the steps before it use.
    """
    steps = {step.id: step for step in pipeline.steps}
    last = steps[step_id].inputs["image"]
    while last != INPUT and _only_as_a_model_does(steps[last]):
        last = steps[last].inputs["image"]
    told = {INPUT: INPUT}
    kept = []
    for step in _feeding(steps, last):
        does = _does(step, digests)
        kept.append(does)
        inputs = {port: told[source] for port, source in step.inputs.items()}
        told[step.id] = _digest({**does.does(), "inputs": inputs})
    return ViewRecord(steps=tuple(kept), digest=told[last] if kept else "")


def steps_before(pipeline: ValidatedPipeline, step_id: str) -> tuple[ValidatedStep, ...]:
    """Return the steps that give the step its inputs, directly or through others, in an order they can run in."""
    steps = {step.id: step for step in pipeline.steps}
    needed: set[str] = set()
    waiting = [step_id]
    while waiting:
        for source in steps[waiting.pop()].inputs.values():
            if source != INPUT and source not in needed:
                needed.add(source)
                waiting.append(source)
    return tuple(step for step in pipeline.steps if step.id in needed)


def _feeding(steps: Mapping[str, ValidatedStep], last: str) -> list[ValidatedStep]:
    """Return the step ``last`` after those that feed it, in an order that only their ports decide."""
    ordered: dict[str, ValidatedStep] = {}

    def visit(name: str) -> None:
        if name == INPUT or name in ordered:
            return
        for _, source in sorted(steps[name].inputs.items()):
            visit(source)
        ordered[name] = steps[name]

    visit(last)
    return list(ordered.values())


def _in_words(view: ViewRecord) -> LocalText:
    if not view.steps:
        return LocalText.of("view-as-they-are", {})
    return LocalText.of("view-after-steps", {"steps": ", ".join(view.components)})


def _only_as_a_model_does(step: ValidatedStep) -> bool:
    """Say whether a step makes large images smaller as a model does first of all, but not as small, and no more."""
    wanted = step.parameters
    if not isinstance(wanted, ResizeParameters) or wanted.mode != "fit" or wanted.enlarge:
        return False
    return min(wanted.width, wanted.height) >= WORKING_SIDE


def _does(step: ValidatedStep, digests: Mapping[str, str]) -> ViewStep:
    """Return what a step does.

    Parameters that have their default are left out, as a later version may know more of them: a default of a parameter
    must never change.
    """
    naming = set(step.component.models)
    return ViewStep(
        component=step.component.name,
        parameters=step.parameters.model_dump(mode="json", exclude_defaults=True, exclude=naming),
        models={field: digests[name] for field, name in step.models().items()},
    )


def _digest(does: Mapping[str, Any]) -> str:
    return sha256_of(json.dumps(does, sort_keys=True, ensure_ascii=True).encode())
