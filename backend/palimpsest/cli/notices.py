"""What a sentence says by habit that means nothing here, told on standard error before the work begins."""

from __future__ import annotations

import contextlib
import shlex
import sys

from palimpsest.cli.backend import require_model
from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelError
from palimpsest.models.catalog import installed
from palimpsest.settings import Settings
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest_client import habits


def tell(settings: Settings, model: str, *sentences: str) -> tuple[str, ...]:
    """Also with --quiet: it is a warning, not progress. Returns what was told."""
    known: tuple[str, ...] = ()
    with contextlib.suppress(ModelError):  # the backend says what is wrong with the model
        known = require_model(model, settings).words
    concepts = ConceptLibrary(settings.folders.concepts).names()
    told = tuple(habits.texts(sentences, concepts, known))
    for text in told:
        print(f"Notice: {text}", file=sys.stderr)
    if model == BUILT_IN and any(habits.unknown_words(sentence, known) for sentence in sentences):
        print(f"Notice: {about_the_built_in(settings, len(known))}", file=sys.stderr)
    return told


def about_the_built_in(settings: Settings, words: int) -> str:
    """What it is, and how to give another model: one that is here, or one to be had."""
    others = [name for name in installed(settings.folders.models, settings.model_folders) if name != BUILT_IN]
    give = f"--model {shlex.quote(others[0])}" if others else "palimpsest pull sd15, then --model sd15"
    return (
        f"The built-in model is for trying Palimpsest out: it knows {words} words, of simple scenes, and no "
        f"photographs. For photos: {give}."
    )
