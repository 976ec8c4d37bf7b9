"""What the backend has: learned words, models and past results. Asked on the network's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from .client import Client
from .geometry import Bounds
from .orders import layer_name, place_of
from .protocol import RefusedError
from .wording import say

MOST_RESULTS = 12
LOOKED_THROUGH = 50  # jobs, newest first
SMALL = 1 << 18  # pixels of a canvas whose finished picture may serve as its own thumbnail
BUILT_IN = "built-in"
GIB = float(1 << 30)


@dataclass(frozen=True)
class Concept:
    name: str
    kind: str  # "subject" or "style"
    noun: str
    family: str  # of the models it was learned for
    version: str = ""  # another one after learning it anew
    thumbnail: Optional[bytes] = None  # PNG


@dataclass(frozen=True)
class Model:
    name: str
    installed: bool
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return say("built-in") if self.name == BUILT_IN else str(self.details.get("title", self.name))

    @property
    def native_size(self) -> int:
        return int(self.details.get("native_size", 512))

    @property
    def granularity(self) -> int:
        return int(self.details.get("granularity", 64))

    @property
    def family(self) -> str:
        return str(self.details.get("family", ""))

    @property
    def describes(self) -> bool:
        """Whether the backend can say what a picture shows, for this model."""
        return bool(self.details.get("describes", False))

    @property
    def learning_steps(self) -> int:
        """How many steps a word takes at most; 0 = the backend doesn't say."""
        return int(self.details.get("learning_steps", 0))

    @property
    def words(self) -> Tuple[str, ...]:
        """All that it knows, where they are few."""
        return tuple(self.details.get("words", ()))

    def can(self, operation: str) -> bool:
        """What a model doesn't say of itself it is allowed to try."""
        return operation in self.details.get("operations", (operation,))

    def offer(self) -> str:
        """Size and licence, for a model that isn't there yet."""
        size = "{:.1f} GB".format(int(self.details.get("size", 0)) / GIB)
        licence = self.details.get("licence", "")
        return say("model-offer", title=self.title, size=size, licence=licence)


@dataclass(frozen=True)
class Result:
    """One picture that an edit made, to be put into a document again."""

    job: str
    artifact: str  # "layer", "layer:2", …
    image: str  # sha256
    name: str  # as its layer is called
    bounds: Bounds  # of its picture on the canvas
    report: Mapping[str, Any]  # the job's result, with its recipe
    thumbnail: Optional[bytes] = None  # PNG

    @property
    def key(self) -> Tuple[str, str]:
        return self.job, self.artifact


def bring_models(client: Client) -> Tuple[Model, ...]:
    return tuple(Model(told["name"], told["installed"], told["details"]) for told in client.models())


def bring_concepts(client: Client, known: Sequence[Concept]) -> Tuple[Concept, ...]:
    """All there are; the thumbnails of those that are ``known`` aren't fetched again."""
    had = {(concept.name, concept.version): concept.thumbnail for concept in known}
    found = []
    for told in client.concepts():
        key = told["name"], told["rows_hash"]
        picture = had[key] if key in had else (thumbnail(client, told["name"]) if told["thumbnail"] else None)
        found.append(Concept(told["name"], told["kind"], told["noun"], told["family"], key[1], picture))
    return tuple(found)


def thumbnail(client: Client, name: str) -> Optional[bytes]:
    try:
        return client.thumbnail(name)
    except RefusedError:
        return None  # removed in this moment


def bring_results(client: Client, known: Sequence[Result]) -> Tuple[Result, ...]:
    """The newest results of this token's edits, newest first."""
    had = {result.key: result for result in known}
    found: List[Result] = []
    for job in client.jobs(limit=LOOKED_THROUGH)["jobs"]:
        if job["kind"] == "edit" and job["state"] == "finished" and len(found) < MOST_RESULTS:
            found += [had[r.key] if r.key in had else with_thumbnail(client, job, r) for r in results_of(job)]
    return tuple(found[:MOST_RESULTS])


def results_of(job: Mapping[str, Any]) -> List[Result]:
    """Of a finished edit, one per variation."""
    if "recipe" not in job["result"]:
        return []
    (x, y), (width, height) = place_of(job["id"]), job["result"]["recipe"]["region"]["canvas"]
    name, bounds = layer_name(job["result"]["recipe"]["request"]), Bounds(x, y, width, height)
    layers = sorted(key for key in job["artifacts"] if key == "layer" or key.startswith("layer:"))
    return [
        Result(job["id"], key, job["artifacts"][key], name, bounds, job["result"]) for key in layers
    ]


def with_thumbnail(client: Client, job: Mapping[str, Any], result: Result) -> Result:
    """The finished picture where it is small, else the last preview of the first variation."""
    merged = job["artifacts"].get(result.artifact.replace("layer", "composite"))
    small = result.bounds.width * result.bounds.height <= SMALL
    image = merged if small else (job["preview"] if result.artifact == "layer" else None)
    if image is None:
        return result
    try:
        picture = client.download(image)
    except RefusedError:
        return result
    told: Dict[str, Any] = {**result.__dict__, "thumbnail": picture}
    return Result(**told)


def open_job(client: Client, editor: str) -> Optional[str]:
    """A job of this editor that hasn't ended: one that was sent before a restart."""
    for job in client.jobs(limit=LOOKED_THROUGH)["jobs"]:
        if job["state"] in ("queued", "running") and job["id"].startswith(editor + "-"):
            return job["id"]
    return None
