"""What to do next, in a shell: a backend's hint speaks to every client, here it names the option to give."""

from __future__ import annotations

from difflib import get_close_matches

from palimpsest.errors import ModelNotFoundError, PalimpsestError, Text

SAID: dict[str, str] = {
    # name of a hint that clients translate: what it is in a shell
    "other-name-or-replace": "Give --replace, or choose another name.",
    "leave-out-or-meant": "Leave it out, or give --accept-outliers.",
    "scale-down-or-raise": "Scale it down, or set PALIMPSEST_MAX_PIXELS higher.",
    "select-or-none": "Select something, or leave out --selection: then everything may change.",
    "selection-of-its-size": "Give a --selection of the picture's size.",
    "lower-or-free": "Lower --working-size, or free memory.",
    "lower-size": "Lower the working size (--working-size).",
}
MORE_WORDS = "For other words: palimpsest pull sd15, then --model sd15."
OPTIONS: dict[str, str] = {
    # field of a request that lacks something or can't be: what to give
    "source_prompt": "--shows TEXT",
    "target_prompt": "--should-show TEXT",
    "selection": "--selection, --box, --word or --alpha",
    "weights": "--weight WORD=FACTOR",
    "masks": "--mask once per picture",
    "captions": "--caption once per picture",
    "noun": "--noun NOUN",
}


def in_shell(error: PalimpsestError) -> str:
    """The error's hint, with what to give."""
    hint, name = error.hint, getattr(error.hint, "name", "")
    if name == "two-sentences":
        assert isinstance(hint, Text)
        return f"{_said(hint.values['one'])} {_said(hint.values['two'])}"
    if isinstance(error, ModelNotFoundError):
        return " ".join(filter(None, (_model(error), hint)))
    said = _said(hint)
    option = OPTIONS.get(str(error.details.get("field", "")), "")
    if not option or "--" in said:
        return said
    return f"{said.removesuffix('.')} ({option})." if said else f"Give {option}."


def _said(hint: str) -> str:
    name = getattr(hint, "name", "")
    return f"{hint} {MORE_WORDS}" if name == "nouns-known" else SAID.get(name, hint)


def _model(error: ModelNotFoundError) -> str:
    """How to get it, where it can be pulled; or the model of nearly this name."""
    from palimpsest.models.offers import OFFERS

    named = {**getattr(error.message, "values", {}), **error.details}
    asked, offered = str(named.get("model", "")), [offer.name for offer in OFFERS]
    near = get_close_matches(asked.lower(), offered, 1) if asked else []
    if asked in offered:
        return f"Get it: palimpsest pull {asked}."
    if near:
        return f"Did you mean {near[0]}? Get it: palimpsest pull {near[0]}."
    return "Get one: palimpsest pull sd15." if asked else ""
