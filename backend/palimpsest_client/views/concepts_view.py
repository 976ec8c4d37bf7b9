"""The window with all learned words, described: searched, written into the sentence, renamed, deleted."""

from __future__ import annotations

from typing import Callable, Optional, Tuple

from ..panel.library import Concept
from ..panel.panel import Panel
from ..panel.vocabulary import matching
from ..text.wording import say
from .view import TIGHT, Button, Choices, Gap, Line, Option, Part, column, note, row
from .window import Desktop, Dialog

SIDE = 40  # px of a picture


class ConceptsWindow(Dialog):
    """``use`` writes a word into the sentence. One that the model can't use can still be renamed."""

    size = (320, 420)
    floats = True

    @property
    def title(self) -> str:
        return say("concepts")

    def __init__(
        self, panel: Panel, desktop: Desktop, use: Callable[[str], None], learn: Callable[[], None]
    ) -> None:
        super().__init__()
        self._panel, self._desktop, self._use, self._learn = panel, desktop, use, learn
        self._search, self._chosen, self._message = "", "", ""
        self._new_name = ("", "")  # of the one that was renamed last: before, and now

    @property
    def found(self) -> Tuple[Concept, ...]:
        return matching(self._panel.state.concepts, self._search)

    @property
    def chosen(self) -> Optional[Concept]:
        """What was chosen stays chosen, under its new name too; else it is the first."""
        found = {concept.name: concept for concept in self.found}
        before, new = self._new_name
        name = new if self._chosen == before and before not in found else self._chosen
        return found.get(name, next(iter(found.values()), None))

    @property
    def _usable(self) -> bool:
        return self.chosen is not None and not self._panel.state.foreign(self.chosen)

    def describe(self) -> Part:
        chosen = self.chosen
        return column(
            "all-concepts",
            Line(
                "search",
                name=say("search"),
                text=self._search,
                example=say("search"),
                search=True,
                write=self._look_for,
                enter=self.use,
            ),
            Choices(
                "list",
                name=say("concepts"),
                options=tuple(self._option(concept) for concept in self.found),
                chosen="" if chosen is None else chosen.name,
                side=SIDE,
                grow=1,
                choose=self._choose,
                enter=self.use,
            ),
            row(
                "acts",
                Button("use", text=say("use"), look=TIGHT, enabled=self._usable, do=self.use),
                Button("rename", text=say("rename"), look=TIGHT, enabled=chosen is not None, do=self.rename),
                Button("delete", text=say("delete"), look=TIGHT, enabled=chosen is not None, do=self.delete),
                Gap("beside-acts"),
            ),
            note("message", self._message),
            row(
                "ending",
                Button("learn", text=say("learn"), look=TIGHT, do=self._learn),
                Gap("between"),
                Button("close", text=say("close"), look=TIGHT, do=self.leave),
            ),
        )

    def _option(self, concept: Concept) -> Option:
        foreign = self._panel.state.foreign(concept)
        return Option(concept.name, concept.line, foreign, not foreign, concept.thumbnail)

    # What people do.

    def _look_for(self, text: str) -> None:
        self._search = text
        self.redraw()

    def _choose(self, name: str) -> None:
        self._chosen = name
        self.redraw()

    def _say(self, text: str) -> None:
        self._message = text
        self.redraw()

    def use(self) -> None:
        self._say("")
        if self.chosen is not None and self._usable:
            self._use(self.chosen.name)

    def rename(self) -> None:
        if self.chosen is None:
            return
        name = self._chosen = self.chosen.name
        new = (self._desktop.ask(say("concepts"), say("new-name", name=name), name) or "").strip("<> ")
        self._say("")
        if new not in ("", name):
            self._panel.rename_concept(name, new, self._say)
            self._new_name = (name, new)

    def delete(self) -> None:
        if self.chosen is None:
            return
        name = self.chosen.name
        if self._desktop.confirm(say("concepts"), say("really-delete", name=name)):
            self._say("")
            self._panel.backend.remove_concept(name, self._say)
