"""``imageflow`` and its server as real processes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

IMAGEFLOW = [sys.executable, "-m", "app"]


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMAGEFLOW_")}
    free_ports = {"IMAGEFLOW_SERVER_GRPC_PORT": "0"}
    return {**kept, "PYTHONWARNINGS": "error", "LC_ALL": "C.UTF-8", **free_ports, **extra}


def run(*arguments: object, given: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    command = [*IMAGEFLOW, *map(str, arguments)]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, env=environment(**extra), timeout=60, check=False
    )


def first_of_free_ports(count: int) -> int:
    """Return the first of so many ports in a row that are free now."""
    while True:
        with ExitStack() as taken:
            first = taken.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + count):
                    taken.enter_context(socket.create_server(("127.0.0.1", port)))
            except (OSError, OverflowError):
                continue
            return int(first)


@contextmanager
def server(folder: Path, *arguments: str, **extra: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Start a server and give its process, its address and the lines it writes."""
    command = [*IMAGEFLOW, "server", "--data-dir", str(folder), "--port", "0", "--until-stdin-closes", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**extra)
    )
    lines: list[str] = []
    listening = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if re.search(r"\bhttps?://", line) and not line.startswith("{"):
                listening.set()
        listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert listening.wait(60)
        assert process.poll() is None, "".join(lines)
        yield process, json.loads((folder / "server.json").read_text())["url"], lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        for stream in (process.stdin, process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def service(name: str, *arguments: str, **extra: str) -> Iterator[str]:
    """Start a gRPC service of its own on a free port and give its address."""
    command = [*IMAGEFLOW, "service", name, "--port", "0", "--until-stdin-closes", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**extra)
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stdin, process.stderr:
        line = process.stderr.readline()
        listening = re.search(r"listens on (\S+)", line)
        assert listening, line + process.stderr.read()
        yield listening[1]
        process.stdin.close()
        assert process.wait(30) == 0, process.stderr.read()
