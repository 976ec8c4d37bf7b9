"""Whether a layer is in hand, and what its edit has lent the form as long as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from .controls import Form
from .editor import DocumentFacts, LayerRecipe
from .in_hand import InHand
from .library import Model
from .orders import Made, read_recipe
from .reopening import Lent, as_reopened
from .stream import Placed


class Held:
    """``hand``: the layer that an edit of its operation renews; None = every edit makes another."""

    def __init__(self) -> None:
        self.hand: Optional[InHand] = None
        self._lent: Optional[Lent] = None

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
        self.hand = self._lent = None
        return own

    def reopen(
        self, facts: DocumentFacts, recipe: LayerRecipe, made: Made, form: Form, model: Optional[Model]
    ) -> Form:
        """``form``: what is filled in; returns the layer's. ``model``: that of the layer, if it is here."""
        form = self.let_go(form).turned_to(made.form.operation)
        self.hand = InHand(facts, recipe.layer, recipe.name, made)
        settings = as_reopened(made.form, form.settings, model)
        lent = replace(made.form, settings=settings, apart=form.apart)
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

    @property
    def settled(self) -> bool:
        return self.hand is None or self.hand.settled

    def follows(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether what is in hand still is; nothing always does."""
        return self.hand is None or self.hand.follow(facts)
