"""What the backend remembers of the open picture, known by what was captured of it.

A photo is vouched for as long as the same is selected, the same pixels are seen and the same is said of it;
when that is so again, after an undo for instance, it is vouched for again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, Union

from ..editor.editor import CANVAS, DocumentFacts, Editor
from ..editor.geometry import Bounds, Extent
from ..editor.slices import WorkError
from ..fields.controls import Form, view_fields
from ..http.client import Client
from ..http.session import Session
from ..methods import unneeded
from .live_layer import LiveLayer
from .stream import BackendChanged, Event, LayerPlaced, PhotoRemembered

CHECK_SECONDS = 1.0  # between looks at pixels: after a change, GIMP takes up to 0.1 s for one of 8192²
MOST = 40  # photos and layers that are known, the latest


class Photo(NamedTuple):
    """What was captured."""

    document: str
    canvas: Extent
    selection: Optional[Bounds]
    mark: str  # DocumentFacts.mark
    source: str  # CANVAS, or the layer
    content: str  # Capture.content


class Layer(NamedTuple):
    """What is in hand: its pictures are on the backend."""

    document: str
    layer: str


class SourceImages(NamedTuple):
    """Pictures on the backend that an edit would be made from."""

    image: str  # sha256
    selection: Optional[str]


class RememberedPhotos:
    """``look`` at the open picture; ``changed`` is called when its pixels have become others."""

    def __init__(
        self, editor: Editor, session: Session, changed: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._editor, self._session, self._changed, self._clock = editor, session, changed, clock
        self._texts: Dict[Tuple[Union[Photo, Layer], str], str] = {}  # with what was said of it → how well
        self._bases: Dict[Photo, SourceImages] = {}
        self._seen = ("", "", "")  # document, source and content, as they were looked at last
        self._looked_at = float("-inf")

    def fidelity(self, facts: Optional[DocumentFacts], form: Form, live_layer: Optional[LiveLayer]) -> str:
        """How well what Apply would be made from is remembered; "" = it isn't, as far as that is known."""
        if live_layer is not None:
            return self._texts.get((Layer(live_layer.document, live_layer.layer), inversion_key(form)), "")
        photo = self._photo(facts, form)
        return "" if photo is None else self._texts.get((photo, inversion_key(form)), "")

    def base(
        self, facts: Optional[DocumentFacts], form: Form, live_layer: Optional[LiveLayer]
    ) -> Optional[SourceImages]:
        """What a preview would be made from; None = it isn't on the backend."""
        if live_layer is not None:
            return SourceImages(live_layer.edit.image, live_layer.edit.selection)
        photo = self._photo(facts, form)
        return None if photo is None else self._bases.get(photo)

    def look(self, facts: Optional[DocumentFacts], form: Form) -> None:
        """At the pixels, where some of this picture are remembered."""
        if facts is None or all(photo.document != facts.key for photo in self._bases):
            return
        now, before = (facts.key, source_of(facts, form)), self._seen
        if now == before[:2] and self._clock() - self._looked_at < CHECK_SECONDS:
            return
        self._looked_at, content = self._clock(), ""
        with suppress(WorkError):  # it was closed in this moment, or holds no pixels
            content = self._editor.content(facts.key, form.settings.source)
        self._seen = (*now, content)
        if self._seen != before:
            self._changed()

    def on_event(self, event: Event) -> None:
        if isinstance(event, PhotoRemembered):
            photo = photo_of(event.facts, source_of(event.facts, event.form), event.content)
            self._note(photo, event.form, event.fidelity)
            self._seen, self._looked_at = (photo.document, photo.source, photo.content), float("-inf")
            self._session.ask(lambda client: source_images_of(client, event.job), self._have_base(photo))
        elif isinstance(event, BackendChanged):
            self._texts, self._bases, self._seen = {}, {}, ("", "", "")
        elif isinstance(event, LayerPlaced):
            self._note(Layer(event.facts.key, event.id), event.form, event.fidelity)

    def _note(self, what: Union[Photo, Layer], form: Form, text: str) -> None:
        self._texts[what, inversion_key(form)] = text
        forget_first(self._texts)

    def _have_base(self, photo: Photo) -> Callable[[SourceImages], None]:
        def have(base: SourceImages) -> None:
            self._bases[photo] = base
            forget_first(self._bases)

        return have

    def _photo(self, facts: Optional[DocumentFacts], form: Form) -> Optional[Photo]:
        """That would be captured now, as it was seen last."""
        if facts is None or self._seen[:2] != (facts.key, source_of(facts, form)):
            return None
        return photo_of(facts, *self._seen[1:])


def photo_of(facts: DocumentFacts, source: str, content: str) -> Photo:
    canvas = Extent(facts.width, facts.height)
    return Photo(facts.key, canvas, facts.selection, facts.mark, source, content)


def source_of(facts: DocumentFacts, form: Form) -> str:
    return CANVAS if form.settings.source == CANVAS else facts.active


def inversion_key(form: Form) -> str:
    """All but the pictures that has a bearing on how a photo is inverted."""
    view = {"source_prompt": form.source_prompt.strip(), **view_fields(form.settings)}
    for name in unneeded(form.settings.method):
        view["inversion"].pop(name, None)
    return json.dumps(view, sort_keys=True)


def source_images_of(client: Client, job: str) -> SourceImages:
    """Of what a job was made from."""
    request = client.job(job)["request"]
    return SourceImages(request["image"], request.get("selection"))


def forget_first(known: Dict[Any, Any]) -> None:
    while len(known) > MOST:
        del known[next(iter(known))]
