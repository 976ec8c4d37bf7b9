"""Whether a layer is in hand, and which settings its edit pins in the form as long as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Tuple

from ..editor.editor import DocumentFacts, Editor, LayerRecipe
from ..fields.controls import Form
from .library import Model
from .live_layer import LiveLayer
from .reopening import PinnedSettings, as_reopened
from .requests import LayerEdit, RecipeError, read_recipe
from .stream import LayerPlaced, ResultKept


class LiveEdit:
    """``live_layer``: the layer that an edit of its operation renews; None = every edit makes another."""

    def __init__(self) -> None:
        self.live_layer: Optional[LiveLayer] = None
        self._pinned: Optional[PinnedSettings] = None
        self._suspended: Optional[LiveLayer] = None  # was in hand, and is again when it is redone
        self._suspended_pins: Optional[PinnedSettings] = None
        self._undone = False  # what was suspended is gone from the document

    def renewed_by(self, form: Form) -> Optional[LiveLayer]:
        """The layer that this edit renews. One of another operation is meant for what is seen: what was
        removed stays so when something is inserted in its place."""
        same = self.live_layer is not None and form.operation == self.live_layer.edit.form.operation
        return self.live_layer if same else None

    def without_pinned(self, form: Form) -> Form:
        """What is filled in, without what the edit in hand pins."""
        return form if self._pinned is None else self._pinned.remove(form)

    def release(self, form: Form) -> Form:
        """Nothing is in hand any more; what an edit of before brought along goes with it."""
        own = self.without_pinned(form)
        self.live_layer = self._pinned = self._suspended = self._suspended_pins = None
        return own

    def suspend(self, form: Form) -> Form:
        """Another layer or another selection is meant now, or its layer was undone."""
        live_layer, pinned = self.live_layer, self._pinned
        form = self.release(form)
        self._suspended, self._suspended_pins, self._undone = live_layer, pinned, False
        return form

    def resume(self, facts: Optional[DocumentFacts], editor: Editor, form: Form) -> Form:
        """Look at the layer that was suspended: undone and redone, it is in hand again."""
        suspended, pinned = self._suspended, self._suspended_pins
        if suspended is None:
            return form
        if not self._undone:
            self._undone = not editor.holds(suspended.document, suspended.layer)
        elif suspended.follow(facts):
            form = self.release(form)
            self.live_layer, self._pinned = suspended, pinned
            return form if pinned is None else pinned.apply(form)
        return form

    def reopen(
        self, facts: DocumentFacts, recipe: LayerRecipe, edit: LayerEdit, form: Form, model: Optional[Model]
    ) -> Form:
        """``form``: what is filled in; returns the layer's. ``model``: that of the layer, if it is here."""
        form = self.release(form).with_operation(edit.form.operation)
        self.live_layer = LiveLayer(facts, recipe.layer, recipe.name, edit)
        settings = as_reopened(edit.form, form.settings, model)
        pinned = replace(form.with_words_of(edit.form), settings=settings)
        self._pinned = PinnedSettings(form, pinned)
        return pinned

    def layer_placed(self, placed: LayerPlaced, facts: Optional[DocumentFacts], form: Form) -> Form:
        """What was just made is in hand, if it is for the picture and the selection that there are now."""
        if placed.renews is not None:
            placed.renews.renewed(placed.id, placed.layer.name)
            return form
        edit = read_recipe(placed.layer.recipe)
        live_layer = LiveLayer(placed.facts, placed.id, placed.layer.name, edit, just_made=True)
        if live_layer.follow(facts):
            form, self.live_layer = self.release(form), live_layer
        return form

    def result_kept(self, kept: ResultKept, facts: Optional[DocumentFacts], form: Form) -> Form:
        """A result that became a layer is in hand if its words are filled in: with its own seed, and alone.
        Where other words are, they stay, and its edit can be opened again."""
        try:
            edit = read_recipe(kept.layer.recipe)
        except RecipeError:
            return form
        live_layer = LiveLayer(kept.facts, kept.id, kept.layer.name, edit, just_made=True)
        if words_of(edit.form) != words_of(form) or not live_layer.follow(facts):
            return form
        before, alone = self.release(form), {"seed": edit.form.settings.seed, "variations": 1}
        now = replace(before, settings=replace(before.settings, **alone))
        self.live_layer, self._pinned = live_layer, PinnedSettings(before, now)
        return now

    @property
    def seen_active(self) -> bool:
        return self.live_layer is None or self.live_layer.seen_active

    def follows(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether what is in hand still is; nothing always does."""
        return self.live_layer is None or self.live_layer.follow(facts)


def words_of(form: Form) -> Tuple[str, str, str]:
    """What an edit is to do, in words."""
    return form.operation, form.source_prompt.strip(), form.target_prompt
