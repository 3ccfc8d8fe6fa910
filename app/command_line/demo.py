"""``imageflow demo``: the whole job on sample parts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.display import somebody_can_see
from app.command_line.options import JsonOption, StoreOption, in_fractions, progress_bar

if TYPE_CHECKING:
    from app.demo.parts import DemoParts
    from app.demo.practice_store import PracticeStore
    from app.demo.scenario import Scenario
    from app.demo.wording import Wording

_LOOK_MS = 600


def demo_command(
    auto: Annotated[bool, typer.Option("--auto", help="Let a scripted operator do it all.")] = False,
    good: Annotated[Path | None, typer.Option("--good", help="Folder of good images to learn from.")] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="Folder of images to inspect; sub-folder names are the labels.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "--output", help="Folder for report.json, screenshots and overlays.")
    ] = Path("demo-output"),
    parts: Annotated[int | None, typer.Option("--parts", min=2, help="Inspect only this many parts.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole job: capture, inspect, verify, store, synchronise with a server of its own, report.

    With a display it happens in the station's window, by itself with --auto, else with you at the keys. Without a
    display the scripted operator does it in the same window, drawn off the screen. Ends with 1 when station and server
    disagree, or an image could not be used.

    \b
    Examples:
      imageflow demo
      imageflow demo --auto --out day-one
      imageflow demo --good castings/good --test castings/test
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language
    from app.demo.output import begin_output
    from app.demo.parts import given_parts
    from app.demo.practice_store import PracticeStore
    from app.demo.report import print_report, write_report
    from app.demo.scenario import Scenario
    from app.demo.wording import Wording
    from app.station.settings import store_folder
    from models.errors import InvalidInput

    if (good is None) != (test is None):
        raise InvalidInput("demo-good-and-test")
    practice = PracticeStore(store_folder(store))
    practice.reserve()
    try:
        wording = Wording(language())
        practice.require_outside(*(folder for folder in (good, test, out) if folder is not None))
        # What can be refused is refused before the earlier run's store goes.
        given = given_parts(good, test, limit=parts) if good is not None and test is not None else None
        if given is not None:
            report_sub_folders(given, good or Path())
        begin_output(out)
        practice.renew()
        chosen = given or _drawn(practice, parts, wording)
        scenario = Scenario(practice, chosen, out, _note, wording.language)
        try:
            scenario.set_up_server()
            _run_window(scenario, scripted=auto)
            report = scenario.report()
        finally:
            scenario.close()
    finally:
        practice.close()
    path = write_report(report, out)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        from rich.console import Console

        print_report(report, Console(), wording)
        typer.echo(path)
    if not report["agrees"] or report["skipped"] or report["training"]["skipped"]:
        raise typer.Exit(1)


def report_sub_folders(parts: DemoParts, good: Path) -> None:
    """Report which sub-folders are trained on although no name marks them as good, and which are not used."""
    from app.command_line import warn

    for folder, count in parts.left_out.items():
        warn("folder-left-out", folder=good / folder, count=count)
    if parts.taken_whole:
        warn("folders-taken-whole", names=", ".join(parts.taken_whole))


def _run_window(scenario: Scenario, *, scripted: bool) -> None:
    shown = somebody_can_see()
    if not shown:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        if not scripted:
            _note(scenario.wording.phrase("no-display"))
    from app.demo.windowed import SCREEN, WindowedDemo, without_screen
    from app.window.shell.application import prepare_application
    from app.window.shell.station import build_station

    application = prepare_application()
    if not shown:
        without_screen()
    workspace = scenario.open_station()
    station = build_station(workspace, source=scenario.parts.source(), language=scenario.language)
    if not shown:
        station.window.resize(*SCREEN)
    phrase = scenario.wording.phrase
    _note(phrase("training-from", images=len(scenario.parts.train_good)))
    with progress_bar(phrase("training")) as advance:
        demo = WindowedDemo(
            scenario,
            application,
            station,
            scripted=scripted or not shown,
            pace_ms=_LOOK_MS if shown else 0,
            on_training=lambda training: advance(
                phrase(f"stage-{training.stage}" if training.stage else "training"), training.fraction
            ),
        )
        demo.run()


def _drawn(practice: PracticeStore, limit: int | None, wording: Wording) -> DemoParts:
    from app.demo.parts import drawn_parts

    title = wording.phrase("drawing-parts")
    with progress_bar(title) as advance:
        name = wording.phrase("sample-name")
        return drawn_parts(practice.parts, name=name, limit=limit, on_progress=in_fractions(title, advance))


def _note(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
