"""``imageflow train images``: an anomaly model from images of good parts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.command_line.chosen_pipeline import PreprocessingModelOption, PreprocessingPipelineOption, chosen_preprocessing
from app.command_line.details import DetailOption, RotationOption, SideOption, measured_details
from app.command_line.options import (
    JsonOption,
    NameOption,
    progress_bar,
    report_when_stopped,
    require_new_file,
    warn_skipped,
)
from app.command_line.reading_options import (
    BitDepthOption,
    PagesOption,
    RangeOption,
    chosen_reading,
    report_set_range,
    report_transparent,
)
from app.command_line.training_findings import highest_line, rotation_line, seen_line, separation_line
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.anomaly import TrainingProgress, TrainingReport, TrainingSettings
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.imaging.datasets import GoodImages
    from inspection.imaging.reading import Reading

# The bounds of the settings, which are imported only when there is something to train.
_LARGEST_SEED = 2**63 - 1


def train_images_command(
    good: Annotated[
        Path,
        typer.Option(
            "--good",
            help="Folder with images of good parts; beside sub-folders good, ok*, normal* others are left out.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "--output", help="Model file to write.")],
    name: NameOption = "",
    seed: Annotated[int, typer.Option("--seed", min=0, max=_LARGEST_SEED, help="Same images and seed, same file.")] = 0,
    bank_size: Annotated[
        int, typer.Option("--bank-size", min=100, max=50_000, help="Most patches the model remembers.")
    ] = 5000,
    false_alarm_rate: Annotated[
        float, typer.Option("--false-alarm-rate", help="Share of good parts that may be rejected, 0 to 0.5.")
    ] = 0.05,
    detail: DetailOption = None,
    side: SideOption = None,
    rotation: RotationOption = "auto",
    backbone: Annotated[
        str | None, typer.Option("--backbone", help="Network the features come from: efficientnet-lite0 or -lite2.")
    ] = None,
    whitening: Annotated[
        float | None,
        typer.Option("--whitening", min=0, max=1, help="How far weak directions of the features count: 0 to 1."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="patchcore, or padim for aligned images of one size.")
    ] = "patchcore",
    threshold_rule: Annotated[
        Literal["quantile", "tail", "f1", "cost"],
        typer.Option("--threshold", help="How it is chosen; f1 and cost need --defect."),
    ] = "quantile",
    defect: Annotated[
        Path | None, typer.Option("--defect", help="Folder of images of defects, for the threshold only.")
    ] = None,
    escape_cost: Annotated[float, typer.Option("--escape-cost", help="cost: of a defect that passes.")] = 10.0,
    overkill_cost: Annotated[float, typer.Option("--overkill-cost", help="cost: of a good part rejected.")] = 1.0,
    defect_rate: Annotated[
        float, typer.Option("--defect-rate", help="cost: share of defective parts in production.")
    ] = 0.02,
    folds: Annotated[int, typer.Option("--folds", min=2, max=20, help="Parts that are held out in turn.")] = 10,
    grouping: Annotated[
        Literal["similar", "none"],
        typer.Option(
            "--grouping", help="Near duplicates of an image count as one for the threshold, or each on its own."
        ),
    ] = "similar",
    pipeline: PreprocessingPipelineOption = None,
    model: PreprocessingModelOption = None,
    bit_depth: BitDepthOption = None,
    value_range: RangeOption = None,
    pages: PagesOption = "refuse",
    as_json: JsonOption = False,
) -> None:
    """Train an anomaly model from images of good parts alone; the threshold comes from images held out of the fit.

    Images of defects, where there are any, only help to set the threshold: by best F1, or by what an escape and an
    overkill cost. Near duplicates, such as several photographs of one part, count as one image for the threshold, so
    that the stated rate is one for parts the model has not seen. The more different parts, the better the threshold.

    An image that cannot be used is reported on stderr; the model is written from the others, and the exit code is 1.

    \b
    Examples:
      imageflow train images --good good/ --out part.model
      imageflow train images --good good/ --out part.model --method padim
      imageflow train images --good good/ --out part.model --detail fine
      imageflow train images --good good/ --out part.model --threshold tail
      imageflow train images --good good/ --out part.model \\
          --pipeline own.json --model good.png
      imageflow train images --good good/ --out part.model --defect ng/ \\
          --threshold cost --escape-cost 50 --overkill-cost 1 --defect-rate 0.01
    """  # noqa: D301 - \b keeps the lines as they are
    _require_rates(false_alarm_rate, defect_rate)
    _require_costs(escape_cost, overkill_cost)
    if threshold_rule in ("f1", "cost") and defect is None:
        raise typer.BadParameter(f"{threshold_rule} needs images of defects", param_hint="--defect")
    reading = chosen_reading(bit_depth, value_range, pages)
    _require_new_model(out, pipeline, model or [])
    from inspection.anomaly import TrainingSettings
    from inspection.anomaly.methods.registry import require_method
    from inspection.anomaly.training.train import require_enough_files

    settings = TrainingSettings(
        name=name,
        detail=detail or "standard",
        side=side,
        rotation=rotation,
        backbone=backbone,
        whitening=whitening,
        bank_size=bank_size,
        false_alarm_rate=false_alarm_rate,
        folds=folds,
        grouping=grouping,
        seed=seed,
        method=method,
        threshold=threshold_rule,
        escape_cost=escape_cost,
        overkill_cost=overkill_cost,
        defect_rate=defect_rate,
        value_range=None if reading.values is None else (reading.values.low, reading.values.high),
        pages=pages,
    )
    require_method(method)
    preprocessor = chosen_preprocessing(pipeline, model or [], reading)
    given = _GivenImages.of(good, defect)
    details = []
    if detail is not None:
        require_enough_files(given.good.files)
        details = measured_details(given.good.files, settings, preprocessor)
    report = _trained(given, out, settings, preprocessor)
    _report(report, given, reading, details, rotation, as_json=as_json)
    if report.skipped:
        # An image that was given could not be used; the model is written all the same.
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _GivenImages:
    """The images of a training.

    Attributes:
        folder: of the good parts.
        good: of good parts, and the sub-folders that are not used.
        defects: files of defects; empty without any.
    """

    folder: Path
    good: GoodImages
    defects: Sequence[Path]

    @classmethod
    def of(cls, good: Path, defect: Path | None) -> _GivenImages:
        from inspection.imaging.datasets import defect_images

        defects = defect_images(defect) if defect is not None else []
        return cls(good, _chosen_images(good), defects)


def _require_new_model(out: Path, pipeline: Path | None, models: Sequence[str]) -> None:
    """Check that the model file overwrites none of the files that are read."""
    # Of NAME=FILE both the whole, which a file may be called, and the file.
    files = [Path(part) for text in models for part in (text, text.partition("=")[2]) if part]
    require_new_file(out, files if pipeline is None else [pipeline, *files])


def _trained(
    given: _GivenImages, out: Path, settings: TrainingSettings, preprocessor: ImagePreprocessor
) -> TrainingReport:
    """Train with a progress bar, and return the report."""
    from inspection.anomaly import train_images

    with report_when_stopped(out), progress_bar(phrase("training")) as advance:

        def show(progress: TrainingProgress) -> None:
            step = phrase(f"training-{progress.stage}", done=progress.done, total=progress.total)
            advance(step, progress.fraction)

        return train_images(
            given.good.files, out, settings, defects=given.defects, preprocessor=preprocessor, on_progress=show
        )


def _report(
    report: TrainingReport,
    given: _GivenImages,
    reading: Reading,
    details: list[dict[str, Any]],
    rotation: str,
    *,
    as_json: bool,
) -> None:
    """Print warnings on stderr, and the result for a person or a program."""
    from app.command_line import language

    skipped = {file: error.text(language()).detail for file, error in report.skipped.items()}
    warn_skipped(skipped)
    report_set_range(report.set_range, reading)
    report_transparent(report.transparent)
    _warn_of_small_sample(report)
    _warn_of_two_sizes(report)
    _warn_of_lifted_threshold(report, given.folder)
    if as_json:
        content = _content(report, skipped, given.good.left_out)
        typer.echo(json.dumps({**content, "details": details}, ensure_ascii=False))
        return
    typer.echo(_line(report))
    lines = (highest_line(report, given.folder), seen_line(report), _orientation_line(report, rotation))
    for line in lines:
        if line:
            typer.echo(line)
    if (separation := report.manifest.separation) is not None:
        typer.echo(separation_line(separation))


def _require_rates(false_alarm_rate: float, defect_rate: float) -> None:
    if not 0 < false_alarm_rate < 0.5:  # noqa: PLR2004 - the bound of the setting
        raise typer.BadParameter("lies between 0 and 0.5", param_hint="--false-alarm-rate")
    if not 0 < defect_rate < 1:
        raise typer.BadParameter("lies between 0 and 1", param_hint="--defect-rate")


def _require_costs(escape_cost: float, overkill_cost: float) -> None:
    for option, cost in (("--escape-cost", escape_cost), ("--overkill-cost", overkill_cost)):
        if not (cost > 0 and math.isfinite(cost)):
            raise typer.BadParameter("a cost is a number larger than 0", param_hint=option)


def _chosen_images(good: Path) -> GoodImages:
    """Return the good images of a folder; report which sub-folders are not used, or used without a name for good."""
    from app.command_line import warn
    from inspection.imaging.datasets import good_images

    chosen = good_images(good)
    for folder, count in chosen.left_out.items():
        warn("folder-left-out", folder=good / folder, count=count)
    if chosen.taken_whole:
        warn("folders-taken-whole", names=", ".join(chosen.taken_whole))
    return chosen


def _warn_of_two_sizes(report: TrainingReport) -> None:
    from app.command_line import warn

    if report.size_groups:
        first, second = report.size_groups
        warn(
            "two-image-sizes",
            first=first.images,
            first_size=f"{first.width}×{first.height}",
            second=second.images,
            second_size=f"{second.width}×{second.height}",
        )


def _warn_of_lifted_threshold(report: TrainingReport, folder: Path) -> None:
    from app.command_line import warn

    if lifting := report.lifting:
        names = ", ".join(str(path.relative_to(folder)) for path in lifting)
        warn("threshold-lifted", count=len(lifting), images=report.images, names=names)


def _warn_of_small_sample(report: TrainingReport) -> None:
    from app.command_line import warn

    threshold, data = report.threshold, report.manifest.data
    if "few-groups" in report.warnings:
        # The threshold rests on as many scores as there are groups, or on one of each image.
        code = "few-groups" if threshold.sample < data.images else "few-groups-by-image"
        warn(code, images=data.images, groups=data.groups)
    if threshold.sample_too_small:
        warn(
            "threshold-rate-assumed" if threshold.defects else "threshold-assumed",
            sample=threshold.sample,
            rate=f"{threshold.false_alarm_rate:.1%}",
            least=threshold.least_sample,
        )


def _content(report: TrainingReport, skipped: dict[str, str], left_out: dict[str, int]) -> dict[str, Any]:
    """Return the report for a program."""
    from inspection.anomaly.detail import smallest_defect

    threshold, separation = report.threshold, report.manifest.separation
    configuration = report.manifest.configuration
    return {
        "model": str(report.path),
        "digest": report.digest,
        "images": report.images,
        "groups": report.manifest.data.groups,
        "threshold": threshold.value,
        "false_alarm_rate": threshold.false_alarm_rate,
        "method": threshold.method,
        "kind": report.manifest.kind,
        "defects": threshold.defects,
        "separation": None if separation is None else separation.model_dump(),
        "configuration": None if configuration is None else configuration.model_dump(),
        "smallest_defect": smallest_defect(report.manifest.preprocessing.scale),
        "finer": None if report.finer is None else asdict(report.finer),
        "rotation": None if report.manifest.rotation is None else report.manifest.rotation.model_dump(),
        "warnings": list(report.warnings),
        "held_out": {str(path): score for path, score in report.held_out},
        "skipped": skipped,
        "left_out": left_out,
        "value_range": report.manifest.value_range,
        "transparent": report.transparent,
        "seconds": report.seconds,
    }


def _line(report: TrainingReport) -> str:
    threshold = report.threshold
    return phrase(
        "training-done",
        model=report.path,
        images=_images(report),
        seconds=f"{report.seconds:.1f}",
        threshold=f"{threshold.value:.3f}",
        method=threshold.method,
        rate=f"{threshold.false_alarm_rate:.1%}",
        digest=report.digest[:16],
    )


def _orientation_line(report: TrainingReport, asked: str) -> str:
    """Return what is known of the orientation of parts; that it was not found out where too few images show it."""
    from inspection.anomaly.training.rotation import LEAST_COMPARED

    aligned = report.manifest.preprocessing.aligned
    if asked == "auto" and not aligned and report.images < LEAST_COMPARED:
        return phrase("rotation-too-few", images=report.images, least=LEAST_COMPARED)
    return rotation_line(report.manifest.rotation)


def _images(report: TrainingReport) -> str:
    groups = report.manifest.data.groups
    if groups is None or groups == report.images:
        return phrase("training-images", images=report.images)
    return phrase("training-images-of-parts", images=report.images, groups=groups)
