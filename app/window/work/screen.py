"""The work screen: where the operator spends the shift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.image_stage import ImageStage
from app.window.widgets.key_button import KeyButton
from app.window.widgets.parts_strip import PartsStrip
from app.window.widgets.screen import Screen
from app.window.widgets.verdict_band import Band, VerdictBand
from app.window.work.actions import WorkActions
from app.window.work.evidence_panel import EvidencePanel
from app.window.work.presenter import WorkPresenter
from app.window.work.reason_panel import ReasonPanel
from app.window.work.state import Phase, WorkState
from models.states import HumanVerdict

if TYPE_CHECKING:
    from inspection.imaging.frames import Frame

EVIDENCE_MM, REASONS_MM = 104, 140
"""Width beside the image; nine kinds of defect in three rows need more of it."""
ROOM_FOR_REASONS_MM = 250
ROOM_FOR_SMALL_PRINT_MM = 162
ROOM_FOR_LAST_PARTS_MM = 140
_LIVE = frozenset({Phase.SCAN, Phase.INSPECTING})


class WorkScreen(Screen):
    """Verdict band, image, evidence, the last parts, and one key an action."""

    feature_actions: WorkActions
    takes_scans = True

    def __init__(self, presenter: WorkPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, WorkActions(), parent)
        self._presenter = presenter
        actions = self.feature_actions
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.band = VerdictBand(style)
        self.stage = ImageStage(style)
        self.evidence = EvidencePanel(style)
        self.reasons = ReasonPanel(presenter, style, actions)
        self.side = QStackedWidget()
        self.side.addWidget(self.evidence)
        self.side.addWidget(self.reasons)
        self.strip = PartsStrip(style)
        self.home = KeyButton(actions.home)
        self.back = KeyButton(actions.back)
        self.capture = KeyButton(actions.capture, primary=True)
        self.agree = KeyButton(actions.agree, primary=True)
        self.overrule = KeyButton(actions.overrule)
        self.hold = KeyButton(actions.hold)
        self.next_part = KeyButton(actions.next_part)
        self.buttons = (
            self.home,
            self.back,
            self.capture,
            self.agree,
            self.overrule,
            self.hold,
            self.next_part,
        )
        self._shown_evidence: object = None
        self._lay_out()
        self._connect()
        self.retranslate()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out what can be missed where there is little height: first the small print, then the last parts."""
        sizes = self.style_context.sizes
        self.evidence.found.setVisible(event.size().height() >= sizes.millimetres(ROOM_FOR_SMALL_PRINT_MM))
        self.strip.setVisible(event.size().height() >= sizes.millimetres(ROOM_FOR_LAST_PARTS_MM))
        self._show_beside(self.reasons if self.side.currentWidget() is self.reasons else self.evidence)
        super().resizeEvent(event)

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.stage.setAccessibleName(self.tr("Image of the part"))
        self._show(self._presenter.state)

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Inspection")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        state = self._presenter.state
        if state.target is None or state.item is None:
            return self.title(), ""
        place = ""
        if len(state.items) > 1:
            place = self.tr("{number} of {total}").format(
                number=state.items.index(state.item) + 1, total=len(state.items)
            )
        return f"{state.target.code}  {state.target.name}", "  ".join(filter(None, (state.item.name, place)))

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        self.side.setFixedWidth(sizes.millimetres(EVIDENCE_MM))
        middle = QHBoxLayout()
        middle.setSpacing(sizes.gap)
        middle.addWidget(self.stage, 1)
        middle.addWidget(self.side)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        for button in self.buttons:
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button, 2 if button in {self.capture, self.agree} else 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addWidget(self.band)
        outer.addLayout(middle, 1)
        outer.addWidget(self.strip)
        outer.addLayout(row)

    def _connect(self) -> None:
        actions, presenter = self.feature_actions, self._presenter
        actions.home.triggered.connect(presenter.leave)
        actions.capture.triggered.connect(presenter.capture)
        actions.next_part.triggered.connect(presenter.next_part)
        actions.agree.triggered.connect(presenter.verification.agree)
        actions.overrule.triggered.connect(presenter.verification.overrule)
        actions.hold.triggered.connect(presenter.verification.hold)
        actions.back.triggered.connect(presenter.verification.back)
        actions.comment.triggered.connect(self.reasons.comment.setFocus)
        actions.part_code.triggered.connect(self._type_code)
        self.evidence.code.returnPressed.connect(self._typed_code)
        self.evidence.opacity.valueChanged.connect(lambda value: self.stage.set_opacity(value / 100))
        self.evidence.opacity.setValue(round(presenter.heatmap_opacity * 100))
        self.stage.set_opacity(presenter.heatmap_opacity)
        self.evidence.opacity.sliderReleased.connect(
            lambda: presenter.keep_heatmap_opacity(self.evidence.opacity.value() / 100)
        )
        self.reasons.finished.connect(self.setFocus)
        presenter.changed.connect(self._show)
        presenter.frame_shown.connect(self._show_frame)
        presenter.recent_changed.connect(self.strip.show_parts)

    def _type_code(self) -> None:
        """Put the focus into the code of the part that comes next."""
        self._presenter.next_part()
        self.evidence.code.setFocus()

    def _typed_code(self) -> None:
        self._presenter.scan(self.evidence.code.text())
        self.setFocus()

    def _show_frame(self, frame: Frame) -> None:
        if self._presenter.state.phase in _LIVE:
            from app.window.widgets.pictures import image_of, reduced

            self.stage.show_image(image_of(reduced(frame.pixels)), live=self.tr("Live"))

    def _show(self, state: WorkState) -> None:
        self.feature_actions.show_state(state)
        self._show_image(state)
        self.band.show_band(self._band(state))
        self.evidence.show_state(state)
        self.reasons.show_state(state)
        if state.phase is Phase.REASON and self.side.currentWidget() is not self.reasons:
            self._show_beside(self.reasons)
        elif state.phase is not Phase.REASON and self.side.currentWidget() is self.reasons:
            self._show_beside(self.evidence)
            self.setFocus()
        self.heading_changed.emit()

    def _show_beside(self, panel: QWidget) -> None:
        """Show ``panel`` beside the image, as wide as the window has room for."""
        sizes = self.style_context.sizes
        wide = panel is self.reasons and self.width() >= sizes.millimetres(ROOM_FOR_REASONS_MM)
        self.side.setFixedWidth(sizes.millimetres(REASONS_MM if wide else EVIDENCE_MM))
        self.reasons.set_wide(wide=wide)
        self.side.setCurrentWidget(panel)

    def _show_image(self, state: WorkState) -> None:
        self.stage.set_hint(self._hint(state))
        worst = state.worst
        if state.shows_evidence and worst is not None:
            if self._shown_evidence is not worst:
                from app.window.widgets.pictures import heat_of, image_of

                outcome = worst.outcome
                heat = None
                if outcome.heatmap is not None and worst.threshold is not None:
                    heat = heat_of(outcome.heatmap, worst.threshold)
                self.stage.show_image(image_of(worst.frame.pixels), heat=heat, boxes=outcome.result.detections)
                self._shown_evidence = worst
            return
        if self._shown_evidence is not None or not state.has_frame:
            self._shown_evidence = None
            newest = self._presenter.newest_frame
            if newest is not None:
                self._show_frame(newest)
            elif state.phase is not Phase.INSPECTING:
                self.stage.show_image(None)

    def _hint(self, state: WorkState) -> str:
        if state.source_ended:
            return self.tr("The source has no more images")
        return self.tr("Waiting for an image…")

    def _band(self, state: WorkState) -> Band:
        part = state.part_code or self.tr("no code")
        if state.phase is Phase.SCAN:
            if state.inspections:
                headline = self.tr("Capture the next item")
            elif state.part_code:
                headline = self.tr("Capture the part")
            else:
                headline = self.tr("Scan the part's code")
            return Band(headline=headline, detail=state.part_code)
        if state.phase is Phase.INSPECTING:
            return Band(headline=self.tr("Inspecting…"), detail=state.part_code)
        ai = state.verdict
        if ai is None:
            return Band()
        if state.phase is Phase.DECIDE or state.human is None:
            return Band(HumanVerdict(ai.value), detail=part, second_detail=self.tr("AI result – please decide"))
        second = {
            Phase.REASON: self._question(len(state.classes_offered)),
            Phase.SAVING: self.tr("Saving…"),
            Phase.DONE: self.tr("Stored: overruled") if state.human.value != ai.value else self.tr("Stored: agreed"),
        }
        if state.phase is Phase.DONE and state.human is HumanVerdict.HOLD:
            second[Phase.DONE] = self.tr("Stored: on hold")
        return Band(state.human, detail=part, second_detail=second[state.phase])

    def _question(self, offered: int) -> str:
        """Return which keys answer why: those of the kinds of defect that are offered, if any, and Enter."""
        if offered == 0:
            return self.tr("Why? Press C to comment, or Enter")
        if offered == 1:
            return self.tr("Why? Press 1 or Enter")
        return self.tr("Why? Press 1–{last} or Enter").format(last=offered)
