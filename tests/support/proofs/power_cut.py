"""Power cuts: a real process works under ``strace``; its disk is looked at as a cut at each moment leaves it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.storage import sha256_of_file
from tests.support.object_files import object_file
from tests.support.proofs.disk_model import SYNCS, DiskModel
from tests.support.proofs.disk_nodes import Kept
from tests.support.proofs.disk_trace import OPTIONS, Call, calls_of

ROOT = Path(__file__).parents[3]
PARTS = 6


@dataclass
class Acknowledged:
    """What the process had said to be safe before the cut.

    Attributes:
        parts: ids of sessions, said by the station to the person who works there.
        changes: ids of changes, said by the server to the station.
        blobs: digests, said by the server to the station.
    """

    parts: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)

    def hear(self, call: Call) -> None:
        """Take in what the process wrote to its standard output."""
        for line in call.data(1).decode().splitlines():
            for name, values in json.loads(line).items():
                getattr(self, name).update(values)


def say(**said: list[str]) -> None:
    """Say, in the worker, what is safe from now on."""
    os.write(1, json.dumps(said).encode() + b"\n")


def traced(folder: Path, bug: str = "") -> Path:
    """Let a worker inspect and synchronise in ``folder``, with a planted bug if one is named; return its trace.

    ``folder`` is left as it was prepared, before the worker began.
    """
    command = [sys.executable, "-m", "tests.support.proofs.power_cut_worker"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def worker(step: str, *before: str) -> None:
        subprocess.run(
            [*before, *command, step, str(folder), bug], check=True, env=environment, cwd=ROOT, stdout=subprocess.PIPE
        )

    worker("prepare")
    kept, trace = folder.with_name("kept"), folder.with_name("trace")
    shutil.copytree(folder, kept)
    worker("work", "strace", *OPTIONS, "-o", str(trace))
    shutil.rmtree(folder)
    kept.rename(folder)
    return trace


def cuts(folder: Path, trace: Path, target: Path, *, every: int = 1) -> Iterator[tuple[str, Acknowledged]]:
    """Yield each moment at which the power may fail, with its disk in ``target`` and what was acknowledged before.

    Moments are those before a sync has ended and those when something was acknowledged; between two of them nothing
    that is kept for sure changes. What is written to the standard output counts as heard before the write has ended.

    Args:
        folder: as ``traced`` left it.
        trace: of the worker.
        target: made for each moment, and removed.
        every: look only at one moment of so many.
    """
    disk, said = DiskModel(folder), Acknowledged()
    moments = itertools.count()
    for number, call in enumerate(calls_of(trace)):
        spoken = call.name == "write" and call.number(0) == 1 and not call.ended
        if call.ended and call.name in SYNCS and next(moments) % every == 0:
            yield from _looked_at(disk, target, said, f"before call {number}, {call.name}", number)
        if spoken:
            said.hear(call)
            if next(moments) % every == 0:
                yield from _looked_at(disk, target, said, f"at call {number}, an acknowledgement", number)
        else:
            disk.apply(call)
    yield from _looked_at(disk, target, said, "at the end", -1)


def _looked_at(
    disk: DiskModel, target: Path, said: Acknowledged, moment: str, seed: int
) -> Iterator[tuple[str, Acknowledged]]:
    for kept in Kept:
        disk.after_cut(target, kept, seed)
        yield f"{moment}, {kept} kept", said
        shutil.rmtree(target)


def station_is_whole(folder: Path, said: Acknowledged) -> str:
    """Return what a station has lost by a cut, empty when it is whole."""
    with closing(sqlite3.connect(folder / "station.sqlite3")) as store:
        trouble = _trouble_of(store)
        parts = _column(store, "SELECT id FROM inspection_sessions")
        facts = _column(store, "SELECT session_id FROM ai_results") & _column(store, "SELECT session_id FROM images")
        images = _column(store, "SELECT sha256 FROM images")
    if trouble:
        return trouble
    if said.parts - parts or said.parts - facts:
        return "a part that was recorded is not there"
    for sha256 in images:
        path = folder / "blobs" / sha256[:2] / sha256
        if not path.is_file():
            return "a row names an image that is not there"
        if sha256_of_file(path) != sha256:
            return "a row names an image that is damaged"
    return ""


def server_is_whole(folder: Path, said: Acknowledged) -> str:
    """Return what a server has lost by a cut, empty when it is whole."""
    with closing(sqlite3.connect(folder / "server.sqlite3")) as store:
        trouble = _trouble_of(store)
        applied = _column(store, "SELECT change_id FROM applied_changes")
        logged = _column(store, "SELECT change_id FROM change_log WHERE device_id IS NOT NULL")
        blobs = _column(store, "SELECT sha256 FROM blobs WHERE present")
    if trouble:
        return trouble
    if said.changes - applied or applied != logged:
        return "a change that was acknowledged is not there"
    for sha256 in blobs | said.blobs:
        path = object_file(folder / "objects", sha256)
        if not path.is_file():
            return "a blob that was acknowledged is not there"
        if sha256_of_file(path) != sha256:
            return "a blob that was acknowledged is damaged"
    return ""


def _trouble_of(store: sqlite3.Connection) -> str:
    try:
        found = store.execute("PRAGMA integrity_check").fetchone()[0]
        return "" if found == "ok" and not store.execute("PRAGMA foreign_key_check").fetchall() else f"damaged: {found}"
    except sqlite3.DatabaseError as error:
        return f"damaged: {error}"


def _column(store: sqlite3.Connection, query: str) -> set[Any]:
    try:
        return {row[0] for row in store.execute(query)}
    except sqlite3.DatabaseError:
        return set()


def losses(folder: Path, trace: Path, *, every: int = 1) -> Iterator[tuple[str, str]]:
    """Yield each moment of a power cut with what either side has lost by it, empty when nothing."""
    target = folder.with_name("cut")
    for moment, said in cuts(folder, trace, target, every=every):
        yield moment, station_is_whole(target / "station", said) or server_is_whole(target / "server", said)
