"""The settings page and the list of models, described."""

from __future__ import annotations

from typing import Callable, Tuple

from ..http.connection import Choice
from ..panel.catalogue import ModelRow
from ..panel.downloads import Download
from ..panel.panel import Panel
from ..panel.preferences import BEGINNING, FIELDS
from ..text.wording import say
from .view import (
    FAINT,
    QUIET,
    TIGHT,
    Bar,
    Button,
    Field,
    Form,
    Gap,
    Line,
    Option,
    Options,
    Part,
    Rule,
    Scroll,
    Text,
    column,
    note,
    nothing,
    row,
)
from .window import Dialog

MODELS = 120  # px, at least
HERE, THERE = "here", "there"
EXAMPLE = "http://192.168.1.20:8391"


def models_view(panel: Panel, least: int = 0) -> Tuple[Part, ...]:
    """The models that there are, and those that can be fetched, with what each costs, ``least`` px high;
    below what scrolls how far a download is and what came of it: no button moves from under the pointer.
    """
    rows = [model_view(model, panel) for model in panel.state.catalogue]
    loading = note("models-loading", "" if rows else say("model-loading"), look=QUIET)
    work = column("downloading", *(download_view(one, panel) for one in panel.state.downloads))
    came = note("fetched", panel.state.fetched)
    shelf = column("models", *rows, loading, Gap("below-models"))
    return Scroll("models-shelf", parts=(shelf,), least=least, grow=1), came, work


def download_view(one: Download, panel: Panel) -> Part:
    """How far it is, and its own Cancel."""
    progress = one.progress
    bar = Bar(f"bar-{one.job}", name=say("progress"), about=one.line, fraction=progress.fraction, grow=1)
    cancel = Button(
        f"cancel-{one.job}",
        tip=one.line,
        text=say("cancel"),
        look=TIGHT,
        enabled=progress.can_cancel,
        do=lambda: panel.cancel_download(one.job),
    )
    how_far = note(f"doing-{one.job}", one.line)
    return column(f"download-{one.job}", how_far, row(f"download-row-{one.job}", bar, cancel))


def model_view(model: ModelRow, panel: Panel) -> Part:
    key = f"model-{model.name}"
    if model.installed:
        return Text(key, text=say("model-installed", model=model.title), wrap=True)
    coming = any(one.model == model.name for one in panel.state.downloads)
    fetch = Button(
        f"fetch-{model.name}",
        name=say("download-model", model=model.title),
        tip=panel.state.cannot_download,
        text=say("download"),
        look=TIGHT,
        enabled=not panel.state.cannot_download and not coming,
        do=lambda: panel.download(model.name),
    )
    lines = [
        Text(f"{key}-{place}", text=line, look=FAINT, wrap=True) for place, line in enumerate(model.lines)
    ]
    title = Text(key + "-title", text=model.title, wrap=True)
    about = column(key + "-about", title, *lines, grow=1)
    return row(key + "-row", about, column(key + "-get", fetch, Gap(key)))


class ModelsWindow(Dialog):
    """The models alone."""

    size = (440, 640)

    @property
    def title(self) -> str:
        return say("models-title")

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel

    def describe(self) -> Part:
        return column(
            "models-page",
            *models_view(self._panel),
            row("ending", Gap("before-close"), Button("close", text=say("close"), do=self.leave)),
        )


class SettingsWindow(Dialog):
    """This computer's backend or another's, its models, and one's own settings."""

    size = (440, 640)

    @property
    def title(self) -> str:
        return say("settings")

    def __init__(self, panel: Panel, setup: Callable[[], None] = nothing) -> None:
        super().__init__()
        self._panel, self._setup = panel, setup
        choice = panel.backend.choice
        self._where = THERE if choice.address else HERE
        self._address, self._token, self._message, self._own = choice.address, choice.token, "", ""
        if panel.session.state.connection == "refused":  # the backend that was found wants another token
            self._where, self._address = THERE, choice.address or panel.session.state.address

    @property
    def _far(self) -> bool:
        return self._where == THERE

    def describe(self) -> Part:
        return column(
            "settings-page",
            *self._backend_part(),
            Rule("below-backend"),
            *self._own_part(),
            Rule("below-own"),
            Text("models-title", text=say("models-title")),
            *models_view(self._panel, MODELS),
            row("ending", Gap("before-close"), Button("close", text=say("close"), do=self.leave)),
        )

    def _backend_part(self) -> Tuple[Part, ...]:
        where = Option(HERE, say("this-computer")), Option(THERE, say("other-computer"))
        address = Line(
            "address",
            name=say("address"),
            text=self._address,
            example=EXAMPLE,
            default=True,
            write=lambda text: self._set(address=text),
        )
        token = Line(
            "token",
            name=say("token"),
            text=self._token,
            example=say("token-hint"),
            secret=True,
            default=True,
            write=lambda text: self._set(token=text),
        )
        manage = Button(
            "setup",
            text=say("setup-manage"),
            look=TIGHT,
            shown=bool(self._panel.state.setup.kind) and not self._far,
            do=self._setup,
        )
        connect = Button("connect", text=say("connect-now"), default=True, do=self.connect)
        return (
            Text("server-title", text=say("server-title")),
            Options(
                "where", options=where, chosen=self._where, high=True, choose=lambda key: self._set(where=key)
            ),
            Form("server", captions=(say("address"), say("token")), parts=(address, token), shown=self._far),
            note("message", self._message),
            row("connecting", manage, Gap("before-connect"), connect),
        )

    def _own_part(self) -> Tuple[Part, ...]:
        """With what new pictures begin, the language, and what is kept on this computer."""
        own = self._panel.preferences
        fields = [
            Field(
                f"own-{control.name}",
                name=control.label,
                tip=control.tip,
                control=control,
                drawn=own.drawn(control),
                change=lambda value, name=control.name: self._prefer(name, value),
            )
            for control in FIELDS
        ]
        after = [control.name for control in FIELDS].index(BEGINNING[0])
        captions = [control.label for control in FIELDS]
        begin = Text("new-pictures", text=say("new-pictures"))
        return (
            Form(
                "own",
                captions=(*captions[:after], None, *captions[after:]),
                parts=(*fields[:after], begin, *fields[after:]),
            ),
            Text("kept-here", text=say("kept-here")),
            Text("kept-in", text=say("kept-in", place=own.folder), look=QUIET, wrap=True),
            Button("forget", text=say("forget"), look=TIGHT, do=self._forget),
            note("own-message", self._own),
        )

    # What people do.

    def _set(self, where: str = "", **texts: str) -> None:
        self._where = where or self._where
        self._address = texts.get("address", self._address)
        self._token = texts.get("token", self._token)
        self.redraw()

    def connect(self) -> None:
        choice = Choice(self._address.strip(), self._token.strip()) if self._far else Choice()
        if self._far and not choice.address:
            self._message = say("bad-address", address="“”")
        else:
            self._message = self._panel.backend.connect_to(choice)
        if self._message:
            self.redraw()
        else:
            self.leave()

    def _prefer(self, name: str, value: object) -> None:
        self._panel.preferences.change(name, value)
        self._own = self._panel.preferences.trouble
        self.redraw()

    def _forget(self) -> None:
        self._panel.preferences.forget()
        self._own = self._panel.preferences.trouble or say("forgotten")
        self.redraw()
