"""What the backend has: learned words and models. Asked on the network's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, List, NamedTuple, Optional, Tuple

from ..fields.controls import Settings
from ..http.client import Client
from ..http.protocol import ENDED, RefusedError
from ..text.wording import say
from .requests import Crop, all_of_it, crop_needed, layer_name

LOOKED_THROUGH = 50  # jobs, newest first
BUILT_IN = "built-in"


@dataclass(frozen=True)
class Concept:
    name: str
    kind: str  # "subject" or "style"
    noun: str
    family: str  # of the models it was learned for
    version: str = ""  # another one after learning it anew
    thumbnail: Optional[bytes] = None  # PNG
    detail: bool = False  # learned with it

    @property
    def line(self) -> str:
        """In a list of all."""
        return self._said("concept-line", self.name)

    @property
    def tip(self) -> str:
        return self._said("tip-concept", f"<{self.name}>")

    def _said(self, key: str, bare: str) -> str:
        """One that came from another tool may have no noun."""
        kind = say(self.kind)
        return say(key, name=self.name, kind=kind, noun=self.noun) if self.noun else f"{bare} · {kind}"


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
    def detail_steps(self) -> int:
        """The same with detail."""
        return int(self.details.get("detail_steps", self.learning_steps))

    @property
    def words(self) -> Tuple[str, ...]:
        """All that it knows, where they are few."""
        return tuple(self.details.get("words", ()))

    def can(self, operation: str) -> bool:
        """What a model doesn't say of itself it is allowed to try."""
        return operation in self.details.get("operations", (operation,))


def crop_by(settings: Settings, model: Optional[Model]) -> Crop:
    """``model``: None = it isn't known."""
    if model is None:
        return all_of_it
    native, granularity = model.native_size, model.granularity
    return lambda facts: crop_needed(facts, settings, native, granularity)


def bring_models(client: Client) -> Tuple[Model, ...]:
    return tuple(Model(told["name"], told["installed"], told["details"]) for told in client.models())


def bring_concepts(client: Client, known: Sequence[Concept]) -> Tuple[Concept, ...]:
    """All there are; the thumbnails of those that are ``known`` aren't fetched again."""
    had = {(concept.name, concept.version): concept.thumbnail for concept in known}
    found = []
    for told in client.concepts():
        key = told["name"], told["rows_hash"]
        picture = had[key] if key in had else (thumbnail(client, told["name"]) if told["thumbnail"] else None)
        about = told["name"], told["kind"], told["noun"], told["family"]
        found.append(Concept(*about, key[1], picture, told.get("rank") is not None))
    return tuple(found)


def thumbnail(client: Client, name: str) -> Optional[bytes]:
    try:
        return client.thumbnail(name)
    except RefusedError:
        return None  # removed in this moment


class OpenJob(NamedTuple):
    """One that hasn't ended, and that an editor waits for: no download."""

    id: str
    kind: str
    name: str  # an edit's as its layer will be called; of others their kind


def open_jobs(client: Client, editor: str) -> List[OpenJob]:
    """This editor's jobs that haven't ended, oldest first: they were sent before a restart."""
    return [
        OpenJob(job["id"], job["kind"], name_of(job))
        for job in reversed(client.jobs(limit=LOOKED_THROUGH)["jobs"])
        if job["state"] not in ENDED and job["id"].startswith(editor + "-") and job["kind"] != "pull"
    ]


def name_of(job: Mapping[str, Any]) -> str:
    return layer_name(job["request"]) if job["kind"] == "edit" else str(job["kind"])
