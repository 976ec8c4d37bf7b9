"""Whether a layer is in hand, and what its edit has lent the form as long as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Tuple

from ..editor.editor import DocumentFacts, Editor, LayerRecipe
from ..fields.controls import Form
from .library import Model
from .live_layer import InHand
from .reopening import Lent, as_reopened
from .requests import Made, RecipeError, read_recipe
from .stream import Kept, Placed


class Held:
    """``hand``: the layer that an edit of its operation renews; None = every edit makes another."""

    def __init__(self) -> None:
        self.hand: Optional[InHand] = None
        self._lent: Optional[Lent] = None
        self._lost: Optional[InHand] = None  # was in hand, and is again when it is redone
        self._lost_lent: Optional[Lent] = None
        self._undone = False  # what was lost is gone from the document

    def renewed_by(self, form: Form) -> Optional[InHand]:
        """The layer that this edit renews. One of another operation is meant for what is seen: what was
        removed stays so when something is inserted in its place."""
        same = self.hand is not None and form.operation == self.hand.made.form.operation
        return self.hand if same else None

    def own(self, form: Form) -> Form:
        """What is filled in, without what the edit in hand has lent."""
        return form if self._lent is None else self._lent.returned(form)

    def let_go(self, form: Form) -> Form:
        """Nothing is in hand any more; what an edit of before brought along goes with it."""
        own = self.own(form)
        self.hand = self._lent = self._lost = self._lost_lent = None
        return own

    def lose(self, form: Form) -> Form:
        """Another layer or another selection is meant now, or its layer was undone."""
        hand, lent = self.hand, self._lent
        form = self.let_go(form)
        self._lost, self._lost_lent, self._undone = hand, lent, False
        return form

    def look(self, facts: Optional[DocumentFacts], editor: Editor, form: Form) -> Form:
        """At the layer that was lost: undone and redone, it is in hand again."""
        lost, lent = self._lost, self._lost_lent
        if lost is None:
            return form
        if not self._undone:
            self._undone = not editor.holds(lost.document, lost.layer)
        elif lost.follow(facts):
            form = self.let_go(form)
            self.hand, self._lent = lost, lent
            return form if lent is None else lent.given(form)
        return form

    def reopen(
        self, facts: DocumentFacts, recipe: LayerRecipe, made: Made, form: Form, model: Optional[Model]
    ) -> Form:
        """``form``: what is filled in; returns the layer's. ``model``: that of the layer, if it is here."""
        form = self.let_go(form).turned_to(made.form.operation)
        self.hand = InHand(facts, recipe.layer, recipe.name, made)
        settings = as_reopened(made.form, form.settings, model)
        lent = replace(form.with_words_of(made.form), settings=settings)
        self._lent = Lent(form, lent)
        return lent

    def placed(self, placed: Placed, facts: Optional[DocumentFacts], form: Form) -> Form:
        """What was just made is in hand, if it is for the picture and the selection that there are now."""
        if placed.renews is not None:
            placed.renews.renewed(placed.id, placed.layer.name)
            return form
        made = read_recipe(placed.layer.recipe)
        hand = InHand(placed.facts, placed.id, placed.layer.name, made, just_made=True)
        if hand.follow(facts):
            form, self.hand = self.let_go(form), hand
        return form

    def kept(self, kept: Kept, facts: Optional[DocumentFacts], form: Form) -> Form:
        """A result that became a layer is in hand if its words are filled in: with its own seed, and alone.
        Where other words are, they stay, and its edit can be opened again."""
        try:
            made = read_recipe(kept.layer.recipe)
        except RecipeError:
            return form
        hand = InHand(kept.facts, kept.id, kept.layer.name, made, just_made=True)
        if said_in(made.form) != said_in(form) or not hand.follow(facts):
            return form
        before, alone = self.let_go(form), {"seed": made.form.settings.seed, "variations": 1}
        now = replace(before, settings=replace(before.settings, **alone))
        self.hand, self._lent = hand, Lent(before, now)
        return now

    @property
    def settled(self) -> bool:
        return self.hand is None or self.hand.settled

    def follows(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether what is in hand still is; nothing always does."""
        return self.hand is None or self.hand.follow(facts)


def said_in(form: Form) -> Tuple[str, str, str]:
    """What an edit is to do, in words."""
    return form.operation, form.first.strip(), form.target
