"""What tells a machine from others."""

from __future__ import annotations

from sync.station import machine
from sync.station.machine import machine_digest, machine_id


def test_the_id_is_the_systems(tmp_path, monkeypatch):
    (tmp_path / "machine-id").write_text("0123456789abcdef\n")
    monkeypatch.setattr(machine, "_FILES", (tmp_path / "missing", tmp_path / "machine-id"))
    assert machine_id() == "0123456789abcdef"


def test_a_container_without_an_id_has_none(tmp_path, monkeypatch):
    (tmp_path / "machine-id").write_text("uninitialized\n")
    monkeypatch.setattr(machine, "_FILES", (tmp_path / "machine-id",))
    assert machine_id() == ""


def test_a_machine_without_an_id_has_no_digest():
    assert machine_digest("", "device") == ""


def test_the_digest_tells_machines_of_one_station_apart():
    assert machine_digest("one", "device") != machine_digest("two", "device")
