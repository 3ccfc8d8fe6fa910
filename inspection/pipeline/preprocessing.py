"""What one step of a pipeline is given to see: only the steps before it are run."""

from __future__ import annotations

from collections.abc import Mapping

from inspection.anomaly.manifest import ViewRecord
from inspection.components.registry import StepContext, picture_of
from inspection.components.values import StepValue
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import StepModel, require_kind
from inspection.pipeline.definition import INPUT, PipelineDefinition
from inspection.pipeline.preprocessing_records import steps_before, view_record
from inspection.pipeline.runner import InProcess, StepExecutor
from inspection.pipeline.validation import ValidatedPipeline, validate_definition
from models.errors import DoesNotFit, InvalidInput


class Viewpoint:
    """Gives image after image as a step of a pipeline is given it; may be used from several threads.

    A model that is trained on what its viewpoint gives is scored on the same later, step by step.

    Args:
        pipeline: that the step stands in.
        step_id: of the step, which takes a picture at its port ``image``; it is not run, nor is what comes after it.
        models: those that the steps before it use, by the names in the pipeline.
        executor: where steps run.

    Attributes:
        record: what the steps do, in the words of a model file.

    Raises:
        DoesNotFit: ``viewpoint-model-missing`` when a step before it uses a model that ``models`` lacks,
            ``pipeline-model-kind`` when it is of a kind that step cannot use.
    """

    def __init__(
        self,
        pipeline: ValidatedPipeline,
        step_id: str,
        models: Mapping[str, StepModel] | None = None,
        executor: StepExecutor | None = None,
    ) -> None:
        self._steps = steps_before(pipeline, step_id)
        self._inputs = next(step.inputs for step in pipeline.steps if step.id == step_id)
        self._models = dict(models or {})
        self._executor: StepExecutor = executor or InProcess()
        for step in self._steps:
            for field, name in step.models().items():
                if name not in self._models:
                    raise DoesNotFit("viewpoint-model-missing", step=step.id, name=name, before=step_id)
                require_kind(self._models[name], step.component.models[field], step=step.id, field=field, name=name)
        digests = {name: model.digest for name, model in self._models.items()}
        self.record: ViewRecord = view_record(pipeline, step_id, digests)

    def __call__(self, pixels: Pixels) -> Picture:
        """Return an image as the step is given it.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, the image the pipeline would be run on.

        Raises:
            DoesNotFit: when a step refuses the image, as ``align`` does where it does not find the part.
        """
        values: dict[str, StepValue] = {INPUT: Picture.original(pixels)}
        for step in self._steps:
            context = StepContext(Criteria(), self._models.__getitem__, step_id=step.id)
            inputs = {port: values[source] for port, source in step.inputs.items()}
            values[step.id] = self._executor.execute(step, inputs, context)
        return picture_of({port: values[source] for port, source in self._inputs.items()})


def anomaly_step(definition: PipelineDefinition) -> tuple[ValidatedPipeline, str]:
    """Return the pipeline, checked, and the id of the step that a model for it is trained for.

    Raises:
        InvalidInput: as ``validate_definition``; ``viewpoint-several`` when there are several steps ``anomaly`` that
            are given different pictures.
        DoesNotFit: ``pipeline-without-anomaly`` when there is none.
    """
    pipeline = validate_definition(definition)
    found = {step.id: step.inputs["image"] for step in pipeline.steps if step.component.name == "anomaly"}
    if not found:
        raise DoesNotFit("pipeline-without-anomaly", pipeline=definition.name)
    if len(set(found.values())) > 1:
        raise InvalidInput("viewpoint-several", pipeline=definition.name, steps=", ".join(found))
    return pipeline, next(iter(found))
