"""The check of a server's data holds for every engine of its database."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.audit import AuditEntry
from models.storage import sha256_of
from models.sync import ChangeLogHead
from models.targets import Target
from server.audit import audited
from server.context import ServerContext
from server.objects.records import record_blob
from server.process.verifying import check_server
from tests.support.serving import SETUP

pytestmark = pytest.mark.slow


@pytest.fixture
def used(context: ServerContext) -> ServerContext:
    """A server with a record, an audit entry and a file."""
    context.objects.put(sha256_of(b"bytes"), b"bytes")
    with context.database.transaction() as session:
        session.add(Target(code="A", name="a"))
        record_blob(session, sha256_of(b"bytes"), 5, "image/png")
        audited(session, SETUP, "target.created", "target", "1")
    return context


def test_a_used_server_is_consistent(used: ServerContext) -> None:
    report = check_server(used.settings)
    assert (report.findings, report.counts["files"]) == ((), 1)


def test_an_altered_audit_entry_is_found(used: ServerContext) -> None:
    with used.database.engine.begin() as connection:
        connection.execute(update(AuditEntry).values(actor="nobody"))
    assert [finding.code for finding in check_server(used.settings).findings] == ["finding-audit"]


def test_a_head_that_went_back_is_found(used: ServerContext) -> None:
    with used.database.engine.begin() as connection:
        connection.execute(update(ChangeLogHead).values(position=0))
    assert {finding.code for finding in check_server(used.settings).findings} == {"finding-change-log"}


def test_a_lost_file_is_found(used: ServerContext) -> None:
    used.objects.delete(sha256_of(b"bytes"))
    assert [finding.values["reason"] for finding in check_server(used.settings).findings] == ["missing"]
