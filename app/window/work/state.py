"""How far the inspection of a part is; values and pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from models.states import HumanVerdict, Verdict

if TYPE_CHECKING:
    from app.station.operations.history import PartSummary
    from app.station.operations.inspection import ItemInspection
    from app.station.views import DefectClassView, ItemView, TargetView


SCREEN = "work"
"""Name of the screen."""
CLASSES_SHOWN = 9
"""Kinds of defect that are offered at once, on the keys 1 to 9."""


class Phase(StrEnum):
    """What happens next on the work screen.

    SCAN waits for a code or a capture, INSPECTING for the pipeline, DECIDE for the person, REASON for the kind of
    defect, SAVING for the store; DONE shows what was decided until the next part.
    """

    SCAN = "scan"
    INSPECTING = "inspecting"
    DECIDE = "decide"
    REASON = "reason"
    SAVING = "saving"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class WorkState:
    """What the work screen shows.

    Attributes:
        items: the required items of the target, in order; ``item`` is the one that is looked at now.
        part_code: serial number of the part; empty when it has none.
        session_id: the part's session, once it has begun.
        inspections: what was found so far, one an item.
        human: what the person has decided, stored in ``DONE`` only.
        defect_classes: all kinds of defect; ``classes_shown`` are offered at once.
        class_page: which of the pages of kinds of defect is shown, from 0.
        has_frame: the source has given a frame that can be captured.
    """

    phase: Phase = Phase.SCAN
    target: TargetView | None = None
    items: tuple[ItemView, ...] = ()
    item: ItemView | None = None
    part_code: str = ""
    session_id: str | None = None
    inspections: tuple[ItemInspection, ...] = ()
    human: HumanVerdict | None = None
    comment: str = ""
    defect_classes: tuple[DefectClassView, ...] = ()
    class_page: int = 0
    has_frame: bool = False
    source_ended: bool = False

    @property
    def worst(self) -> ItemInspection | None:
        """The item that decides the part: NG before OK, then the highest score relative to its threshold."""
        return max(self.inspections, key=badness, default=None)

    @property
    def class_pages(self) -> int:
        """Number of pages of kinds of defect."""
        return -(-len(self.defect_classes) // CLASSES_SHOWN)

    @property
    def classes_shown(self) -> tuple[DefectClassView, ...]:
        """The kinds of defect of the page that is shown."""
        first = self.class_page * CLASSES_SHOWN
        return self.defect_classes[first : first + CLASSES_SHOWN]

    @property
    def classes_offered(self) -> tuple[DefectClassView, ...]:
        """The kinds of defect to choose from now: those of the page while the person is asked why a part is NG."""
        return self.classes_shown if self.phase is Phase.REASON and self.human is HumanVerdict.NG else ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the AI verdict is NG, as codes of the judgement, each once; those of the item that decides come first."""
        ordered = sorted(self.inspections, key=badness, reverse=True) if self.shows_evidence else []
        return tuple(dict.fromkeys(reason for done in ordered for reason in done.outcome.result.reasons))

    @property
    def verdict(self) -> Verdict | None:
        """The AI verdict on the part, once all its items are inspected."""
        worst = self.worst
        return worst.verdict if worst is not None and self.phase in SHOWN else None

    @property
    def shows_evidence(self) -> bool:
        """Whether the inspected image is on the screen rather than the live one."""
        return self.phase in SHOWN

    def with_inspection(self, inspection: ItemInspection) -> WorkState:
        """Return the state after an item was inspected: the next item's turn, or the person's."""
        others = tuple(done for done in self.inspections if done.item_id != inspection.item_id)
        inspected = next((item for item in self.items if item.id == inspection.item_id), self.item)
        state = replace(self, session_id=inspection.session_id, item=inspected, inspections=(*others, inspection))
        following = next((item for item in self.items if item.id in inspection.items_left), None)
        if following is not None:
            return replace(state, phase=Phase.SCAN, item=following)
        return replace(state, phase=Phase.DECIDE)

    def for_next_part(self) -> WorkState:
        """Return the state in which the next part is awaited."""
        return replace(
            self,
            phase=Phase.SCAN,
            item=next(iter(self.items), None),
            part_code="",
            session_id=None,
            inspections=(),
            human=None,
            comment="",
            class_page=0,
        )


SHOWN = frozenset({Phase.DECIDE, Phase.REASON, Phase.SAVING, Phase.DONE})


def badness(inspection: ItemInspection) -> tuple[bool, float]:
    """Order inspections of one part by how bad they are."""
    ratio = (inspection.score or 0.0) / inspection.threshold if inspection.threshold else 0.0
    return inspection.verdict is Verdict.NG, ratio


def opposite(verdict: Verdict) -> HumanVerdict:
    """Return the decision that overrules ``verdict``."""
    return HumanVerdict.NG if verdict is Verdict.OK else HumanVerdict.OK


def with_part(recent: tuple[PartSummary, ...], part: PartSummary) -> tuple[PartSummary, ...]:
    """Return the last parts, newest first, with ``part`` in its place when it is one of them already, else first."""
    if any(known.session_id == part.session_id for known in recent):
        return tuple(part if known.session_id == part.session_id else known for known in recent)
    return (part, *recent)


def needs_reason(state: WorkState) -> bool:
    """Return whether the person is asked why.

    For an overruled part always; for an agreed NG where there are kinds of defect to choose from, an empty list would
    only cost a key. A part on hold is explained later.
    """
    if state.human is None or state.human is HumanVerdict.HOLD:
        return False
    overruled = state.verdict is not None and state.human.value != state.verdict.value
    return overruled or (state.human is HumanVerdict.NG and bool(state.defect_classes))
