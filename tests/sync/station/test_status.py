"""What the store keeps of passes that failed."""

from __future__ import annotations

from pathlib import Path

from models.database import Database
from models.errors import Unavailable
from models.messages import LocalText
from sync.station.status import record_failure, stored_status


def test_why_a_pass_failed_is_read_in_the_language_of_the_reader(tmp_path: Path) -> None:
    reason = LocalText.of("value-certificate-expired", {})
    failed = Unavailable("server-certificate-untrusted", server="s", reason=reason)
    database = Database.at(tmp_path / "station.sqlite3")
    database.migrate()
    record_failure(database, failed)
    kept = stored_status(database).last_failure
    database.close()
    assert kept is not None
    assert (kept.text("en"), kept.text("ja")) == (failed.text("en"), failed.text("ja"))
