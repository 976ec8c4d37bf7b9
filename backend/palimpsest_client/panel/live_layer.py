"""The layer in hand: one that was just made, or whose edit was opened again. The next edit renews it.

It stays in hand while it is the active layer, through any number of updates, and when the last of them is
undone. Another active layer, a new selection or another document lets it go; an edit of another operation
makes another layer.
"""

from __future__ import annotations

from typing import List, Optional, Tuple

from ..editor.editor import DocumentFacts
from ..editor.geometry import Bounds
from .requests import LayerEdit

PATIENCE = 5  # looks at the document until an editor has made a new layer the active one


class LiveLayer:
    """``layer`` is what ``Editor.insert`` or ``Editor.recipe`` called it; ``just_made``: not active yet."""

    def __init__(
        self, facts: DocumentFacts, layer: str, name: str, edit: LayerEdit, just_made: bool = False
    ) -> None:
        self.document = facts.key
        self.layer = layer
        self.name = name
        self.edit = edit
        self._versions: List[str] = [layer]
        self._selection = selection_of(facts)
        self._patience = PATIENCE if just_made else 0

    @property
    def seen_active(self) -> bool:
        """Whether it has been seen to be the active layer."""
        return self._patience == 0

    def renewed(self, layer: str, name: str) -> None:
        """``layer`` took its place."""
        self.layer, self.name, self._patience = layer, name, PATIENCE
        self._versions.append(layer)

    def follow(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether it is still in hand, by what the editor says now. An undone update gives its layer back.

        Asked at every look at the document until it is ``seen_active``: meanwhile any layer may be active.
        """
        if facts is None or facts.key != self.document or not self._selects(facts):
            return False
        if facts.active != self.layer and self._patience > 1:
            self._patience -= 1
            return True
        self._patience = 0
        if facts.active in self._versions:
            self.layer, self.name = facts.active, facts.layer
            return True
        return False

    def _selects(self, facts: DocumentFacts) -> bool:
        """To select nothing, so as to look at it, is no other selection."""
        return facts.selection is None or selection_of(facts) == self._selection


def selection_of(facts: DocumentFacts) -> Tuple[Optional[Bounds], str]:
    return facts.selection, facts.mark
