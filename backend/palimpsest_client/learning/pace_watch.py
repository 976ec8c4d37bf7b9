"""How fast the backend's machine learns, asked once for each model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from ..http.session import Session
from ..text.wording import duration, say
from .examples import Pace, bring_pace


class PaceWatch:
    """``known``: of the model that was asked about last; None = not known. ``changed``: now it is."""

    def __init__(self, session: Session, changed: Callable[[], None]) -> None:
        self.known: Optional[Pace] = None
        self._session, self._changed = session, changed
        self._model = ""  # that was asked about

    def forget(self) -> None:
        """Something was learned meanwhile, or may have been: ask again."""
        self._model = ""

    def ask(self, model: str) -> None:
        if self._model == model or self._session.state.connection != "ready":
            return
        self.known, self._model = None, model

        def came(pace: Optional[Pace]) -> None:
            if model == self._model:
                self.known = pace
                self._changed()

        self._session.ask(lambda client: bring_pace(client, model), came)

    def cost(self, steps: int, detail: bool) -> str:
        """Most steps, and their time where this machine's pace is known; empty where even they aren't."""
        if steps == 0:
            return ""
        if self.known is None:
            return say("learn-cost-unknown", n=steps)
        return say("learn-cost", n=steps, time=duration(self.known.seconds(steps, detail)))
