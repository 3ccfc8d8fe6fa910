"""What steps do to the images a model is given, told so that a training and a use can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from inspection.anomaly.manifest import BundleManifest, SeenRecord
from inspection.anomaly.preparation import WORKING_SIDE
from inspection.components.resize import ResizeParameters
from inspection.pipeline.definition import INPUT
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from inspection.step_models import StepModel
from models.errors import DoesNotFit
from models.messages import LocalText


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


def sight_of(pipeline: ValidatedPipeline, step_id: str, digests: Mapping[str, str]) -> SeenRecord:
    """Return what is done to an image before a step is given it, whatever steps and models are called.

    A step that only brings the image to a size to which a model for anomalies brings it by itself counts for nothing.

    Args:
        pipeline: that the step stands in.
        step_id: of a step that takes a picture at its port ``image``.
        digests: name → SHA-256 of the models and reference images that the steps before it use.
    """
    steps = {step.id: step for step in pipeline.steps}
    last = steps[step_id].inputs["image"]
    while last != INPUT and _only_as_a_model_does(steps[last]):
        last = steps[last].inputs["image"]
    if last == INPUT:
        return SeenRecord()
    told = {INPUT: INPUT}
    counting = (*steps_before(pipeline, last), steps[last])
    for step in counting:
        told[step.id] = _told(step, told, digests)
    return SeenRecord(steps=tuple(step.component.name for step in counting), digest=told[last])


def seen_otherwise(pipeline: ValidatedPipeline, models: Mapping[str, StepModel]) -> tuple[DoesNotFit, ...]:
    """Return what to tell of each step whose model was trained on images taken otherwise; as ``taken_otherwise``.

    Args:
        pipeline: whose steps they are.
        models: by name, all that the steps use.
    """
    from inspection.anomaly.model import AnomalyModel

    digests = {name: model.digest for name, model in models.items()}
    found = []
    for step in pipeline.steps:
        used = [models[name] for name in step.models().values()]
        here = [model for model in used if isinstance(model, AnomalyModel)]
        found += [taken_otherwise(model.manifest, model.name, sight_of(pipeline, step.id, digests)) for model in here]
    return tuple(told for told in found if told is not None)


def taken_otherwise(manifest: BundleManifest, name: str, here: SeenRecord) -> DoesNotFit | None:
    """Return what to tell when a model was trained on images taken otherwise than ``here``; None when all is well.

    It can be scored all the same, but scores mean little: good parts look strange behind a crop that the training did
    not have. Of a model whose file does not say how its images were taken, nothing is known.

    Args:
        manifest: of the model.
        name: of its file, for the message.
        here: what is done to the images it is given.
    """
    trained = manifest.seen
    if trained is None or trained.digest == here.digest:
        return None
    return DoesNotFit("model-seen-otherwise", name=name, trained=_in_words(trained), here=_in_words(here))


def _in_words(seen: SeenRecord) -> LocalText:
    if not seen.steps:
        return LocalText.of("seen-as-they-are", {})
    return LocalText.of("seen-through", {"steps": ", ".join(seen.steps)})


def _only_as_a_model_does(step: ValidatedStep) -> bool:
    """Say whether a step makes large images smaller as a model does first of all, but not as small, and no more."""
    wanted = step.parameters
    if not isinstance(wanted, ResizeParameters) or wanted.mode != "fit" or wanted.enlarge:
        return False
    return min(wanted.width, wanted.height) >= WORKING_SIDE


def _told(step: ValidatedStep, before: Mapping[str, str], digests: Mapping[str, str]) -> str:
    """Return the SHA-256 of what a step does.

    Parameters that have their default are left out: a later version may know more of them.
    """
    naming = set(step.component.models)
    does = {
        "component": step.component.name,
        "parameters": step.parameters.model_dump(mode="json", exclude_defaults=True, exclude=naming),
        "inputs": {port: before[source] for port, source in step.inputs.items()},
        "models": {field: digests[name] for field, name in step.models().items()},
    }
    return hashlib.sha256(json.dumps(does, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
