"""The panel in Krita's column: draws every state of ``_client.panel`` and tells it what people do."""

from __future__ import annotations

from collections.abc import Callable

from krita import DockWidget

from ._client.controls import OPERATIONS, REPLACE, growth
from ._client.library import Result
from ._client.limits import MOST_FEATHER, MOST_GROWTH, VARIATIONS
from ._client.panel_state import PanelState
from ._client.sentences import spans
from ._client.status import COPY, MODELS
from ._client.wording import say
from .advanced import Advanced
from .backend_dialog import open_backend_dialog, open_models_dialog
from .desk import desk
from .fields import Sentence, Sliders, Weights
from .layout import Flow, Thumbnails, button, label, link, picture, row, tile
from .learn_dialog import open_learn_dialog
from .qt import (
    QApplication,
    QButtonGroup,
    QEvent,
    QFrame,
    QGridLayout,
    QInputDialog,
    QMenu,
    QPalette,
    QProgressBar,
    QScrollArea,
    QSize,
    QSizePolicy,
    QSpinBox,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

LIGHTS = {"ready": "#4caf50", "busy": "#e0a030", "trouble": "#e05545"}
CONCEPT, RESULT, PREVIEW = 22, 44, 160  # px
MARGIN = 6


class PalimpsestDocker(DockWidget):
    """Krita makes one for each window; all show the same panel."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Palimpsest")
        self._desk = desk()
        self._panel = self._desk.panel
        self._state: PanelState | None = None
        self._thumbnails = Thumbnails(self._panel.session, RESULT, self._draw_results)
        self._build()
        self._desk.add(self)

    def canvasChanged(self, canvas) -> None:  # noqa: N802
        """Krita calls it when another view is active; the panel looks by itself."""

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._desk.open()

    def changeEvent(self, event) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._state is not None:
            self._color(self._state)

    def focus_words(self) -> None:
        """To the first sentence that is still to be written; Return then applies."""
        field = self._second if self._panel.form.first.strip() else self._first
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    # Building.

    def _build(self) -> None:
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._column.setSpacing(MARGIN)
        self._build_status()
        self._build_words()
        self._build_controls()
        self._build_work()
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumSize(QSize(120, 80))
        self.setWidget(scroll)

    def _build_status(self) -> None:
        self._light = label("●")
        self._status = label(wrap=True)
        self._menu = link("⚙", say("settings"))
        self._menu.setAccessibleName(say("settings"))
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu.setMenu(self._settings_menu())
        self._column.addLayout(row(self._light, self._status, self._menu, stretch=1))
        self._offers = Flow(say("settings"))
        self._column.addWidget(self._offers)

    def _settings_menu(self) -> QMenu:
        menu = QMenu(self)
        for text, call in (
            (say("remember"), self._panel.remember),
            (say("reopen"), self._panel.reopen),
            (say("learn-action"), open_learn_dialog),
            (say("server-title") + "…", open_backend_dialog),
            (say("models-title") + "…", open_models_dialog),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, call=call: call())
        return menu

    def _build_words(self) -> None:
        self._column.addLayout(self._operation_buttons())
        self._describe = link(say("describe"), say("tip-describe"))
        self._describe.clicked.connect(lambda: self._panel.describe())
        self._column.addLayout(row(label(say("first")), QWidget(), self._describe, stretch=1))
        self._first = Sentence(say("first"), self._panel.write_first, self._panel.apply)
        self._first.setPlaceholderText(say("first-example"))
        self._words = label(wrap=True)
        self._words.setToolTip(say("tip-words"))
        self._words.setAccessibleName(say("words"))
        self._words.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag
        self._words.setTextInteractionFlags(flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard)
        self._words.linkActivated.connect(self._word_menu)
        self._second_label = label()
        self._second = Sentence(say("second-replace"), self._panel.write_second, self._panel.apply)
        self._changes, self._unknown = label(wrap=True), label(wrap=True)
        self._weights_label = label(say("weights"))
        self._weights = Weights(self._panel.weigh)
        fields = (self._first, self._words, self._second_label, self._second)
        for part in (*fields, self._changes, self._unknown):
            self._column.addWidget(part)
        self._column.addWidget(self._weights_label)
        self._column.addWidget(self._weights)
        learn = link("+ " + say("learn"), say("learn-action"))
        learn.clicked.connect(lambda: open_learn_dialog())
        self._column.addLayout(row(label(say("concepts")), QWidget(), learn, stretch=1))
        self._concepts = Flow(say("concepts"))
        self._no_concepts = label(say("no-concepts"), wrap=True, muted=True)
        self._column.addWidget(self._concepts)
        self._column.addWidget(self._no_concepts)

    def _operation_buttons(self) -> QGridLayout:
        """Three above two, like the keys of one control."""
        grid = QGridLayout()
        grid.setSpacing(2)
        self._operations = QButtonGroup(self)
        for number, name in enumerate(OPERATIONS):
            made = QToolButton()
            made.setText(say(name))
            made.setCheckable(True)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            made.clicked.connect(lambda _=False, name=name: self._panel.choose_operation(name))
            self._operations.addButton(made, number)
            line, place, width = (0, number * 2, 2) if number < 3 else (1, (number - 3) * 3, 3)
            grid.addWidget(made, line, place, 1, width)
        return grid

    def _build_controls(self) -> None:
        self._sliders = Sliders()
        ends = (say("free"), say("exact"))
        set_ = self._panel.set
        add = self._sliders.add
        add("structure", say("structure"), say("tip-structure"), ends, lambda at: set_(structure=at))
        ends = (say("gentle"), say("strong"))
        add("strength", say("strength"), say("tip-strength"), ends, lambda at: set_(strength=at))
        self._add_pixels("grow", say("tip-grow"), MOST_GROWTH, lambda pixels: set_(grow=pixels))
        self._add_pixels("feather", say("tip-feather"), MOST_FEATHER, lambda pixels: set_(feather=pixels))
        self._column.addWidget(self._sliders)
        self._advanced_button = link(say("advanced"))
        self._advanced_button.setCheckable(True)
        self._advanced_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._advanced = Advanced(self._panel)
        self._advanced_button.toggled.connect(self._unfold)
        self._column.addWidget(self._advanced_button)
        self._column.addWidget(self._advanced)
        self._unfold(False)

    def _add_pixels(self, name: str, tip: str, most: int, changed: Callable[[int], None]) -> None:
        """A slider of whole pixels, 0 … ``most``."""
        self._sliders.add(name, say(name), tip, ("", ""), lambda at: None)
        slider = self._sliders.slider(name)
        slider.valueChanged.disconnect()
        slider.setRange(0, most)
        slider.setTickInterval(most // 4)
        slider.valueChanged.connect(changed)

    def _put_pixels(self, name: str, pixels: int) -> None:
        slider = self._sliders.slider(name)
        before = slider.blockSignals(True)
        slider.setValue(pixels)
        slider.blockSignals(before)
        self._sliders.caption(name, say("pixels", n=pixels))

    def _unfold(self, open: bool) -> None:
        self._advanced.setVisible(open)
        arrow = Qt.ArrowType.DownArrow if open else Qt.ArrowType.RightArrow
        self._advanced_button.setArrowType(arrow)

    def _build_work(self) -> None:
        self._updating = label(wrap=True)
        self._instead = link(say("new-layer-instead"))
        self._instead.clicked.connect(lambda: self._panel.new_layer_instead())
        self._reopen = link(say("reopen"))
        self._reopen.clicked.connect(lambda: self._panel.reopen())
        self._column.addLayout(row(self._updating, self._instead, stretch=0))
        self._column.addWidget(self._reopen)
        self._apply = button(say("apply"))
        self._apply.clicked.connect(lambda: self._panel.apply())
        self._variations = QSpinBox()
        self._variations.setRange(*VARIATIONS)
        self._variations.setAccessibleName(say("variations"))
        self._variations.valueChanged.connect(lambda count: self._panel.set(variations=count))
        times = label("×")
        times.setToolTip(say("variations"))
        self._variations.setToolTip(say("variations"))
        self._column.addLayout(row(self._apply, times, self._variations, stretch=0))
        self._phase = label(wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._cancel = button(say("cancel"))
        self._cancel.clicked.connect(lambda: self._panel.cancel())
        self._column.addWidget(self._phase)
        self._column.addLayout(row(self._bar, self._cancel, stretch=0))
        self._preview = label()
        self._preview.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._preview.setAccessibleName(say("preview"))
        self._message = label(wrap=True)
        self._help = Flow(say("settings"))
        self._fidelity = label(wrap=True, muted=True)
        self._results = Flow(say("results"))
        self._no_results = label(say("no-results"), wrap=True, muted=True)
        for part in (self._preview, self._message, self._help, self._fidelity, label(say("results"))):
            self._column.addWidget(part)
        self._column.addWidget(self._results)
        self._column.addWidget(self._no_results)

    # Drawing.

    def show_state(self, state: PanelState) -> None:
        before, self._state = self._state, state
        self._draw_status(state, before)
        self._draw_words(state, before)
        self._draw_controls(state)
        self._draw_work(state, before)
        if before is None or state.results != before.results:
            self._draw_results()
            self._results.setVisible(bool(state.results))
            self._no_results.setVisible(not state.results)

    def _draw_results(self) -> None:
        if self._state is not None:
            self._results.refill([self._result(result) for result in self._state.results])

    def _draw_status(self, state: PanelState, before: PanelState | None) -> None:
        self._light.setStyleSheet(f"color: {LIGHTS[state.status.kind]}")
        self._status.setText(state.status.text)
        if before is None or state.status.offers != before.status.offers:
            self._offers.refill([self._offer(offer) for offer in state.status.offers])
            self._offers.setVisible(bool(state.status.offers))

    def _draw_words(self, state: PanelState, before: PanelState | None) -> None:
        form = state.form
        for made, name in zip(self._operations.buttons(), OPERATIONS):
            made.setChecked(name == form.operation)
            made.setEnabled(name not in state.cannot_operate)
            made.setToolTip(state.cannot_operate.get(name, say("tip-" + name)))
        self._first.put(form.first)
        self._describe.setEnabled(not state.cannot_describe)
        self._describe.setToolTip(state.cannot_describe or say("tip-describe"))
        self._words.setVisible(bool(state.words))
        second = "second" in state.shown
        for part in (self._second_label, self._second):
            part.setVisible(second)
        if second:
            self._second_label.setText(say("second-" + form.operation))
            self._second.setAccessibleName(say("second-" + form.operation))
            self._second.setPlaceholderText(say("example-" + form.operation))
            self._second.put(form.second)
        self._color(state)
        self._weights_label.setVisible("weights" in state.shown)
        self._weights.setVisible("weights" in state.shown)
        if "weights" in state.shown:
            self._weights_label.setText(say("weights") if state.words else say("no-words"))
            self._weights.put_words(state.words, form.weights)
        if before is None or state.concepts != before.concepts or state.model != before.model:
            self._concepts.refill([self._concept(concept, state) for concept in state.concepts])
            self._concepts.setVisible(bool(state.concepts))
            self._no_concepts.setVisible(not state.concepts)

    def _color(self, state: PanelState) -> None:
        """What has a colour of its own, in the theme that there is now."""
        for made, name in zip(self._operations.buttons(), OPERATIONS):
            made.setPalette(chosen_palette() if name == state.form.operation else QPalette())
        color = self.palette().color(QPalette.ColorRole.WindowText).name()
        link = '<a href="{0}" style="color: {1}">{0}</a>'
        self._words.setText("  ·  ".join(link.format(escaped(word), color) for word in state.words))
        self._mark(state)

    def _mark(self, state: PanelState) -> None:
        """The words that change, in both sentences and in one line."""
        replacing = state.form.operation == REPLACE
        self._first.mark(spans(state.changes, "source") if replacing else [], state.unknown[0])
        self._second.mark(spans(state.changes, "target") if replacing else [], state.unknown[1])
        self._unknown.setText(state.unknown_text)
        self._unknown.setVisible(bool(state.unknown_text))
        text = state.changes_text if replacing else ""
        if "sentence" in state.shown and state.form.target and state.changes:
            text = say("becomes", sentence=state.form.target)
        self._changes.setText(text)
        self._changes.setVisible(bool(text))

    def _draw_controls(self, state: PanelState) -> None:
        settings = state.form.settings
        self._sliders.show_rows(state.shown)
        self._sliders.put("structure", settings.structure)
        self._sliders.put("strength", settings.strength)
        self._put_pixels("grow", growth(state.form.operation, settings))
        self._put_pixels("feather", settings.feather)
        self._advanced.draw(state)

    def _draw_work(self, state: PanelState, before: PanelState | None) -> None:
        updating = bool(state.updating)
        self._updating.setText(say("updating", layer=state.updating))
        self._updating.setVisible(updating)
        self._instead.setVisible(updating)
        has_recipe = state.document is not None and state.document.has_recipe
        self._reopen.setVisible(has_recipe and not updating)
        self._apply.setText(say("update") if updating else say("apply"))
        self._apply.setEnabled(not state.cannot_apply)
        self._apply.setToolTip(state.cannot_apply)
        self._variations.blockSignals(True)
        self._variations.setValue(state.form.settings.variations)
        self._variations.blockSignals(False)
        self._draw_progress(state)
        if before is None or state.preview != before.preview:
            pixmap = picture(state.preview, PREVIEW)
            self._preview.setPixmap(pixmap)
            self._preview.setVisible(not pixmap.isNull())
        self._message.setText(state.message)
        told_above = state.message == state.status.text
        self._message.setVisible(bool(state.message) and state.progress is None and not told_above)
        if before is None or state.offers != before.offers:
            self._help.refill([self._offer(offer) for offer in state.offers])
            self._help.setVisible(bool(state.offers))
        self._fidelity.setText(state.fidelity)
        self._fidelity.setVisible(bool(state.fidelity) and state.fidelity not in state.message)

    def _draw_progress(self, state: PanelState) -> None:
        working = state.progress is not None
        for part in (self._phase, self._bar, self._cancel):
            part.setVisible(working)
        if state.progress is None:
            return
        self._phase.setText(state.progress.text)
        known = state.progress.fraction is not None
        self._bar.setRange(0, 1000 if known else 0)
        if state.progress.fraction is not None:
            self._bar.setValue(round(1000 * state.progress.fraction))
        self._cancel.setEnabled(state.progress.can_cancel)

    # Small things that are made anew.

    def _offer(self, offer):
        made = link(offer.text) if offer.key == MODELS else button(offer.text)
        made.clicked.connect(lambda: self._take(offer.key))
        return made

    def _concept(self, concept, state: PanelState):
        other = state.model is not None and concept.family != state.model.family
        key = "tip-other-family" if other else "tip-concept"
        kind = say(concept.kind)
        tip = say(key, name=concept.name, kind=kind, noun=concept.noun, family=concept.family)
        made = tile(concept.name, picture(concept.thumbnail, CONCEPT), tip, text=concept.name)
        made.setEnabled(not other)
        made.clicked.connect(lambda: self._insert_concept(concept.name))
        return made

    def _result(self, result: Result):
        tip = say("tip-result", name=result.name, width=result.bounds.width, height=result.bounds.height)
        made = tile(result.name, self._thumbnails.of(result.thumbnail), tip)
        made.clicked.connect(lambda: self._panel.reapply(result))
        return made

    # What people do.

    def _insert_concept(self, name: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        cursor = self._second.textCursor()
        if self._second.isVisible():
            cursor.removeSelectedText()
            self._panel.insert_concept(name, cursor.position())
            self._second.setFocus()

    def _word_menu(self, word: str) -> None:
        menu = QMenu(self)
        for key, call in (
            ("word-replace", self._replace_word),
            ("word-emphasise", self._panel.emphasise),
            ("word-select", self._panel.select_word),
        ):
            action = menu.addAction(say(key, word=word))
            action.triggered.connect(lambda _=False, call=call: call(word))
        menu.popup(self._words.mapToGlobal(self._words.rect().bottomLeft()))

    def _replace_word(self, word: str) -> None:
        new, meant = QInputDialog.getText(self, "Palimpsest", say("new-word", word=word))
        if meant:
            self._panel.replace_word(word, new)

    def _take(self, offer: str) -> None:
        if self._panel.take(offer):
            return
        if offer == COPY:
            QApplication.clipboard().setText(say("update-command"))
        elif offer == MODELS:
            open_models_dialog()
        else:
            open_backend_dialog()


def chosen_palette() -> QPalette:
    """No style sheet: Krita's themes would not reach it."""
    palette = QApplication.palette()
    palette.setColor(QPalette.ColorRole.Button, palette.color(QPalette.ColorRole.Highlight))
    palette.setColor(QPalette.ColorRole.ButtonText, palette.color(QPalette.ColorRole.HighlightedText))
    return palette


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
