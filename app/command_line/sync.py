"""``imageflow sync``: one pass, the status, and the changes the server rejected."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption, progress_bar
from app.command_line.sync_conflicts import conflicts_app
from app.command_line.sync_dead_letters import dead_letters_app
from app.command_line.sync_enrolment import enrol_anew_command, export_command, send_all_command
from app.command_line.sync_status import status_command
from app.command_line.wording import phrase
from sync.station.hold import Hold, MeteredLink

if TYPE_CHECKING:
    from sync.station.engine import SyncProgress, SyncReport

sync_app = typer.Typer(
    help="Synchronise this station with its server.", add_completion=False, pretty_exceptions_enable=False
)
sync_app.command("status")(status_command)
sync_app.add_typer(dead_letters_app, name="dead-letters")
sync_app.add_typer(conflicts_app, name="conflicts")
sync_app.command("enrol-anew")(enrol_anew_command)
sync_app.command("send-all")(send_all_command)
sync_app.command("export")(export_command)

_REFUSED = 1


@sync_app.callback(invoke_without_command=True)
def sync_command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass, then end (the default).")] = False,
    store: StoreOption = None,
    credential_stdin: Annotated[
        bool, typer.Option("--credential-stdin", help="Read the station's credential from standard input.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Do one pass: send what waits, take in what others changed, move images and models.

    Ends with 1 when the server cannot be reached or has refused a change for good.

    \b
    Examples:
      imageflow sync
      imageflow sync --once --json
      imageflow sync status
      imageflow sync dead-letters list
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn_about
    from app.station.operations.sync_status import clock_warning
    from models.errors import NotSignedIn
    from sync.shared.problems import DEVICE_REVOKED

    del once
    if context.invoked_subcommand is not None:
        return
    with opened_store(store, to_write=True) as workspace, progress_bar(phrase("synchronising")) as advance:
        given = sys.stdin.readline().strip() if credential_stdin else ""
        if given:
            workspace.try_credential(given)
        if workspace.needs_credential:
            revoked = workspace.link.engine.status().store.revoked_at is not None
            raise NotSignedIn(DEVICE_REVOKED if revoked else "sync-credential-not-given")

        workspace.system_says_metered = _system_says_metered

        def show(step: SyncProgress) -> None:
            advance(*_progress_line(step))

        report = workspace.link.engine.run_once(show)
        clock = clock_warning(workspace)
    typer.echo(json.dumps(_report_json(report)) if as_json else _report_text(report))
    if clock is not None:
        warn_about(clock)
    if report.dead or report.problems:
        raise typer.Exit(_REFUSED)


@sync_app.command()
def hold(
    what: Annotated[Hold, typer.Argument(help="nothing, images (verdicts still go), or everything.", metavar="WHAT")],
    store: StoreOption = None,
) -> None:
    """Let images or everything wait while the link is paid by volume; a window that is open follows at once.

    \b
    Examples:
      imageflow sync hold images
      imageflow sync hold nothing
    """  # noqa: D301 - \b keeps the lines as they are
    from app.station.settings import save_settings, store_folder

    save_settings(store_folder(store), sync_hold=what.value)


@sync_app.command()
def metered(
    link: Annotated[MeteredLink, typer.Argument(help="auto (as the system says), always, or never.", metavar="WHEN")],
    store: StoreOption = None,
) -> None:
    """Say whether the link counts as paid by volume, so that images and models wait; the system is asked otherwise.

    \b
    Examples:
      imageflow sync metered never
      imageflow sync metered auto
    """  # noqa: D301 - \b keeps the lines as they are
    from app.station.settings import save_settings, store_folder

    save_settings(store_folder(store), sync_metered=link.value)


def _system_says_metered() -> bool | None:
    from app.window.link_cost import system_says_metered

    return system_says_metered()


def _report_json(report: SyncReport) -> dict[str, Any]:
    import dataclasses

    return {**dataclasses.asdict(report), "problems": list(report.problems)}


def _progress_line(step: SyncProgress) -> tuple[str, float]:
    """Return what a pass does and how far it is, and the fraction of it that is done."""
    words = [phrase(f"sync-{step.stage}"), f"{step.done}/{step.total}" if step.total else str(step.done)]
    fraction = step.done / step.total if step.total else 0.0
    if step.total_bytes:
        words.append(f"{step.done_bytes / 1e6:.1f}/{step.total_bytes / 1e6:.1f} MB")
        fraction = step.done_bytes / step.total_bytes
    if step.seconds_left:
        words.append(phrase("sync-seconds-left", seconds=f"{step.seconds_left:.0f}"))
    return " ".join(words), min(1.0, fraction)


def _report_text(report: SyncReport) -> str:
    told = {
        "pass-retried": report.retried,
        "pass-sent-again": report.sent_again,
        "pass-files-again": report.files_again,
        "pass-conflicts": report.conflicts,
        "pass-dead": report.dead,
    }
    done = phrase(
        "pass-done",
        pushed=report.pushed,
        blobs_sent=report.blobs_sent,
        pulled=report.pulled,
        blobs_fetched=report.blobs_fetched,
        seconds=f"{report.seconds:.1f}",
    )
    problems = [phrase("pass-problem", code=code) for code in sorted(set(report.problems))]
    return "\n".join([done, *(phrase(key, count=count) for key, count in told.items() if count), *problems])
