"""``make engines``: PostgreSQL, an S3 server and a Kafka broker of one's own, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from app.benchmarks import private_postgresql
from tests.support import private_s3
from tests.support.private_broker import broker

BUCKET = "imageflow"


def main() -> int:
    """Start the engines, print the environment of a server that uses them, and end them when interrupted."""
    programs = private_postgresql.find_programs()
    if programs is None or not private_s3.is_installed():
        sys.stderr.write("PostgreSQL or Ceph is missing: install the packages of deploy/test-packages.txt\n")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as running:
        try:
            environment = _start(programs, running)
            for name, value in environment.items():
                sys.stdout.write(f"export {name}='{value}'\n")
            sys.stdout.write("# Ready. Ctrl-C ends all three, with what they hold.\n")
            sys.stdout.flush()
            signal.pause()
        except KeyboardInterrupt:
            sys.stderr.write("Ending …\n")
    return 0


def _start(programs: Path, running: ExitStack) -> dict[str, str]:
    socket_folder = running.enter_context(private_postgresql.cluster(programs))
    folders = [Path(running.enter_context(tempfile.TemporaryDirectory(prefix=name))) for name in ("s3", "kafka")]
    database = running.enter_context(private_postgresql.database(socket_folder, "imageflow"))
    bootstrap, _ = running.enter_context(broker(folders[1]))
    s3 = running.enter_context(private_s3.s3_server(folders[0]))
    s3.make_bucket(BUCKET)
    return {
        "IMAGEFLOW_SERVER_DATABASE_URL": database,
        "IMAGEFLOW_SERVER_OBJECTS_URL": f"s3://{BUCKET}/objects",
        "IMAGEFLOW_SERVER_KAFKA_BOOTSTRAP": bootstrap,
        **s3.environment(),
    }


if __name__ == "__main__":
    sys.exit(main())
