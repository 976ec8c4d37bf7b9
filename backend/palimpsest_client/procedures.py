"""What GIMP's procedures are called and say, what they take and how it is judged: data, no GIMP.

Ranges are judged here: GIMP only warns of a value that it doesn't like, and goes on with another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from .controls import (
    INSERT,
    METHODS,
    REMOVE,
    REPLACE,
    RESTYLE,
    REWEIGHT,
    Form,
    Settings,
)
from .editor import CANVAS, LAYER
from .limits import GUIDANCE, LEARNING_STEPS, MOST_FEATHER, MOST_GROWTH, MOST_SEED, STEPS, WORKING_SIZE
from .slices import WorkError
from .wording import say

PREFIX = "plug-in-palimpsest-"
WINDOW = "plug-in-palimpsest"
WINDOW_COMMAND = "palimpsest-window-command"  # temporary, registered by an open window
KINDS = ("subject", "style")


class Argument(NamedTuple):
    """The type of ``default`` is the argument's own; a tuple is a list of texts.

    ``limits``: least, most; a default beyond them (0) leaves it to the model.
    """

    name: str
    label: str
    blurb: str
    default: Any
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    asked: bool = True  # in the dialog; what isn't is for scripts
    example: str = ""  # of a text, by its key in the client's wording


class Procedure(NamedTuple):
    name: str  # after PREFIX
    label: str  # in the menu
    blurb: str
    arguments: tuple[Argument, ...]
    operation: str = ""  # of an edit
    returns: tuple[str, str, str] | None = None  # kind ("layer", "double", "string"), name, what it is

    @property
    def title(self) -> str:
        """Of its dialog and its progress: the label without what belongs to a menu."""
        return self.label.replace("_", "").rstrip("…")


def text(name: str, label: str, blurb: str, example: str = "") -> Argument:
    return Argument(name, label, blurb, "", example=example)


SHOWS = text("shows", "_The picture shows", "A sentence that describes the picture as it is", "first-example")
WORD = text("word", "_Word", "A word of that sentence")
GROW = Argument(
    "grow",
    "_Grow (-1: automatic)",
    "Pixels that the selection is grown by first; -1 = as the operation recommends",
    -1,
    (-1, MOST_GROWTH),
)
SOFT = Argument("soft-edge", "So_ft edge", "Width of the soft edge, in pixels", 8, (0, MOST_FEATHER))
STRUCTURE = Argument(
    "keep-structure",
    "_Keep structure",
    "0 = free, 1 = exact: how long the photo's attention is kept; 0.5 as recommended",
    0.5,
    (0, 1),
)
STRENGTH = Argument(
    "strength",
    "Stren_gth",
    "0 = gentle, 1 = strong: the changed words' weight; 0.5 as recommended",
    0.5,
    (0, 1),
)
MODEL = Argument("model", "Model", "Name of an installed model", "built-in", asked=False)
VIEW = (
    Argument("source", "Take", "'canvas' (what is visible) or 'layer'", CANVAS, None, (CANVAS, LAYER), False),
    MODEL,
    Argument("method", "Method", "How the photo is inverted", "direct", None, METHODS, False),
    Argument("steps", "Steps", "DDIM steps; 0 = as the model recommends", 0, STEPS, asked=False),
    Argument("guidance", "Guidance", "0 = as the model recommends", 0.0, GUIDANCE, asked=False),
    Argument("working-size", "Working size", "Long side it sees; 0 = its own", 0, WORKING_SIZE, asked=False),
)
SEED = Argument("seed", "Seed", "Same seed, same result", 0, (0, MOST_SEED), asked=False)
EDIT = (*VIEW, SEED)
LAYER_RETURN = ("layer", "layer", "The new layer")

PROCEDURES = (
    Procedure(
        "replace",
        "_Replace…",
        "Replace a thing in the picture by another one or by a learned concept",
        (
            SHOWS,
            text("should-show", "It should sho_w", "The sentence with the changed words", "example-replace"),
            STRUCTURE,
            STRENGTH,
            GROW,
            SOFT,
            *EDIT,
        ),
        REPLACE,
        LAYER_RETURN,
    ),
    Procedure(
        "insert",
        "_Insert…",
        "Put something new into the selection",
        (SHOWS, text("thing", "_Insert", "What to insert", "example-insert"), STRENGTH, GROW, SOFT, *EDIT),
        INSERT,
        LAYER_RETURN,
    ),
    Procedure(
        "restyle",
        "Re_style…",
        "Show the same things in another style or in a learned one",
        (
            SHOWS,
            text("style", "I_n the style of", "A style, or a learned one: '<ink>'", "example-restyle"),
            STRUCTURE,
            STRENGTH,
            GROW,
            SOFT,
            *EDIT,
        ),
        RESTYLE,
        LAYER_RETURN,
    ),
    Procedure(
        "remove",
        "Re_move…",
        "Remove what is selected; its surroundings go on",
        (SHOWS, text("thing", "What is selecte_d", "What goes", "example-remove"), GROW, SOFT, *EDIT),
        REMOVE,
        LAYER_RETURN,
    ),
    Procedure(
        "emphasise-word",
        "_Emphasise Word…",
        "Make a word of the picture's sentence count more or less",
        (
            SHOWS,
            WORD,
            Argument("emphasis", "How _much", "-1 = gone, 0 = as it is, 1 = strong", 0.5, (-1, 1)),
            STRUCTURE,
            GROW,
            SOFT,
            *EDIT,
        ),
        REWEIGHT,
        LAYER_RETURN,
    ),
    Procedure(
        "word-to-selection",
        "_Word to Selection…",
        "Select the part of the picture that a word stands for",
        (SHOWS, WORD, *VIEW),
        returns=("double", "selected", "The selected share of the picture, 0 to 1"),
    ),
    Procedure(
        "learn-concept",
        "_Learn Concept…",
        "Learn a new word from three to five pictures of one subject or style",
        (
            Argument("name", "_Name", "The new word, without brackets: small letters, digits, - and _", ""),
            Argument("kind", "Kind", "'subject' or 'style'", "subject", None, KINDS),
            Argument("noun", "It _is a", "A common noun: toy, cat, painting", ""),
            Argument("files", "Files", "Paths of pictures", ()),
            Argument("layers", "_Chosen layers", "The chosen layers are pictures too", False),
            Argument("selection", "This _selection", "What is selected is a picture too", False),
            Argument("replace", "Re_place", "Learn a word of this name anew", False),
            Argument("accept-outliers", "Odd too", "Learn even if a picture doesn't seem to fit", False),
            Argument("steps", "Steps", "0 = as recommended", 0, LEARNING_STEPS, asked=False),
            SEED,
            MODEL,
        ),
        returns=("string", "word", "The word as it is written in a sentence: '<my-toy>'"),
    ),
    Procedure(
        "remember-photo",
        "Remember _Photo…",
        "Invert the photo now, so that edits begin at once",
        (SHOWS, *VIEW),
        returns=("double", "decibels", "How well the photo is reproduced, PSNR in dB"),
    ),
    Procedure(
        "reopen-edit",
        "Re-open Layer's E_dit",
        "Fill in again what a Palimpsest layer was made with",
        (),
        returns=("string", "recipe", "The recipe of the active layer, as JSON"),
    ),
    Procedure(
        "server",
        "Ser_ver…",
        "Choose the backend: this computer's, or another one's",
        (
            Argument("address", "_Address", "As http://192.168.1.20:8391; empty = this computer", ""),
            Argument("token", "To_ken", "The token of that backend", ""),
        ),
    ),
)
BY_NAME = {PREFIX + procedure.name: procedure for procedure in PROCEDURES}
SECOND = ("should-show", "thing", "style")  # whatever the second field is called


def judged(procedure: Procedure, values: Mapping[str, Any]) -> None:
    """Raises WorkError that names the first value out of its range."""
    for argument in procedure.arguments:
        value = values[argument.name]
        if argument.choices and value not in argument.choices:
            raise WorkError(f"{argument.name} is {value!r}; it can be {' or '.join(argument.choices)}.")
        if argument.limits is None or value == argument.default:
            continue
        if not argument.limits[0] <= value <= argument.limits[1]:
            least, most = argument.limits
            raise WorkError(f"{argument.name} is {value}; it can be {least} to {most}.")


def form_of(procedure: Procedure, values: Mapping[str, Any]) -> Form:
    """What the panel would have filled in. Raises WorkError."""
    judged(procedure, values)
    if not values.get("word", "-").strip():
        raise WorkError(say("no-word"))
    form = Form(first=values["shows"].strip(), settings=settings_of(values))
    if not procedure.operation:
        return form
    form = replace(form, operation=procedure.operation)
    if procedure.operation == REWEIGHT:
        return replace(form, weights={values["word"].strip(): values["emphasis"]})
    return form.with_second(next(values[name] for name in SECOND if name in values))


def settings_of(values: Mapping[str, Any]) -> Settings:
    """0 stands for the model's own recommendation, and -1 where 0 can be meant."""
    plain = Settings()
    return Settings(
        structure=values.get("keep-structure", plain.structure),
        strength=values.get("strength", plain.strength),
        grow=values["grow"] if values.get("grow", -1) >= 0 else None,
        feather=values.get("soft-edge", plain.feather),
        source=values["source"],
        model=values["model"],
        method=values["method"],
        steps=values["steps"] if values["steps"] > 0 else None,
        guidance=values["guidance"] if values["guidance"] > 0 else None,
        working_size=values["working-size"] if values["working-size"] > 0 else None,
        seed=values.get("seed", plain.seed),
    )
