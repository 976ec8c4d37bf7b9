"""A result that lies on the canvas to be looked at: a locked layer that goes again.

It comes and goes while GIMP's history is frozen: no step is added, none is lost, and Ctrl+Z takes back what
people did last. A parasite tells it from all other layers, also in a file that was saved meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gi.repository import Gimp
from images import RECIPE, keep, painted

MARK = "palimpsest-preview"


def lay(image: Gimp.Image, layer: Gimp.Layer) -> None:
    """Above everything, in place of the one that lies there; what was selected stays so."""
    layer.detach_parasite(RECIPE)  # it can't be edited again
    keep(layer, MARK, "1", Gimp.PARASITE_PERSISTENT)
    chosen = [one for one in image.get_selected_layers() if not is_preview(one)]
    with unrecorded(image):
        remove(image)
        image.insert_layer(layer, None, 0)
        layer.set_edit_mask(False)
        layer.set_lock_content(True)
        layer.set_lock_position(True)
        image.set_selected_layers(chosen)
    Gimp.displays_flush()


def take_away(image: Gimp.Image) -> None:
    if of(image) is not None:
        with unrecorded(image):
            remove(image)
        Gimp.displays_flush()


def veil(image: Gimp.Image, veiled: bool) -> None:
    layer = of(image)
    if layer is not None:
        with unrecorded(image):
            layer.set_visible(not veiled)
        Gimp.displays_flush()


def of(image: Gimp.Image) -> Gimp.Layer | None:
    """The preview in this picture; people may have moved it into a group."""
    return next(filter(is_preview, painted(image.get_layers())), None)


def is_preview(layer: Gimp.Layer) -> bool:
    return layer.get_parasite(MARK) is not None


def remove(image: Gimp.Image) -> None:
    for layer in list(filter(is_preview, painted(image.get_layers()))):
        image.remove_layer(layer)


@contextmanager
def unrecorded(image: Gimp.Image) -> Iterator[None]:
    """What is done within is no step of the history, and nothing that would have to be saved."""
    clean = not image.is_dirty()
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()
        if clean:
            image.clean_all()
