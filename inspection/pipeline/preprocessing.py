"""The part of a pipeline before one of its steps: it preprocesses the images of that step's model."""

from __future__ import annotations

from collections.abc import Mapping

from inspection.anomaly.manifest import PreprocessingRecord
from inspection.components.registry import StepContext, picture_of
from inspection.components.values import StepValue
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import StepModel, require_kind
from inspection.pipeline.definition import INPUT
from inspection.pipeline.preprocessing_records import preprocessing_record, steps_before
from inspection.pipeline.runner import InProcess, StepExecutor
from inspection.pipeline.validation import ValidatedPipeline
from models.errors import DoesNotFit, InvalidInput


class PreprocessingPrefix:
    """Runs the steps before one step of a pipeline; may be used from several threads.

    A model trained on its results is later scored on the same, step by step.

    Args:
        pipeline: that holds the step.
        step_id: id of a step with the port ``image``; neither the step nor its successors run.
        models: those that the steps before it use, by the names in the pipeline.
        executor: where steps run.

    Attributes:
        record: the processing, in the form a model file keeps.

    Raises:
        DoesNotFit: ``preprocessing-model-missing`` when a step uses a model that ``models`` lacks,
            ``pipeline-model-kind`` when a model is of a kind that its step cannot use.
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
                    raise DoesNotFit("preprocessing-model-missing", step=step.id, name=name, before=step_id)
                require_kind(self._models[name], step.component.models[field], step=step.id, field=field, name=name)
        digests = {name: model.digest for name, model in self._models.items()}
        self.record: PreprocessingRecord = preprocessing_record(pipeline, step_id, digests)

    def __call__(self, pixels: Pixels) -> Picture:
        """Process one image.

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


def anomaly_step(pipeline: ValidatedPipeline) -> str:
    """Return the id of the step that a model is trained for.

    Raises:
        InvalidInput: ``pipeline-several-anomaly-steps`` when several steps ``anomaly`` take different images.
        DoesNotFit: ``pipeline-without-anomaly`` when there is none.
    """
    found = {step.id: step.inputs["image"] for step in pipeline.steps if step.component.name == "anomaly"}
    name = pipeline.definition.name
    if not found:
        raise DoesNotFit("pipeline-without-anomaly", pipeline=name)
    if len(set(found.values())) > 1:
        raise InvalidInput("pipeline-several-anomaly-steps", pipeline=name, steps=", ".join(found))
    return next(iter(found))
