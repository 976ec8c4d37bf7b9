"""Keys for an editor's documents, which it hands out as another object each time; they compare equal."""

from __future__ import annotations

import itertools
from typing import Any, Callable, List, Optional, Tuple

from ..text.wording import say
from .slices import WorkError


class Keys:
    """``is_open``: whether a document still is; ``seen`` is called at one that was never seen before."""

    def __init__(self, is_open: Callable[[Any], bool], seen: Callable[[], None]) -> None:
        self._is_open, self._seen = is_open, seen
        self._found: List[Tuple[str, Any]] = []
        self._numbers = itertools.count(1)

    def key_of(self, document: Any) -> str:
        """Never used again for another."""
        known = next((key for key, one in self._found if one == document), None)
        if known is not None:
            return known
        key = str(next(self._numbers))
        self._found = [(key, one) for key, one in self._found if self._is_open(one)] + [(key, document)]
        self._seen()
        return key

    def find(self, key: str) -> Optional[Any]:
        """None when it was closed."""
        return next((one for name, one in self._found if name == key and self._is_open(one)), None)

    def require(self, key: str) -> Any:
        """Raises WorkError when it was closed."""
        found = self.find(key)
        if found is None:
            raise WorkError(say("closed"))
        return found
