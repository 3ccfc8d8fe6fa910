"""A private S3 server on free ports of this computer: Ceph's RADOS gateway with one monitor and one store in memory."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from tests.support.private_broker import free_port
from tests.support.private_processes import dying_with_parent, ended

_START_S = 90.0
_CONFIGURATION = """[global]
fsid={fsid}
mon_host=[v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]
public_addr=127.0.0.1
cluster_addr=127.0.0.1
public_network=127.0.0.0/8
auth_cluster_required=cephx
auth_service_required=cephx
auth_client_required=cephx
keyring={folder}/keyring
osd_pool_default_size=1
osd_pool_default_min_size=1
osd_pool_default_pg_num=1
osd_crush_chooseleaf_type=0
mon_allow_pool_size_one=true
mon_max_pg_per_osd=1000
mon_pg_warn_min_per_osd=0
mon_data_avail_crit=1
mon_data_avail_warn=1
run_dir={folder}/run
admin_socket={folder}/run/$name.asok
pid_file={folder}/run/$name.pid
log_file={folder}/log/$name.log
mon_cluster_log_file={folder}/log/cluster.log
crash_dir={folder}/log
[mon.a]
mon_data={folder}/mon
[osd.0]
osd_data={folder}/osd
osd_objectstore=memstore
memstore_device_bytes=2147483648
[client.rgw.a]
rgw_frontends=beast endpoint=127.0.0.1:{rgw}
rgw_region_root_pool=.rgw.root
rgw_dns_name=127.0.0.1
rgw_thread_pool_size=32
"""
_KEYS = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "client.rgw.a": ("mon", "allow rw", "osd", "allow rwx"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
}


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where a private S3 server is, and the credential it takes."""

    endpoint: str
    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        """Return the variables with which a program reaches it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        store = S3Store(
            name,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=self.access_key,
            secret_access_key=self.secret_key,
            client_options={"allow_http": True},
        )
        httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=5)), trust_env=False, timeout=60).raise_for_status()


def is_installed() -> bool:
    """Return whether this computer has the programs."""
    return all(shutil.which(program) for program in ("ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin"))


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server.

    Args:
        folder: an existing, empty folder for all it writes; its path should be short, for sockets lie in it.
    """
    for name in ("mon", "osd", "run", "log"):
        (folder / name).mkdir()
    rgw = free_port()
    fsid = str(uuid.uuid4())
    configuration = folder / "ceph.conf"
    ports = {"mon1": free_port(), "mon2": free_port(), "rgw": rgw}
    configuration.write_text(_CONFIGURATION.format(fsid=fsid, folder=folder, **ports))
    server = S3Server(f"http://127.0.0.1:{rgw}", secrets.token_hex(8), secrets.token_hex(16))
    with ExitStack() as running:

        def call(*command: object, patience_s: float = 60) -> str:
            done = subprocess.run(
                [str(part) for part in command],
                check=False,
                capture_output=True,
                text=True,
                timeout=patience_s,
                env={**os.environ, "CEPH_CONF": str(configuration)},
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            return done.stdout

        def start(*command: object) -> None:
            with (folder / "log" / f"{command[0]}.out").open("wb") as log:
                process = subprocess.Popen(
                    dying_with_parent(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            running.callback(ended, process)

        _start_store(folder, configuration, fsid, ports, call, start)
        as_gateway = ("-c", configuration, "--name", "client.rgw.a")
        user = ("user", "create", "--uid=app", "--display-name=app")
        keys = (f"--access-key={server.access_key}", f"--secret-key={server.secret_key}")
        call("radosgw-admin", *as_gateway, *user, *keys, patience_s=_START_S)
        start("radosgw", *as_gateway, "-f")
        _wait(lambda: _answers(server.endpoint))
        yield server


def _start_store(
    folder: Path,
    configuration: Path,
    fsid: str,
    ports: dict[str, int],
    call: Callable[..., str],
    start: Callable[..., None],
) -> None:
    """Start the monitor and the store behind the gateway."""
    keyring, monitors = folder / "keyring", folder / "monmap"
    call("ceph-authtool", "--create-keyring", keyring)
    for name, capabilities in _KEYS.items():
        pairs = zip(capabilities[::2], capabilities[1::2], strict=True)
        call("ceph-authtool", "--gen-key", "-n", name, *(part for pair in pairs for part in ("--cap", *pair)), keyring)
    address = f"[v2:127.0.0.1:{ports['mon2']},v1:127.0.0.1:{ports['mon1']}]"
    call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monitors)
    call("ceph-mon", "-c", configuration, "-i", "a", "--mkfs", "--monmap", monitors, "--keyring", keyring)
    start("ceph-mon", "-c", configuration, "-i", "a", "-f")
    store_id = uuid.uuid4()
    call("ceph", "-c", configuration, "osd", "new", store_id, "0")
    call("ceph-osd", "-c", configuration, "-i", "0", "--mkfs", "--osd-uuid", store_id)
    start("ceph-osd", "-c", configuration, "-i", "0", "-f")
    _wait(lambda: "1 up" in call("ceph", "-c", configuration, "osd", "stat"))


def _answers(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False, timeout=60)
    except httpx.TransportError:
        return False
    return True


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_S
    while not happened():
        assert time.monotonic() < deadline, "the S3 server does not start"
        time.sleep(0.1)
