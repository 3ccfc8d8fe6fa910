"""A private PostgreSQL cluster for tests and benchmarks: its own folder and socket, no network, removed at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_ACCOUNT = "postgres"
_SETTINGS = ("listen_addresses=", "max_connections=40")
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def find_programs() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def cluster(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """Run a cluster and give the folder of its socket; databases are made with ``database``.

    Args:
        programs: folder of PostgreSQL's programs, from ``find_programs``.
        durable: commits reach the disk, as in production; tests do without.
    """
    account = _ACCOUNT if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    # A socket's path may have 107 characters, which pytest's own temporary folders exceed.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if account is not None:
            shutil.chown(folder, account)
        data = folder / "data"
        _run(account, programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        settings = _SETTINGS if durable else (*_SETTINGS, *_NOT_DURABLE)
        options = " ".join(f"-c {setting}" for setting in (*settings, f"unix_socket_directories={folder}"))
        log = folder / "log"
        _run(account, programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield str(folder)
        finally:
            _run(account, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(socket_folder: str, name: str, template: str = "template1") -> Iterator[str]:
    """Make a database and give its SQLAlchemy URL; it is dropped at the end.

    Args:
        socket_folder: of the cluster.
        name: of the new database.
        template: database that it is a copy of, with nobody connected; PostgreSQL's own is empty.
    """
    where = f"host={socket_folder} user=test dbname=postgres"
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # names of our own
        yield f"postgresql+psycopg://test@/{name}?host={socket_folder}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # a name of our own


def _run(account: str | None, *command: object) -> None:
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
        [str(part) for part in command],
        user=account,
        cwd="/",
        check=False,
        text=True,
        # The postmaster keeps what it inherits: a pipe would never end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name} ended with {done.returncode}")
