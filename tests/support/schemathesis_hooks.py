"""Hooks of the schemathesis process: keep its caller signed in, whatever its requests do to the caller's account.

Loaded by ``SCHEMATHESIS_HOOKS``; reads from the environment the embedded database's file and the caller's ids.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import schemathesis

UNAUTHORIZED = 401
RESTORED = (
    "UPDATE users SET active = 1, deleted_at = NULL, role = :role WHERE id = :user_id",
    "UPDATE auth_sessions SET revoked_at = NULL WHERE id = :session_id",
    "UPDATE devices SET status = 'active' WHERE id = :device_id",
)


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Undo a sign-out, a disabled account or another role of the caller."""
    if response.status_code == UNAUTHORIZED:
        caller = {name: os.environ[f"CALLER_{name.upper()}"] for name in ("role", "user_id", "session_id", "device_id")}
        with closing(sqlite3.connect(os.environ["CALLER_DATABASE"], timeout=10)) as connection, connection:
            for statement in RESTORED:
                connection.execute(statement, caller)
