"""What a sentence says by habit that means nothing here, told on standard error before the work begins."""

from __future__ import annotations

import contextlib
import sys

from palimpsest.cli.backend import require_model
from palimpsest.errors import ModelError
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
    return told
