"""What edits made, as the backend keeps it: the strip of results. Asked on the network's thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Tuple

from ..editor.geometry import Bounds
from ..http.client import Client
from ..http.protocol import RefusedError
from ..text.wording import notices_text, say
from .origins import Origin, origin_of
from .requests import layer_name, shown_of

MOST_RESULTS = 24
LOOKED_THROUGH = 50  # jobs of one page, newest first
MOST_PAGES = 8
SMALL = 1 << 18  # pixels of a canvas whose finished picture may serve as its own thumbnail

Wanted = Callable[[str, Origin], bool]  # job's id, where it comes from


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
    origin: Origin = field(default_factory=Origin)
    made: float = 0.0  # when the job was accepted, seconds since the epoch

    @property
    def key(self) -> Tuple[str, str]:
        return self.job, self.artifact

    @property
    def number(self) -> int:
        """Of the variation, from 1."""
        return number_of(self.artifact)

    @property
    def request(self) -> Mapping[str, Any]:
        return self.report["recipe"]["request"]

    @property
    def of(self) -> int:
        """How many variations the edit made."""
        return int(self.request.get("variations", 1))

    @property
    def seed(self) -> int:
        """Variations have the seed that was asked for and the next ones."""
        return int(self.request.get("seed", 0)) + self.number - 1

    @property
    def title(self) -> str:
        """Its name and, of several, which of the variations."""
        if self.of == 1:
            return self.name
        return say("result-variation", name=self.name, n=self.number, of=self.of)

    @property
    def alone(self) -> Mapping[str, Any]:
        """The report as of an edit that made this one alone: variation k is what seed + k gives."""
        recipe = self.report["recipe"]
        request = {**recipe["request"], "seed": self.seed, "variations": 1}
        return {**self.report, "recipe": {**recipe, "request": request}}

    @property
    def sentences(self) -> str:
        """What the picture showed and should show, a line each."""
        said = self.request["source_prompt"], self.request["target_prompt"]
        return "\n".join(dict.fromkeys(text for text in said if text))


def bring_results(client: Client, known: Sequence[Result], wanted: Wanted) -> Tuple[Result, ...]:
    """The newest results of this token's edits that are ``wanted``, newest first, at most MOST_RESULTS.

    The thumbnails of those that are ``known`` aren't fetched again.
    """
    had = {result.key: result for result in known}
    found: List[Result] = []
    for job in edits(client):
        if wanted(job["id"], origin_of(job["id"], job.get("origin", ""))):
            found += [had[r.key] if r.key in had else with_thumbnail(client, job, r) for r in results_of(job)]
        if len(found) >= MOST_RESULTS:
            break
    return tuple(found[:MOST_RESULTS])


def edits(client: Client) -> Iterator[Dict[str, Any]]:
    """The finished ones, newest first, page by page."""
    page = client.jobs(limit=LOOKED_THROUGH)
    for _ in range(MOST_PAGES):
        for job in page["jobs"]:
            if job["kind"] == "edit" and job["state"] == "finished":
                yield job
        if page["next"] is None:
            return
        page = client.jobs(limit=LOOKED_THROUGH, before=page["next"])


def results_of(job: Mapping[str, Any]) -> List[Result]:
    """Of a finished edit, one per variation, in their order."""
    if "recipe" not in job["result"]:
        return []
    origin = origin_of(job["id"], job.get("origin", ""))
    recipe = job["result"]["recipe"]
    name, bounds = layer_name(recipe["request"]), shown_of(recipe).moved(origin.x, origin.y)
    layers = [key for key in job["artifacts"] if key == "layer" or key.startswith("layer:")]
    return [
        Result(
            job["id"],
            key,
            job["artifacts"][key],
            name,
            bounds,
            job["result"],
            origin=origin,
            made=float(job.get("created", 0.0)),
        )
        for key in sorted(layers, key=number_of)
    ]


def number_of(artifact: str) -> int:
    """1 for "layer", 2 for "layer:2"."""
    number = artifact.partition(":")[2]
    return int(number) if number.isdigit() else 1


def with_thumbnail(client: Client, job: Mapping[str, Any], result: Result) -> Result:
    image = thumbnail_of(job, result)
    if image is None:
        return result
    try:
        return replace(result, thumbnail=client.download(image))
    except RefusedError:
        return result


def thumbnail_of(job: Mapping[str, Any], result: Result) -> Optional[str]:
    """The variation's own. Jobs made before there were any: the finished picture where that is small, else
    the last preview of the first variation."""
    small = result.bounds.width * result.bounds.height <= SMALL
    merged = job["artifacts"].get(result.artifact.replace("layer", "composite"))
    other = merged if small else (job["preview"] if result.artifact == "layer" else None)
    return job["artifacts"].get(result.artifact.replace("layer", "thumbnail"), other)


@dataclass(frozen=True)
class Strip:
    """What the row of results shows."""

    results: Tuple[Result, ...] = ()
    foreign: FrozenSet[Tuple[str, str]] = frozenset()  # keys of those that other pictures' edits made
    everything: bool = False  # those of other pictures and editors are wanted, too
    shown: Optional[Tuple[str, str]] = None  # key of the one that lies on the canvas, not kept yet
    original: bool = False  # it is hidden for a moment, to compare

    @property
    def there(self) -> Optional[Result]:
        return next((result for result in self.results if result.key == self.shown), None)

    def tip(self, result: Result) -> str:
        """What is to be known of one, line by line."""
        width, height = result.origin.canvas or result.bounds.extent
        lines = [self.label(result), result.sentences]
        lines.append(say("result-facts", seed=result.seed, width=width, height=height))
        if result.key in self.foreign:
            lines.append(foreign_text(result))
        lines += filter(None, [notices_text(result.report)])
        return "\n".join([*lines, say("tip-result")])

    def label(self, result: Result) -> str:
        """One line: what was changed, which of the variations, when."""
        return f"{result.title} · {when(result.made)}" if result.made else result.title


def foreign_text(result: Result) -> str:
    name = result.origin.name
    return say("result-of-picture", picture=name) if name else say("result-of-another")


def when(made: float) -> str:
    """Local time, as it sorts."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(made))
