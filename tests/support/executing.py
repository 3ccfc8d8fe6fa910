"""A server that runs executions, and what tests do with it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from models.ids import new_id
from tests.support.serving import Served, serve_with_users

DEADLINE_S = 60.0
ENDED = {"completed", "failed", "cancelled"}
RESIZE_BLUR = [
    {"id": "small", "component": "resize", "inputs": {"image": "input"}, "parameters": {"width": 64, "height": 64}},
    {
        "id": "blur",
        "component": "filter",
        "inputs": {"image": "small"},
        "parameters": {"filter_type": "blur", "radius": 2},
    },
]


@dataclass(eq=False)
class Executing:
    """A server that runs executions."""

    served: Served

    def pipeline(self, *steps: dict[str, Any]) -> str:
        """Make a pipeline of these steps, or of a resize and a blur, and return its id."""
        definition = {"name": "P", "steps": list(steps or RESIZE_BLUR)}
        answer = self.served["supervisor"].post("/pipelines", json={"name": f"P {new_id()}", "definition": definition})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def post(
        self,
        pipeline_id: str | None,
        *files: tuple[str, bytes],
        role: str = "inspector",
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Ask for an execution on files (name, bytes)."""
        data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        if pipeline_id is not None:
            data["pipeline_id"] = pipeline_id
        parts = [("input_files", (name, content, "image/jpeg")) for name, content in files]
        # Even a form without files is multipart.
        return self.served[role].post("/executions", data=data, files=parts or [("x", ("", b""))], headers=headers)

    def start(self, pipeline_id: str, *files: tuple[str, bytes], **how: Any) -> str:
        answer = self.post(pipeline_id, *(files or (("part.jpg", jpeg()),)), **how)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["execution_id"])

    def state(self, execution_id: str, role: str = "inspector") -> dict[str, Any]:
        answer = self.served[role].get(f"/executions/{execution_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, execution_id: str) -> dict[str, Any]:
        """Wait until an execution has ended, and return its state."""
        end = time.monotonic() + DEADLINE_S
        pause = threading.Event()
        while (state := self.state(execution_id))["status"] not in ENDED:
            assert time.monotonic() < end, state
            pause.wait(0.02)
        return state

    def content(self, file_id: str) -> bytes:
        answer = self.served["inspector"].get(f"/files/{file_id}")
        assert answer.status_code == 200, answer.text
        return answer.content


@contextmanager
def executing_server(folder: Path, **settings: Any) -> Iterator[Executing]:
    """Run a server that runs executions, with a client for every role."""
    with serve_with_users(folder, **settings) as served:
        yield Executing(served)


def picture(width: int = 96, height: int = 72, seed: int = 0) -> np.ndarray:
    """Return an RGB image that is no two of the same."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def jpeg(width: int = 96, height: int = 72, seed: int = 0) -> bytes:
    done, data = cv2.imencode(".jpg", picture(width, height, seed))
    assert done
    return data.tobytes()
