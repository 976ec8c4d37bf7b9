"""What the panel shows: one frozen value, and how it follows from what is the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import FrozenSet, Optional, Tuple

from ..editor.editor import DocumentFacts
from ..fields.controls import SHOWN, Drawn, Form, drawn
from ..fields.operations import OPERATIONS
from ..setup.state import SetupState
from ..text.habits import Notice, places
from ..text.sentences import Change, Word, changes_text, isolated, rightwards
from ..text.wording import say
from .catalogue import ModelRow
from .downloads import Download
from .library import Concept, Model
from .outcome import REFUSED, Outcome
from .queue import WaitingJob
from .reason import NONE, Reason
from .results import Result, Strip
from .status import Offer, Progress, Status
from .structure_strip import Tile


@dataclass(frozen=True)
class PanelState:
    """All that a window shows."""

    status: Status
    form: Form
    document: Optional[DocumentFacts] = None
    shown: FrozenSet[str] = frozenset()  # controls.SHOWN of the operation
    controls: Mapping[str, Drawn] = field(default_factory=dict)  # by their names in the table
    presets: Tuple[str, ...] = ()  # names of one's own settings for the operation
    preset: str = ""  # the one that is set
    changes: Tuple[Change, ...] = ()  # between form.source_prompt and form.target_prompt
    changes_text: str = ""  # "cat → <my-toy>", or the whole sentence where it is made from another field
    notices: Tuple[Tuple[Notice, ...], Tuple[Notice, ...]] = ((), ())  # of words in both fields
    doubts: Tuple[Notice, ...] = ()  # of words of the first sentence that Describe isn't sure of
    unknown_text: str = ""  # what is wrong with them and what to write: a line each
    words: Tuple[str, ...] = ()  # of the first sentence, that stand for something in the picture
    apply_notice: str = (
        ""  # what is to be known before Apply: whether the model knows this, and sees enough of it
    )
    apply_notice_tip: str = ""  # the ways out of seeing too little of it
    catalogue: Tuple[ModelRow, ...] = ()  # all models, with what those that aren't there would cost
    downloads: Tuple[Download, ...] = ()  # models on their way
    fetched: str = ""  # what came of the last download
    setup: SetupState = field(default_factory=SetupState)  # of this computer's backend
    cannot_apply: Reason = NONE  # why not; empty = Apply is possible
    cannot_apply_new: Reason = NONE  # why not beside the layer in hand
    cannot_ask: Reason = NONE  # why no job of another kind is possible
    cannot_describe: Reason = NONE
    cannot_download: Reason = NONE
    cannot_learn: Reason = NONE  # no document is needed for it
    can_reopen: bool = False  # the active layer has a recipe, and isn't open yet
    can_remember: bool = False  # the photo isn't remembered yet, as far as it is known
    cannot_operate: Mapping[str, str] = field(default_factory=dict)  # operation → why this model can't
    updating: str = ""  # name of the layer in hand: Update renews it, New makes another
    concepts: Tuple[Concept, ...] = ()  # those used last first
    models: Tuple[Model, ...] = ()
    model: Optional[Model] = None  # the chosen one, if it is installed
    progress: Optional[Progress] = None  # something is under way
    waiting: Tuple[WaitingJob, ...] = ()  # edits behind it, the next one first
    preview: Optional[bytes] = None  # PNG: of the job under way, else of what Apply would make
    structures: Tuple[Tile, ...] = ()  # below the slider of Keep structure: what its places would make
    preview_text: str = ""  # below it: what it is
    outcome: Optional[Outcome] = None
    offers: Tuple[Offer, ...] = ()  # buttons beside the outcome or the reason
    fidelity: str = ""  # how well the photo is remembered; empty where the outcome says it
    strip: Strip = field(default_factory=Strip)  # results, and which of them is looked at

    @property
    def results(self) -> Tuple[Result, ...]:
        return self.strip.results

    @property
    def unknown(self) -> Tuple[Tuple[Word, ...], Tuple[Word, ...]]:
        """What is to be marked in both fields."""
        return places(self.notices[0]), places(self.notices[1])

    @property
    def doubtful(self) -> Tuple[Word, ...]:
        """What is to be marked in the first field besides."""
        return places(self.doubts)

    @property
    def hints(self) -> Tuple[Tuple[Notice, ...], Tuple[Notice, ...]]:
        """What is said of the marked words of both fields."""
        return self.notices[0] + self.doubts, self.notices[1]

    @property
    def outcome_text(self) -> str:
        """What came of the last job."""
        return "" if self.outcome is None else self.outcome.text

    @property
    def outcome_tip(self) -> str:
        """The backend's own words, where they are told in another language."""
        return "" if self.outcome is None else self.outcome.original

    @property
    def reason(self) -> str:
        """Why Apply is grey, beside it; empty where the state line or what was just told says it already: no
        sentence is shown twice."""
        above = self.status.kind == "trouble" or self.setup.running
        said_above = above and self.document is not None and not self.document.refusal
        outcome = self.outcome
        just_told = outcome is not None and (
            outcome.code == REFUSED or outcome.reason == self.cannot_apply.code
        )
        return "" if said_above or just_told else self.cannot_apply

    @property
    def message(self) -> str:
        """Both in one."""
        return self.outcome_text or self.cannot_apply

    def foreign(self, concept: Concept) -> str:
        """Why the chosen model can't use this concept; empty if it can, or if there is no model yet."""
        if self.model is None or concept.family == self.model.family:
            return ""
        return say("tip-other-family", name=concept.name, family=concept.family)


def change_line(form: Form, found: Tuple[Change, ...]) -> str:
    """What comes of the words, under their field."""
    if "changes" in SHOWN[form.operation]:
        return changes_text(found)
    if "sentence" in SHOWN[form.operation] and found:
        return rightwards(say("becomes", sentence=isolated(form.target_prompt)))
    return ""


def unknown_text(found: Sequence[Sequence[Notice]]) -> str:
    return "\n".join(dict.fromkeys(notice.text for notices in found for notice in notices))


def incapable(model: Optional[Model]) -> Mapping[str, str]:
    if model is None:
        return {}
    reasons = {
        operation: say("model-cannot", model=model.title, operation=say(operation))
        for operation in OPERATIONS
        if not model.can(operation)
    }
    return reasons


def drawn_controls(form: Form, models: Sequence[Model], model: Optional[Model]) -> Mapping[str, Drawn]:
    """``model``: the chosen one. One that isn't installed can still be seen to be chosen."""
    installed = tuple((found.name, found.title) for found in models if found.installed)
    chosen = form.settings.model
    if chosen not in dict(installed):
        installed += ((chosen, chosen),)
    return drawn(form, installed, {} if model is None else model.details)
