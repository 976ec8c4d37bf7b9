"""The small language of captions: from a scene to words, and from words to what they claim.

    caption  = [style] (group {relation group} ["on" ["the"] ground] | ["the"] ground)
    style    = "a photo of" | "an oil painting of" | "an ink wash of" | "a pixel mosaic of" | "a sketch of"
    relation = "and" | "next to" | "left of" | "right of" | "behind"
    group    = ("a" | "an" | "the" | number) {colour | texture} noun [hair] [clothes]
    hair     = "with" colour "hair"
    clothes  = "in a" colour "shirt" ["and" colour "trousers"] | "in" colour "trousers"

Things are named from left to right, save that "right of" turns the order round and "behind" names the farther
first. Everything is lower case, and every word is meant to be one token of the model.
"""

from __future__ import annotations

from itertools import pairwise, permutations

from palimpsest.builtin.captions import caption, with_article
from palimpsest.builtin.language import GENERAL, Description, GrammarError, Mention, kind_and_noun, vocabulary
from palimpsest.builtin.parsing import parse
from palimpsest.scenes.things import Scene, Thing

__all__ = [
    "Description",
    "GrammarError",
    "Mention",
    "assign",
    "caption",
    "describes",
    "fits",
    "parse",
    "vocabulary",
    "with_article",
]


def fits(mention: Mention, thing: Thing) -> bool:
    """Whether all that `mention` says is true of `thing`."""
    kind, noun = kind_and_noun(thing)
    if mention.noun not in (noun, GENERAL.get(kind)):
        return False
    return all(
        said is None or said == getattr(thing, attribute, None)
        for attribute, said in (
            ("colour", mention.colour),
            ("texture", mention.texture),
            ("hair", mention.hair),
            ("shirt", mention.shirt),
            ("trousers", mention.trousers),
        )
    )


def assign(description: Description, scene: Scene) -> tuple[tuple[int, ...], ...] | None:
    """Which things of `scene` each mention means, or None where the description is not true of the scene.

    Of several readings the one most nearly named from left to right is taken.
    """
    owners = [k for k, mention in enumerate(description.mentions) for _ in range(mention.count)]
    if len(owners) != len(scene.placed):
        return None
    best, fewest = None, None
    for order in permutations(range(len(owners))):
        parts = _parts(owners, order, len(description.mentions))
        misplaced = sum(scene.placed[a].x > scene.placed[b].x for a, b in pairwise(order))
        if _true(description, parts, scene) and (fewest is None or misplaced < fewest):
            best, fewest = parts, misplaced
    return best


def _parts(owners: list[int], order: tuple[int, ...], mentions: int) -> tuple[tuple[int, ...], ...]:
    """The things of each mention, when the things in `order` belong to the mentions in `owners`."""
    return tuple(tuple(i for j, i in zip(owners, order, strict=True) if j == k) for k in range(mentions))


def _true(description: Description, parts: tuple[tuple[int, ...], ...], scene: Scene) -> bool:
    named = all(
        fits(mention, scene.placed[i].thing)
        for mention, part in zip(description.mentions, parts, strict=True)
        for i in part
    )
    return named and all(
        _holds(relation, parts[k], parts[k + 1], scene) for k, relation in enumerate(description.relations)
    )


def _holds(relation: str, first: tuple[int, ...], second: tuple[int, ...], scene: Scene) -> bool:
    pairs = [(scene.placed[a], scene.placed[b]) for a in first for b in second]
    match relation:
        case "left of":
            return all(a.x < b.x for a, b in pairs)
        case "right of":
            return all(a.x > b.x for a, b in pairs)
        case "behind":
            return all(a.y < b.y for a, b in pairs)
        case _:
            return True


def describes(description: Description, scene: Scene) -> bool:
    """Whether everything the description says is true of the scene, and nothing in the scene is left out."""
    return (
        description.style in (None, scene.style)
        and description.ground in (None, scene.ground)
        and assign(description, scene) is not None
    )
