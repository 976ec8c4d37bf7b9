"""Whether a model of few words knows what a request rests upon: asked before anything slow.

Where it knows none of these words, nothing of what was meant can come out. Where it knows some, that is told
as a notice. Only the shell refuses: the panels mark such words before *Apply*, and the API tells of them.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Collection, Sequence

from palimpsest.cli.inventory import Inventory
from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelError, RequestError
from palimpsest_client.text.sentences import CONCEPT, QUIET, changes, plain, telling, words

Words = Sequence[str]
ACCEPT = "--accept-unknown-words"


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(ACCEPT, action="store_true", help="go on even if the model knows none of the words")


def require_known(inventory: Inventory, options: argparse.Namespace, groups: Collection[Words]) -> None:
    """``groups``: words of which at least one must be known, or a learned one. Raises RequestError."""
    if options.accept_unknown_words:
        return
    with contextlib.suppress(ModelError):  # the backend says what is wrong with the model
        known = inventory.words(options.model)
        for group in groups:
            if known and group and not any(_is_known(word, known) for word in group):
                raise RequestError(
                    _refusal(options.model, group), _what_to_do(inventory, options.model, known)
                )


def _is_known(word: str, known: Collection[str]) -> bool:
    return CONCEPT.match(word) is not None or plain(word) in known


def _refusal(model: str, unknown: Words) -> str:
    named = "The built-in model" if model == BUILT_IN else f"The model {model}"
    return f"{named} knows none of the words that this rests upon: {', '.join(unknown)}."


def _what_to_do(inventory: Inventory, model: str, known: Collection[str]) -> str:
    from palimpsest.cli.notices import other_model
    from palimpsest.core.text.tokens import nouns_in

    knows = f"It knows {len(known)} words, such as {', '.join(nouns_in(known))}"
    knows += ", and no photographs." if model == BUILT_IN else "."
    return f"{knows} For others: {other_model(inventory)}. To go on all the same: {ACCEPT}."


def of_edit(options: argparse.Namespace) -> list[Words]:
    """What is looked for in the photo, the photo's sentence, and what changes or is emphasised."""
    weighed = [each.text for word, _ in options.weight for each in words(word)]
    return [options.word, telling(options.shows), weighed, changed(options.shows, options.should_show)]


def changed(shows: str, should_show: str) -> Words:
    """Of both sentences, those that stand for something. Nothing where there is one sentence alone."""
    if not (shows.strip() and should_show.strip()):
        return telling(should_show)
    found = [word.text for change in changes(shows, should_show) for word in (*change.source, *change.target)]
    return list(dict.fromkeys(word for word in found if word.lower() not in QUIET))


def of_photo(options: argparse.Namespace) -> list[Words]:
    """What is looked for in the photo, and its sentence."""
    word = options.word if isinstance(options.word, list) else [options.word]
    return [word, telling(options.shows)]
