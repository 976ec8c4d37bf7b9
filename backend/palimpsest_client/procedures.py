"""What GIMP's procedures are called and say, what they take and how it is judged: data, no GIMP.

Ranges are judged here: GIMP only warns of a value that it doesn't like, and goes on with another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from .controls import Form
from .limits import LEARNING_STEPS
from .operations import INSERT, REMOVE, REPLACE, RESTYLE, REWEIGHT
from .settings import BESIDE_APPLY, CONTROLS, MAIN, Control, Settings
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
    control: Control | None = None  # the panel's field that it is: says label and blurb, in its language

    @property
    def shown_label(self) -> str:
        return self.label if self.control is None else self.control.label

    @property
    def shown_blurb(self) -> str:
        if self.control is None:
            return self.blurb
        about = self.control.about
        automatic = say("argument-automatic", n=self.default) if self.control.automatic else ""
        return f"{about}\n{automatic}" if automatic else about


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

    @property
    def labels(self) -> dict[str, str]:
        """Of its arguments, by their names: those that are asked have a letter each that Alt leads to."""
        taken: set[str] = set()
        labels = {}
        for argument in self.arguments:
            label = argument.shown_label
            at = first_free(label, taken) if argument.asked else None
            labels[argument.name] = label if at is None else mnemonic(label, at, taken)
        return labels


def first_free(label: str, taken: set[str]) -> int | None:
    places = (at for at, letter in enumerate(label) if letter.isalpha() and letter.lower() not in taken)
    return next(places, None)


def mnemonic(label: str, at: int, taken: set[str]) -> str:
    taken.add(label[at].lower())
    return f"{label[:at]}_{label[at:]}"


def text(name: str, label: str, blurb: str, example: str = "") -> Argument:
    return Argument(name, label, blurb, "", example=example)


def of(control: Control) -> Argument:
    """A field of the panel as an argument. 0 leaves it to the model where 0 can't be meant, else -1 does."""
    limits, default = control.offered or control.limits, control.default
    if control.automatic and limits is not None:
        default = 0 if limits.least > 0 else -1
    default = default if control.whole or limits is None else float(default)
    name, asked = control.argument or control.key, control.where == MAIN
    return Argument(name, "", "", default, limits, control.choices, asked, control=control)


def those(operation: str = "", view: bool = False) -> tuple[Argument, ...]:
    """The panel's fields for an operation; ``view``: those of every request that looks at a photo."""
    fitting = [c for c in CONTROLS.values() if c.where != BESIDE_APPLY and (not view or is_view(c))]
    return tuple(of(control) for control in fitting if not operation or operation in control.operations)


def is_view(control: Control) -> bool:
    return control.view or control.name == "source"


SHOWS = text("shows", "The picture shows", "A sentence that describes the picture as it is", "first-example")
WORD = text("word", "Word", "A word of that sentence")
SEED, MODEL = of(CONTROLS["seed"]), of(CONTROLS["model"])
LAYER_RETURN = ("layer", "layer", "The new layer")

PROCEDURES = (
    Procedure(
        "replace",
        "_Replace…",
        "Replace a thing in the picture by another one or by a learned concept",
        (
            SHOWS,
            text("should-show", "It should show", "The sentence with the changed words", "example-replace"),
            *those(REPLACE),
        ),
        REPLACE,
        LAYER_RETURN,
    ),
    Procedure(
        "insert",
        "_Insert…",
        "Put something new into the selection",
        (SHOWS, text("thing", "Insert", "What to insert", "example-insert"), *those(INSERT)),
        INSERT,
        LAYER_RETURN,
    ),
    Procedure(
        "restyle",
        "Re_style…",
        "Show the same things in another style or in a learned one",
        (
            SHOWS,
            text("style", "In the style of", "A style, or a learned one: '<ink>'", "example-restyle"),
            *those(RESTYLE),
        ),
        RESTYLE,
        LAYER_RETURN,
    ),
    Procedure(
        "remove",
        "Re_move…",
        "Remove what is selected; its surroundings go on",
        (SHOWS, text("thing", "What is selected", "What goes", "example-remove"), *those(REMOVE)),
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
            Argument("emphasis", "How much", "-1 = gone, 0 = as it is, 1 = strong", 0.5, (-1, 1)),
            *those(REWEIGHT),
        ),
        REWEIGHT,
        LAYER_RETURN,
    ),
    Procedure(
        "word-to-selection",
        "_Word to Selection…",
        "Select the part of the picture that a word stands for",
        (SHOWS, WORD, *those(view=True)),
        returns=("double", "selected", "The selected share of the picture, 0 to 1"),
    ),
    Procedure(
        "learn-concept",
        "_Learn Concept…",
        "Learn a new word from three to five pictures of one subject or style",
        (
            Argument("name", "Name", "The new word, without brackets: small letters, digits, - and _", ""),
            Argument("kind", "Kind", "'subject' or 'style'", "subject", None, KINDS),
            Argument("noun", "It is a", "A common noun: toy, cat, painting", ""),
            Argument("files", "Files", "Paths of pictures", ()),
            Argument("layers", "Chosen layers", "The chosen layers are pictures too", False),
            Argument("selection", "This selection", "What is selected is a picture too", False),
            Argument("replace", "Replace", "Learn a word of this name anew", False),
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
        (SHOWS, *those(view=True)),
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
            Argument("address", "Address", "As http://192.168.1.20:8391; empty = this computer", ""),
            Argument("token", "Token", "The token of that backend", ""),
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
    """What isn't given is as in the panel; below the least of what can be automatic stands for that."""
    told = {}
    for name, control in CONTROLS.items():
        argument = control.argument or control.key
        if argument in values:
            value = values[argument]
            told[name] = None if control.automatic and value == of(control).default else value
    return Settings(**told)
