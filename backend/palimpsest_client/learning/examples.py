"""What a concept is learned from, without state: names, orders, what is lacking, what the backend has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..editor.editor import DocumentFacts
from ..editor.geometry import Bounds, Extent
from ..http.client import Client
from ..http.protocol import RefusedError
from ..http.submission import Submission
from ..limits import EXAMPLES
from ..panel.requests import job_id
from ..text.wording import error_text, say

FEWEST, MOST = EXAMPLES
MARGIN = 0.25  # surroundings of a selection that are taken along, as a fraction of its longer side
LONGEST_NAME = 64
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SUBJECT, STYLE = "subject", "style"
MARKED = "marked"  # of a result's cutouts: people said where the subject is
LOOKED_THROUGH = 200  # jobs, newest first
DETAIL_STEP = 1.26  # steps of a quick learning that one with detail takes as long as: built-in model, CPU
SKETCH_STEPS = 20  # of the picture of a test sentence: enough to see what the word stands for


@dataclass(frozen=True)
class Example:
    """One picture to learn from. ``problem``: what the backend found wrong with it."""

    name: str
    image: bytes  # as a file has it: PNG, JPEG, …
    mask: Optional[bytes] = None  # grey PNG of its size: where the subject is
    problem: str = ""
    odd: bool = False  # it doesn't seem to fit, and may be meant all the same
    found: Optional[bytes] = None  # as ``mask``: where the model found the subject that no mask shows

    @property
    def given(self) -> Tuple[bytes, Optional[bytes]]:
        """What is learned from."""
        return self.image, self.mask

    @property
    def dark(self) -> str:
        """What it means that a part of it is dark; empty = none is."""
        return say("masked") if self.mask else say("tip-found") if self.found else ""


@dataclass(frozen=True)
class Pace:
    """How fast this machine learned last. ``step``: seconds; ``before``: seconds until the first step."""

    step: float
    before: float
    detail: bool = False  # what was learned

    def seconds(self, steps: int, detail: bool = False) -> float:
        """``detail``: of what is to be learned."""
        other = DETAIL_STEP ** (int(detail) - int(self.detail))
        return self.before + steps * self.step * other


@dataclass(frozen=True)
class StoredExamples:
    """What the backend still has of what a concept was learned from."""

    noun: str
    kind: str
    examples: Tuple[Example, ...]
    missing: int = 0  # pictures that are gone
    unmasked: bool = False  # the masks are gone
    found: str = ""  # ``found_note``

    def note(self, name: str) -> str:
        """What is gone of it; empty = nothing."""
        if self.unmasked:
            return say("masks-gone", name=name)
        return say("pictures-gone", name=name, n=self.missing) if self.missing else ""


def proposed_name(text: str) -> str:
    """The name nearest to what was typed: ``My Töy`` → ``my-toy``. Empty if nothing of it can stay."""
    plain = unicodedata.normalize("NFKD", text.strip("<>")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_-]+", "-", plain).lstrip("-_")[:LONGEST_NAME]


def name_note(typed: str, name: str, noted: bool) -> str:
    """What is said about a name that was typed otherwise. ``noted``: it was said before already."""
    if not name:
        return say("name-letters", name=typed.strip()) if typed.strip() else ""
    return say("name-written", name=name) if typed != proposed_name(typed) or noted else ""


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


def sound(examples: Sequence[Example]) -> Tuple[Example, ...]:
    """The same pictures, with nothing held against them."""
    return tuple(replace(example, problem="", odd=False) for example in examples)


def judged(examples: Sequence[Example], found: Sequence[Mapping[str, Any]]) -> Tuple[Example, ...]:
    """The same pictures with what the backend holds against some: ``pictures`` of its error's details."""
    problems = {told["picture"]: told for told in found}

    def one(number: int, example: Example) -> Example:
        told = problems.get(number, {"message": "", "problem": ""})
        return replace(example, problem=error_text(told, "message"), odd=told["problem"] == "odd")

    return tuple(one(number, example) for number, example in enumerate(examples))


def with_found(
    examples: Sequence[Example], sent: Sequence[Example], pictures: Mapping[str, bytes]
) -> Tuple[Example, ...]:
    """Those that were ``sent`` with what was found in them: ``pictures``, artifacts of the learning."""
    found = {example.given: pictures.get(f"found:{n}") for n, example in enumerate(sent, start=1)}
    return tuple(replace(example, found=found.get(example.given, example.found)) for example in examples)


def found_note(result: Mapping[str, Any]) -> str:
    """What became of the search for the subject in pictures without masks; empty where there was none.
    ``result``: of the learning."""
    if result.get("kind") != SUBJECT or "cutouts" not in result or result["cutouts"] == MARKED:
        return ""
    told = {"name": result["name"], "button": say("add-selection"), "total": len(result["found"])}
    n = sum(result["found"])
    return say("subject-found", count=n, **told) if n else say("subject-unseen", **told)


def learn_submission(editor: str, request: Mapping[str, Any], examples: Sequence[Example]) -> Submission:
    """``request``: everything but the pictures."""
    pictures = {f"images.{i}": example.image for i, example in enumerate(examples)}
    for i, example in enumerate(examples):
        if example.mask is not None:
            pictures[f"masks.{i}"] = example.mask
    places = {"images": [], "masks": [None] * len(examples)}
    return Submission("learn", {**request, **places}, pictures, id=job_id(editor))


def draw_submission(editor: str, sentence: str, model: str) -> Submission:
    request = {"prompt": sentence, "model": model, "steps": SKETCH_STEPS}
    return Submission("draw", request, fetch=("picture",), id=job_id(editor))


def sentence_for(name: str, kind: str, words: Sequence[str]) -> str:
    """A sentence to see a learned word in. ``words``: all that the model knows, where they are few."""
    if kind == STYLE:
        return f"a <{name}> of a cat on grass" if words else f"a cat on a beach in the style of <{name}>"
    return f"a photo of a <{name}> on grass" if words else f"a photo of a <{name}> on a beach"


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


# What the backend knows, asked on the network's thread.


def bring_pace(client: Client, model: str) -> Optional[Pace]:
    """Of the last word that was learned here for ``model``; None if none was."""
    for job in client.jobs(limit=LOOKED_THROUGH)["jobs"]:
        if job["kind"] != "learn" or job["request"]["model"] != model:
            continue
        result = job["result"]
        if result.get("seconds_per_step"):
            step = float(result["seconds_per_step"])
            before = max(0.0, float(result["seconds"]) - step * int(result["steps"]))
            return Pace(step, before, bool(result.get("detail")))
    return None


def bring_kept(client: Client, name: str) -> StoredExamples:
    """The pictures that the concept was learned from, as far as they are kept. Raises ClientError."""
    card = client.concept(name)
    job = job_of_learning(client, card["rows_hash"])
    asked, found = (None, {}) if job is None else (job["request"], job.get("artifacts", {}))
    sources = card["provenance"]["sources"] if asked is None else asked["images"]
    masks: Sequence[Optional[str]] = () if asked is None else asked["masks"]
    masked = any(card["provenance"]["settings"].get("masks", ()))
    examples, missing = [], 0
    for number, source in enumerate(sources):
        image = content_kept(client, source)
        mask = content_kept(client, masks[number]) if number < len(masks) else None
        if image is None:
            missing += 1
        else:
            seen = content_kept(client, found.get(f"found:{number + 1}"))
            examples.append(Example(f"<{name}> {number + 1}", image, mask, found=seen))
    note = "" if job is None else found_note(job["result"])
    unmasked = job is None and masked
    return StoredExamples(card["noun"], card["kind"], tuple(examples), missing, unmasked, note)


def job_of_learning(client: Client, rows_hash: str) -> Optional[Dict[str, Any]]:
    """The one that the concept with these rows came from, if it is kept."""
    for job in client.jobs(limit=LOOKED_THROUGH)["jobs"]:
        if job["kind"] == "learn" and job["result"].get("rows_hash") == rows_hash:
            return job
    return None


def content_kept(client: Client, image: Optional[str]) -> Optional[bytes]:
    """None if it isn't kept any more, or is somebody else's."""
    if image is None:
        return None
    try:
        return client.download(image)
    except RefusedError:
        return None
