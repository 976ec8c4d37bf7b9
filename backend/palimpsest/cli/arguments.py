"""Options that several commands share, and how their values are written."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from palimpsest.cli.remote import add_server
from palimpsest.contract import BUILT_IN, InversionSettings, LoraUse, Window
from palimpsest.errors import RequestError
from palimpsest.parser import number
from palimpsest_client.fields.control import PIXELS, Control
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.fields.settings import CONTROLS
from palimpsest_client.methods import depending_on
from palimpsest_client.text.wording import say

REPORTING = {
    "--json": "print one JSON object on standard output, also of an error",
    "--quiet": "no progress and no remarks; results, notices and errors are told all the same",
}
PANELS = {operation.called: operation.name for operation in OPERATIONS.values() if operation.called}
"""Operations by what the panels call them."""


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=BUILT_IN,
        metavar="MODEL",
        help="name or path of a Stable Diffusion 1.x, 2.x or SDXL model: a folder in the diffusers layout or "
        "a .safetensors checkpoint (default: the built-in model)",
    )
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: the fastest)")
    parser.set_defaults(model_needed=True)


def add_loras(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lora",
        type=lora,
        action="append",
        default=[],
        metavar="NAME[:STRENGTH]",
        help="a LoRA for what is made: palimpsest loras lists them. From -2 to 2: 1 is as it was trained "
        "(default), 0 none",
    )


def lora(text: str) -> LoraUse:
    """Raises RequestError."""
    name, colon, strength = text.rpartition(":")
    if not colon:
        return LoraUse(text)
    try:
        return LoraUse(name, float(strength))
    except ValueError as error:
        raise RequestError(f"{strength!r} is no strength of a LoRA.", "Write --lora NAME:0.8.") from error


def add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--local",
        action="store_true",
        help="do it in this process, even if a server runs",
    )
    add_server(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="where results go (default: here)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")


def add_finish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep-format",
        action="store_true",
        help="write the result also as a JPEG, WebP or TIFF, as the photo is one, with its metadata",
    )
    parser.add_argument("--open", action="store_true", help="show the result with the desktop's own viewer")


def add_reporting(parser: argparse.ArgumentParser) -> None:
    """What every command has, and where its parser has it already, it stays."""
    for option, about in REPORTING.items():
        if option not in parser._option_string_actions:
            parser.add_argument(option, action="store_true", help=about)


def add_inversion(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how the photo is remembered")
    add_controls(group, *controls_in("inversion"))
    only = " and ".join(depending_on("inner_steps"))
    group.add_argument("--inner-steps", type=int, default=10, metavar="N", help=f"{only} only (default: 10)")


def controls_in(*groups: str) -> list[str]:
    """Names of the panel's fields that a request has in this part of it; of itself if none is said."""
    fields = CONTROLS.items()
    return [name for name, control in fields if control.request and control.request[:-1] == groups]


EDIT = tuple(name for name in controls_in() if name not in ("model", "mirror"))  # with options of their own


def add_controls(group: argparse.ArgumentParser | argparse._ArgumentGroup, *names: str) -> None:
    """Fields of the panel as options, as their table describes them."""
    for name in names:
        control = CONTROLS[name]
        group.add_argument(
            "--" + (control.option or control.key),
            dest=name,
            default=control.default,
            type=_type_of(control),
            choices=control.choices or None,
            metavar=_metavar(control),
            help=_help(control),
        )


def _type_of(control: Control) -> Callable[[str], Any]:
    if control.window:
        return window
    return str if control.limits is None else int if control.whole else float


def _metavar(control: Control) -> str | None:
    if control.choices:
        return None
    return "PART" if control.window else "PIXELS" if control.unit == PIXELS else "N"


def _help(control: Control) -> str:
    """A window's default is the operation's: the shell has no slider for it."""
    automatic = (
        say("automatic-operation" if control.window else control.automatic) if control.automatic else ""
    )
    ranged = (
        "" if control.limits is None or control.window else f"{control.limits[0]} to {control.limits[1]}. "
    )
    about = control.about.replace("\n", ". ")
    return f"{about}. {ranged}{automatic or f'Default: {control.default}.'}".replace("%", "%%")


def inversion_settings(options: argparse.Namespace) -> InversionSettings:
    return InversionSettings(
        inner_steps=options.inner_steps, **{name: getattr(options, name) for name in controls_in("inversion")}
    )


def window(text: str) -> Window:
    """``0.8`` is from the first step to 80 % of them; ``0.2:0.8`` begins later."""
    begin, _, end = text.rpartition(":")
    return number(begin) if begin else 0.0, number(end)


def pair(text: str, form: str = "OLD=NEW") -> tuple[str, str]:
    """``cat=<my-toy>``."""
    left, sign, right = text.partition("=")
    if not sign or not left.strip() or not right.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form {form}")
    return left.strip(), right.strip()


def operation(text: str) -> str:
    """By its name, or by that on the panels' button where that is another word."""
    return PANELS.get(text, text)


def weight(text: str) -> tuple[str, float]:
    """``snow=2``."""
    word, factor = pair(text, "WORD=FACTOR")
    return word, number(factor)


def word_window(text: str) -> tuple[str, Window]:
    """``snow=0.4``."""
    word, part = pair(text, "WORD=PART")
    return word, window(part)
