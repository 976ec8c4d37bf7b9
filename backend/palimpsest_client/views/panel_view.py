"""The panel described: the backend's state, results, and what stands still at its end. See also words_view,
controls_view.
"""

from __future__ import annotations

from typing import Callable, Sequence, Tuple

from ..fields.operations import OPERATIONS
from ..fields.settings import CONTROLS
from ..panel.panel import Panel
from ..panel.state import PanelState
from ..panel.status import MODELS, Offer
from ..text.wording import say
from .controls_view import ControlsView, field_part
from .results_view import ResultsView
from .view import (
    CLOSE,
    EDGED,
    FAINT,
    LARGE,
    LINK,
    MAIN,
    QUIET,
    TIGHT,
    Bar,
    Button,
    Column,
    Gap,
    MenuLine,
    Option,
    Part,
    Pick,
    Picture,
    Rule,
    Scroll,
    Text,
    column,
    flow,
    note,
    row,
)
from .window import Desktop
from .windows import Windows
from .words_view import WordsView

PREVIEW = 96  # px
FORMING = 56  # px: the results above stay in sight while another one is made
LIGHTS = {"ready": "#4caf50", "busy": "#e0a030", "trouble": "#e05545"}


class PanelView:
    """``documents``: key and name of those among which people choose in the panel itself, the chosen key."""

    def __init__(self, panel: Panel, windows: Windows, desktop: Desktop, use: Callable[[str], None]) -> None:
        self._panel, self._windows, self._desktop = panel, windows, desktop
        self.words = WordsView(panel, windows, self.apply, use)
        self.controls, self._results = ControlsView(panel, self.apply), ResultsView(panel, desktop)
        self.documents: Callable[[], Sequence[Tuple[str, str]]] = tuple
        self.choose_document: Callable[[str], None] = lambda key: None

    @property
    def _state(self) -> PanelState:
        return self._panel.state

    def describe(self) -> Part:
        above = self._status(), self.words.describe(), self.controls.describe()
        inside = column("inside", *above, self._notes(), self._results.describe(), Gap("rest"), look=EDGED)
        return Column(
            "panel",
            parts=(
                Scroll("scroll", parts=(inside,), grow=1),
                Rule("above-work"),
                self._results.looked_at(),
                column("work", *self._work(), look=EDGED),
            ),
            look=CLOSE,
        )

    # What people do.

    def apply(self, new: bool = False) -> None:
        """Then what is typed is meant for the picture; while it isn't possible the keyboard stays where the
        reason can be mended. ``new``: no update."""
        possible = not self._state.cannot_apply
        (self._panel.apply_new if new else self._panel.apply)()
        if possible:
            self._desktop.leave_fields()

    def choose_operation(self, number: int) -> None:
        """The one at this place, if the model can do it."""
        operation = tuple(OPERATIONS)[number]
        if operation not in self._state.cannot_operate:
            self._panel.draft.choose_operation(operation)

    def leave(self) -> bool:
        """The job under way is cancelled, else the result that is looked at goes; False: there is neither."""
        if self._state.progress is not None:
            self._panel.cancel()
        elif self._panel.gallery.looking:
            self._panel.gallery.discard()
        else:
            return False
        return True

    # The state line.

    def _status(self) -> Part:
        state, ready = self._state, self._state.status.kind == "ready"
        model = Button(
            "model-menu",
            name=state.status.text,
            tip=state.status.text,
            text=state.form.settings.model if state.model is None else state.model.title,
            look=LINK,
            elide=True,
            shown=ready,
            has_menu=True,
            menu=self._models,
        )
        gear = Button(
            "settings",
            name=say("settings"),
            tip=say("settings"),
            icon="settings",
            look=LINK,
            do=self._windows.settings,
        )
        line = row(
            "status-line",
            Text("light", text="●", color=LIGHTS[state.status.kind]),
            model,
            Gap("beside-model", shown=ready),
            Text("status", text=state.status.text, wrap=True, shown=not ready, grow=1),
            gear,
        )
        offers = self._offers("status-offers", state.status.offers)
        return column("status-part", line, offers, *self._downloads(), *self._documents())

    def _downloads(self) -> Tuple[Part, ...]:
        """Beside what is edited; a click leads to where they can be cancelled."""
        links = [
            Button(
                f"download-{one.job}",
                tip=one.line,
                text=one.line,
                look=LINK,
                elide=True,
                do=self._windows.models,
            )
            for one in self._state.downloads
        ]
        return (*links, note("fetched", self._state.fetched, look=QUIET))

    def _models(self) -> Tuple[MenuLine, ...]:
        choose, state = self._panel.draft.set, self._state
        models = [
            MenuLine(model.title, lambda name=model.name: choose(model=name), model == state.model)
            for model in state.models
            if model.installed
        ]
        return (*models, MenuLine(""), MenuLine(say("get-model"), self._windows.models))

    def _offers(self, key: str, offers: Sequence[Offer]) -> Part:
        return flow(key, *(self._offer(key, offer) for offer in offers), name=say("more"))

    def _offer(self, key: str, offer: Offer) -> Part:
        look = LINK if offer.key == MODELS else TIGHT
        take = lambda: self._windows.take(offer.key)  # noqa: E731
        return Button(f"{key}-{offer.key}", text=offer.text, look=look, do=take)

    def _documents(self) -> Tuple[Part, ...]:
        """Where there are several to choose among."""
        found, document = self.documents(), self._state.document
        if len(found) < 2:
            return ()
        options = tuple(Option(key, name) for key, name in found)
        chosen = "" if document is None else document.key
        return (Pick("documents", options=options, chosen=chosen, choose=self.choose_document),)

    # Before and after Apply.

    def _notes(self) -> Part:
        state, panel = self._state, self._panel
        updating = say("updating", layer=state.updating) if state.updating else ""
        remember = Button(
            "remember",
            text=say("remember"),
            tip=say("tip-remember"),
            look=LINK,
            shown=state.can_remember,
            do=panel.remember,
        )
        reopen = Button("reopen", text=say("reopen"), look=LINK, shown=state.can_reopen, do=panel.reopen)
        sight = "" if state.progress is not None else state.apply_notice
        return column(
            "notes",
            note("updating", updating),
            flow("deeds", remember, reopen, name=say("more")),
            note("fidelity", state.fidelity, look=FAINT),
            note("sight", sight, look=FAINT, tip=state.apply_notice_tip),
        )

    def _work(self) -> Tuple[Part, ...]:
        state = self._state
        return (
            note("message", state.outcome_text, tip=state.outcome_tip, selectable=True),
            self._offers("offers", state.offers),
            self._forming(),
            note("reason", state.reason, look=QUIET),
            row("last", *self._apply_part()),
        )

    def _forming(self) -> Part:
        """How far it is, beside the picture as it forms, or as it would be."""
        state, text = self._state, "" if self._state.progress is None else self._state.progress.text
        shown = state.progress is not None or bool(state.preview or state.preview_text)
        preview = Picture(
            "preview",
            name=state.preview_text or say("preview"),
            tip=say("preview"),
            content=state.preview,
            side=PREVIEW if state.progress is None else FORMING,
            shown=state.preview is not None,
        )
        told = column(
            "progress-told",
            note("caption", state.preview_text, look=FAINT),
            note("phase", text),
            row("progress", *self._progress(text)),
            Gap("below-progress", shown=shown),
            grow=1,
        )
        return row("forming", preview, told, shown=shown)

    def _progress(self, text: str) -> Tuple[Part, ...]:
        progress, waiting = self._state.progress, self._state.waiting
        queued = say("queue", n=len(waiting))
        return (
            Bar(
                "bar",
                name=say("progress"),
                about=text,
                fraction=None if progress is None else progress.fraction,
                shown=progress is not None,
                grow=1,
            ),
            Button(
                "queue",
                name=queued,
                tip=queued,
                text=f"+{len(waiting)}",
                look=TIGHT,
                shown=bool(waiting),
                has_menu=True,
                menu=self._queue,
            ),
            Button(
                "cancel",
                text=say("cancel"),
                look=TIGHT,
                shown=progress is not None,
                enabled=progress is not None and progress.can_cancel,
                do=self._panel.cancel,
            ),
        )

    def _queue(self) -> Tuple[MenuLine, ...]:
        """Each edit that waits can be taken out, or all with what is under way."""
        cancel = self._panel.cancel_waiting
        found = [
            MenuLine(say("queue-take-out", name=waiting.name), lambda number=waiting.number: cancel(number))
            for waiting in self._state.waiting
        ]
        return (*found, MenuLine(say("cancel-all"), self._panel.cancel_all))

    def _apply_part(self) -> Tuple[Part, ...]:
        state, updating = self._state, bool(self._state.updating)
        return (
            Button(
                "apply",
                text=say("update") if updating else say("apply"),
                tip=state.cannot_apply,
                look=MAIN,
                enabled=not state.cannot_apply,
                grow=2,
                do=self.apply,
            ),
            Button(
                "new",
                text=say("new"),
                tip=state.cannot_apply_new or say("tip-new"),
                look=LARGE,
                enabled=not state.cannot_apply_new,
                shown=updating,
                grow=1,
                do=lambda: self.apply(new=True),
            ),
            field_part(self._panel, CONTROLS["variations"], self.apply, prefix="×"),
        )
