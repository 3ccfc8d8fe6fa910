"""Records of the steps that process a model's images: written by a training, compared when the model is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspection.anomaly.manifest import BundleManifest, PreprocessingRecord, PreprocessingStep
from inspection.anomaly.preparation import WORKING_SIDE
from inspection.components.resize import ResizeParameters
from inspection.model_files.step_models import StepModel
from inspection.pipeline.definition import INPUT
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from models.errors import DoesNotFit
from models.messages import LocalText
from models.storage import sha256_of


@dataclass(frozen=True, slots=True)
class PreprocessingMismatch:
    """A model that scores images processed by other steps than those of its training.

    Scores can still be computed but are not reliable: good parts score high behind a crop the training did not have.

    Attributes:
        name: of the model's file.
        model: its SHA-256.
        trained: the processing of the training images.
        here: the processing of the images it scores.
        step: id of the step that uses the model; empty without a pipeline.
    """

    name: str
    model: str
    trained: PreprocessingRecord
    here: PreprocessingRecord
    step: str = ""

    def error(self, prefix: str = "", item: str = "") -> DoesNotFit:
        """Return the mismatch as a message for the user; it is a warning and need not be raised.

        Args:
            prefix: of the code, for callers with texts of their own: ``window-``.
            item: name of the inspected item, for these texts.
        """
        if self.trained.components != self.here.components:
            code, trained, here = f"{prefix}model-preprocessing-differs", _in_words(self.trained), _in_words(self.here)
            return DoesNotFit(code, name=self.name, item=item, trained=trained, here=here)
        pairs = list(zip(self.trained.steps, self.here.steps, strict=True))
        changed = [here.component for trained, here in pairs if trained.effect() != here.effect()]
        # With equal steps, the connections between them differ.
        differing = ", ".join(changed or self.here.components)
        steps = ", ".join(self.here.components)
        code = f"{prefix}model-preprocessing-settings-differ"
        return DoesNotFit(code, name=self.name, item=item, steps=steps, differing=differing)

    def as_json(self) -> dict[str, Any]:
        """Return the mismatch as the audit trail keeps it."""
        return {"step": self.step, "model": self.model, "trained": self.trained.digest, "here": self.here.digest}


def preprocessing_mismatches(
    pipeline: ValidatedPipeline, models: Mapping[str, StepModel]
) -> tuple[PreprocessingMismatch, ...]:
    """Return a mismatch for each step whose model was trained with other preprocessing.

    Args:
        pipeline: the pipeline that is run.
        models: by name, all that its steps use.
    """
    from inspection.anomaly.model import AnomalyModel

    digests = {name: model.digest for name, model in models.items()}
    found = []
    for step in pipeline.steps:
        for used in (models[name] for name in step.models().values()):
            if isinstance(used, AnomalyModel):
                whole = used.manifest.preprocessing.tile == 0
                here = preprocessing_record(pipeline, step.id, digests, shrinks_first=whole)
                found.append(preprocessing_mismatch(used.manifest, used.name, used.digest, here, step.id))
    return tuple(differing for differing in found if differing is not None)


def preprocessing_mismatch(
    manifest: BundleManifest, name: str, digest: str, here: PreprocessingRecord, step: str = ""
) -> PreprocessingMismatch | None:
    """Compare the preprocessing of a model's training with that of its use; None when equal or not recorded.

    Args:
        manifest: of the model.
        name: of its file.
        digest: SHA-256 of its file.
        here: the processing of the images it scores.
        step: id of the step that uses it.
    """
    trained = manifest.preprocessing_record
    if trained is None or trained.digest == here.digest:
        return None
    return PreprocessingMismatch(name, digest, trained, here, step)


def preprocessing_record(
    pipeline: ValidatedPipeline, step_id: str, digests: Mapping[str, str], *, shrinks_first: bool = True
) -> PreprocessingRecord:
    """Return the processing of an image before a step; names of steps and models do not matter.

    Steps right before it that only shrink the image to no less than the model's working size are left out. Settings
    that happen to change nothing count.

    Args:
        pipeline: that the step belongs to.
        step_id: of a step that takes a picture at its port ``image``.
        digests: name → SHA-256 of the models and reference images that the steps before it use.
        shrinks_first: whether the step's model shrinks images to its working size itself; a model of tiles does not,
            and a step that shrinks takes away what it was trained to see.
    """
    steps = {step.id: step for step in pipeline.steps}
    last = steps[step_id].inputs["image"]
    while shrinks_first and last != INPUT and _only_shrinks(steps[last]):
        last = steps[last].inputs["image"]
    digest_of = {INPUT: INPUT}
    kept = []
    for step in _feeding(steps, last):
        record = _record_of(step, digests)
        kept.append(record)
        inputs = {port: digest_of[source] for port, source in step.inputs.items()}
        digest_of[step.id] = _digest({**record.effect(), "inputs": inputs})
    return PreprocessingRecord(steps=tuple(kept), digest=digest_of[last] if kept else "")


def steps_before(pipeline: ValidatedPipeline, step_id: str) -> tuple[ValidatedStep, ...]:
    """Return the steps that the step depends on, directly or through others, in an order they can run in."""
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


def _in_words(record: PreprocessingRecord) -> LocalText:
    if not record.steps:
        return LocalText.of("preprocessing-none", {})
    return LocalText.of("preprocessing-after-steps", {"steps": ", ".join(record.components)})


def _only_shrinks(step: ValidatedStep) -> bool:
    """Return whether a step only shrinks the image, to no less than the model's working size."""
    wanted = step.parameters
    if not isinstance(wanted, ResizeParameters) or wanted.mode != "fit" or wanted.enlarge:
        return False
    return min(wanted.width, wanted.height) >= WORKING_SIDE


def _record_of(step: ValidatedStep, digests: Mapping[str, str]) -> PreprocessingStep:
    """Return the record of a step.

    Parameters with their default value are left out, because later versions may have more of them. Defaults must
    therefore never change.
    """
    naming = set(step.component.models)
    return PreprocessingStep(
        component=step.component.name,
        parameters=step.parameters.model_dump(mode="json", exclude_defaults=True, exclude=naming),
        models={field: digests[name] for field, name in step.models().items()},
    )


def _digest(effect: Mapping[str, Any]) -> str:
    return sha256_of(json.dumps(effect, sort_keys=True, ensure_ascii=True).encode())
