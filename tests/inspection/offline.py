"""Running a program where there is no network, and listing whatever it tried to reach all the same."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

# What telemetry looks at to keep quiet where it might be seen.
HIDERS = ("CI", "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "YOLO_OFFLINE")

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


class Offline:
    """An empty network namespace, and a list of every connection that Python code in it tries to make.

    Every Python process below the program is watched, through a ``sitecustomize`` they all import.

    Args:
        folder: empty, for the watch and its list.
    """

    def __init__(self, folder: Path) -> None:
        self._list = folder / "attempts.txt"
        self._site = folder / "site"
        self._site.mkdir(parents=True)
        (self._site / "sitecustomize.py").write_text(_WATCH.format(place=str(self._list)))

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a watched program, without what would make telemetry hide."""
        kept = {name: value for name, value in os.environ.items() if name not in HIDERS}
        path = os.pathsep.join(part for part in (str(self._site), kept.get("PYTHONPATH")) if part)
        return kept | {"PYTHONPATH": path} | dict(changes or {})

    def command(self, program: Sequence[str]) -> list[str]:
        """The program within an empty network namespace, which has not even a loopback that is up."""
        return [*_unshare(), *program]

    def attempts(self) -> list[str]:
        """What was tried, a line each."""
        return self._list.read_text().splitlines() if self._list.exists() else []


@cache
def _unshare() -> tuple[str, ...]:
    """How this user makes a network namespace; root may at once, others within a user namespace of their own."""
    for way in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    raise RuntimeError("this system lets no network namespace be made; the test needs one")
