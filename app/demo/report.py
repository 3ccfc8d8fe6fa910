"""The demo's report: as JSON for programs, as a table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.demo.comparison import Comparison
from app.demo.outcome import PartOutcome, figures
from app.demo.output import REPORT
from app.demo.wording import Wording
from app.station.operations.training import TrainedModel
from models.clock import rfc3339, utc_now
from models.storage import write_atomically


def build_report(
    *,
    name: str,
    outcomes: Sequence[PartOutcome],
    skipped: Sequence[str],
    trained: TrainedModel,
    comparison: Comparison,
    seconds: float,
    finished: bool,
) -> dict[str, Any]:
    """Return the whole report as JSON values; ``agrees`` is what the exit code says.

    Args:
        name: of the parts.
        outcomes: in order of inspection.
        skipped: the message for each image that could not be used.
        trained: the model.
        comparison: of station and server.
        seconds: the demo took.
        finished: whether every part was inspected; an operator may leave before.
    """
    return {
        "version": version("imageflow-station"),
        "created_at": rfc3339(utc_now()),
        "name": name,
        "agrees": comparison.agrees,
        "finished": finished,
        "problems": list(comparison.problems),
        **figures(outcomes),
        "skipped": list(skipped),
        "training": {
            "images": trained.images,
            "seconds": round(trained.seconds, 1),
            "threshold": trained.threshold,
            "false_alarm_rate": trained.false_alarm_rate,
            "warnings": list(trained.warnings),
            "skipped": trained.skipped,
            "model_sha256": trained.sha256,
        },
        "sync": {
            "synced_records": comparison.synced_records,
            "unsynced_records": comparison.unsynced_records,
            "waiting": comparison.waiting,
            "dead": comparison.dead,
            "images_compared": comparison.images,
            "image_bytes": comparison.image_bytes,
        },
        "statistics": {"station": comparison.station_statistics, "server": comparison.server_statistics},
        "results": [
            {
                "number": outcome.number,
                "serial_number": outcome.serial_number,
                "file": outcome.file,
                "label": outcome.label,
                "ai": outcome.ai_verdict.value,
                "effective": outcome.effective_verdict.value,
                "score": outcome.score,
                "ms": round(outcome.milliseconds, 1),
                "online": outcome.online,
            }
            for outcome in outcomes
        ],
        "seconds": round(seconds, 1),
    }


def write_report(report: dict[str, Any], folder: Path) -> Path:
    """Write ``report.json`` into ``folder`` and return its path.

    Raises:
        Unavailable: ``file-disk-full`` or ``file-not-written``.
    """
    path = folder / REPORT
    write_atomically(path, (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def print_report(report: dict[str, Any], console: Console, wording: Wording) -> None:
    """Print the report as tables, in the language of ``wording``."""
    phrase = wording.phrase
    parts, sync, latency = report["parts"], report["sync"], report["latency_ms"]
    table = Table(title=report["name"], title_justify="left", show_header=True)
    for heading in ("", phrase("heading-ai"), phrase("heading-effective")):
        table.add_column(heading, justify="left" if not heading else "right")
    ai, effective = report["ai"], report["effective"]
    for key, label in (("ok", "✓ OK"), ("ng", "✕ NG"), ("hold", "? HOLD")):
        table.add_row(label, str(ai[key]), str(effective[key]))
    table.add_row(phrase("escapes"), _share(ai["escapes"]), _share(effective["escapes"]))
    table.add_row(phrase("overkill"), _share(ai["overkill"]), _share(effective["overkill"]))
    console.print(table)
    facts = Table(show_header=False)
    auroc = "-" if report["auroc"] is None else f"{report['auroc']:.4f}"
    rows = (
        (
            phrase("parts"),
            phrase("parts-value", total=parts["total"], good=parts["good"], defective=parts["defective"]),
        ),
        (phrase("without-server"), str(parts["without_server"])),
        (phrase("overruled"), str(parts["overruled"])),
        (phrase("auroc"), auroc),
        (phrase("threshold"), f"{report['training']['threshold']:.4f}"),
        (phrase("latency"), f"{latency['p50']} / {latency['p95']} ms"),
        (
            phrase("training"),
            phrase("training-value", images=report["training"]["images"], seconds=report["training"]["seconds"]),
        ),
        (
            phrase("synced"),
            phrase("synced-value", synced=sync["synced_records"], waiting=sync["waiting"], dead=sync["dead"]),
        ),
        (phrase("images-equal"), str(sync["images_compared"])),
        (phrase("agrees"), f"✓ {phrase('yes')}" if report["agrees"] else f"✕ {phrase('no')}"),
    )
    for label, value in rows:
        facts.add_row(label, value)
    console.print(facts)
    for warning in report["training"]["warnings"]:
        console.print(f"! {phrase(f'warning-{warning}')}", markup=False)
    for problem in [*report["skipped"], *report["problems"]]:
        console.print(f"✕ {problem}", markup=False)


def _share(rate: dict[str, Any]) -> str:
    if not rate["total"]:
        return "-"
    return f"{rate['count']} / {rate['total']} ({rate['rate']:.1%})"
