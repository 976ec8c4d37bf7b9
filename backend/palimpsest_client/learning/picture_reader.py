"""Pictures to learn from, brought from files, from the editor and from the backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, List

from ..editor.editor import CANVAS, Capture, DocumentFacts, Editor
from ..editor.picture_file import PictureFile
from ..http.protocol import ClientError
from ..panel.panel import Panel
from ..text.wording import say
from .examples import Example, StoredExamples, bring_kept, content_of, with_surroundings


class PictureReader:
    """``begun`` is called when pictures are on their way, ``came`` with each, ``failed`` with why one isn't
    to be had. An editor reads one picture at a time."""

    def __init__(
        self,
        panel: Panel,
        editor: Editor,
        begun: Callable[[], None],
        came: Callable[[Example], None],
        failed: Callable[[str], None],
    ) -> None:
        self._panel, self._editor = panel, editor
        self._begun, self._came, self._failed = begun, came, failed
        self._on_the_way = 0
        self._wanted: List[Callable[[], None]] = []  # of those the ones that the editor reads, in order

    @property
    def reading(self) -> bool:
        return self._on_the_way > 0

    def add_files(self, paths: Sequence[str]) -> None:
        places = [Path(path) for path in paths]

        def came(found: List[Any]) -> None:
            for place, content in found:
                if isinstance(content, bytes):
                    self._have(Example(place.name, content))
                else:
                    reason = content.strerror or content
                    self._have_not(say("not-a-picture", name=place.name, reason=reason))

        def broke(error: Exception) -> None:
            self._on_the_way = 0
            self._failed(str(error))

        self._on_the_way += len(places)
        self._panel.session.aside(lambda: [(place, content_of(place)) for place in places], came, broke)
        self._begun()

    def add_selection(self) -> None:
        """What is selected in the open picture, with a little around it."""
        facts = self._panel.facts
        if self._cannot_capture():
            return
        if facts is None or facts.selection is None:
            self._failed(say("no-document") if facts is None else say("nothing-selected"))
            return
        name = f"{facts.name} ({facts.selection.x}, {facts.selection.y})"
        self._capture(facts, CANVAS, with_surroundings(facts, facts.selection), name, True)

    def add_layers(self) -> None:
        """The layers that are chosen in the editor."""
        if self._cannot_capture():
            return
        facts = self._panel.facts
        layers = [] if facts is None else [la for la in self._editor.layers(facts.key) if la.selected]
        if facts is None or not layers:
            self._failed(say("no-document") if facts is None else say("no-layers"))
            return
        for layer in layers:
            self._capture(facts, layer.source, None, layer.name, False)

    def bring_kept(self, name: str, came: Callable[[StoredExamples], None]) -> None:
        """What the concept was learned from, as far as the backend has it still."""

        def done(kept: StoredExamples) -> None:
            self._on_the_way -= 1
            came(kept)

        def failed(error: ClientError) -> None:
            self._have_not(str(error))

        self._on_the_way += 1
        self._panel.session.ask(lambda client: bring_kept(client, name), done, failed)
        self._begun()

    def _cannot_capture(self) -> bool:
        """An edit is reading the document, or writing into it."""
        if self._panel.jobs.busy:
            self._failed(say("busy"))
        return self._panel.jobs.busy

    def _capture(self, facts: DocumentFacts, source: str, crop: Any, name: str, masked: bool) -> None:
        def done(capture: Capture) -> None:
            self._have(Example(name, capture.image, capture.selection if masked else None))
            self._next()

        def failed(reason: str) -> None:
            self._have_not(reason)
            self._next()

        reading = facts.key, source, crop, PictureFile(), done, failed
        self._wanted.append(lambda: self._editor.capture(*reading))
        self._on_the_way += 1
        self._begun()
        if len(self._wanted) == 1:
            self._wanted[0]()

    def _next(self) -> None:
        del self._wanted[0]
        if self._wanted:
            self._editor.later(self._wanted[0])

    def _have(self, example: Example) -> None:
        self._on_the_way -= 1
        self._came(example)

    def _have_not(self, reason: str) -> None:
        self._on_the_way -= 1
        self._failed(reason)
