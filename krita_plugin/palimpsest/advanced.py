"""What is folded away: the technical settings, each with what it is called in the papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._client.controls import METHODS
from ._client.editor import CANVAS, LAYER
from ._client.limits import CONTEXT, GUIDANCE, MOST_SEED, STEPS, WORKING_SIZE
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.wording import say
from .layout import label, link, row
from .qt import QComboBox, QDoubleSpinBox, QFormLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget


class Advanced(QWidget):
    """``draw`` shows a state; changes go to the panel."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(3)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._sentence = QLineEdit()
        self._sentence.textEdited.connect(panel.write_sentence)
        self._sentence_label = self._add("sentence", self._sentence, say("tip-sentence"))
        self._source = self._choice("source", [(name, say("source-" + name)) for name in (CANVAS, LAYER)])
        self._model = self._choice("model", [])
        self._method = self._choice("method", [(name, say("method-" + name)) for name in METHODS])
        self._numbers = {
            "steps": self._number("steps", "steps", QSpinBox(), STEPS[1]),
            "guidance": self._number("guidance", "guidance", QDoubleSpinBox(), GUIDANCE[1]),
            "cross": self._number("cross", "cross", QSpinBox(), 100, 100, " %"),
            "self_attention": self._number("self", "self_attention", QSpinBox(), 100, 100, " %"),
            "working_size": self._number(
                "working-size", "working_size", QSpinBox(), WORKING_SIZE[1], 1, " px", 32
            ),
        }
        self._context = QSpinBox()
        self._context.setRange(0, CONTEXT[1] * 100)
        self._context.setSingleStep(10)
        self._context.setSuffix(" %")
        self._context.valueChanged.connect(lambda percent: panel.set(context=percent / 100))
        self._add("context", self._context, say("tip-context"))
        self._seed = QSpinBox()
        self._seed.setRange(0, MOST_SEED)
        self._seed.setMinimumWidth(40)
        self._seed.valueChanged.connect(lambda seed: panel.set(seed=seed))
        another = link(say("dice"), say("tip-seed"))
        another.clicked.connect(lambda: panel.set(seed=(panel.form.settings.seed + 1) % MOST_SEED))
        seed = QWidget()
        seed.setLayout(row(self._seed, another, stretch=0))
        self._add("seed", seed, say("tip-seed"))
        self._seed.setAccessibleName(say("seed"))
        defaults = link(say("defaults"))
        defaults.clicked.connect(lambda: panel.reset_settings())
        self._form.addRow(defaults)

    def _add(self, key: str, field: QWidget, tip: str = "") -> QWidget:
        caption = label(say(key))
        caption.setToolTip(tip)
        field.setToolTip(tip)
        field.setAccessibleName(say(key))
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._form.addRow(caption, field)
        return caption

    def _choice(self, key: str, entries: list) -> QComboBox:
        box = QComboBox()
        for name, text in entries:
            box.addItem(text, name)
        box.activated.connect(lambda at: self._panel.set(**{key: box.itemData(at)}))
        self._add(key, box, say("tip-method") if key == "method" else "")
        return box

    def _number(
        self, key: str, field: str, box: Any, most: int, unit: int = 1, suffix: str = "", step: int = 0
    ) -> tuple:
        """Its lowest value stands for None: as the model or the slider recommends."""
        lowest = -1 if unit == 100 else 0
        box.setRange(lowest, most)
        box.setSpecialValueText(say("automatic"))
        box.setSuffix(suffix)
        box.setSingleStep(step if step else (5 if unit == 100 else 1))
        set_: Callable[..., None] = self._panel.set
        box.valueChanged.connect(
            lambda value: set_(**{field: None if value == lowest else (value / unit if unit > 1 else value)})
        )
        self._add(key, box, say("tip-" + key))
        return box, unit, lowest

    def draw(self, state: PanelState) -> None:
        settings = state.form.settings
        own = state.form.sentences.get(state.form.operation, "")
        for part in (self._sentence, self._sentence_label):
            part.setVisible("sentence" in state.shown)
        if self._sentence.text() != own:
            self._sentence.setText(own)
        self._sentence.setPlaceholderText(state.form.made)
        choose(self._source, settings.source)
        self._draw_models(state)
        choose(self._method, settings.method)
        for field, (box, unit, lowest) in self._numbers.items():
            value = getattr(settings, field)
            put(box, lowest if value is None else (round(value * unit) if unit > 1 else value))
        put(self._context, round(settings.context * 100))
        put(self._seed, settings.seed)

    def _draw_models(self, state: PanelState) -> None:
        installed = [model for model in state.models if model.installed]
        names = [model.name for model in installed]
        if names != [self._model.itemData(at) for at in range(self._model.count())]:
            self._model.clear()
            for model in installed:
                self._model.addItem(model.title, model.name)
        self._model.setToolTip("" if names else say("model-loading"))
        choose(self._model, state.form.settings.model)


def choose(box: QComboBox, name: str) -> None:
    at = box.findData(name)
    if at != box.currentIndex():
        box.setCurrentIndex(at)


def put(box: Any, value: Any) -> None:
    """Without telling the panel what it said itself; a field that is being written in is left alone."""
    if box.value() != value and not box.hasFocus():
        before = box.blockSignals(True)
        box.setValue(value)
        box.blockSignals(before)
