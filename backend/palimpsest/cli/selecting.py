"""What of a photo may change, said without a drawing program: boxes, words, transparency, a file, the rest.

Of one kind several add up (two boxes, two words); kinds narrow each other (the cat in this box); inverting
comes last. What comes out is one grey picture, which is sent and written like a selection that was drawn.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.contract import AttentionRequest, InversionSettings
from palimpsest.errors import RequestError, SelectionEmptyError, SelectionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.cli.backend import Backend
    from palimpsest.cli.pictures import Pictures
    from palimpsest.jobs.events import Finished
    from palimpsest.storage.pictures import Picture

    Mask = NDArray[np.uint8]
    Watch = Callable[[AttentionRequest], Finished]

Box = tuple[int, int, int, int]  # left, top, width, height in pixels
FORM = "LEFT,TOP,WIDTH,HEIGHT, such as 40,30,200,150 in pixels or 10%%,20%%,50%%,50%% of the photo"


@dataclass(frozen=True)
class Length:
    """A whole number of pixels, or a share of the photo's side."""

    value: float
    share: bool

    def of(self, side: int) -> float:
        return side * self.value / 100 if self.share else self.value


@dataclass(frozen=True)
class WantedBox:
    """A box as it was written; which pixels it has depends on the photo."""

    text: str
    left: Length
    top: Length
    width: Length
    height: Length

    def on(self, size: tuple[int, int]) -> Box:
        """Edges are rounded to whole pixels. Raises SelectionError if it isn't within the photo."""
        across, down = size
        left, top = round(self.left.of(across)), round(self.top.of(down))
        right = round(self.left.of(across) + self.width.of(across))
        bottom = round(self.top.of(down) + self.height.of(down))
        where = f"The photo has {across} x {down} pixels, from 0,0 at its upper left corner."
        if right > across or bottom > down:
            raise SelectionError(f"The box {self.text} reaches beyond the photo.", where)
        if right <= left or bottom <= top:
            raise SelectionError(f"The box {self.text} is less than a pixel of this photo.", where)
        return left, top, right - left, bottom - top


@dataclass(frozen=True)
class Parts:
    """What a selection is made from. ``boxes``: in pixels. ``shows`` and ``working_size``: for words."""

    boxes: tuple[Box, ...] = ()
    words: tuple[str, ...] = ()
    alpha: bool = False
    inverted: bool = False
    file: str | None = None  # a picture's hash
    shows: str = ""
    working_size: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For the recipe: without what the request beside it says."""
        fields = {"boxes": [list(box) for box in self.boxes], "words": list(self.words), "alpha": self.alpha}
        return {**fields, "inverted": self.inverted, "file": self.file, "working_size": self.working_size}


def add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images",
        type=Path,
        nargs="+",
        metavar="IMAGE",
        help="photos, or folders of them",
    )


def add_selection(parser: argparse.ArgumentParser, default: str) -> None:
    group = parser.add_argument_group(
        "what may change",
        f"Several boxes or words add up; different options narrow each other. Default: {default}.",
    )
    group.add_argument(
        "--selection",
        type=Path,
        metavar="MASK",
        help="grey picture of the photo's size: white may change, black stays. For several photos: a folder "
        "with a file of the same name for each",
    )
    group.add_argument("--box", type=box, action="append", default=[], metavar="BOX", help=FORM)
    group.add_argument(
        "--word",
        action="append",
        default=[],
        metavar="WORD",
        help="where this word of --shows is, as 'palimpsest attention' finds it",
    )
    group.add_argument("--alpha", action="store_true", help="where the photo isn't transparent")
    group.add_argument(
        "--invert-selection",
        "--invert",
        action="store_true",
        help="what is selected stays, and the rest may change",
    )


def box(text: str) -> WantedBox:
    """Raises argparse.ArgumentTypeError for what is no box."""
    numbers = [part.strip() for part in text.split(",")]
    if len(numbers) != 4:
        said = f"{text!r} is no box: {FORM}".replace("%%", "%")
        raise argparse.ArgumentTypeError(said)
    return WantedBox(text, *(_length(number) for number in numbers))


def _length(text: str) -> Length:
    share = text.endswith("%")
    try:
        value = float(text[:-1]) if share else int(text)
    except ValueError:
        said = f"{text!r} is no whole number of pixels, and no per cent"
        raise argparse.ArgumentTypeError(said) from None
    if not 0 <= value <= (100 if share else 1 << 31):
        raise argparse.ArgumentTypeError(f"{text} lies outside of every photo")
    return Length(value, share)


def parts_of(pictures: Pictures, options: argparse.Namespace, photo: Path) -> Parts | None:
    """None where a file alone is the selection, or nothing is selected. Raises what can be seen at once."""
    if not (options.box or options.word or options.alpha):
        if not options.invert_selection:
            return None
        if options.selection is None:
            what = "Give --selection, --box, --word or --alpha."
            raise SelectionError("There is no selection to invert.", what)
    from palimpsest.core.text.tokens import require_word

    for word in options.word:
        require_word(options.shows, word)
    picture = pictures.read(photo)
    parts = Parts(
        tuple(wanted.on(picture.size) for wanted in options.box),
        tuple(options.word),
        options.alpha,
        options.invert_selection,
        pictures.name_if(file_for(options.selection, photo)),
        options.shows,
        options.working_size,
    )
    masks = _at_once(pictures, picture, parts)
    if masks:  # what a word selects is found out later
        _selected(masks, parts.inverted and not parts.words)
    return parts


def file_for(selection: Path | None, photo: Path) -> Path | None:
    """A folder stands for the file in it that is named as the photo is. Raises SelectionError."""
    if selection is None or not os.path.isdir(selection):
        return selection
    return named_as(photo, selection)


def named_as(photo: Path, folder: Path) -> Path:
    """The file in the folder that has the photo's name, of any kind. Raises SelectionError."""
    try:
        found = sorted(path for path in folder.iterdir() if path.stem == photo.stem and path.is_file())
    except OSError as error:
        raise SelectionError(f"{folder} can't be read: {error.strerror}.", "Check the folder.") from error
    if len(found) != 1:
        many = f"{len(found)} files" if found else "no file"
        one = f"One is needed: {folder / photo.stem}.png"
        raise SelectionError(f"{folder} has {many} named as {photo.name} is.", one)
    return found[0]


def parts_from(recipe: Mapping[str, Any], hashes: Sequence[str]) -> Parts | None:
    """Those of a recipe; None where its selection was a file, and for a recipe that can't say.

    Raises RequestError where its own file isn't among ``hashes``.
    """
    selection, request = recipe.get("selection"), recipe.get("request")
    if not isinstance(selection, dict) or not isinstance(request, dict):
        return None
    try:
        boxes = tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in selection["boxes"])
        words = tuple(map(str, selection["words"]))
        size = None if selection["working_size"] is None else int(selection["working_size"])
        alpha, inverted, file = bool(selection["alpha"]), bool(selection["inverted"]), selection["file"]
    except (KeyError, TypeError, ValueError) as error:
        what = f"The recipe's selection can't be read: {error}."
        raise RequestError(what, "Give the selection's file.") from error
    if file is not None and file not in hashes:
        raise RequestError("None of the files is the selection of this recipe.", f"Its sha256: {file}.")
    return Parts(boxes, words, alpha, inverted, file, str(request.get("source_prompt", "")), size)


def made(backend: Backend, pictures: Pictures, photo: Path, parts: Parts, model: str, watch: Watch) -> bytes:
    """The selection as a PNG of the photo's size. ``watch``: runs a request to its end.

    Raises SelectionEmptyError, and what reading the files and looking for a word raise.
    """
    from palimpsest.storage.png import encode

    masks = _at_once(pictures, pictures.read(photo), parts)
    if parts.words:
        size = InversionSettings(working_size=parts.working_size)
        asked = [
            AttentionRequest(pictures.name(photo), parts.shows, word, model=model, inversion=size)
            for word in parts.words
        ]
        found = [watch(request).artifacts["selection"] for request in asked]
        masks.append(_union([_grey(backend.get(image)) for image in found]))
    return encode(_selected(masks, parts.inverted))


def _at_once(pictures: Pictures, picture: Picture, parts: Parts) -> list[Mask]:
    """What is selected by anything but words, a mask for each kind."""
    masks: list[Mask] = []
    if parts.file is not None:
        masks.append(pictures.selection(pictures.named[parts.file], picture.size))
    if parts.alpha:
        masks.append(_opaque(picture))
    if parts.boxes:
        masks.append(_union([_filled(box, picture.size) for box in parts.boxes]))
    return masks


def _selected(masks: Sequence[Mask], inverted: bool) -> Mask:
    """What all of them, at least one, have in common; or the rest. Raises SelectionEmptyError."""
    import numpy as np

    mask: Mask = reduce(np.minimum, masks)
    if not mask.any():
        raise SelectionEmptyError(
            "Nothing is selected: what the options select has nothing in common.",
            "Different options narrow each other; leave one out.",
        )
    mask = 255 - mask if inverted else mask
    if not mask.any():
        raise SelectionEmptyError("Everything is selected, so nothing is left when that is inverted.")
    return mask


def _union(masks: Sequence[Mask]) -> Mask:
    import numpy as np

    return reduce(np.maximum, masks)


def _filled(box: Box, size: tuple[int, int]) -> Mask:
    import numpy as np

    left, top, width, height = box
    mask = np.zeros(size[::-1], np.uint8)
    mask[top : top + height, left : left + width] = 255
    return mask


def _opaque(picture: Picture) -> Mask:
    """How opaque each pixel is, 8 bits."""
    import numpy as np

    if picture.alpha is None:
        raise SelectionError("The photo has no transparency for --alpha.", "Give --box or --word.")
    return np.rint(picture.alpha * np.float32(255 / np.iinfo(picture.alpha.dtype).max)).astype(np.uint8)


def _grey(content: bytes) -> Mask:
    """A selection that we made ourselves, which may be empty."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))
