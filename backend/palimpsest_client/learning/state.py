"""What the dialog shows in which a concept is learned: one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from ..panel.outcome import Outcome
from ..panel.status import Progress
from ..text.wording import say
from .examples import FEWEST, SUBJECT, Example

NEW, REPLACE, MORE = "new", "replace", "more"  # what is to become of a concept of the same name
QUICK, DETAIL = "quick", "detail"


@dataclass(frozen=True)
class LearnState:
    """All that the dialog shows."""

    name: str = ""
    field: str = ""  # what stands in the field of the name: "my-" on the way to "my-toy"
    note: str = ""  # about the name: it was typed otherwise
    kind: str = SUBJECT
    noun: str = ""
    examples: Tuple[Example, ...] = ()
    mode: str = NEW
    chosen: str = QUICK  # or DETAIL
    only_detail: bool = False  # what was learned with detail is learned on with it
    exists: bool = False  # there is a concept of this name: offer to learn more, or to replace it
    cannot_learn: str = ""  # why not; empty = Learn is possible
    hint: str = ""  # about the number of pictures
    cost: str = ""  # how many steps it will take, and how long
    learns: bool = False  # the job under way is a learning; it goes on without the window
    progress: Optional[Progress] = None  # of this dialog's learning, drawing or reading
    preview: Optional[bytes] = None  # PNG: how the word looks, or looked at the end
    outcome: Optional[Outcome] = None
    learned: str = ""  # name of the concept when it is there
    found: str = ""  # what was found in pictures without masks, and what to do if that is wrong
    sentence: str = ""  # to see the learned word in
    drawn: Optional[bytes] = None  # PNG: the picture of ``sentence``
    cannot_draw: str = ""

    @property
    def detail(self) -> bool:
        return self.only_detail or self.chosen == DETAIL

    @property
    def message(self) -> str:
        if self.outcome is not None:
            return self.outcome.text
        return self.cannot_learn or self.hint

    @property
    def line(self) -> str:
        """What is said above the buttons."""
        if self.progress is None:
            return self.message
        return f"{self.progress.text}\n{say('learning-goes-on')}" if self.learns else self.progress.text

    @property
    def tip(self) -> str:
        """Of that line: all of it, or what the backend said in English."""
        told = self.outcome if self.progress is None else None
        return (told.original if told is not None else "") or self.line

    @property
    def learn_text(self) -> str:
        """Of the button."""
        return say("learn-more" if self.mode == MORE else "learn-now")

    @property
    def good_set(self) -> str:
        """Under their title: how many pictures there are and what they will take, or which are good."""
        if len(self.examples) < FEWEST:
            return say("good-set")
        return " · ".join(filter(None, (say("n-pictures", n=len(self.examples)), self.cost)))
