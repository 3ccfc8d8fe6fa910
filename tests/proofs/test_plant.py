"""Whatever was lost, repeated, cut, mis-timed, full, killed or put back: all places end with the same records."""

from __future__ import annotations

import pytest

from tests.support.proofs.plant import Plant, profile

TestPlant = pytest.mark.slow(Plant.TestCase)
TestPlant.settings = profile(examples=15)
