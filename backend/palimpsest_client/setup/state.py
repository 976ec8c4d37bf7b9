"""Setting up the backend as a panel sees it: what can be done, what is under way, what came of it.

``look`` is called from the editor's timer; the work is on a thread of its own, which only puts news here.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Optional, Tuple

from ..json_file import read_json, write_json
from ..text.wording import GIB, fault, gigabytes, number, say
from .bundled import Bundle, find_bundle
from .errors import SetupError, without_password
from .home import ABSENT, INCOMPLETE, OLDER, WHOLE, Home, marks_of, this_home
from .installer import BackendSetup, Stage, Wish
from .machine import ROOM, build_for, builds_for, download, look_at_machine, served
from .uv import Runner

CHOICE = "setup.json"
NONE = ""  # no backend came with the plug-in
MIRRORS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")  # which uv and pip are told of, the first one
BUTTON_TEXTS = {
    ABSENT: "setup-begin",
    INCOMPLETE: "setup-go-on",
    OLDER: "setup-update",
    WHOLE: "setup-repair",
}


@dataclass(frozen=True)
class SetupState:
    """kind: "", "absent", "incomplete", "older" or "whole". ``text``, ``fraction``: how far it is, while it
    is ``running``; ``message``: what came of it."""

    kind: str = NONE
    place: str = ""
    version: str = ""  # that the plug-in brought
    build: str = "cpu"
    builds: Tuple[str, ...] = ()
    index: str = ""
    running: bool = False
    can_cancel: bool = False
    text: str = ""
    fraction: Optional[float] = None
    message: str = ""

    @property
    def button_text(self) -> str:
        """Of its button: what it does."""
        return say(BUTTON_TEXTS[self.kind]) if self.kind else ""

    @property
    def costs(self) -> str:
        """What is to be known before."""
        build = served(self.build, bool(self.index), sys.platform)
        size = say("gigabytes", n=number(download(build, sys.platform) / 10**9, 1))  # as browsers count
        room = gigabytes(ROOM[build])
        return say("setup-costs", size=size, place=self.place, room=room)


class Setup:
    """``folder``: of the configuration. ``changed`` is called when something here is another, ``ready`` when
    the backend is there."""

    def __init__(
        self,
        folder: Path,
        changed: Callable[[], None],
        ready: Callable[[], None],
        home: Optional[Home] = None,
        bundle: Optional[Bundle] = None,
    ) -> None:
        self._folder, self._changed, self._ready = folder, changed, ready
        self._home = this_home() if home is None else home
        self._bundle = find_bundle(Path(__file__).parent.parent) if bundle is None else bundle
        self._news: queue.Queue[Callable[[], None]] = queue.Queue()
        self._runner: Optional[Runner] = None
        self._index = ""  # with its password, unlike what is shown
        self._named = False  # by people: only then it is kept
        self.state = SetupState()
        if self._bundle is not None:
            self.state = self._first(self._bundle)

    def _first(self, bundle: Bundle) -> SetupState:
        machine = look_at_machine()
        told = read_json(self._folder / CHOICE)
        kept = told if isinstance(told, dict) else {}
        index, build = kept.get("index"), kept.get("build")
        self._named = isinstance(index, str)
        self._index = index if isinstance(index, str) else mirror(os.environ)
        builds = tuple(builds_for(machine))
        return SetupState(
            self._home.kind(marks_of(bundle)),
            str(self._home.place),
            bundle.version,
            next((known for known in (build, self._home.build()) if known in builds), build_for(machine)),
            builds,
            without_password(self._index),
        )

    # What people do.

    def choose(self, build: str = "", index: Optional[str] = None) -> None:
        """The build of PyTorch, the mirror of the package index."""
        if self.state.running:
            return
        wanted = self.state.index if index is None else index.strip()
        if wanted != self.state.index:
            self._index, self._named = wanted, True
        self._become(build=build or self.state.build, index=wanted, message="")

    def begin(self) -> None:
        """Set up, go on, mend or update, whichever it is."""
        if self._bundle is None or self.state.running:
            return
        try:
            write_json(self._folder / CHOICE, self._choice())
        except OSError as error:
            self._become(message=say("preferences-not-kept", place=self._folder, reason=error.strerror))
            return
        self._become(index=without_password(self._index))
        self._work(self._bundle, BackendSetup.set_up, self._done)

    def _choice(self) -> Dict[str, str]:
        """What is kept: what the environment names isn't, it may be a secret and another one tomorrow."""
        named = {"index": self._index} if self._named else {}
        return {"build": self.state.build, **named}

    def remove(self) -> None:
        if self._bundle is not None and not self.state.running:
            self._work(self._bundle, BackendSetup.remove, self._removed)

    def cancel(self) -> None:
        """What is whole by then is kept."""
        if self._runner is not None and self.state.can_cancel:
            self._runner.stop()
            self._become(text=say("cancelling"), fraction=None, can_cancel=False)

    def stop(self) -> None:
        """The editor goes."""
        if self._runner is not None:
            self._runner.stop()

    def look(self) -> None:
        """Take in what happened."""
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return
            news()

    # Behind it.

    def _work(
        self, bundle: Bundle, work_on: Callable[[BackendSetup], None], then: Callable[[], None]
    ) -> None:
        runner = self._runner = Runner()
        wish = Wish(self._home, bundle, self._folder, self.state.build, self._index)
        setup = BackendSetup(wish, runner, self._tell)

        def work() -> None:
            try:
                work_on(setup)
            except SetupError as error:
                problem = error
                self._news.put(lambda: self._failed(problem))
            except Exception as error:  # a fault of ours ends with a sentence, too
                traceback.print_exc()
                reason = SetupError(fault(error))
                self._news.put(lambda: self._failed(reason))
            else:
                self._news.put(then)

        self._become(running=True, can_cancel=True, text=say("setup-checking"), fraction=None, message="")
        threading.Thread(target=work, name="palimpsest setup", daemon=True).start()

    def _tell(self, stage: Stage) -> None:
        """On the thread that works."""
        text = say("setup-" + stage.step)
        if stage.arrived >= GIB // 20:  # it is told in tenths
            text = say("setup-arrived", text=text, size=gigabytes(stage.arrived))
        self._news.put(lambda: self._at(text, stage.fraction))

    def _at(self, text: str, fraction: Optional[float]) -> None:
        if self.state.can_cancel:
            self._become(text=text, fraction=fraction)

    def _ended(self, message: str) -> None:
        self._runner = None
        kind = NONE if self._bundle is None else self._home.kind(marks_of(self._bundle))
        self._become(kind=kind, running=False, can_cancel=False, text="", fraction=None, message=message)

    def _failed(self, error: SetupError) -> None:
        self._ended(str(error))

    def _done(self) -> None:
        self._ended(say("setup-done"))
        self._ready()

    def _removed(self) -> None:
        self._ended(say("setup-removed"))

    def _become(self, **change: object) -> None:
        before, self.state = self.state, replace(self.state, **change)  # pyright: ignore[reportArgumentType]
        if self.state != before:
            self._changed()


def mirror(environment: Mapping[str, str]) -> str:
    """Which the environment names; empty = the usual index."""
    return next((environment[name] for name in MIRRORS if environment.get(name)), "")
