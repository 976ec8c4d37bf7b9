"""The window in which this computer's backend is set up, mended, updated and removed."""

from __future__ import annotations

from typing import Tuple

from ..panel.panel import Panel
from ..setup.home import ABSENT, INCOMPLETE
from ..setup.state import SetupState
from ..text.wording import say
from .view import QUIET, TIGHT, Bar, Button, Form, Gap, Line, Option, Options, Part, column, note, row
from .window import Desktop, Dialog


class SetupWindow(Dialog):
    """Closing it stops nothing: the panel's state line goes on saying how far it is."""

    size = (440, 0)

    @property
    def title(self) -> str:
        return say("setup-title")

    def __init__(self, panel: Panel, desktop: Desktop) -> None:
        super().__init__()
        self._panel, self._desktop = panel, desktop
        self._setup = panel.backend.setup

    @property
    def _state(self) -> SetupState:
        return self._panel.state.setup

    def describe(self) -> Part:
        state = self._state
        fetches = state.kind in (ABSENT, INCOMPLETE)
        return column(
            "setup-page",
            note("setup-kind", self._kind()),
            note("setup-costs", state.costs if fetches else ""),
            self._choices(fetches),
            note("setup-told", state.message, selectable=True),
            self._doing(),
            row("setup-ending", *self._buttons()),
        )

    def _kind(self) -> str:
        """How it stands, unless something later is told below."""
        state = self._state
        if state.running or state.kind in ("", ABSENT) or (state.kind == INCOMPLETE and state.message):
            return ""
        return say("setup-" + self._state.kind, version=self._state.version, place=self._state.place)

    def _choices(self, fetches: bool) -> Part:
        """What can be chosen before: the build of PyTorch that suits the card, and a mirror."""
        state = self._state
        build = Options(
            "setup-build",
            name=say("setup-build"),
            options=tuple(Option(build, say("setup-" + build)) for build in state.builds),
            chosen=state.build,
            high=True,
            enabled=not state.running and fetches,
            choose=lambda build: self._setup.choose(build=build),
        )
        index = Line(
            "setup-index",
            name=say("setup-index"),
            tip=say("tip-setup-index"),
            text=state.index,
            example=say("setup-index-hint"),
            enabled=not state.running,
            write=lambda text: self._setup.choose(index=text),
        )
        captions = (say("setup-build"), say("setup-index"))
        return Form("setup-choices", captions=captions, parts=(build, index))

    def _doing(self) -> Part:
        state = self._state
        bar = Bar(
            "setup-bar",
            name=say("progress"),
            fraction=state.fraction,
            about=state.text,
            shown=state.running,
            grow=1,
        )
        cancel = Button(
            "setup-cancel",
            text=say("cancel"),
            look=TIGHT,
            shown=state.running,
            enabled=state.can_cancel,
            do=self._setup.cancel,
        )
        return column(
            "setup-doing", note("setup-text", state.text, look=QUIET), row("setup-row", bar, cancel)
        )

    def _buttons(self) -> Tuple[Part, ...]:
        state = self._state
        remove = Button(
            "setup-remove",
            text=say("setup-remove"),
            look=TIGHT,
            shown=state.kind not in ("", ABSENT),
            enabled=not state.running,
            do=self._remove,
        )
        begin = Button(
            "setup-begin",
            text=state.button_text,
            default=True,
            shown=bool(state.kind),
            enabled=not state.running,
            do=self._setup.begin,
        )
        close = Button("close", text=say("close"), do=self.leave)
        return remove, Gap("before-begin"), begin, close

    def _remove(self) -> None:
        if self._desktop.confirm(self.title, say("setup-remove-question", place=self._state.place)):
            self._setup.remove()
