"""What GIMP's procedures are called and say, what they take and how it is judged: data, no GIMP.

Ranges are judged here: GIMP only warns of a value that it doesn't like, and goes on with another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..editor.slices import WorkError
from ..fields.control import BESIDE_APPLY, MAIN, Control
from ..fields.controls import Form
from ..fields.operations import OPERATIONS, WEIGHTS, Operation
from ..fields.settings import CONTROLS, Settings
from ..limits import LEARNING_STEPS
from ..text.wording import say

PREFIX = "plug-in-palimpsest-"
BUTTONS = "oclrs"  # letters of OK, Cancel, Load, Reset and Save in GIMP's dialog of a procedure
WINDOW = "plug-in-palimpsest"
WINDOW_OPEN = "palimpsest-window-open"  # temporary, there as long as a window is open
WINDOW_COMMAND = "palimpsest-window-command"  # what the parasites begin with in which it is told something
KINDS = ("subject", "style")
SUCCESS, CANCEL = "success", "cancel"  # how a call ends
CALLING, EXECUTION = "calling-error", "execution-error"  # by the caller's mistake, or for another reason


class Argument(NamedTuple):
    """The type of ``default`` is the argument's own; a tuple is a list of texts.

    ``called``, ``about``: keys of its label and of what it is; ``limits``: least, most; a default beyond them
    (0) leaves it to the model.
    """

    name: str
    called: str
    about: str
    default: Any
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    asked: bool = True  # in the dialog; what isn't is for scripts
    example: str = ""  # of a text: its key
    control: Control | None = None  # the panel's field that it is: says label and blurb

    @property
    def label(self) -> str:
        """Where the dialog shows a number that stands for "automatic", it says so."""
        if self.control is None:
            return say(self.called)
        shown = self.asked and self.automatic
        return f"{self.control.label} ({self.automatic.rstrip('.。')})" if shown else self.control.label

    @property
    def blurb(self) -> str:
        if self.control is None:
            return say(self.about)
        return "\n".join(filter(None, [self.control.about, self.automatic]))

    @property
    def automatic(self) -> str:
        """What leaves it to the model or the operation, in words; empty if nothing does."""
        leaves = self.control is not None and self.control.automatic
        return say("argument-automatic", n=self.default) if leaves else ""


class Procedure(NamedTuple):
    """Its texts are "menu-", "does-" and its name, and of what it returns "returns-" and that name."""

    name: str  # after PREFIX
    arguments: tuple[Argument, ...]
    operation: str = ""  # of an edit
    returns: tuple[str, str] | None = None  # kind ("layer", "double", "string"), name

    @property
    def label(self) -> str:
        """In the menu."""
        return say("menu-" + self.name)

    @property
    def title(self) -> str:
        """Of its dialog and its progress."""
        return self.label.rstrip("… ")

    @property
    def blurb(self) -> str:
        return say("does-" + self.name)

    @property
    def help(self) -> str:
        return say("does-precisely", does=self.blurb)

    @property
    def labels(self) -> dict[str, str]:
        """Of its arguments, by their names: those that are asked have a letter each that Alt leads to,
        and that none of GIMP's buttons has: of two, Alt presses neither."""
        labels = {argument.name: argument.label for argument in self.arguments}
        asked = {argument.name: argument.label for argument in self.arguments if argument.asked}
        return {**labels, **with_mnemonics(asked, BUTTONS)}


def menu_labels() -> dict[str, str]:
    """Of the window ("window") and of all procedures, by their names: each with a letter of its own."""
    procedures = {procedure.name: procedure.label for procedure in PROCEDURES}
    return with_mnemonics({"window": say("menu-window"), **procedures})


def with_mnemonics(labels: Mapping[str, str], others: str = "") -> dict[str, str]:
    """Each with a sign before the letter that Alt and it lead to, as far as there are letters left.

    ``others``: letters that belong to something else.
    """
    taken = set(others)
    marked = {}
    for name, label in labels.items():
        at = first_free(label, taken)
        marked[name] = label if at is None else mnemonic(label, at, taken)
    return marked


def first_free(label: str, taken: set[str]) -> int | None:
    places = (at for at, letter in enumerate(label) if letter.isalpha() and letter.lower() not in taken)
    return next(places, None)


def mnemonic(label: str, at: int, taken: set[str]) -> str:
    taken.add(label[at].lower())
    return f"{label[:at]}_{label[at:]}"


def text(name: str, called: str, about: str, example: str = "") -> Argument:
    return Argument(name, called, about, "", example=example)


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


SHOWS = text("shows", "first", "about-shows", "first-example")
WORD = text("word", "word", "about-word")
SEED, MODEL = of(CONTROLS["seed"]), of(CONTROLS["model"])
LAYER_RETURN = ("layer", "layer")


def edit_procedure(told: Operation) -> Procedure:
    name = told.name
    asked: tuple[Argument, ...] = (text(told.argument, "second-" + name, told.about, "example-" + name),)
    if told.asks == WEIGHTS:
        asked = WORD, Argument("emphasis", "emphasis", "about-emphasis", 0.5, (-1, 1))
    return Procedure(told.procedure or name, (SHOWS, *asked, *those(name)), name, LAYER_RETURN)


PROCEDURES = (
    *(edit_procedure(told) for told in OPERATIONS.values()),
    Procedure(
        "word-to-selection",
        (SHOWS, WORD, *those(view=True)),
        returns=("double", "selected"),
    ),
    Procedure(
        "learn-concept",
        (
            Argument("name", "name", "about-name", ""),
            Argument("kind", "kind", "about-kind", "subject", None, KINDS),
            Argument("noun", "noun", "about-noun", ""),
            Argument("files", "files", "about-files", ()),
            Argument("layers", "chosen-layers", "about-layers", False),
            Argument("selection", "this-selection", "about-selection", False),
            Argument("replace", "replace", "about-replace", False),
            Argument("accept-outliers", "odd-too", "about-odd-too", False),
            Argument("steps", "steps", "about-learning-steps", 0, LEARNING_STEPS, asked=False),
            SEED,
            MODEL,
        ),
        returns=("string", "word"),
    ),
    Procedure(
        "remember-photo",
        (SHOWS, *those(view=True)),
        returns=("double", "decibels"),
    ),
    Procedure(
        "reopen-edit",
        (),
        returns=("string", "recipe"),
    ),
    Procedure(
        "server",
        (
            Argument("address", "address", "about-address", ""),
            Argument("token", "token", "about-token", ""),
        ),
    ),
)
BY_NAME = {PREFIX + procedure.name: procedure for procedure in PROCEDURES}
SECOND = {told.argument for told in OPERATIONS.values() if told.argument}
"""Whatever the second field is called."""


def check_values(procedure: Procedure, values: Mapping[str, Any]) -> None:
    """Raises WorkError that names the first value out of its range."""
    for argument in procedure.arguments:
        value = values[argument.name]
        if argument.choices and value not in argument.choices:
            choices = ", ".join(argument.choices)
            raise WorkError(say("value-not-one", name=argument.name, value=value, choices=choices))
        if argument.limits is None or value == argument.default:
            continue
        if not argument.limits[0] <= value <= argument.limits[1]:
            least, most = argument.limits
            raise WorkError(say("value-beyond", name=argument.name, value=value, least=least, most=most))


def form_of(procedure: Procedure, values: Mapping[str, Any]) -> Form:
    """What the panel would have filled in. Raises WorkError."""
    check_values(procedure, values)
    if not values.get("word", "-").strip():
        raise WorkError(say("no-word"))
    form = Form(source_prompt=values["shows"].strip(), settings=settings_of(values))
    if not procedure.operation:
        return form
    form = replace(form, operation=procedure.operation)
    if OPERATIONS[procedure.operation].asks == WEIGHTS:
        return replace(form, weights={values["word"].strip(): values["emphasis"]})
    return form.with_operand(next(values[name] for name in SECOND if name in values))


def settings_of(values: Mapping[str, Any]) -> Settings:
    """What isn't given is as in the panel; below the least of what can be automatic stands for that."""
    told = {}
    for name, control in CONTROLS.items():
        argument = control.argument or control.key
        if argument in values:
            value = values[argument]
            told[name] = None if control.automatic and value == of(control).default else value
    return Settings(**told)
