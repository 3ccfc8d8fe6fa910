"""``imageflow model``: look at models, make the backbone ready; its larger commands have files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command_line.model_drift import drift_command
from app.command_line.model_export import export_command, verify_command
from app.command_line.model_release import release_app
from app.command_line.model_score import score_command
from app.command_line.model_show import described_lines
from app.command_line.model_threshold import threshold_command
from app.command_line.options import JsonOption, progress_bar
from app.command_line.tables import print_json_lines
from app.command_line.wording import phrase

model_app = typer.Typer(
    help="Look at models, set thresholds, score sensor rows, see drift, export and verify; make the backbone ready.",
    no_args_is_help=True,
    add_completion=False,
)
model_app.command("threshold")(threshold_command)
model_app.command("drift")(drift_command)
model_app.command("score")(score_command)
model_app.command("export")(export_command)
model_app.command("verify")(verify_command)
model_app.add_typer(release_app, name="release")


@model_app.command("backbone")
def backbone_command(
    name: Annotated[str, typer.Argument(help="Which backbone.", metavar="NAME")] = "efficientnet-lite2",
    out: Annotated[
        Path | None, typer.Option("--out", "--output", help="Folder; else IMAGEFLOW_BACKBONES, else the product's own.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list the backbones and whether they are ready.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a backbone's weights once, so that models can be trained without torch; a few seconds, no internet.

    \b
    Examples:
      imageflow model backbone
      imageflow model backbone efficientnet-lite0
      imageflow model backbone --list
    """  # noqa: D301 - \b keeps the lines as they are
    if show:
        from inspection.model_library.catalogue import list_backbones

        listed = list_backbones()
        if as_json:
            print_json_lines(listed)
            return
        typer.echo("\n".join(f"{found['name']}  {phrase('backbone-state-' + found['state'])}" for found in listed))
        return
    from inspection.anomaly import convert_in_own_process

    with progress_bar(phrase("backbone-converting", name=name)):
        made = convert_in_own_process(name, out)
    found = {"name": made.name, "graph": str(made.graph), "digest": made.digest, "parity": made.parity}
    typer.echo(
        json.dumps(found, ensure_ascii=False)
        if as_json
        else phrase("backbone-done", name=made.name, file=made.graph, difference=f"{made.parity:.1e}")
    )


@model_app.command("show")
def show_command(
    model: Annotated[Path, typer.Argument(help="Model file.", metavar="MODEL")],
    as_json: JsonOption = False,
) -> None:
    """Show a model file's manifest; checks that the file is complete and unchanged.

    \b
    Examples:
      imageflow model show part.model
      imageflow model show part.model --json
    """  # noqa: D301 - \b keeps the lines as they are
    from inspection.model_library.catalogue import describe_model

    found = describe_model(model)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(described_lines(found)))


@model_app.command("list")
def list_command(
    folder: Annotated[Path, typer.Argument(help="Folder to look in, with its sub-folders.", metavar="FOLDER")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """List the model files (*.model) of a folder.

    \b
    Examples:
      imageflow model list
      imageflow model list models/ --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from inspection.model_library.catalogue import list_models

    listed = list_models(folder)
    if as_json:
        print_json_lines(listed)
        return
    for found in listed:
        typer.echo(_listed_line(found))
    if not listed:
        warn("no-model-files", folder=folder)


def _listed_line(found: dict[str, Any]) -> str:
    if "error" in found:
        return phrase("model-unusable", file=found["file"], error=found["error"])
    named = {"file": found["file"], "name": found["name"], "images": found["images"]}
    if "threshold" in found:
        return phrase("model-listed", **named, threshold=f"{found['threshold']:.3f}")
    quality = "" if found["map50"] is None else f"  mAP50 {found['map50']:.3f}"
    return phrase("model-listed-detector", **named, kind=found["kind"]) + quality
