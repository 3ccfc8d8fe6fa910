"""What was put in order at the start is shown once."""

from __future__ import annotations

import pytest

from app.station.recovery import Recovery
from app.window.presenting.notices import Notices
from app.window.presenting.recovery_notices import add_recovery_notices


def shown_codes(recovery: Recovery) -> list[str]:
    notices = Notices()
    add_recovery_notices(notices, recovery)
    found = []
    while (shown := notices.shown) is not None:
        found.append(shown.error.code)
        notices.dismiss()
    return found


@pytest.mark.parametrize(
    ("recovery", "codes"),
    [
        (Recovery(), []),
        (Recovery(sessions_open=("a",)), []),
        (Recovery(sessions_failed=1), ["window-station-ended-early"]),
        (Recovery(temporary_files_removed=2), ["window-station-ended-early"]),
        (Recovery(missing_blobs=("f" * 64,)), ["window-files-missing"]),
        (Recovery(1, 1, (), ("f" * 64,)), ["window-files-missing", "window-station-ended-early"]),
    ],
)
def test_a_notice_is_added_for_what_a_person_should_know(recovery: Recovery, codes: list[str]) -> None:
    assert shown_codes(recovery) == codes
