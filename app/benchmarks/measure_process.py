"""Runs one area's ``measure`` in this process: ``python -m app.benchmarks.measure_process TASK.json``.

The task names the module, the folder of its data, further arguments, and the file that takes the answer: what libraries
print does not mix with it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from models.errors import UserFacingError


def main(task_file: Path) -> None:
    """Measure the task's area and write ``figures`` and ``notes``, or ``trouble``, a user-facing error."""
    task = json.loads(task_file.read_text(encoding="utf-8"))
    module = import_module(task["module"])
    answer: dict[str, Any]
    try:
        figures = module.measure(Path(task["data"]), **task["arguments"])
    except UserFacingError as error:
        text = error.text(task["language"])
        answer = {"trouble": {"title": text.title, "detail": text.detail, "advice": text.advice}}
    else:
        answer = {
            "figures": [figure.model_dump(mode="json") for figure in figures],
            "notes": getattr(module, "NOTES", ""),
        }
    Path(task["answer"]).write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
