"""What the demo does, in its order, and on which pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from palimpsest.contract import EditRequest, InversionMethod, InversionSettings, LearnRequest, Operation
from palimpsest_client import methods

PICTURES = Path(__file__).parent / "pictures"
CONCEPT, NOUN = "my-toy", "star"
CONCEPT_DRAWN = "violet-star"  # its name among the concepts of the built-in model's world
NUMBERS = (1, 2, 3, 4)
EXAMPLES = tuple(f"toy-{number}.png" for number in NUMBERS)
MASKS = tuple(f"toy-{number}-mask.png" for number in NUMBERS)
PHOTO, SELECTION, PLACE = "photo.png", "photo-selection.png", "photo-place.png"
SHOWS = "a photo of a red ball on grass"
METHODS: tuple[InversionMethod, ...] = tuple(reversed(methods.OFFERED))  # the recommended one last
FEATHER = 3  # pixels; the pictures are small
SEED = 0


@dataclass(frozen=True)
class Stop:
    """One edit of the demo. ``selection`` is a picture's name, or None for everything."""

    name: str
    operation: Operation
    should_show: str
    selection: str | None
    method: InversionMethod = InversionSettings().method
    pairs: tuple[tuple[str, str], ...] = ()
    maps: bool = False  # whether it is shown where the words are


REPLACED = f"a photo of a <{CONCEPT}> on grass"
PAIRS = (("red ball", f"<{CONCEPT}>"),)
STOPS = (
    Stop("replace", "replace", REPLACED, SELECTION, pairs=PAIRS, maps=True),
    Stop("replace-null-text", "replace", REPLACED, SELECTION, "null-text", PAIRS),
    Stop("restyle", "restyle", "an oil painting of a red ball on grass", None),
    Stop("remove", "remove", "a photo of grass", SELECTION),
    Stop("insert", "insert", "a photo of a red ball and a blue cube on grass", PLACE),
)


def label(method: InversionMethod) -> str:
    return methods.METHODS[method].label


def lesson(images: tuple[str, ...], masks: tuple[str | None, ...], model: str) -> LearnRequest:
    return LearnRequest(CONCEPT, images, NOUN, masks=masks, seed=SEED, model=model)


def request(stop: Stop, hashes: dict[str, str], model: str) -> EditRequest:
    """``hashes``: a picture's name → its id in the store."""
    return EditRequest(
        image=hashes[PHOTO],
        operation=stop.operation,
        source_prompt=SHOWS,
        target_prompt=stop.should_show,
        selection=None if stop.selection is None else hashes[stop.selection],
        model=model,
        inversion=InversionSettings(method=stop.method),
        maps=stop.maps,
        pairs=stop.pairs,
        feather=FEATHER,
        seed=SEED,
    )
