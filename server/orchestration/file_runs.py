"""The run of a pipeline on one input file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from inspection.components.registry import StepContext
from inspection.imaging.files import decode
from inspection.imaging.frames import Frame
from inspection.imaging.picture import Picture
from inspection.imaging.reading import Reading
from inspection.judging.criteria import Criteria
from inspection.model_files.step_models import ModelFinder
from inspection.pipeline.outcome import InspectionOutcome, assemble_outcome
from inspection.pipeline.runner import StepProgress
from inspection.pipeline.validation import ValidatedPipeline
from inspection.pipeline.value_ranges import range_of_models, require_range_of_models
from server.core.tracing import NoTracing, Tracing
from server.orchestration.images import StepImage, name_of
from server.orchestration.run_work import RunWork
from server.orchestration.shown import EncodedPicture
from server.orchestration.steps import StepRunner
from server.orchestration.walking import Walk, Walked
from server.services.step_services import StepServices, StoredImage

T = TypeVar("T")
_EIGHT_BIT_TYPES = frozenset({"image/jpeg", "image/bmp", "image/webp", "image/gif"})


@dataclass(frozen=True, slots=True)
class InputImage:
    """The input file of a run."""

    image: StoredImage
    filename: str


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What the run on one file gave.

    Attributes:
        outcome: of the pipeline, without the picture.
        picture: the picture that it shows, as PNG; None when it shows none.
    """

    outcome: InspectionOutcome
    picture: EncodedPicture | None


async def run_on_file(
    work: RunWork,
    pipeline: ValidatedPipeline,
    given: InputImage,
    find_model: ModelFinder,
    criteria: Criteria,
    services: StepServices | None,
    report: Callable[[StepProgress, float], None],
    take: Callable[[FileOutcome], T],
    tracing: Tracing | NoTracing,
) -> T:
    """Run a pipeline on one file and return what ``take`` makes of it: what ``Runner`` gives for the same file.

    Args:
        work: of the run.
        pipeline: to run.
        given: the file.
        find_model: returns the model of a name.
        criteria: that the outcome is judged by.
        services: None to run every step here.
        report: called before and after every step, with the milliseconds that it took.
        take: called with what the run gave, on a thread.
        tracing: makes a span for every step.

    Raises:
        UserFacingError: when the file, a model or a parameter does not fit, or a service does not answer.
        InspectionCancelled: when the run was stopped.
    """
    original = StepImage(work, stored=given.image)
    if given.image.content_type not in _EIGHT_BIT_TYPES:
        deep = await work.on_thread(_deep_picture, work, pipeline, given, find_model)
        if deep is not None:
            # The range of its values is that of the models, which services do not know: every step runs here.
            original, services = StepImage(work, picture=deep), None

    def taken(walked: Walked) -> T:
        values = {step: value for step, value in walked.values.items() if not isinstance(value, StepImage)}
        outcome = assemble_outcome(pipeline, values, criteria, walked.timings, walked.milliseconds)
        return take(FileOutcome(outcome, walked.picture))

    steps = StepRunner(work, StepContext(criteria, find_model, cancel=work.cancel), services)
    return await Walk(work, pipeline, original, steps, report, taken, tracing).run()


def _deep_picture(
    work: RunWork, pipeline: ValidatedPipeline, given: InputImage, find_model: ModelFinder
) -> Picture | None:
    """Return the picture of an image of more than 8 bits, in the range of the models; None for any other."""
    data = work.objects.read(name_of(given.image))
    decoded = decode(data, name=given.filename, limits=work.limits)
    if decoded.values is None:
        return None
    models = [find_model(name) for name in sorted(pipeline.models())]
    wanted = range_of_models(models)
    if wanted is not None and wanted != decoded.values:
        decoded = decode(data, name=given.filename, limits=work.limits, reading=Reading(wanted))
    require_range_of_models(Frame(decoded.pixels, given.filename, 0, values=decoded.values), models)
    return Picture.original(decoded.pixels)
