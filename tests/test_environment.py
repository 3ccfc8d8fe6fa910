"""The environment of whoever runs the tests changes none of them."""

from __future__ import annotations

import os
import subprocess
import sys

_ASKED = (
    "import os, tests.conftest; print([name for name in os.environ if name.startswith(('IMAGEFLOW_SERVER_', 'AWS_'))])"
)


def test_exported_settings_of_a_server_reach_no_test() -> None:
    exported = {"IMAGEFLOW_SERVER_DATABASE_URL": "postgresql+psycopg://test@/imageflow", "AWS_ACCESS_KEY_ID": "other"}

    done = subprocess.run(
        [sys.executable, "-c", _ASKED], env={**os.environ, **exported}, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['IMAGEFLOW_SERVER_GRPC_PORT']"
