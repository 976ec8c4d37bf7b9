"""Python's cyclic garbage, collected on the editor's own thread.

Parts of windows may be in it, and a toolkit's objects may be freed only on the thread that has the windows.
Left alone, Python collects on whichever thread happens to have made enough objects, and the network's makes
many.
"""

from __future__ import annotations

import gc


class Collector:
    """``start``, then ``collect`` from the editor's timer, then ``stop``."""

    def __init__(self) -> None:
        self._ours = False

    def start(self) -> None:
        """Nothing is collected elsewhere from now on, unless whoever owns this Python had it switched off."""
        if gc.isenabled():
            gc.disable()
            self._ours = True

    def collect(self) -> None:
        """If Python would have by now; as many generations as it would have."""
        counts = zip(gc.get_count(), gc.get_threshold())
        due = [generation for generation, (count, most) in enumerate(counts) if count > most]
        if self._ours and due:
            gc.collect(due[-1])

    def stop(self) -> None:
        if self._ours:
            gc.enable()
            self._ours = False
