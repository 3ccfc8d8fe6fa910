"""A system bus of the tests' own with a NetworkManager that says whether the link is metered."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.freedesktop.NetworkManager"
PROPERTIES = DBusAddress("/org/freedesktop/NetworkManager", interface="org.freedesktop.DBus.Properties")
ONLINE = {
    "State": ("u", 70),
    "Connectivity": ("u", 4),
    "Version": ("s", "1.46.0"),
    "NetworkingEnabled": ("b", True),
    "PrimaryConnection": ("o", "/"),
    "PrimaryConnectionType": ("s", "802-11-wireless"),
}
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
</policy>
</busconfig>"""
"""Of a bus on which everybody may be the NetworkManager."""
METERED, NOT_METERED = 1, 2
"""As NetworkManager counts them: ``NMMetered``, yes and no."""


@dataclass(frozen=True)
class NetworkManager:
    """A running one.

    Attributes:
        environment: in which programs find it.
    """

    environment: dict[str, str]
    process: subprocess.Popen[str]

    def says(self, metered: int) -> None:
        """Let it say from now on whether the link is metered."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{metered}\n")
        self.process.stdin.flush()


@contextmanager
def network_manager(folder: Path, metered: int) -> Iterator[NetworkManager]:
    """Run a bus and a NetworkManager on it until the block ends."""
    path, configuration = folder / "bus", folder / "bus.conf"
    configuration.write_text(CONFIGURATION.format(path=path))
    with _running("dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"):
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}
        command = (sys.executable, "-m", "tests.support.network_manager", str(metered))
        with _running(*command, environment=environment) as process:
            yield NetworkManager(environment, process)


@contextmanager
def _running(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a program that writes a line when it is ready, until the block ends."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.terminate()


def serve(metered: int) -> None:
    """Be the NetworkManager of the bus in the environment, online, until terminated."""
    connection = open_dbus_connection(bus=os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    readers = selectors.DefaultSelector()
    readers.register(connection.sock, selectors.EVENT_READ)
    readers.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in readers.select():
            if key.fileobj is not sys.stdin:
                _answer(connection, metered)
            elif line := sys.stdin.readline():
                metered = int(line)
                changed = {"Metered": ("u", metered)}
                connection.send(new_signal(PROPERTIES, "PropertiesChanged", "sa{sv}as", (NAME, changed, [])))
            else:
                return


def _answer(connection: DBusConnection, metered: int) -> None:
    message = connection.receive()
    if message.header.message_type is not MessageType.method_call:
        return
    values = {**ONLINE, "Metered": ("u", metered)}
    member = message.header.fields[HeaderFields.member]
    if member == "GetAll":
        connection.send(new_method_return(message, "a{sv}", (values,)))
    elif member == "Get":
        connection.send(new_method_return(message, "v", (values[message.body[1]],)))
    else:
        connection.send(new_method_return(message))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
