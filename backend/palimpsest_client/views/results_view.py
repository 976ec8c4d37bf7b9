"""What was made, described: the row of results, and what is done with the one that is looked at."""

from __future__ import annotations

from typing import Callable, Optional

from ..panel.panel import Panel
from ..panel.results import Result
from ..text.wording import say
from .view import (
    EDGED,
    FRAMED,
    LINK,
    QUIET,
    Button,
    MenuLine,
    Part,
    Switch,
    Text,
    Tile,
    column,
    flow,
    note,
    row,
)
from .window import Desktop

RESULT = 64  # px


class ResultsView:
    def __init__(self, panel: Panel, desktop: Desktop) -> None:
        self._panel, self._desktop = panel, desktop

    def describe(self) -> Part:
        strip, gallery = self._panel.state.strip, self._panel.gallery
        everything = Switch(
            "everything",
            text=say("all-results"),
            tip=say("tip-all-results"),
            on=strip.everything,
            turn=gallery.show_everything,
        )
        none = "" if strip.results else say("no-results")
        return column(
            "results-part",
            row("results-title", Text("results-name", text=say("results"), grow=1), everything),
            flow("results", *(self._tile(result) for result in strip.results), name=say("results")),
            note("no-results", none, look=QUIET),
        )

    def _tile(self, result: Result) -> Part:
        strip, gallery, panel = self._panel.state.strip, self._panel.gallery, self._panel
        lines = gallery.menu(result, panel.use_settings, self._desktop.copy)
        return Tile(
            "result-{}-{}".format(*result.key),
            name=strip.label(result),
            tip=strip.tip(result),
            text=result.name,
            picture=result.thumbnail,
            side=RESULT,
            on=result.key == strip.shown,
            faded=result.key in strip.foreign,
            do=lambda: gallery.show(result),
            keep=lambda: self._then_leave(lambda: gallery.keep(result)),
            press=gallery.press,
            menu=lambda: tuple(MenuLine(text, call) for text, call in lines),
        )

    def looked_at(self) -> Part:
        """What can be done with the one that is looked at, where it needs no scrolling."""
        gallery = self._panel.gallery
        keep, discard = lambda: self._then_leave(gallery.keep), lambda: self._then_leave(gallery.discard)
        deeds = flow(
            "looking",
            Button("keep", text=say("keep"), tip=say("tip-keep"), look=FRAMED, do=keep),
            Button("discard", text=say("discard"), tip=say("tip-discard"), look=FRAMED, do=discard),
            Button(
                "original",
                text=say("original"),
                tip=say("tip-original"),
                look=FRAMED,
                hold=gallery.compare,
            ),
            row("arrows", self._arrow("left", -1), self._arrow("right", 1)),  # on one line, in every language
            name=say("more"),
        )
        shown = self._panel.state.strip.shown is not None
        return column("looked-at", deeds, look=EDGED, late=True, shown=shown)

    def _arrow(self, arrow: str, by: int) -> Part:
        text = say("result-before" if by < 0 else "result-after")
        step = lambda: self._panel.gallery.step(by)  # noqa: E731
        return Button("before" if by < 0 else "after", name=text, tip=text, arrow=arrow, look=LINK, do=step)

    def _then_leave(self, call: Callable[[], Optional[object]]) -> None:
        call()
        self._desktop.leave_fields()
