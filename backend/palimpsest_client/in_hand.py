"""The layer in hand: one that was just made, or whose edit was opened again. The next edit renews it.

It stays in hand while it is the active layer, through any number of updates, and when the last of them is
undone. Another active layer, a new selection or another document lets it go.
"""

from __future__ import annotations

from typing import List, Optional

from .editor import DocumentFacts
from .geometry import Bounds
from .orders import Made


class InHand:
    """``layer`` is what ``Editor.insert`` or ``Editor.recipe`` called it; ``before``: the layer that was
    active when it was made, for an editor may take a moment to make the new one active."""

    def __init__(
        self, facts: DocumentFacts, layer: str, name: str, made: Made, before: Optional[str] = None
    ) -> None:
        self.document = facts.key
        self.layer = layer
        self.name = name
        self.made = made
        self._versions: List[str] = [layer]
        self._selection: Optional[Bounds] = facts.selection
        self._before = before

    def renewed(self, layer: str, name: str, before: str) -> None:
        """``layer`` took its place."""
        self.layer, self.name, self._before = layer, name, before
        self._versions.append(layer)

    def follow(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether it is still in hand, by what the editor says now. An undone update gives its layer back."""
        if facts is None or facts.key != self.document or not self._selects(facts.selection):
            return False
        if facts.active in self._versions:
            if facts.active != self._before:
                self.layer, self._before = facts.active, None
            return True
        return facts.active == self._before

    def _selects(self, selection: Optional[Bounds]) -> bool:
        """To select nothing, so as to look at it, is no other selection."""
        return selection is None or selection == self._selection
