"""The peers of the anomaly figures: routes of FastAPI that score with torch, as a first script would have them.

``/anomaly`` is a plain function, which FastAPI runs on threads; ``/anomaly-async`` is a coroutine, on the event loop.

``python -m app.benchmarks.server.torch_route PORT_FILE FOLDER`` loads ``model.pth`` (a ``state_dict``) and
``scaling.json`` (mean, scale, threshold) from FOLDER, serves on a free port of loopback, writes the port to PORT_FILE
and ends with its standard input. No authentication, no limits, no log of requests.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class SensorData(BaseModel):
    """The body."""

    values: list[float]


def application(folder: Path) -> FastAPI:
    """Return the application."""
    import torch
    from torch import nn

    state = torch.load(folder / "model.pth", weights_only=True)
    layers: list[Any] = []
    for name, weight in state.items():
        if name.endswith(".weight"):
            layers += [nn.Linear(weight.shape[1], weight.shape[0]), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    model.load_state_dict(state)
    model.eval()
    given = json.loads((folder / "scaling.json").read_text(encoding="utf-8"))
    mean, scale = torch.tensor(given["mean"]), torch.tensor(given["scale"])
    app = FastAPI()

    def answer(data: SensorData) -> dict[str, Any]:
        values = (torch.tensor(data.values, dtype=torch.float32) - mean) / scale
        with torch.no_grad():
            score = torch.norm(values - model(values)).item()
        return {"score": score, "status": "anomaly" if score > given["threshold"] else "normal"}

    @app.post("/anomaly")
    def detect(data: SensorData) -> dict[str, Any]:
        return answer(data)

    @app.post("/anomaly-async")
    async def detect_on_loop(data: SensorData) -> dict[str, Any]:
        return answer(data)

    return app


def main(port_file: Path, folder: Path) -> int:
    """Serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(folder), log_config=None, access_log=False, lifespan="off"))

    def stop_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_with_input, daemon=True).start()
    port_file.write_text(str(listener.getsockname()[1]), encoding="utf-8")
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
