"""What came of a job, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Tuple

from ..editor.editor import DocumentFacts, Editor
from ..editor.geometry import Bounds
from ..http.job_view import JobView
from ..text.wording import error_text, notices_text, original_text, say
from .status import SMALLER, Offer

REMEMBERED = "remembered"  # Outcome.code where the text is the fidelity
SURE, FAIRLY_SURE = 0.9, 0.6  # least confidences of a proposed sentence
REFUSED = "refused"  # and where it is why Apply isn't possible
NOT_PLACED = "not-placed"  # and where it is why there is no layer
PREVIEWED = "previewed"  # and where it says what lies on the canvas
REOPENED = "reopened"  # and where it says what is in hand


@dataclass(frozen=True)
class Outcome:
    """What came of the last job. kind: "done", "note" or "error"."""

    kind: str
    text: str
    code: str = ""  # of an error; or one of the above
    about: Optional[About] = None
    file: str = ""  # of the picture that it asks to open again
    reason: str = ""  # Reason.code, where something was asked for that can't be done
    original: str = ""  # what the backend said, in English, where it is told in another language

    def asks_for_another_than(self, facts: Optional[DocumentFacts]) -> bool:
        """Whether its picture is to be opened again, and isn't this one."""
        return self.code == NOT_PLACED and (facts is None or not self.file or facts.file != self.file)


@dataclass(frozen=True)
class About:
    """What an outcome tells of: a layer or, where there is none, the selection. When that is undone, removed
    or another one, it isn't so any more."""

    document: str  # DocumentFacts.key
    layer: str = ""  # as LayerRecipe.layer has it
    selection: Optional[Bounds] = None
    mark: str = ""  # as DocumentFacts.mark

    def holds(self, facts: Optional[DocumentFacts], editor: Editor) -> bool:
        """``facts``: of the picture that is open now, which may be another one."""
        here = facts if facts is not None and facts.key == self.document else None
        if not self.layer:
            return here is None or (here.selection, here.mark) == (self.selection, self.mark)
        return (here is not None and here.active == self.layer) or editor.holds(self.document, self.layer)


def outcome_of(view: JobView) -> Outcome:
    """Of a job that failed or was cancelled."""
    if view.state == "cancelled":
        return Outcome("note", say("cancelled"))
    code = str(view.error.get("code", ""))
    texts = {"out_of_memory": error_text(view.error, "message"), "image_not_found": say("source-gone")}
    return Outcome("error", texts.get(code) or view.text(), code, original=original_text(view.error))


def placed_sentences(first: str, result: Mapping[str, Any], selected: bool) -> List[Any]:
    """New layer “cat → my-toy”. 0 pixels changed outside the selection. What else is to be known of it."""
    told = [first]
    if selected and "pixels_changed_outside" in result:
        grown = result.get("grown", 0)
        n = result["pixels_changed_outside"]
        told.append(say("outside-grown", n=n, grown=grown) if grown > 0 else say("outside", n=n))
    if len(result.get("pixels_changed_inside", ())) > 1:
        told.append(say("more-variations"))
    return [*told, notices_text(result)]


def confidence_text(confidence: float) -> str:
    """How sure whoever proposed a sentence is, 0 … 1, in words."""
    if confidence >= SURE:
        return say("described")
    return say("described-fairly" if confidence >= FAIRLY_SURE else "unsure", n=round(100 * confidence))


def fidelity_text(result: Mapping[str, Any]) -> str:
    decibels = result.get("reconstruction_psnr")
    return "" if decibels is None else say("remembered", n=round(decibels))


def offer_after(outcome: Outcome, size: int) -> Tuple[Offer, ...]:
    """The button that helps after an error."""
    if outcome.code == "out_of_memory":
        return (Offer(SMALLER, say("smaller", size=size)),)
    return ()
