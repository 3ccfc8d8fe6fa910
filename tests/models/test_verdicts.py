"""The effective verdict: people over machines, the newest by clock, the worst item."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.states import HumanVerdict, Verdict
from models.verdicts import AiVerdict, HumanDecision, effective_verdict

OK, NG, HOLD = HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD


def ai(item, clock, verdict):
    return AiVerdict(item, clock, Verdict(verdict))


def person(item, clock, verdict):
    return HumanDecision(item, clock, HumanVerdict(verdict))


CASES = [
    ([], [], None),
    ([ai("i", "1", "OK")], [], OK),
    ([ai("i", "1", "OK"), ai("j", "1", "NG")], [], NG),
    ([ai("i", "1", "NG"), ai("i", "2", "OK")], [], OK),
    ([ai("i", "1", "NG")], [person("i", "0", "OK")], OK),
    ([ai("i", "9", "NG")], [person(None, "1", "OK")], OK),
    ([ai("i", "1", "OK")], [person(None, "2", "HOLD")], HOLD),
    ([ai("i", "1", "OK")], [person(None, "3", "NG"), person(None, "2", "OK")], NG),
    ([ai("i", "1", "NG"), ai("j", "1", "OK")], [person("i", "2", "OK")], OK),
    ([ai("i", "1", "NG"), ai("j", "1", "NG")], [person("i", "2", "OK")], NG),
    ([ai("i", "1", "OK")], [person(None, "2", "OK"), person("i", "3", "NG")], NG),
    ([], [person(None, "1", "HOLD")], HOLD),
]


@pytest.mark.parametrize(("machine", "people", "expected"), CASES)
def test_what_counts_for_a_part(machine, people, expected):
    assert effective_verdict(machine, people) is expected


SAID = st.lists(
    st.tuples(st.sampled_from([None, "i", "j"]), st.integers(0, 99).map(str), st.sampled_from(["OK", "NG", "HOLD"])),
    max_size=6,
    unique_by=lambda stated: stated[1],
)


@given(SAID, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_arrival_changes_nothing(stated, chance):
    people = [person(*one) for one in stated]
    mixed = list(people)
    chance.shuffle(mixed)
    assert effective_verdict([ai("i", "50", "OK")], people) is effective_verdict([ai("i", "50", "OK")], mixed)


@given(SAID)
@settings(deadline=None)
def test_the_newest_word_on_the_whole_part_is_final(stated):
    people = [*(person(*one) for one in stated), person(None, "~newest", "HOLD")]
    assert effective_verdict([ai("j", "1", "NG")], people) is HOLD
