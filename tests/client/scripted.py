"""A backend and an editor that do what a test tells them, and remember what was asked of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from palimpsest_client.editor.editor import (
    Capture,
    DocumentFacts,
    LayerFacts,
    LayerRecipe,
    LayerResult,
)
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.picture_file import PictureFile
from palimpsest_client.editor.png import Layout, encode
from palimpsest_client.gimp.procedure_run import PlacingEditor
from palimpsest_client.http.client import Client
from palimpsest_client.http.protocol import ENDED, PROTOCOL, RefusedError, UnreachableError
from palimpsest_client.http.transport import Transport

SPEC = {
    "family": "demo",
    "native_size": 128,
    "granularity": 32,
    "guidance": 3.0,
    "steps": 30,
    "operations": ["replace", "insert", "restyle", "remove", "reweight"],
    "describes": True,
    "learning_steps": 100,
    "detail_steps": 150,
}
MODELS = [
    {"name": "built-in", "installed": True, "details": SPEC},
    {
        "name": "sd15",
        "installed": False,
        "details": {"title": "Stable Diffusion 1.5", "size": 2254857830, "licence": "CreativeML Open RAIL-M"},
    },
]


def picture(width: int, height: int, shade: int = 120) -> bytes:
    """A PNG with alpha."""
    return encode(bytes([shade, 80, 40, 255]) * (width * height), Layout(Extent(width, height), 4))


def concept(name: str, kind: str = "subject", family: str = "demo") -> dict[str, Any]:
    return {"name": name, "kind": kind, "noun": "toy", "family": family, "rows_hash": name, "thumbnail": True}


def transport(port: int = 9) -> Transport:
    """To where nobody is."""
    return Transport(f"http://127.0.0.1:{port}", "a-token")


@dataclass
class Backend(Client):
    """In place of a ``Client``. ``tell`` says what happens to the job that was submitted last."""

    down: bool = False
    refusal: RefusedError | None = None
    protocol: int = PROTOCOL
    the_models: list[dict[str, Any]] = field(default_factory=lambda: list(MODELS))
    the_concepts: list[dict[str, Any]] = field(default_factory=list)
    device: str = "cpu"
    worker_status: dict[str, Any] = field(default_factory=lambda: {"name": "CPU"})  # by the worker, of itself
    past: list[dict[str, Any]] = field(default_factory=list)  # jobs, newest first
    images: dict[str, bytes] = field(default_factory=dict)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    transport: Transport = field(default_factory=transport)
    running: str | None = None  # kind of the job that a worker does for somebody
    store: str = "one"  # another text: another data folder
    results: int = 0  # how often they have changed

    def __post_init__(self) -> None:
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._told = threading.Condition()
        self.ahead: int | None = None

    def connect(self) -> Backend:
        self._require()
        return self

    def tell(self, event: str, of: int = -1, **fields: Any) -> None:
        """``of``: the number of the job among ``submitted``."""
        with self._told:
            events = self._events[self.submitted[of]["id"]]
            events.append({"event": event, "sequence": len(events) + 1, "time": 0.0, **fields})
            self._told.notify_all()

    def keep(self, content: bytes) -> str:
        image = hashlib.sha256(content).hexdigest()
        self.images[image] = content
        return image

    def finish(self, artifacts: dict[str, bytes], of: int = -1, **result: Any) -> None:
        ids = {name: self.keep(content) for name, content in artifacts.items()}
        self.tell("finished", of, artifacts=ids, result=result)

    def finish_edit(self, width: int = 64, height: int = 48, of: int = -1, **result: Any) -> None:
        """As the real one ends an edit of the last request."""
        request = self.submitted[of]["request"]
        control = {"cross": None, "self_attention": None, **request["control"]}
        region = {"canvas": [width, height], "box": [0, 0, width, height], "work": [128, 128]}
        self.finish(
            {"layer": picture(width, height), "composite": picture(width, height, 200)},
            of,
            **{"reconstruction_psnr": 34.2, "pixels_changed_outside": 0, "pixels_changed_inside": [9]},
            **result,
            recipe={"request": {"selection": None, **request, "control": control}, "region": region},
        )

    def _require(self) -> None:
        if self.down:
            raise UnreachableError("Palimpsest's backend isn't running.")

    # What the session asks.

    def health(self) -> dict[str, Any]:
        self._require()
        return {"protocol": self.protocol}

    def system(self) -> dict[str, Any]:
        self._require()
        if self.refusal is not None:
            raise self.refusal
        told = {"device": self.device, "status": self.worker_status, "running": self.running}
        worker = {"kinds": ["edit"], **told}
        return {
            "workers": [worker],
            "owner": "local",
            "store": self.store,
            "revisions": {
                "concepts": repr(self.the_concepts),
                "models": repr(self.the_models),
                "results": str(self.results),
            },
            "downloads": [
                job["id"]
                for job in self.submitted
                if job["kind"] == "pull" and self.told_of(job)["state"] not in ENDED
            ],
        }

    def models(self) -> list[dict[str, Any]]:
        self._require()
        return self.the_models

    def concepts(self) -> list[dict[str, Any]]:
        self._require()
        return self.the_concepts

    def rename_concept(self, name: str, new_name: str) -> dict[str, Any]:
        told = self._require_concept(name)
        told["name"] = new_name
        return told

    def remove_concept(self, name: str) -> None:
        self.the_concepts.remove(self._require_concept(name))

    def _require_concept(self, name: str) -> dict[str, Any]:
        self._require()
        for told in self.the_concepts:
            if told["name"] == name:
                return told
        raise RefusedError(404, {"code": "concept_not_found", "message": f"There is no concept <{name}>."})

    def concept(self, name: str) -> dict[str, Any]:
        return next(told for told in self.concepts() if told["name"] == name)

    def thumbnail(self, name: str) -> bytes:
        return picture(32, 32, len(name) * 20 % 255)

    def jobs(self, limit: int = 50, before: int | None = None) -> dict[str, Any]:
        """A page of ``past``; ``before`` counts from its beginning."""
        self._require()
        start = 0 if before is None else before
        end = start + limit
        return {"jobs": self.past[start:end], "next": end if end < len(self.past) else None}

    def forget(self, id: str) -> dict[str, Any]:
        self._require()
        self.forgotten.append(id)
        self.past = [job for job in self.past if job["id"] != id]
        return {"id": id}

    def past_edit(self, id: str, origin: str = "", variations: int = 1, **told: Any) -> None:
        """An edit of before, the newest of all, with everything that the server tells of it. ``box``: of its
        region, and then its pictures show that alone."""
        width, height = told.pop("canvas", (64, 48))
        box = told.pop("box", None)
        request = {"operation": "replace", "source_prompt": "a cat", "target_prompt": "a dog", "seed": 5}
        request.update(weights={}, variations=variations, **told.pop("request", {}))
        region = {"canvas": [width, height], "box": box or [0, 0, width, height]}
        if box is not None:
            request["extent"] = "region"
            width, height = box[2] - box[0], box[3] - box[1]
        artifacts, shade = {}, 10 * len(self.past) % 200
        for number in range(1, variations + 1):
            suffix = "" if number == 1 else f":{number}"
            artifacts["layer" + suffix] = self.keep(picture(width, height, shade + number))
            artifacts["thumbnail" + suffix] = self.keep(picture(16, 12, shade + number))
        result = {"recipe": {"request": request, "region": region}, "grown": 0}
        job = {"id": id, "kind": "edit", "state": "finished", "artifacts": artifacts, "result": result}
        self.past.insert(0, {**job, "preview": None, "created": 1e9, "origin": origin, **told})

    def upload(self, content: bytes) -> str:
        self._require()
        return self.keep(content)

    def download(self, image: str) -> bytes:
        self._require()
        if image not in self.images:
            raise RefusedError(404, {"code": "image_not_found", "message": "There is no such picture."})
        return self.images[image]

    def submit(
        self,
        id: str,
        kind: str,
        request: Mapping[str, Any],
        priority: str = "interactive",
        unattended_seconds: float | None = None,
        origin: str = "",
    ) -> dict[str, Any]:
        self._require()
        with self._told:
            if id not in self._events:
                self._events[id] = [{"event": "queued", "sequence": 1, "time": 0.0, "reason": ""}]
                told = {"id": id, "kind": kind, "request": request, "origin": origin}
                self.submitted.append(told)
        return self.job(id)

    def job(self, id: str) -> dict[str, Any]:
        self._require()
        for job in self.submitted:
            if job["id"] == id:
                return self.told_of(job)
        raise RefusedError(404, {"code": "job_not_found", "message": f"There is no job {id}."})

    def told_of(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job that was submitted, as the server tells of it now."""
        now: dict[str, Any] = {"state": "queued", "progress": None, "error": None}
        for event in self._events[job["id"]]:
            name = event["event"]
            if name in ENDED:
                now["state"] = name
            elif name == "started":
                now["state"] = "running"
            elif name == "progressed":
                now["progress"] = event
            now["error"] = event.get("error")
        return {**job, **now}

    def resume(self, id: str, kind: str = "edit", request: Any = None) -> None:
        """A job of before this test's session."""
        self.submitted.append({"id": id, "kind": kind, "request": request or {}})
        self._events[id] = [{"event": "queued", "sequence": 1, "time": 0.0, "reason": ""}]

    def cancel(self, id: str) -> dict[str, Any]:
        self._require()
        if id not in self.cancelled:
            self.cancelled.append(id)
            number = next((i for i, job in enumerate(self.submitted) if job["id"] == id), None)
            if number is not None:
                self.tell("cancelled", number, reason="on request")
        return {"id": id}

    def events(self, id: str, after: int = 0, wait: float = 0.0) -> dict[str, Any]:
        self._require()
        with self._told:
            self._told.wait_for(lambda: len(self._events[id]) > after, 0.05)
            return {"events": self._events[id][after:], "job": {"ahead": self.ahead}}


class ScriptedEditor(PlacingEditor):
    """An open picture of 64 × 48 px. Answers at once, or with ``hold`` when ``release`` is called."""

    def __init__(self) -> None:
        self.facts: DocumentFacts | None = DocumentFacts(
            "d1", "photo.png", 64, 48, None, "Background", "layer-0"
        )
        self.captured: list[tuple[str, str, Bounds | None]] = []
        self.files: list[PictureFile] = []  # that they are written into, in step with captured
        self.inserted: list[LayerResult] = []
        self.placed_in: list[str] = []  # documents, in step with inserted
        self.selected: list[tuple[bytes, Bounds]] = []
        self.remedied: list[str] = []
        self.the_layers: list[LayerFacts] = []
        self.the_recipe: LayerRecipe | None = None
        self.pixels: dict[str, str] = {}  # document → what ``content`` says of it
        self.notes: dict[str, str] = {}  # by document
        self.undone: list[str] = []  # layers that were taken out again
        self.names: dict[str, str] = {}  # of layers that were put in
        self.refuses = ""  # what insert and capture fail with
        self.shown: LayerResult | None = None  # as a preview
        self.veiled = False
        self.redoable = False
        self.hidden: list[str] = []  # documents that it was taken away from
        self.hold = False
        self._held: list[Any] = []

    @property
    def opened(self) -> DocumentFacts:
        """The document that is open."""
        assert self.facts is not None
        return self.facts

    def change(self, **facts: Any) -> None:
        self.facts = replace(self.opened, **facts)

    def select_bounds(self, bounds: Bounds | None) -> None:
        self.change(selection=bounds)

    def activate(self, layer: str, has_recipe: bool = False) -> None:
        if self.facts is not None:
            name = self.names.get(layer, layer)
            self.facts = replace(self.facts, layer=name, active=layer, has_recipe=has_recipe)

    def release(self) -> None:
        held, self._held = self._held, []
        for call in held:
            call()

    def _answer(self, call: Any) -> None:
        if self.hold:
            self._held.append(call)
        else:
            call()

    def keep_note(self, document: str, text: str) -> None:
        self.notes[document] = text

    def note(self, document: str) -> str:
        return self.notes.get(document, "")

    def document(self) -> DocumentFacts | None:
        return self.facts

    def layers(self, document: str) -> list[LayerFacts]:
        return self.the_layers

    def capture(self, document, source, crop, file, done, failed) -> None:
        self.captured.append((document, source, crop))
        self.files.append(file)
        self.shown = None
        if self.refuses:
            reason = self.refuses
            self._answer(lambda: failed(reason))
            return
        assert self.facts is not None
        bounds = crop if crop is not None else Bounds(0, 0, self.facts.width, self.facts.height)
        shade = 100 + len(self.captured)  # every capture has other bytes
        mask = None
        if self.facts.selection is not None:
            mask = encode(bytes(bounds.width * bounds.height), Layout(bounds.extent, 1))
        of = "layer-7" if source == "layer" else source
        canvas = Extent(self.facts.width, self.facts.height)
        seen, content = picture(bounds.width, bounds.height, shade), self.content(document, source)
        capture = Capture(document, seen, mask, bounds, of, canvas, content)
        self._answer(lambda: done(capture))

    def content(self, document: str, source: str) -> str:
        return self.pixels.get(document, "")

    def show_result(self, document, result, done, failed) -> None:
        self.shown, self.veiled = result, False
        self._answer(done)

    def hide_result(self, document: str) -> None:
        self.hidden.append(document)
        self.shown = None

    def ends_redo(self, document: str) -> bool:
        return self.redoable

    def veil_result(self, document: str, veiled: bool) -> None:
        self.veiled = veiled

    def shows_result(self, document: str) -> bool:
        return self.shown is not None

    def insert(self, document, result, done, failed) -> None:
        self.shown = None
        if self.refuses:
            reason = self.refuses
            self._answer(lambda: failed(reason))
            return
        self.inserted.append(result)
        self.placed_in.append(document)
        self.the_recipe = LayerRecipe(f"layer-{len(self.inserted)}", result.name, result.recipe)
        self.names[f"layer-{len(self.inserted)}"] = result.name
        self.pixels[document] = f"with layer-{len(self.inserted)}"
        if self.facts is not None and self.facts.key == document:
            self.activate(f"layer-{len(self.inserted)}", has_recipe=True)
        self._answer(lambda: done(f"layer-{len(self.inserted)}"))

    def holds(self, document: str, layer: str) -> bool:
        return layer not in self.undone

    def recipe(self, document: str) -> LayerRecipe | None:
        return self.the_recipe

    def select(self, document, mask, bounds, canvas, done, failed) -> None:
        self.selected.append((mask, bounds))
        self._answer(done)

    def remedy(self, document: str) -> None:
        self.remedied.append(document)

    def later(self, call) -> None:
        call()
