"""Running a program where there is no network, and listing whatever it tried to reach all the same."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

# What telemetry looks at to keep quiet where it might be seen, and what tells it where an earlier refusal is kept.
HIDERS = (
    *("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "YOLO_OFFLINE", "DO_NOT_TRACK"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR", "YOLO_CONFIG_DIR"),
)
GRACE_S = 20.0

# Python's own view: it sees a name that is asked for even where no packet would follow.
_WATCH = """
import os, sys
EVENTS = {{"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}}
def watch(event, arguments, _place={place!r}):
    # 1 is the family of sockets that are files of this computer.
    if event in EVENTS and getattr(arguments[0], "family", None) != 1:
        handle = os.open(_place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(handle, (event + " " + repr(arguments)[:200] + "\\n").encode())
        os.close(handle)
sys.addaudithook(watch)
"""
# The kernel's view: every process, whatever it is written in. The program keeps its number, so that it can be killed.
_TRACE = ("strace", "-DDD", "-f", "--seccomp-bpf", "-q", "-e", "signal=none")
_CALLS = ("-e", "trace=socket,connect,sendto,sendmsg,sendmmsg")
_LOCAL = ("AF_UNIX", "AF_NETLINK")
_ADDRESS = re.compile(r"sa_family=(AF_\w+)")
_SOCKET = re.compile(r"socket\((AF_\w+)")
# Opened to ask the kernel for something, such as the address of a network card; what it is used for is seen by itself.
_QUIET_SOCKETS = (*_LOCAL, "AF_INET", "AF_INET6")


class Offline:
    """An empty network namespace, and a list of every connection that something in it tries to make.

    Args:
        folder: empty, for the watch and its lists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = folder / "attempts.txt"
        self._site = folder / "site"
        self._site.mkdir(parents=True)
        self._home = folder / "home"
        self._home.mkdir()
        self._traces: list[Path] = []
        (self._site / "sitecustomize.py").write_text(_WATCH.format(place=str(self._list)))

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a watched program, without what would make telemetry hide."""
        kept = {
            name: value for name, value in os.environ.items() if name not in HIDERS and not name.startswith("PYTEST")
        }
        path = os.pathsep.join(part for part in (str(self._site), kept.get("PYTHONPATH")) if part)
        return kept | {"PYTHONPATH": path, "HOME": str(self._home)} | dict(changes or {})

    def command(self, program: Sequence[str]) -> list[str]:
        """The program within an empty network namespace, which has not even a loopback that is up."""
        trace = self._folder / f"{len(self._traces)}.trace"
        self._traces.append(trace)
        return [*_unshare(), *_TRACE, *_CALLS, "-o", str(trace), *program]

    def attempts(self) -> list[str]:
        """What was tried, a line each; to be asked when the programs have ended."""
        found = self._list.read_text().splitlines() if self._list.exists() else []
        for trace in self._traces:
            _wait_for_its_end(trace)
            found += [line for line in trace.read_text(errors="replace").splitlines() if is_attempt(line)]
        return found


def is_attempt(line: str) -> bool:
    """Return whether a line of strace reaches for something outside this computer's own sockets and kernel."""
    opened = _SOCKET.search(line)
    if opened is not None:
        return opened[1] not in _QUIET_SOCKETS
    return any(family not in _LOCAL for family in _ADDRESS.findall(line))


def _wait_for_its_end(trace: Path) -> None:
    """Wait until nothing writes to ``trace``: who traces ends a moment after what it traces."""
    deadline = time.monotonic() + GRACE_S
    while _is_written(trace):
        assert time.monotonic() < deadline, f"a traced program runs on: {trace}"
        time.sleep(0.05)


def _is_written(trace: Path) -> bool:
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(trace) in place.read_bytes().split(b"\0"):
                return True
        except OSError:  # it has just ended
            continue
    return False


@cache
def _unshare() -> tuple[str, ...]:
    """How this user makes a network namespace; root may at once, others within a user namespace of their own."""
    if shutil.which("strace") is None:
        raise RuntimeError("strace is not installed (deploy/test-packages.txt); without it nobody knows what was tried")
    for way in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    raise RuntimeError("this system lets no network namespace be made; the test needs one")
