"""The sentences a new word is learned in (Gal et al. 2022, section 4.1 and appendix).

The word stands among others so that it becomes a noun or a style and not the whole prompt. A template
is only good where the model knows its words: one that its tokenizer spells out in pieces is left out,
so a model of few words gets few templates and CLIP's full vocabulary keeps them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from palimpsest.errors import RequestError

SUBJECT_TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "the photo of a {}",
    "a photo of one {}",
    "a close photo of a {}",
    "a clear photo of the {}",
    "a picture of a {}",
    "a picture of the {}",
    "an image of the {}",
    "a {}",
    "the {}",
)
STYLE_TEMPLATES = (
    "a painting in the style of {}",
    "a picture in the style of {}",
    "an image in the style of {}",
    "a drawing in the style of {}",
    "a scene in the style of {}",
    "a {} of a thing",
    "the {} of a thing",
    "a {} of a scene",
    "a {} picture",
    "a {}",
)


def templates_for(kind: str, tokenizers: Sequence[Any]) -> tuple[str, ...]:
    """The templates of a ``kind`` ("subject" or "style") whose every word is one token for each tokenizer."""
    chosen = STYLE_TEMPLATES if kind == "style" else SUBJECT_TEMPLATES
    known = tuple(template for template in chosen if all(_knows(t, template) for t in tokenizers))
    return known if known else ("{}",)


def fill(template: str, placeholder: str) -> str:
    """``template`` with the new word in its place; it must have exactly one ``{}``."""
    if template.count("{}") != 1:
        raise RequestError(
            f"The caption {template!r} doesn't say where the new word stands.",
            "Write {} in its place, once: 'a photo of a {} on grass'.",
        )
    return template.replace("{}", placeholder)


def _knows(tokenizer: Any, template: str) -> bool:
    words = template.replace("{}", "").split()
    return all(len(tokenizer(word, add_special_tokens=False)["input_ids"]) == 1 for word in words)
