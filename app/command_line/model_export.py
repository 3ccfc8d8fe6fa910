"""``imageflow model export`` and ``verify``: a model in another precision, and whether a file scores as it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.command_line.options import JsonOption, progress_bar, require_new_file
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inspection.anomaly.export.parity import Parity
    from inspection.anomaly.export.verification import Verification
    from inspection.detection.evaluation.verification import VerifiedDetector

ModelArgument = Annotated[Path, typer.Argument(help="Model file.", metavar="MODEL")]


def export_command(
    model: ModelArgument,
    out: Annotated[Path, typer.Option("--out", "--output", help="Model file to write.")],
    precision: Annotated[
        Literal["fp32", "int8"], typer.Option("--precision", help="int8 quantises the backbone; needs --calibration.")
    ] = "fp32",
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Folder of images like those to inspect; the file is checked on them."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model in another precision, in the format of this version; refused unless it scores as the model does.

    Scores must agree within 0.1 % and no verdict may change, in every precision; otherwise nothing is written and the
    numbers are reported. INT8 usually fails for an anomaly model: coarser features raise the scores of good images,
    often above the threshold. It needs the extra `train` of the product.

    \b
    Examples:
      imageflow model export part.model --out copy.model
      imageflow model export part.model --precision int8 \\
          --calibration good/ --out small.model
    """  # noqa: D301 - \b keeps the lines as they are
    if precision == "int8" and calibration is None:
        raise typer.BadParameter("int8 needs images: name their folder", param_hint="--calibration")
    require_new_file(out, [model])
    from inspection.detection.model_file.bundle import DETECTION_KINDS
    from inspection.model_files.archive import archive_kind
    from models.errors import InvalidInput

    if archive_kind(model) in DETECTION_KINDS:
        raise InvalidInput("detector-export", name=model.name)
    from inspection.anomaly.export.export import export_model
    from inspection.imaging.datasets import image_files

    images = image_files(calibration) if calibration is not None else []
    _warn_about_images([model], images)
    with progress_bar(phrase("exporting", precision=precision.upper())):
        report = export_model(model, out, precision, images)
    if as_json:
        found = {
            "model": str(report.path),
            "digest": report.digest,
            "precision": report.precision,
            "bytes": report.size,
            "source_bytes": report.source_size,
            "parity": _parity_json(report.parity),
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(
        phrase(
            "export-done",
            file=report.path,
            precision=report.precision.upper(),
            megabytes=f"{report.size / 1e6:.1f}",
            source=f"{report.source_size / 1e6:.1f}",
            parity=_parity_text(report.parity),
            digest=report.digest[:16],
        )
    )


def verify_command(
    model: ModelArgument,
    against: Annotated[
        Path | None, typer.Option("--against", help="Model file it must agree with; else its own training.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="With --against: folder of images to score; else generated ones.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a model file is whole and scores on this computer as its training did, or as another file does.

    Ends with 1 and the numbers when scores differ by more than 0.1 % or a verdict flips.

    \b
    Examples:
      imageflow model verify part.model
      imageflow model verify small.model --against part.model --images good/
    """  # noqa: D301 - \b keeps the lines as they are
    if images is not None and against is None:
        raise typer.BadParameter("goes with --against", param_hint="--images")
    from inspection.detection.model_file.bundle import DETECTION_KINDS
    from inspection.imaging.datasets import image_files
    from inspection.model_files.archive import archive_kind

    detects = archive_kind(model) in DETECTION_KINDS
    if against is not None and detects != (archive_kind(against) in DETECTION_KINDS):
        raise typer.BadParameter("is a model of another kind", param_hint="--against")
    files = image_files(images) if images is not None else []
    if not detects:
        _warn_about_images([model] if against is None else [model, against], files)
    check = _check_detector if detects else _check_scores
    with progress_bar(phrase("verifying")):
        found, parity, line = check(model, against, files)
    if as_json:
        answer = {
            "model": str(found.path),
            "digest": found.digest,
            "precision": found.precision,
            "reference": found.reference,
            "parity": parity,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo(line)


def _warn_about_images(models: Sequence[Path], images: Sequence[Path]) -> None:
    """Warn when a model was trained on images after steps: those given are scored as they are."""
    from app.command_line import warn
    from inspection.anomaly.bundle import read_manifest

    for model in models if images else ():
        record = read_manifest(model).preprocessing_record
        if record is not None and record.steps:
            warn("model-images-differ", name=model.name, steps=", ".join(record.components))
            return


def _check_scores(
    model: Path, against: Path | None, images: Sequence[Path]
) -> tuple[Verification, dict[str, Any] | None, str]:
    """Check an anomaly model; return what was found, its parity as JSON values, and the line of text."""
    from inspection.anomaly.export.verification import verify_against, verify_model

    found = verify_model(model) if against is None else verify_against(model, against, images)
    if found.parity is None:
        return found, None, phrase("verified-without-scores", **_checked(found))
    values = {**_checked(found), "parity": _parity_text(found.parity)}
    if against is None:
        return found, _parity_json(found.parity), phrase("verified-by-training", **values)
    return found, _parity_json(found.parity), phrase("verified", **values, reference=found.reference)


def _check_detector(
    model: Path, against: Path | None, images: Sequence[Path]
) -> tuple[VerifiedDetector, dict[str, Any] | None, str]:
    """Check a detector; returns as ``_check_scores``."""
    from inspection.detection.evaluation.verification import verify_against, verify_detector

    found = verify_detector(model) if against is None else verify_against(model, against, images)
    agreed = found.agreement
    if agreed is None:
        return found, None, phrase("verified-without-boxes", **_checked(found))
    if not agreed.boxes:
        return found, agreed.model_dump(mode="json"), phrase("verified-finding-nothing", **_checked(found))
    values = {**_checked(found), "matched": f"{agreed.matched:.1%}", "boxes": agreed.boxes}
    if against is None:
        return found, agreed.model_dump(mode="json"), phrase("verified-itself", **values)
    return found, agreed.model_dump(mode="json"), phrase("verified-boxes", **values, reference=found.reference)


def _checked(found: Verification | VerifiedDetector) -> dict[str, object]:
    return {"file": found.path, "digest": found.digest}


def _parity_json(parity: Parity) -> dict[str, Any]:
    return {"difference": parity.difference, "flips": parity.flips, "images": parity.images}


def _parity_text(parity: Parity) -> str:
    return phrase("parity", difference=parity.percent_text, images=parity.images)
