"""The dialog in which a concept is learned, without a widget.

A window makes a ``Learning`` when it opens, calls the methods below when people do something, draws every
``LearnState`` it is given, and calls ``close`` when it goes. The panel's timer drives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .editor import CANVAS, Capture, DocumentFacts, Editor
from .errands import Outcome
from .geometry import Bounds, Extent
from .jobview import JobView
from .limits import EXAMPLES
from .panel import Panel
from .session import Order
from .status import Progress
from .stream import Event, JobEnded
from .wording import say

FEWEST, MOST = EXAMPLES
GOOD = 5
MARGIN = 0.25  # surroundings of a selection that are taken along, as a fraction of its longer side
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SUBJECT, STYLE = "subject", "style"


@dataclass(frozen=True)
class Example:
    """One picture to learn from. ``problem``: what the backend found wrong with it."""

    name: str
    image: bytes  # as a file has it: PNG, JPEG, …
    mask: Optional[bytes] = None  # grey PNG of its size: where the subject is
    problem: str = ""


@dataclass(frozen=True)
class LearnState:
    """All that the dialog shows."""

    name: str = ""
    kind: str = SUBJECT
    noun: str = ""
    examples: Tuple[Example, ...] = ()
    replaces: bool = False  # the concept of this name is to be learned anew
    cannot_learn: str = ""  # why not; empty = Learn is possible
    hint: str = ""  # about the number of pictures
    exists: bool = False  # there is a concept of this name: offer to replace it
    can_mean: bool = False  # the odd picture may be meant: offer "It is meant"
    progress: Optional[Progress] = None  # this dialog's learning or reading
    preview: Optional[bytes] = None  # PNG: what the word looks like by now
    outcome: Optional[Outcome] = None
    learned: str = ""  # name of the concept when it is there

    @property
    def message(self) -> str:
        if self.outcome is not None:
            return self.outcome.text
        return self.cannot_learn or self.hint


class Learning:
    """``show`` gets every new state."""

    def __init__(self, panel: Panel, editor: Editor, show: Callable[[LearnState], None]) -> None:
        self.state = LearnState()
        self._panel = panel
        self._editor = editor
        self._show = show
        self._means_it = False
        self._job = ""  # id of our job while it is under way
        self._reading = 0  # pictures on their way
        self._wanted: List[Callable[[], None]] = []  # of those the ones that the editor reads, in order
        self._leave = panel.errands.events.subscribe(self._heard)
        self._change()

    def close(self) -> None:
        """The dialog goes; a learning under way goes on and is shown in the panel."""
        self._leave()

    def set(self, **fields: Any) -> None:
        """name, kind, noun, replaces."""
        if "name" in fields:
            fields["name"] = fields["name"].strip().strip("<>")
        self._change(outcome=None, **fields)

    # Pictures.

    def add_files(self, paths: Sequence[str]) -> None:
        places = [Path(path) for path in paths]

        def came(found: List[Any]) -> None:
            for place, content in found:
                if isinstance(content, bytes):
                    self._came(Example(place.name, content))
                else:
                    self._came_not(say("not-a-picture", name=place.name, reason=content.strerror or content))

        self._reading += len(places)
        self._panel.session.aside(lambda: [(place, content_of(place)) for place in places], came, self._broke)
        self._change(outcome=None)

    def add_selection(self) -> None:
        """What is selected in the open picture, with a little around it."""
        facts = self._panel.facts
        if self._cannot_capture():
            return
        if facts is None or facts.selection is None:
            self._say("error", say("no-document") if facts is None else say("nothing-selected"))
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
            self._say("error", say("no-document") if facts is None else say("no-layers"))
            return
        for layer in layers:
            self._capture(facts, layer.source, None, layer.name, False)

    def leave_out(self, number: int) -> None:
        """``number`` counts from 0."""
        examples = list(self.state.examples)
        del examples[number]
        self._change(examples=tuple(replace(e, problem="") for e in examples), can_mean=False, outcome=None)

    def mean_it(self) -> None:
        """Learn although one picture seems not to fit."""
        self._means_it = True
        self.learn()

    # Learning.

    def learn(self) -> None:
        """Does nothing but say why when it isn't possible."""
        if self.state.cannot_learn:
            self._say("error", self.state.cannot_learn)
            return
        examples = tuple(replace(example, problem="") for example in self.state.examples)
        self._change(examples=examples, outcome=None, can_mean=False, learned="")
        order = self._order()
        self._job = order.id
        self._panel.errands.run(order, self._learned)

    def stop(self) -> None:
        if self._job:
            self._panel.errands.cancel()

    def _order(self) -> Order:
        state = self.state
        request: Dict[str, Any] = {
            "name": state.name,
            "kind": state.kind,
            "noun": state.noun.strip(),
            "model": self._panel.form.settings.model,
            "replace": state.replaces,
            "accept_outliers": self._means_it,
        }
        return learn_order(request, state.examples)

    def _learned(self, view: JobView, _: Mapping[str, bytes]) -> None:
        self._job, self._means_it = "", False
        done = Outcome("done", say("learned", name=view.result["name"]))
        self._panel.refresh_concepts()
        self._panel.errands.end(done)
        self._change(outcome=done, learned=view.result["name"], replaces=False)

    def _heard(self, event: Event) -> None:
        if isinstance(event, JobEnded) and event.view.id == self._job and event.view.state != "finished":
            self._job, self._means_it = "", False
            self._ended(event.view)
        self._change()

    def _ended(self, job: JobView) -> None:
        """Not learned: stopped, or refused with the picture that is the reason."""
        if job.state == "cancelled":
            self._change(outcome=Outcome("note", say("learning-stopped")))
            return
        found = job.error.get("details", {}).get("pictures", [])
        problems = {told["picture"]: told for told in found}
        examples = tuple(
            replace(example, problem=problems[i]["message"] if i in problems else "")
            for i, example in enumerate(self.state.examples)
        )
        odd = bool(found) and all(told["problem"] == "odd" for told in found)
        text = job.error.get("message", say("failed")) if found else job.text()
        outcome = Outcome("error", text, str(job.error.get("code", "")))
        self._change(examples=examples, can_mean=odd, outcome=outcome)

    # Reading pictures.

    def _cannot_capture(self) -> bool:
        """An edit is reading the document, or writing into it."""
        if self._panel.errands.busy:
            self._say("error", say("busy"))
        return self._panel.errands.busy

    def _capture(self, facts: DocumentFacts, source: str, within: Any, name: str, masked: bool) -> None:
        """One after the other: an editor reads one picture at a time."""

        def done(capture: Capture) -> None:
            self._came(Example(name, capture.image, capture.selection if masked else None))
            self._next()

        def failed(reason: str) -> None:
            self._came_not(reason)
            self._next()

        self._wanted.append(lambda: self._editor.capture(facts.key, source, within, done, failed))
        self._reading += 1
        self._change(outcome=None)
        if len(self._wanted) == 1:
            self._wanted[0]()

    def _next(self) -> None:
        del self._wanted[0]
        if self._wanted:
            self._editor.later(self._wanted[0])

    def _broke(self, error: Exception) -> None:
        self._reading = 0
        self._say("error", str(error))

    def _came(self, example: Example) -> None:
        self._reading -= 1
        if any(example.image == other.image for other in self.state.examples):
            self._say("error", say("same-picture", name=example.name))
        else:
            self._change(examples=(*self.state.examples, example))

    def _came_not(self, reason: str) -> None:
        self._reading -= 1
        self._say("error", reason)

    # What is shown.

    def _say(self, kind: str, text: str) -> None:
        self._change(outcome=Outcome(kind, text))

    def _change(self, **fields: Any) -> None:
        state = replace(self.state, **fields)
        taken = any(known.name == state.name for known in self._panel.concepts)
        state = replace(
            state,
            exists=taken and not state.learned,
            cannot_learn=self._why_not(state, taken),
            hint=say("many") if len(state.examples) > GOOD else "",
            progress=self._progress(),
            preview=self._panel.errands.preview_picture if self._job else None,
        )
        if state != self.state:
            self.state = state
            self._show(state)

    def _progress(self) -> Optional[Progress]:
        if self._job:
            return self._panel.errands.progress
        return Progress(say("reading"), None, False) if self._reading > 0 else None

    def _why_not(self, state: LearnState, taken: bool) -> str:
        name_taken = taken and not state.replaces
        lacking = lacking_to_learn(state.name, state.noun.strip(), len(state.examples), name_taken)
        return self._panel.state.cannot_learn or lacking


def lacking_to_learn(name: str, noun: str, pictures: int, taken: bool) -> str:
    """What is missing or wrong before anything is sent; empty = nothing."""
    reasons: List[str] = [
        "" if name else say("say-name"),
        "" if NAME.fullmatch(name) else say("name-letters", name=name),
        say("name-taken", name=name) if taken else "",
        "" if noun else say("say-noun"),
        "" if pictures >= FEWEST else say("too-few", n=FEWEST),
        say("too-many", n=MOST) if pictures > MOST else "",
    ]
    return next((reason for reason in reasons if reason), "")


def learn_order(request: Mapping[str, Any], examples: Sequence[Example]) -> Order:
    """``request``: everything but the pictures."""
    pictures = {f"images.{i}": example.image for i, example in enumerate(examples)}
    for i, example in enumerate(examples):
        if example.mask is not None:
            pictures[f"masks.{i}"] = example.mask
    places = {"images": [], "masks": [None] * len(examples)}
    return Order("learn", {**request, **places}, pictures, fetch=None)


def with_surroundings(facts: DocumentFacts, selection: Bounds) -> Bounds:
    """What is taken of the picture to learn what is selected: the subject, and a little of where it is."""
    margin = round(MARGIN * max(selection.width, selection.height))
    return selection.grown(margin, Extent(facts.width, facts.height))


def content_of(place: Path) -> Any:
    """The file's bytes, or the OSError."""
    try:
        return place.read_bytes()
    except OSError as error:
        return error
