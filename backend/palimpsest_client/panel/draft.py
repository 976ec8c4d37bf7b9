"""What is filled in for the open picture and not applied yet: words and settings."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Optional

from ..fields.controls import Form, Settings
from ..fields.operations import OPERATIONS, REPLACE, REWEIGHT
from ..fields.presets import Presets
from ..fields.settings import CONTROLS, SENTENCE
from ..text.sentences import Word, counterpart


class Draft:
    """``changed`` is called when ``form`` has become another, ``kept`` when the presets have: with why that
    can't be done, or nothing."""

    def __init__(
        self, form: Form, presets: Presets, changed: Callable[[], None], kept: Callable[[str], None]
    ) -> None:
        self.form = form
        self.presets = presets
        self._changed, self._kept = changed, kept

    def fill(self, form: Form) -> None:
        if form != self.form:
            self.form = form
            self._changed()

    # Words.

    def choose_operation(self, operation: str) -> None:
        assert operation in OPERATIONS, operation
        self.fill(self.form.with_operation(operation))

    def write_source_prompt(self, text: str) -> None:
        self.fill(replace(self.form, source_prompt=text))

    def write_operand(self, text: str) -> None:
        self.fill(self.form.with_operand(text))

    def write_target_prompt(self, text: str) -> None:
        """The whole second sentence in one's own words; empty = as it is made."""
        self.fill(self.form.with_own_target(text))

    def insert_concept(self, name: str, at: Optional[int] = None) -> None:
        """``<name>`` into the second field, at a place of its text or at its end."""
        text, word = self.form.operand, f"<{name}>"
        at = len(text) if at is None else at
        before, after = text[:at], text[at:]
        gap = " " if before and not before.endswith(" ") else ""
        rest = " " if after and not after.startswith(" ") else ""
        self.write_operand(before + gap + word + rest + after)

    def begin_replacing(self, word: str) -> Word:
        """Of a word of the picture: where the second sentence has it, or what it has become there. Chooses
        Replace; a sentence that has neither begins anew."""
        form = self.form.with_operation(REPLACE)
        found = counterpart(form.source_prompt, form.operand, word)
        if found is None:
            form = form.with_operand(form.source_prompt)
            found = counterpart(form.source_prompt, form.source_prompt, word)
        assert found is not None, word
        self.fill(form)
        return found

    def emphasise(self, word: str) -> None:
        """Chooses Emphasise with this word a little stronger."""
        weights = {**self.form.weights, word: self.form.weights.get(word, 0.0) or 0.5}
        self.fill(replace(self.form.with_operation(REWEIGHT), weights=weights))

    # Settings.

    def weigh(self, word: str, position: float) -> None:
        """-1 gone … 0 as it is … 1 strong."""
        self.fill(replace(self.form, weights={**self.form.weights, word: position}))

    def set(self, **settings: Any) -> None:
        """Fields of ``controls.Settings``."""
        self.fill(replace(self.form, settings=replace(self.form.settings, **settings)))

    def change(self, control: str, value: Any) -> None:
        """One of the panel's table of controls, by its name; None = automatic."""
        if control == SENTENCE.name:
            self.write_target_prompt(value)
        else:
            self.set(**{control: value})

    def recommend(self, control: str) -> None:
        """As it was before anybody touched it."""
        self.set(**{control: CONTROLS[control].default})

    def randomize(self, control: str) -> None:
        """Another one, any one: of a seed."""
        offered = CONTROLS[control].offered
        assert offered is not None
        self.set(**{control: random.randint(int(offered.least), int(offered.most))})

    def reset_settings(self) -> None:
        self.fill(replace(self.form, settings=Settings(model=self.form.settings.model)))

    # One's own settings, by a name.

    def look_at_presets(self) -> None:
        """Before a menu of them is shown: the other editor may have changed them."""
        self._kept(self.presets.look())

    def use_preset(self, name: str) -> None:
        self.fill(self.presets.applied(self.form, name))

    def keep_preset(self, name: str) -> None:
        """What is set now, for this operation; one of this name is replaced."""
        self._kept(self.presets.keep(self.form, name))

    def rename_preset(self, name: str, new: str) -> None:
        self._kept(self.presets.rename(self.form.operation, name, new))

    def delete_preset(self, name: str) -> None:
        self._kept(self.presets.remove(self.form.operation, name))
