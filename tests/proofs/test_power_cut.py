"""A power cut at any moment, on a disk that keeps only what was synced, takes nothing that was acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.proofs.mutations import MUTATIONS, POWER_CUT
from tests.support.proofs.power_cut import losses, traced

pytestmark = pytest.mark.slow
EVERY = 5
"""Of the moments of ``make proofs``, which looks at all of them."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def test_a_power_cut_takes_nothing_that_was_acknowledged(place: Path) -> None:
    found = list(losses(place, traced(place), every=EVERY))
    assert len(found) > 50
    assert [(moment, lost) for moment, lost in found if lost] == []


@pytest.mark.parametrize("bug", [mutation.name for mutation in MUTATIONS if mutation.proof == POWER_CUT][:1])
def test_a_file_that_is_renamed_before_it_is_synced_is_found_damaged(place: Path, bug: str) -> None:
    assert any(lost for _, lost in losses(place, traced(place, bug), every=EVERY))
