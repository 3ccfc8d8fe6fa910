"""Processes of engines that end with the process that started them, however that ends."""

from __future__ import annotations

import signal
import subprocess

_STOP_S = 10.0


def dying_with_parent(*command: object) -> list[str]:
    """Return the command of a process that the kernel kills when its parent ends."""
    return ["setpriv", "--pdeathsig", "KILL", *map(str, command)]


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a process: asked first, then killed; also one that is stopped."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
