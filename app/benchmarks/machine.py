"""The machine that figures were measured on; nothing that names it or its owner."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("imageflow-station", "numpy", "openvino", "opencv-python", "PySide6-Essentials", "torch", "ultralytics")


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory, system and versions, each as a text."""
    found = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "system": _system(),
        "Python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return {name: value for name, value in found.items() if value}


def in_one_line(machine: dict[str, str]) -> str:
    """Return a machine as a sentence's end."""
    first = f"{machine['processor']}, {machine['cores']} cores"
    rest = [value for name, value in machine.items() if name in ("memory", "system")]
    versions = [f"{name} {value}" for name, value in machine.items() if name not in _HARDWARE]
    return ", ".join([first, *rest, *versions])


_HARDWARE = ("processor", "cores", "memory", "system")


def _processor() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) * 1024 / 1e9:.0f} GB"
    return ""


def _system() -> str:
    for line in _lines(Path("/etc/os-release")):
        if line.startswith("PRETTY_NAME="):
            return f"{line.split('=', 1)[1].strip().strip(chr(34))} ({platform.machine()})"
    return f"{platform.system()} {platform.release()} ({platform.machine()})"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
