"""What a sentence says by habit that means nothing here, told on standard error before the work begins."""

from __future__ import annotations

import contextlib
import shlex
import sys

from palimpsest.cli.inventory import Inventory
from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelError
from palimpsest_client.text import habits


def tell(inventory: Inventory, model: str, *sentences: str) -> tuple[str, ...]:
    """Also with --quiet: it is a warning, not progress. Returns what was told."""
    known: tuple[str, ...] = ()
    with contextlib.suppress(ModelError):  # the backend says what is wrong with the model
        known = inventory.words(model)
    texts = tuple(habits.texts(sentences, inventory.concepts(), known))
    for text in texts:
        print(f"Notice: {text}", file=sys.stderr)
    if model == BUILT_IN and any(habits.unknown_words(sentence, known) for sentence in sentences):
        print(f"Notice: {about_the_built_in(inventory, len(known))}", file=sys.stderr)
    return texts


def about_the_built_in(inventory: Inventory, words: int) -> str:
    """What it is, and how to give another model: one that is here, or one to be had."""
    return (
        f"The built-in model is for trying Palimpsest out: it knows {words} words, of simple scenes, and no "
        f"photographs. For photos: {other_model(inventory)}."
    )


def other_model(inventory: Inventory) -> str:
    """How to give one: one that is there, or one to be had."""
    others = inventory.other_models()
    return f"--model {shlex.quote(others[0])}" if others else "palimpsest pull sd15, then --model sd15"
