"""The planted bugs of ``make proofs``: each still has its place in the source; a proof finds one in moments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.proofs.mutations import MUTATIONS, SCENARIO, source_of

ROOT = Path(__file__).parents[2]


def test_the_list_has_at_least_twelve_bugs() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) >= 12


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_a_planted_bug_changes_the_source_as_it_is(mutation) -> None:
    source = source_of(mutation)
    changed = mutation.applied_to(source)
    assert changed != source
    compile(changed, mutation.module, "exec")


@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if one.proof == SCENARIO], ids=lambda one: one.name)
def test_the_scenario_that_finds_a_bug_exists(mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
