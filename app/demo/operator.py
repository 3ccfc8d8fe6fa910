"""The scripted operator: agrees with the machine, except on every tenth part, where he says what the label says."""

from __future__ import annotations

from dataclasses import dataclass

from app.demo.parts import DemoPart
from models.states import HumanVerdict, Verdict

EVERY = 10


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator decides.

    Attributes:
        defect_class: code of the defect he marks; None for none.
    """

    verdict: HumanVerdict
    defect_class: str | None = None


def decide(number: int, part: DemoPart, ai_verdict: Verdict) -> Decision:
    """Return the decision about the part with this number, from 1.

    An NG part gets the class its label names, where it names one.
    """
    verdict = HumanVerdict(ai_verdict.value)
    if number % EVERY == 0 and part.good is not None:
        verdict = HumanVerdict.OK if part.good else HumanVerdict.NG
    marked = verdict is HumanVerdict.NG and part.good is False and part.label is not None
    return Decision(verdict, part.label[:64] if marked and part.label is not None else None)
