"""``imageflow evaluate``: measure a model on labelled images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from app.command_line.chosen_models import given_models, measured_model
from app.command_line.chosen_pipeline import (
    PreprocessingPipelineOption,
    chosen_preprocessing,
    chosen_step,
    preprocessing_before,
)
from app.command_line.options import JsonOption, ThresholdOption, in_fractions, progress_bar, warn_skipped
from app.command_line.reading_options import (
    BitDepthOption,
    PagesOption,
    RangeOption,
    chosen_reading,
    report_transparent,
)
from app.command_line.station import LanguageName
from app.command_line.tables import labelled_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.evaluation.masks import MaskMarks
    from inspection.evaluation.scored_set import ScoredSet
    from inspection.imaging.reading import Reading
    from models.messages import Language

_NO_REPORT = frozenset({".json", ".csv", ".txt", ".pdf"})


def evaluate_command(
    models: Annotated[
        list[str],
        typer.Option(
            "--model",
            help="Model file; given again, with --pipeline: reference image, or model, of a step before anomaly; "
            "NAME=FILE where there are several.",
            metavar="[NAME=]FILE",
        ),
    ],
    good: Annotated[
        Path | None, typer.Option("--good", help="Folder with images of good parts; needed for an anomaly model.")
    ] = None,
    defect: Annotated[
        Path | None, typer.Option("--defect", help="Folder with images of defects; may hold a folder a class.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            help="Folder with masks under the same relative names, with or without _mask before the ending, "
            "or with a folder of masks an image.",
        ),
    ] = None,
    mask_marks: Annotated[
        Literal["auto", "above-zero", "zero"],
        typer.Option("--mask-marks", help="Pixels of a mask that are the defect; auto: above 0, unless most are."),
    ] = "auto",
    data: Annotated[
        Path | None, typer.Option("--data", help="For a detector: data.yaml; the images of its val are measured.")
    ] = None,
    threshold: ThresholdOption = None,
    pipeline: PreprocessingPipelineOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "--output", help="Write a report: a page (.html), or a folder for report.html and evaluation.json."
        ),
    ] = None,
    spoken: Annotated[
        LanguageName | None, typer.Option("--language", help="Of the report and the reasons; else the system's.")
    ] = None,
    bit_depth: BitDepthOption = None,
    value_range: RangeOption = None,
    pages: PagesOption = "refuse",
    as_json: JsonOption = False,
) -> None:
    """Measure a model on images it was not trained on: AUROC, AUPRO, F1, escapes, overkill, latency.

    An image that cannot be scored is reported on stderr and counted; the exit code is then 1.

    The report shows the curves, the scores with the threshold, what other thresholds would do, and every escape and
    overkill with what the model saw.

    \b
    Examples:
      imageflow evaluate --model m.model --good test/good --defect test/defect
      imageflow evaluate --model m.model --good ok/ --defect ng/ \\
          --out report.html --language ja
      imageflow evaluate --model m.model --good ok/ --defect ng/ --masks masks/
      imageflow evaluate --model m.model --model good.png --pipeline own.json \\
          --good ok/ --defect ng/
      imageflow evaluate --model detector.model --data data.yaml
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language

    speech = language() if spoken is None else spoken.value
    reading = chosen_reading(bit_depth, value_range, pages)
    if data is not None:
        for_anomaly = (good, defect, masks, threshold, pipeline, out, reading.values)
        if len(models) > 1 or any(value is not None for value in for_anomaly):
            raise typer.BadParameter("goes with --model and --json alone", param_hint="--data")
        _evaluate_detector(given_models(models, {"default"})[0].file, data, speech, as_json=as_json)
        return
    if good is None or defect is None:
        missing = "--good" if good is None else "--defect"
        raise typer.BadParameter("give --good and --defect, or --data for a detector", param_hint=missing)
    if out is not None and out.suffix.lower() in _NO_REPORT:
        raise typer.BadParameter("name a page (.html), or a folder: it gets evaluation.json too", param_hint="--out")
    step = chosen_step(pipeline)
    model, used = measured_model(*step, models)
    preprocessor = chosen_preprocessing(None, used) if pipeline is None else preprocessing_before(*step, used, reading)
    folders = Folders(good, defect, masks)
    if masks is None and mask_marks != "auto":
        raise typer.BadParameter("goes with --masks", param_hint="--mask-marks")
    _evaluate_scores(model, preprocessor, folders, reading, mask_marks, threshold, out, speech, as_json=as_json)


class Folders(NamedTuple):
    """What an anomaly model is measured on."""

    good: Path
    defect: Path
    masks: Path | None


def _evaluate_scores(
    model: Path,
    preprocessor: ImagePreprocessor,
    folders: Folders,
    given: Reading,
    marks: MaskMarks,
    threshold: float | None,
    out: Path | None,
    speech: Language,
    *,
    as_json: bool,
) -> None:
    from app.command_line import warn_about
    from inspection.anomaly import AnomalyModel
    from inspection.evaluation import results_of, score_set
    from inspection.evaluation.preprocessed import PreprocessedModel
    from inspection.evaluation.provenance import Processing
    from inspection.model_library.loading import load_model
    from inspection.pipeline import preprocessing_mismatch
    from inspection.pipeline.value_ranges import range_of_models
    from models.errors import DoesNotFit

    loaded = load_model(model)
    if not isinstance(loaded, AnomalyModel):
        _require_no_detector(loaded)
        raise DoesNotFit("evaluation-kind", name=model.name)
    place = None
    if out is not None:
        from inspection.evaluation.report import ReportPlace

        place = ReportPlace(out)
        place.require_writable()
    reading = replace(given, values=range_of_models([loaded], given.values))
    mismatch = preprocessing_mismatch(loaded.manifest, loaded.name, loaded.digest, preprocessor.record)
    unlike = mismatch.error() if mismatch is not None else None
    if unlike is not None:
        warn_about(unlike)
    with progress_bar(phrase("evaluating")) as advance:
        scored = score_set(
            PreprocessedModel(loaded, preprocessor),
            *folders,
            threshold=threshold,
            pictures=place is not None,
            language=speech,
            on_progress=in_fractions(phrase("evaluating"), advance),
            reading=reading,
            marks=marks,
        )
    as_trained = None if loaded.manifest.preprocessing_record is None else unlike is None
    processed = Processing(preprocessor.record.components, as_trained, unlike)
    found = results_of(scored) | {"steps": list(processed.steps), "as_trained": as_trained}
    # The figures first: a report that cannot be written does not cost them.
    _print_report(found, _table(found) if not as_json else None)
    if place is not None:
        from inspection.evaluation.provenance import Sources
        from inspection.evaluation.report import write_report

        write_report(scored, found, place, Sources(*folders, processed), speech)
        typer.echo(phrase("evaluation-report", file=place.page), err=as_json)
    report_transparent(scored.transparent)
    _report_masks(scored)
    _exit_for(found)


def _report_masks(scored: ScoredSet) -> None:
    """Report on stderr which images of defects are in no pixel figure, and which masks belong to none."""
    from app.command_line import warn

    for code, files in (
        ("masks-missing", scored.without_mask),
        ("masks-empty", scored.empty_masks),
        ("masks-unused", scored.unused_masks),
    ):
        if files:
            warn(code, count=len(files), names=", ".join(map(str, files)))


def _evaluate_detector(model: Path, data: Path, speech: Language, *, as_json: bool) -> None:
    from inspection.anomaly import AnomalyModel
    from inspection.detection.model.detector import Detector
    from inspection.evaluation.detectors import evaluate_detector
    from inspection.model_library.loading import load_model
    from models.errors import DoesNotFit

    loaded = load_model(model)
    if isinstance(loaded, AnomalyModel):
        raise typer.BadParameter("an anomaly model takes --good and --defect", param_hint="--data")
    if not isinstance(loaded, Detector):
        raise DoesNotFit("evaluation-kind", name=model.name)
    with progress_bar(phrase("evaluating")) as advance:
        found = evaluate_detector(
            loaded, data, language=speech, on_progress=in_fractions(phrase("evaluating"), advance)
        )
    _print_report(found, _detector_table(found) if not as_json else None)
    _exit_for(found)


def _exit_for(found: dict[str, Any]) -> None:
    """End with 1 when an image that was given has no score."""
    if found["skipped"]:
        raise typer.Exit(1)


def _require_no_detector(loaded: object) -> None:
    from inspection.detection.model.detector import Detector

    if isinstance(loaded, Detector):
        raise typer.BadParameter("a detector is measured on labelled boxes: give --data", param_hint="--model")


def _print_report(found: dict[str, Any], lines: list[str] | None) -> None:
    warn_skipped(found["skipped"])
    typer.echo(json.dumps(found, ensure_ascii=False) if lines is None else "\n".join(lines))


def _detector_table(found: dict[str, Any]) -> list[str]:
    boxes = {"images": found["images"], "boxes": found["boxes"]}
    lines = labelled_lines(
        [
            ("mAP50", f"{found['map50']:.4f}"),
            ("mAP50-95", phrase("evaluation-boxes", value=f"{found['map50_95']:.4f}", **boxes)),
            (phrase("evaluation-latency"), _latency(found)),
        ]
    )
    return lines + labelled_lines(
        [
            (
                f"  {name}",
                f"mAP50 {_plain(values['map50'])}  mAP50-95 {_plain(values['map50_95'])}  "
                + phrase("evaluation-class-boxes", boxes=values["boxes"]),
            )
            for name, values in found["classes"].items()
        ]
    )


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _table(found: dict[str, Any]) -> list[str]:
    rows = [
        (phrase("evaluation-image-auroc"), _figure(found, "image_auroc")),
        (phrase("evaluation-average-precision"), _figure(found, "average_precision")),
    ]
    if found["pixel_auroc"] is not None:
        pixels = phrase("evaluation-masks", value=_figure(found, "pixel_auroc"), masks=found["masks"])
        regions = phrase("evaluation-regions", value=_figure(found, "aupro"), regions=found["regions"])
        rows += [(phrase("evaluation-pixel-auroc"), pixels), (phrase("evaluation-aupro"), regions)]
    best = found["best_f1"]
    best_f1 = {"best": f"{best['f1']:.4f}", "threshold": f"{best['threshold']:.4f}"}
    rows += [
        (phrase("evaluation-threshold"), f"{found['threshold']:.4f}"),
        (phrase("evaluation-escapes"), _share(found["escapes"]) + _share_interval(found, "escapes")),
        (phrase("evaluation-overkill"), _share(found["overkill"]) + _share_interval(found, "overkill")),
        (phrase("evaluation-f1"), phrase("evaluation-best-f1", value=_figure(found, "f1"), **best_f1)),
        (phrase("evaluation-latency"), _latency(found)),
    ]
    lines = labelled_lines(rows)
    lines += [
        phrase("evaluation-class", name=name, escapes=_share(values["escapes"]))
        for name, values in found["classes"].items()
    ]
    if found["skipped"]:
        left = phrase("evaluation-left-out-images", **found["left_out"])
        lines += labelled_lines([(phrase("evaluation-left-out"), left)])
    return lines


def _latency(found: dict[str, Any]) -> str:
    return f"p50 {found['latency_ms']['p50']:.1f} ms, p95 {found['latency_ms']['p95']:.1f} ms"


def _figure(found: dict[str, Any], name: str) -> str:
    return f"{found[name]:.4f}{_interval(found, name)}"


def _interval(found: dict[str, Any], name: str) -> str:
    bounds = found["intervals"].get(name)
    return "" if bounds is None else f"  [95 %: {bounds[0]:.3f}-{bounds[1]:.3f}]"


def _share_interval(found: dict[str, Any], name: str) -> str:
    bounds = found["intervals"].get(name)
    return "" if bounds is None else f"  [95 %: {bounds[0]:.1%}-{bounds[1]:.1%}]"


def _share(found: dict[str, Any]) -> str:
    of = phrase("evaluation-share", count=found["count"], total=found["total"])
    return of if found["rate"] is None else f"{of} ({found['rate']:.1%})"
