# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What most people never touch: the window's Advanced part, a grid of names and fields."""

from __future__ import annotations

import random
from typing import Any

import widgets as ui
from _client.controls import METHODS
from _client.editor import CANVAS, LAYER
from _client.limits import CONTEXT, GUIDANCE, MOST_SEED, STEPS, WORKING_SIZE
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.wording import say
from gi.repository import Gtk


class Advanced(Gtk.Grid):
    def __init__(self, panel: Panel) -> None:
        super().__init__(row_spacing=4, column_spacing=ui.SPACE, margin_top=4)
        self._panel = panel
        self._rows = 0
        self._source = self._row("source", ui.Choice(lambda key: panel.set(source=key)))
        self._model = self._row("model", ui.Choice(lambda key: panel.set(model=key)))
        self._sentence_label = ui.label(say("sentence"))
        self._sentence = ui.Field(lambda text: panel.write_sentence(text))
        self._sentence.set_tooltip_text(say("tip-sentence"))
        self._put(self._sentence_label, self._sentence)
        self._method = self._row("method", ui.Choice(lambda key: panel.set(method=key)))
        self._steps = self._row("steps", self._number("steps", (0, STEPS[1])))
        self._guidance = self._row("guidance", self._number("guidance", (0, GUIDANCE[1]), 0.5))
        self._cross = self._row("cross", self._percent("cross"))
        self._self = self._row("self", self._percent("self_attention"))
        self._context = self._row(
            "context", ui.Number((0, CONTEXT[1] * 100), lambda value: panel.set(context=value / 100), step=10)
        )
        self._size = self._row("working-size", self._number("working_size", (0, WORKING_SIZE[1]), 64))
        self._seed = ui.Number((0, MOST_SEED), lambda value: panel.set(seed=round(value)))
        another = ui.button(say("dice"), lambda: panel.set(seed=random.randrange(MOST_SEED)), "tight")
        self._row("seed", ui.row(self._seed, another))
        self._put(ui.label(), ui.button(say("defaults"), panel.reset_settings, "tight"))

    def draw(self, state: PanelState) -> None:
        form, settings = state.form, state.form.settings
        taken = [(key, say("source-" + key)) for key in (CANVAS, LAYER)]
        self._source.show_entries(taken, settings.source)
        installed = [(model.name, model.title) for model in state.models if model.installed]
        self._model.show_entries(installed or [(settings.model, settings.model)], settings.model)
        self._method.show_entries([(key, say("method-" + key)) for key in METHODS], settings.method)
        for shown in (self._sentence_label, self._sentence):
            ui.set_shown(shown, "sentence" in state.shown)
        self._sentence.show_text(form.sentences.get(form.operation, ""), form.made)
        self._steps.show_value(settings.steps or 0)
        self._guidance.show_value(settings.guidance or 0)
        self._cross.show_value(-1 if settings.cross is None else settings.cross * 100)
        self._self.show_value(-1 if settings.self_attention is None else settings.self_attention * 100)
        self._context.show_value(settings.context * 100)
        self._size.show_value(settings.working_size or 0)
        self._seed.show_value(settings.seed)

    def _number(self, name: str, limits: tuple[float, float], step: float = 1) -> ui.Number:
        """0 = as the model recommends."""

        def changed(value: float) -> None:
            whole: Any = value if step < 1 else round(value)
            self._panel.set(**{name: whole if value > 0 else None})

        made = ui.Number(limits, changed, say("automatic"), step)
        made.set_digits(1 if step < 1 else 0)
        return made

    def _percent(self, name: str) -> ui.Number:
        """-1 = as the slider and the operation have it."""

        def changed(value: float) -> None:
            self._panel.set(**{name: None if value < 0 else value / 100})

        return ui.Number((-1, 100), changed, say("automatic"), 5)

    def _row(self, name: str, widget: Any) -> Any:
        key = "tip-" + name
        widget.set_tooltip_text(tip(key))
        self._put(ui.label(say(name)), widget)
        return widget

    def _put(self, name: Gtk.Widget, widget: Gtk.Widget) -> None:
        widget.set_hexpand(True)
        self.attach(name, 0, self._rows, 1, 1)
        self.attach(widget, 1, self._rows, 1, 1)
        self._rows += 1


def tip(key: str) -> str | None:
    from _client.wording import ENGLISH

    return say(key) if key in ENGLISH else None
