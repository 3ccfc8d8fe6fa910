"""Home: what to inspect, where images come from, and the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.window.home.actions import HomeActions
from app.window.home.details_panel import DetailChoice
from app.window.home.presenter import HomePresenter
from app.window.home.state import HomeState, TrainingState
from app.window.look.style_context import StyleContext
from app.window.presenting.names import first_names
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel, ScrolledColumn
from app.window.widgets.score_histogram import ScoreHistogram
from app.window.widgets.screen import Screen
from app.window.widgets.times import duration_text

if TYPE_CHECKING:
    from app.station.operations.training import TrainedModel

# Below this fraction the estimated time left jumps too much to be of use.
CREDIBLE_FROM = 0.03
_ID = Qt.ItemDataRole.UserRole


class HomeScreen(Screen):
    """Targets and the chosen item's scores at the left, items and training at the right, the source and start below."""

    feature_actions: HomeActions

    def __init__(self, presenter: HomePresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, HomeActions(), parent)
        self._presenter = presenter
        actions = self.feature_actions
        self.targets_title, self.items_title, self.source_title, self.training_title = (QLabel() for _ in range(4))
        for label in (self.targets_title, self.items_title, self.source_title, self.training_title):
            label.setStyleSheet("font-weight: 600;")
        self.targets = QListWidget()
        self.items = QListWidget()
        for listed in (self.targets, self.items):
            # One row is enough where a notice or the choice of a detail needs the room.
            listed.setMinimumHeight(style.sizes.touch + style.sizes.gap)
            listed.setWordWrap(True)
            listed.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scores = ScoreHistogram(style)
        self.empty = QLabel()
        self.empty.setProperty("role", "muted")
        self.empty.setWordWrap(True)
        self.source = QLineEdit()
        self.source_button = KeyButton(actions.choose_source)
        self.folder = QLineEdit()
        self.train_button = KeyButton(actions.train)
        self.cancel_button = KeyButton(actions.cancel_training)
        self.detail_choice = DetailChoice(actions, style)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress_text = QLabel()
        self.progress_text.setProperty("role", "muted")
        self.progress_text.setWordWrap(True)
        self.start_hint = QLabel()
        self.start_hint.setProperty("role", "muted")
        self.start_hint.setWordWrap(True)
        self.start_button = KeyButton(actions.start, primary=True)
        for button in (self.source_button, self.train_button, self.cancel_button, self.start_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self._connect()
        self.retranslate()

    def entered(self) -> None:
        """Read what there is and put the focus on the list of targets."""
        self._presenter.refresh()
        self.targets.setFocus()

    def leave_field(self) -> None:
        """Put the focus on the list of targets."""
        self.targets.setFocus()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.targets_title.setText(self.tr("Target"))
        self.items_title.setText(self.tr("Inspection items"))
        self.source_title.setText(self.tr("Images come from"))
        self.training_title.setText(self.tr("Model from good images"))
        self.targets.setAccessibleName(self.tr("Target"))
        self.items.setAccessibleName(self.tr("Inspection items"))
        self.source.setAccessibleName(self.tr("Image source"))
        self.source.setPlaceholderText(self.tr("folder, video, watch:FOLDER, usb:0, rtsp://…, genicam:… or gige:…"))
        self.folder.setAccessibleName(self.tr("Folder of good images"))
        self.folder.setPlaceholderText(self.tr("folder of good images"))
        self.progress.setAccessibleName(self.tr("Progress of the training"))
        self._show(self._presenter.state)

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Home")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("Choose what to inspect, then start")

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        margin = sizes.millimetres(4)
        left = Panel(margin=margin, spacing=sizes.gap)
        left.column.addWidget(self.targets_title)
        left.column.addWidget(self.targets, 1)
        left.column.addWidget(self.empty)
        left.column.addWidget(self.scores, 1)
        right = Panel(margin=margin, spacing=sizes.gap)
        self._scrolled = scrolled = ScrolledColumn(spacing=sizes.gap)
        right.column.addWidget(scrolled)
        scrolled.column.addWidget(self.items_title)
        scrolled.column.addWidget(self.items, 1)
        scrolled.column.addWidget(self.training_title)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.folder, 1)
        row.addWidget(self.train_button)
        scrolled.column.addLayout(row)
        scrolled.column.addWidget(self.detail_choice)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        texts = QVBoxLayout()
        texts.addWidget(self.progress)
        texts.addWidget(self.progress_text)
        row.addLayout(texts, 1)
        row.addWidget(self.cancel_button)
        scrolled.column.addLayout(row)
        bottom = Panel(margin=margin, spacing=sizes.gap)
        bottom.column.addWidget(self.source_title)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.source, 1)
        row.addWidget(self.source_button)
        row.addWidget(self.start_button)
        bottom.column.addLayout(row)
        bottom.column.addWidget(self.start_hint)
        columns = QHBoxLayout()
        columns.setSpacing(sizes.gap)
        columns.addWidget(left, 2)
        columns.addWidget(right, 3)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addLayout(columns, 1)
        outer.addWidget(bottom)

    def _connect(self) -> None:
        actions, presenter = self.feature_actions, self._presenter
        self.targets.currentItemChanged.connect(
            lambda item, _: presenter.choose_target(item.data(_ID)) if item is not None else None
        )
        self.items.currentItemChanged.connect(
            lambda item, _: presenter.choose_item(item.data(_ID)) if item is not None else None
        )
        self.source.textChanged.connect(presenter.choose_source)
        actions.start.triggered.connect(presenter.start)
        actions.train.triggered.connect(self._train)
        actions.cancel_training.triggered.connect(presenter.cancel_training)
        actions.choose_source.triggered.connect(lambda: self._choose_folder(self.source.setText))
        for detail, action in actions.details.items():
            action.triggered.connect(partial(presenter.choose_detail, detail))
        self.folder.returnPressed.connect(self._train)
        self.source.returnPressed.connect(self._start_or_leave)
        presenter.changed.connect(self._show)
        presenter.person_changed.connect(self.folder.clear)

    def _start_or_leave(self) -> None:
        """Begin to inspect on the source that was typed; where that is not possible yet, make keys actions again."""
        if self.feature_actions.start.isEnabled():
            self._presenter.start()
        else:
            self.leave_field()

    def _train(self) -> None:
        """Measure what the details cost for the folder first; train when that is shown."""
        folder = self.folder.text()
        if not folder.strip():
            self._choose_folder(self._measure)
        elif self._presenter.state.folder == folder:
            self.leave_field()
            self._presenter.train_folder(folder)
        else:
            self._measure(folder)

    def _measure(self, folder: str) -> None:
        self.folder.setText(folder)
        self.leave_field()
        self._presenter.measure_folder(folder)

    def _choose_folder(self, on_chosen: Callable[[str], object]) -> None:
        dialog = QFileDialog(self, self.tr("Choose folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(on_chosen)
        dialog.open()

    def _show(self, state: HomeState) -> None:
        self._fill(
            self.targets, [(target.id, f"{target.code}   {target.name}") for target in state.targets], state.target_id
        )
        items = []
        for item in state.items:
            ready = self.tr("model ready") if item.model_ready else self.tr("no model yet")
            sign = "✓" if item.model_ready else "–"
            items.append((item.id, f"{item.position}.  {item.name}   {sign} {ready}"))
        self._fill(self.items, items, state.item_id)
        self.empty.setVisible(not state.targets)
        self.empty.setText(
            self.tr("Reading…")
            if state.loading
            else self.tr("Nothing to inspect yet. Targets come from the server with the next synchronisation.")
        )
        if state.fixed_source:
            self.source.setText(state.fixed_source)
        elif self.source.text().strip() != state.source:
            self.source.setText(state.source)
        self.source.setEnabled(not state.fixed_source)
        self.feature_actions.choose_source.setEnabled(not state.fixed_source)
        self.scores.show_scores(state.scores)
        self._show_training(state, state.training)
        self.feature_actions.start.setEnabled(state.may_start)
        self.start_hint.setText(self._what_is_missing(state))

    def _show_training(self, state: HomeState, training: TrainingState | None) -> None:
        actions = self.feature_actions
        actions.train.setEnabled(state.may_begin_training)
        actions.cancel_training.setEnabled(training is not None and not training.cancelling)
        actions.cancel_training.setVisible(training is not None)
        self.folder.setEnabled(state.may_begin_training)
        self.detail_choice.show_details(state)
        # What the person chooses or waits for lies below the items.
        self._scrolled.follow(self.progress_text if state.details or training or state.measuring else None)
        self.progress.setVisible(training is not None or state.measuring)
        if state.measuring:
            self.progress.setRange(0, 0)
            self.progress_text.setText(self.tr("Measuring what each detail takes on this computer…"))
        elif training is not None:
            # Before the first report of the training the bar moves by itself.
            self.progress.setRange(0, 1000 if training.stage else 0)
            self.progress.setValue(int(training.fraction * 1000))
            self.progress_text.setText(self._training_text(training))
        elif state.trained is not None:
            self.progress_text.setText("\n".join(self._trained_lines(state.trained)))
        elif not state.may_train:
            self.progress_text.setText(self.tr("A quality engineer trains models."))
        elif state.details:
            self.progress_text.setText(self.tr("Choose how fine the model sees the images, then train."))
        else:
            self.progress_text.setText(
                self.tr("Good images are enough: 30 to begin with, 60 or more for a steadier threshold.")
            )

    def _trained_lines(self, model: TrainedModel) -> list[str]:
        """Return what a training gave, and what the person should know of the images, one sentence a line."""
        number = self.locale().toString
        trained = self.tr("Trained on %n images; threshold {threshold}.", "", model.images)
        lines = [trained.format(threshold=number(model.threshold, "f", 2))]
        if "few-groups" in model.warnings and model.groups is not None:
            few = self.tr(
                "They show about %n different parts, the rest are near duplicates: the threshold is a rough estimate.",
                "",
                model.groups,
            )
            lines.append(few)
        if "sample-too-small" in model.warnings:
            few = self.tr(
                "A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.",
                "",
                model.least_images,
            )
            lines.append(few.format(rate=number(model.false_alarm_rate * 100, "g", 3)))
        if model.lifting:
            lifting = self.tr(
                "%n good images score far above the others and lift the threshold: {names}.", "", len(model.lifting)
            )
            lines.append(lifting.format(names=first_names(model.lifting)))
        if "two-sizes" in model.warnings:
            lines.append(
                self.tr("The images have two very different sizes or shapes: train one model for each kind of part.")
            )
        if "skipped" in model.warnings:
            lines.append(self.tr("%n images could not be used.", "", model.skipped))
        if "duplicates" in model.warnings:
            lines.append(self.tr("%n images were copies of others and were left out.", "", model.duplicates))
        if model.transparent:
            lines.append(self.tr("%n images have transparent parts, seen on white.", "", model.transparent))
        if model.value_range is not None:
            read = self.tr("Images deeper than 8 bits are read with the values {range} as black to white.")
            lines.append(read.format(range=model.value_range))
        return lines

    def _training_text(self, training: TrainingState) -> str:
        if training.cancelling:
            return self.tr("Stopping…")
        if training.seconds_left is None or training.fraction < CREDIBLE_FROM:
            return self.tr("Training… {percent} %").format(percent=int(training.fraction * 100))
        return self.tr("Training… {percent} %, {time} left").format(
            percent=int(training.fraction * 100), time=duration_text(training.seconds_left)
        )

    def _what_is_missing(self, state: HomeState) -> str:
        if state.may_start or state.loading or state.training is not None or not state.targets:
            return ""
        if not state.required_items:
            return self.tr("This target has no inspection item.")
        if not all(item.model_ready for item in state.required_items):
            return self.tr("A model is missing: train it from good images, or synchronise to receive it.")
        return self.tr("Choose where images come from.")

    @staticmethod
    def _fill(box: QListWidget, rows: list[tuple[str, str]], chosen: str | None) -> None:
        """Show ``rows`` of id and text; rows that are there already are kept, so that the choice does not jump."""
        box.blockSignals(True)
        if [box.item(row).data(_ID) for row in range(box.count())] != [row_id for row_id, _ in rows]:
            box.clear()
            for row_id, _ in rows:
                item = QListWidgetItem()
                item.setData(_ID, row_id)
                box.addItem(item)
        for row, (row_id, text) in enumerate(rows):
            box.item(row).setText(text)
            if row_id == chosen:
                box.setCurrentRow(row)
        box.blockSignals(False)
