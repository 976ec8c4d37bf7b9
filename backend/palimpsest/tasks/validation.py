"""What can be seen to be wrong in a request before a model is loaded: torch isn't imported.

The tasks ask it first of all; a shell asks it before it starts what does the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from palimpsest.contract import (
    AttentionRequest,
    Control,
    DrawRequest,
    EditRequest,
    InvertRequest,
    LearnRequest,
    Request,
    Window,
)
from palimpsest.core.learning.templates import fill
from palimpsest.core.text.tokens import PLACEHOLDER, Prompt, words_of
from palimpsest.errors import ConceptExistsError, ConceptImagesError, RequestError, SelectionError, Text
from palimpsest_client.fields.operations import NEEDED, OPERATIONS, WEIGHTS, operations_that
from palimpsest_client.text.habits import texts

STARTING = operations_that(lambda operation: operation.begins)  # what they begin from can be chosen


def require_valid(request: Request) -> None:
    """By the request alone. Raises RequestErrors, ConceptImagesError."""
    _refuse_tags([word for word in PLACEHOLDER.findall(" ".join(sentences(request))) if ":" in word])
    if isinstance(request, EditRequest):
        _refuse_edit(request)
    if isinstance(request, (EditRequest, DrawRequest)):
        _refuse_loras_twice([one.name for one in request.loras])
    if isinstance(request, LearnRequest):
        _refuse_lesson(request)
    if isinstance(request, AttentionRequest):
        words_of(request.source_prompt).find(request.word)


class Concepts(Protocol):
    """A library of learned words, here or elsewhere."""

    def card(self, name: str) -> object:
        """Raises ConceptNotFoundError, ConceptFileError."""
        ...

    def has(self, name: str) -> bool: ...


def require_concepts(request: Request, concepts: Concepts) -> None:
    """By the learned words there are. Raises ConceptNotFoundError, ConceptExistsError, ConceptFileError."""
    for name in PLACEHOLDER.findall(" ".join(sentences(request))):
        concepts.card(name[1:-1])
    if not isinstance(request, LearnRequest):
        return
    if not request.replace and concepts.has(request.name):
        raise ConceptExistsError(
            Text("concept-there", name=request.name), Text("other-name-or-replace"), name=request.name
        )
    if request.start is not None:
        concepts.card(request.start)


def _refuse_tags(words: Sequence[str]) -> None:
    """What other tools write between a concept's brackets, such as <lora:name:1>."""
    told = texts(words, (), ())
    if told:
        raise RequestError(told[0])


def sentences(request: Request) -> tuple[str, ...]:
    """What a model is to read."""
    if isinstance(request, EditRequest):
        return request.source_prompt, request.target_prompt
    if isinstance(request, (InvertRequest, AttentionRequest)):
        return (request.source_prompt,)
    if isinstance(request, DrawRequest):
        return (request.prompt,)
    return ()


def target_of(request: EditRequest) -> str:
    """What the picture should show; where words are weighed the same as it shows, unless said otherwise."""
    known = OPERATIONS[request.operation]
    if request.target_prompt.strip() or known.wordless:
        return request.target_prompt
    if known.asks == WEIGHTS:
        return request.source_prompt
    raise RequestError(
        "What the picture should show is missing.", "Give a target description.", field="target_prompt"
    )


def _refuse_edit(request: EditRequest) -> None:
    known = OPERATIONS[request.operation]
    if request.selection is None and known.selection == NEEDED:
        raise SelectionError(
            f"{request.operation} needs a selection.", "Select what it should act on.", field="selection"
        )
    for name, window in [*windows_of(request.control).items(), *listed(request)]:
        if window[0] > window[1]:
            raise RequestError(
                f"{name} runs from {window[0]} to {window[1]}.",
                "It begins at an earlier part of the steps than it ends, such as from 0.2 to 0.8.",
            )
    if not request.source_prompt.strip() and not known.wordless:
        raise RequestError(
            "The picture isn't described.",
            "Say what it shows: 'a photo of a cat on grass'.",
            field="source_prompt",
        )
    if request.draft and request.maps:
        raise RequestError("A draft has no maps of words.", "Ask for maps, or for a draft.")
    if request.windows and (request.variations > 1 or not request.draft):
        raise RequestError(
            "Several windows at once are for a draft of one variation.", "Ask for a draft, or for one window."
        )
    if not known.begins and (request.begin_from, request.freedom) != ("automatic", None):
        raise RequestError(
            f"{request.operation} begins from the photo, and nothing else can be chosen.",
            f"Leave out begin_from and freedom: they are for {' and '.join(STARTING)}.",
            field="begin_from",
        )
    if request.begin_from in ("view", "drawing") and request.selection is None:
        raise SelectionError(
            "Nothing is selected for the subject's picture to be laid in.",
            "Select where it should be, or choose another start.",
            field="selection",
        )
    if request.reflection is not None:
        _refuse_reflection(request)
    if known.asks == WEIGHTS and not request.weights:
        raise RequestError(
            "No word is given a weight.", "Name a word and its factor: 1 is as it is.", field="weights"
        )
    refuse_unknown_words(request, words_of(request.source_prompt), words_of(target_of(request)))


def _refuse_loras_twice(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RequestError(
            f"The LoRA {twice} is named twice.",
            "Name it once, with the strength that it should have.",
            field="loras",
        )


def _refuse_reflection(request: EditRequest) -> None:
    if request.operation != "replace" or not request.reflect:
        raise RequestError(
            "A mirror is shown for what replaces something alone, and only where it is to be reflected.",
            "Leave its mask out.",
            field="reflection",
        )
    if request.selection is None:
        raise SelectionError(
            "A mirror is shown, and nothing is selected.",
            "Select the thing and its image in the mirror.",
            field="selection",
        )


def refuse_unknown_words(request: EditRequest, source: Prompt, target: Prompt) -> None:
    """Words that are named and aren't there."""
    control = request.control
    for word, other in request.pairs:
        source.find(word)
        target.find(other)
    for word in (*request.weights, *control.cross_words):
        target.find(word)
    for word in (*control.blend_include, *control.blend_exclude):
        if not source.contains(word):
            target.find(word)


def windows_of(control: Control) -> dict[str, Window]:
    named = {"cross": control.cross, "self_attention": control.self_attention}
    words = {f"cross_words.{word}": window for word, window in control.cross_words.items()}
    return {**{name: window for name, window in named.items() if window is not None}, **words}


def listed(request: EditRequest) -> list[tuple[str, Window]]:
    """The windows of ``windows``, by name."""
    named = [
        (f"windows.{place}.{name}", window)
        for place, windows in enumerate(request.windows)
        for name, window in (("cross", windows.cross), ("self_attention", windows.self_attention))
    ]
    return [(name, window) for name, window in named if window is not None]


def _refuse_lesson(request: LearnRequest) -> None:
    if not request.noun.strip():
        raise RequestError(
            "What the pictures show has no common noun.", "Give one: toy, cat, painting.", field="noun"
        )
    if request.masks and len(request.masks) != len(request.images):
        raise RequestError(
            f"{len(request.masks)} masks were given for {len(request.images)} pictures.", field="masks"
        )
    if request.captions and len(request.captions) != len(request.images):
        raise RequestError(
            f"{len(request.captions)} captions were given for {len(request.images)} pictures.",
            field="captions",
        )
    for caption in request.captions:
        if caption is not None:
            fill(caption, f"<{request.name}>")
    _refuse_same_pictures(request.images)


def _refuse_same_pictures(images: Sequence[str]) -> None:
    for number, image in enumerate(images):
        first = images.index(image)
        if first != number:
            raise ConceptImagesError(
                f"Picture {number + 1} is the same file as picture {first + 1}.",
                "Leave it out, or give another one.",
                duplicates=[first, number],
            )
