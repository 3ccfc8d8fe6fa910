"""``imageflow bench``: the product's own benchmarks."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.benchmarks.areas import ALL, AREAS, chosen_areas, data_of_environment
from app.command_line.options import JsonOption, progress_bar

if TYPE_CHECKING:
    from app.benchmarks.figures import Figure
    from app.benchmarks.runner import Outcome


def bench_command(
    area: Annotated[str, typer.Argument(help=f"What to measure: {', '.join(AREAS)}, or {ALL}.", metavar="AREA")] = ALL,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the data sets; else IMAGEFLOW_DATA names it."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the figures into this page, such as docs/performance.md.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few repetitions, only to see that it works; the figures say little.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure speed, memory and accuracy on this machine; each area in processes of its own, medians of several runs.

    \b
    Areas:
      inspection   anomaly models on images
      detection    detectors: training, accuracy, speed
      calibration  calibration of the threshold
      skab         sensor anomaly models on SKAB
      sensors      sensor anomaly models over all sets, beside other ways
      codes        reading codes
      sources      image sources: reading, reconnecting
      server       the central server: writers at once, requests
      sync         synchronisation: passes, backlogs, many stations
      command      start of the command line
      window       start of the station's window

    \b
    Examples:
      imageflow bench inspection
      imageflow bench window --json
      imageflow bench all --write docs/performance.md
    """  # noqa: D301 - \b keeps the lines as they are
    from app.benchmarks.machine import describe_machine, in_one_line
    from app.benchmarks.page import json_values, read_page, update_page
    from app.benchmarks.runner import require_linux, run_areas
    from app.command_line import language
    from models.storage import require_writable, write_atomically

    if area not in (*AREAS, ALL):
        raise typer.BadParameter(f"there is no benchmark {area!r}; there are: {', '.join(AREAS)}, {ALL}")
    if write is not None and quick:
        raise typer.BadParameter("the page takes no figures of a quick run", param_hint="--write")
    areas = chosen_areas(area)
    require_linux()
    if write is not None:
        require_writable(write)
        if read_page(write) is None:
            raise typer.BadParameter(f"{write} is no page of figures and stays as it is", param_hint="--write")
    with progress_bar("Measuring") as advance:
        outcomes = run_areas(
            areas,
            data or data_of_environment(),
            quick=quick,
            language=language(),
            on_progress=advance,
            on_measured=lambda module, seconds: typer.echo(f"{module}: {seconds:.0f} s", err=True),
        )
    machine = describe_machine()
    failed = [outcome for outcome in outcomes if outcome.failures]
    for outcome in outcomes:
        for reason in (*outcome.missing, *outcome.failures):
            typer.echo(f"{outcome.area.name}: {reason}", err=True)
    if as_json:
        typer.echo(json.dumps(json_values(outcomes, machine), ensure_ascii=False))
    else:
        _print_tables(outcomes)
        typer.echo(in_one_line(machine))
    if write is not None and not failed:
        day = datetime.now().astimezone().strftime("%Y-%m-%d")
        page = update_page(read_page(write) or "", outcomes, in_one_line(machine), day)
        write_atomically(write, page.encode())
    if failed or not any(outcome.figures for outcome in outcomes):
        raise typer.Exit(1)


def _print_tables(outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from app.benchmarks.page import interval_text, value_text, what_text

    console = Console()
    for outcome in outcomes:
        if not outcome.figures:
            continue
        table = Table(title=f"{outcome.area.title}  ({outcome.area.command})", title_justify="left")
        columns = {
            # The description is below the name: a narrow terminal has no room for another column.
            "figure": [Text.assemble(figure.name, "\n", (what_text(figure), "dim")) for figure in outcome.figures],
            "value": [Text(value_text(figure), no_wrap=True) for figure in outcome.figures],
            "95 %": [Text(interval_text(figure)) for figure in outcome.figures],
            "goal": [Text(_goal(figure)) for figure in outcome.figures],
        }
        used = {title: cells for title, cells in columns.items() if any(cells)}
        for title in used:
            table.add_column(title, justify="right" if title == "value" else "left")
        for row in zip(*used.values(), strict=True):
            table.add_row(*row)
        console.print(table)


def _goal(figure: Figure) -> str:
    return f"{figure.goal} {'✓' if figure.met else 'missed'}" if figure.met is not None else figure.goal
