"""What the panel needs from an editor: facts about the open picture, its pixels, and a place for results.

Each plug-in's ``host.py`` derives from ``Editor``, and does what raises NotImplementedError here. All of it
is called on the editor's own thread, nothing in it may block that thread for more than 50 ms, and ``done``
and ``failed`` are called on it too, later. ``failed`` gets a sentence for people. When the document was
closed meanwhile, ``failed`` says so.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Callable, List

from ..text.wording import say
from .geometry import Bounds, Extent
from .picture_file import PictureFile
from .slices import WorkError

CANVAS = "canvas"  # what the user sees: all layers together
LAYER = "layer"  # the active layer, without what lies above and below

SESSION = secrets.token_hex(6)  # of this process

Failed = Callable[[str], None]


@dataclass(frozen=True)
class DocumentFacts:
    """The open picture as far as the panel shows it. Cheap to read (< 1 ms): asked several times a second."""

    key: str  # names an open document; stable while it is open, never used again for another
    name: str
    width: int  # px
    height: int
    selection: Bounds | None  # clipped to the canvas; None = nothing is selected
    layer: str  # the active layer's name
    active: str = ""  # and what LayerRecipe.layer calls it; "" = there is none
    refusal: str = ""  # why this document can't be edited ("This picture is CMYK. …"); "" = it can
    remedy: str = ""  # the button that would help ("Make an RGB copy"); "" = there is none
    has_recipe: bool = False  # the active layer was made by Palimpsest
    file: str = ""  # path of the document's file: sentences are kept by it; "" = never saved
    mark: str = ""  # of what is selected: another for another shape of the same bounds


@dataclass(frozen=True)
class LayerFacts:
    """One layer that a concept could be learned from."""

    source: str  # what ``capture`` takes for it
    name: str
    selected: bool = False  # chosen in the editor's own list of layers


@dataclass(frozen=True)
class Capture:
    """Pixels of a document, ready to be sent."""

    document: str  # DocumentFacts.key
    image: bytes  # PNG in sRGB, 8 or 16 bit as the document's depth needs
    selection: bytes | None  # grey PNG of the same size: 0 = keep, white = edit; None = nothing selected
    bounds: Bounds  # where ``image`` lies on the canvas
    source: str = CANVAS  # or the LayerFacts.source of the one layer that was read
    canvas: Extent | None = None  # the size of all of it
    content: str = ""  # what ``Editor.content`` says as long as these pixels are seen
    arrived: Callable[[], str] = str  # ``image``'s id where the backend has it already, else ""; may wait


@dataclass(frozen=True)
class LayerResult:
    """What becomes a layer: transparent where nothing was edited."""

    image: bytes  # PNG with alpha, 8 or 16 bit
    bounds: Bounds  # where it belongs on the canvas; the image has this size
    name: str  # of the layer
    recipe: str  # JSON text, kept with the layer and given back by ``Editor.recipe``
    content: Bounds  # the part of ``bounds`` that isn't empty: as large as the layer need be
    updates: str | None = None  # LayerRecipe.layer to be changed in place; gone or None = a new layer
    source: str = CANVAS  # what it was made from: Capture.source, or LAYER for the active one
    canvas: Extent | None = None  # Capture.canvas; None = it wasn't told

    @property
    def covered(self) -> Bounds:
        """The part of the canvas that its layer covers."""
        return self.content.intersect(self.bounds)


@dataclass(frozen=True)
class LayerRecipe:
    """The recipe in the active layer."""

    layer: str  # names the layer for ``LayerResult.updates``
    name: str  # as people see it
    text: str  # LayerResult.recipe


def require_fit(now: Extent, bounds: Bounds, before: Extent | None) -> None:
    """A result is laid only over a canvas like the one it was made from: after a crop or another scaling
    it would lie in the wrong place. Raises WorkError.

    ``now``: the canvas; ``bounds``: where the result belongs; ``before``: LayerResult.canvas.
    """
    if (before is not None and before != now) or not now.bounds.contains(bounds):
        was = bounds.extent if before is None else before
        raise WorkError(say("canvas-changed", before=_size(was), now=_size(now)))


def _size(extent: Extent) -> str:
    return f"{extent.width} × {extent.height}"


class Editor:
    """Krita or GIMP as the panel sees it. Every method is the host's to write."""

    noted = ""  # what people should know of the layer that was put in last

    def session(self) -> str:
        """Names this run of the editor: with it a DocumentFacts.key is used for one picture only, ever.

        What is returned here fits an editor that the plug-in ends with.
        """
        return SESSION

    def keep_note(self, document: str, text: str) -> None:
        """Keep a text with this document for as long as it is open, in no file and as no step in the history:
        what is filled in for it, should the panel be closed meanwhile.

        An editor that the plug-in ends with need not: the panel itself outlives its window there.
        """

    def note(self, document: str) -> str:
        """What was kept last; "" = nothing."""
        return ""

    def document(self) -> DocumentFacts | None:
        """The active document; None = no picture is open."""
        raise NotImplementedError

    def layers(self, document: str) -> List[LayerFacts]:
        """The document's layers that hold pixels, topmost first."""
        raise NotImplementedError

    def capture(
        self,
        document: str,
        source: str,
        crop: Bounds | None,
        file: PictureFile,
        done: Callable[[Capture], None],
        failed: Failed,
    ) -> None:
        """Read pixels into ``file``: CANVAS, LAYER or a LayerFacts.source; ``crop`` = only this part of the
        canvas.

        Reads tile by tile on the editor's timer and encodes on a worker thread. A layer gives its own
        extent, clipped to the canvas and ``crop``. The selection is read as it is when that begins, at the
        timer's next turn after the call.
        """
        raise NotImplementedError

    def content(self, document: str, source: str) -> str:
        """Of the pixels that ``capture`` would read of CANVAS or LAYER: another text for other pixels, as far
        as that can be told in passing. Asked once a second while what was captured is remembered."""
        raise NotImplementedError

    def insert(self, document: str, result: LayerResult, done: Callable[[str], None], failed: Failed) -> None:
        """One layer, masked, one undo step. ``done`` gets what ``LayerRecipe.layer`` will be for it.

        It lies directly above ``source``: a layer (the active one, if that is gone), or everything, so that
        what is seen is what the backend made. A canvas that isn't as large as it was, so that the result
        could lie in the wrong place, is refused (``require_fit``).

        One that is updated keeps its place and all that people did to it (``imprints``): name, move, opacity,
        mode, visibility, label, locks, masks and filters. Where that can't be, because its pixels themselves
        were changed, it stays, the result lies above it, and ``noted`` says so when ``done`` is called.
        """
        raise NotImplementedError

    def show_result(
        self, document: str, result: LayerResult, done: Callable[[], None], failed: Failed
    ) -> None:
        """Lay it over everything to be looked at: a locked layer that isn't active, in place of the one that
        is shown, with as few steps in the history as the editor allows. Refused as by ``insert``.

        ``capture`` and ``insert`` take it away before they begin.
        """
        raise NotImplementedError

    def hide_result(self, document: str) -> None:
        """Take away what ``show_result`` laid there, or what a file that was saved meanwhile kept of it."""
        raise NotImplementedError

    def ends_redo(self, document: str) -> bool:
        """Whether people could redo something that ``show_result`` would end: asked of the active document,
        before it is called. What else is undone of a preview that went is no such thing."""
        return False

    def veil_result(self, document: str, veiled: bool) -> None:
        """Hide what is shown without taking it away, or let it be seen again. No step in the history."""
        raise NotImplementedError

    def shows_result(self, document: str) -> bool:
        """Whether what ``show_result`` laid there is still there. Cheap."""
        raise NotImplementedError

    def holds(self, document: str, layer: str) -> bool:
        """Whether this layer (as ``LayerRecipe.layer``) is in the document now: not undone, not removed, not
        closed with it. Cheap."""
        raise NotImplementedError

    def recipe(self, document: str) -> LayerRecipe | None:
        """Of the active layer; None = Palimpsest didn't make it."""
        raise NotImplementedError

    def select(
        self,
        document: str,
        mask: bytes,
        bounds: Bounds,
        canvas: Extent | None,
        done: Callable[[], None],
        failed: Failed,
    ) -> None:
        """Replace the selection by ``mask``, a grey PNG that lies at ``bounds`` on a ``canvas`` of this size.

        Another canvas is refused, as by ``insert``.
        """
        raise NotImplementedError

    def remedy(self, document: str) -> None:
        """Do what ``DocumentFacts.remedy`` offers."""
        raise NotImplementedError

    def later(self, call: Callable[[], None]) -> None:
        """Run ``call`` on the editor's next idle turn."""
        raise NotImplementedError
