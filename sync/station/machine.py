"""What tells this machine from others, as the operating system knows it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from models.storage import sha256_of

_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def machine_id() -> str:
    """Return the system's id of this machine; empty where there is none, as in many containers."""
    return _system_id()


def machine_digest(machine: str, device_id: str) -> str:
    """Return what a server may know of a machine: a digest that is of no use elsewhere; empty for no id."""
    return sha256_of(f"{device_id}:{machine}".encode()) if machine else ""


if sys.platform == "win32":  # pragma: no cover - the other half of this branch runs on the other systems

    def _system_id() -> str:
        import winreg

        with suppress(OSError):
            access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography", 0, access) as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        return ""

else:

    def _system_id() -> str:
        for path in _FILES:
            with suppress(OSError, UnicodeDecodeError):
                text = path.read_text(encoding="ascii").strip()
                if text and text != "uninitialized":
                    return text
        return ""
