"""Describe: a picture of the built-in model's world → a caption in its grammar, as far as the judge is sure.

The caption is meant as the source prompt of an edit. What the judge doubts is left unsaid: an editor reads a
wrong word as a promise, a missing one only as less to hold on to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from operator import itemgetter

from palimpsest.builtin.grammar import Description, Mention, with_article
from palimpsest.builtin.judge import Judge
from palimpsest.builtin.judge_answers import Answer, Found, Reading, View
from palimpsest.builtin.judge_crops import Picture
from palimpsest.builtin.language import GENERAL, NUMBERS, STYLE_PHRASES, kind_and_noun, plural
from palimpsest.contract import Doubt
from palimpsest.errors import ImageUnsupportedError, Text
from palimpsest.scenes.truth import COLOURLESS

SURE = 0.7
"""Least confidence of a word that is said."""
DOUBTFUL = 0.95
"""Less sure than this, a word that is said is marked as doubtful. The network's probabilities aren't
calibrated: of such words one in eight is wrong, of the others one in three hundred (docs/judge-card.md)."""
MOST = 4  # things; the grammar's captions were never trained on more
_NUMBER_WORDS = {number: word for word, number in NUMBERS.items()}


Said = tuple[str, float]  # a word, and the judge's probability for it


@dataclass(frozen=True)
class Proposal:
    """A caption, what it claims, how sure the judge is of its least sure thing, and of each doubtful word."""

    caption: str
    description: Description
    confidence: float
    doubts: tuple[Doubt, ...] = ()


def describe(judge: Judge, picture: Picture) -> Proposal:
    """Propose a caption for ``picture``, (height, width, 3) of 8 bits."""
    return propose(judge.look([picture])[0])


def propose(view: View) -> Proposal:
    """The caption of what the judge sees. Raises ImageUnsupportedError when it doesn't know the ground."""
    if view.ground.confidence < SURE:
        raise ImageUnsupportedError(
            Text("beyond-the-built-in", word=str(view.ground), n=round(100 * view.ground.confidence)),
            Text("describe-yourself"),
        )
    found = sorted(view.found, key=lambda f: -f.score)[:MOST]
    ordered = sorted(found, key=lambda f: f.box[0] + f.box[2])
    style = view.style.word if view.style.word in STYLE_PHRASES and view.style.confidence >= SURE else None
    mentions = [mention_of(f, style) for f in ordered]
    pairs = zip(mentions, (f.reading for f in ordered), strict=True)
    runs = [list(run) for _, run in groupby(pairs, key=itemgetter(0))]
    grouped = [replace(run[0][0], count=len(run)) for run in runs]
    description = Description(tuple(grouped), ("and",) * (len(grouped) - 1), style, view.ground.word)
    of_style = [] if style is None else [(style, view.style.confidence)]
    of_things = [said_of(mention, [r for _, r in run]) for mention, run in zip(grouped, runs, strict=True)]
    said = [*of_style, *chain(*of_things), (view.ground.word, view.ground.confidence)]
    caption = say(description)
    return Proposal(caption, description, confidence_of(view, ordered), doubts_of(caption, said))


def said_of(mention: Mention, readings: Sequence[Reading]) -> list[Said]:
    """The words of a mention in their order, as sure as the least sure of its things."""
    noun = mention.noun if mention.count == 1 else plural(mention.noun)
    words = {
        "colour": mention.colour, "texture": mention.texture, "kind": noun,
        "hair": mention.hair, "shirt": mention.shirt, "trousers": mention.trousers,
    }  # fmt: skip
    return [
        (word, min(getattr(reading, head).confidence for reading in readings))
        for head, word in words.items()
        if word is not None
    ]


def doubts_of(caption: str, said: Sequence[Said]) -> tuple[Doubt, ...]:
    """The doubtful ones of ``said``, all that the caption says in its order."""
    doubts, at = [], 0
    for word, confidence in said:
        at = caption.index(word, at)
        if confidence < DOUBTFUL:
            doubts.append(Doubt(at, at + len(word), round(confidence, 4)))
        at += len(word)
    return tuple(doubts)


def mention_of(found: Found, style: str | None) -> Mention:
    """What is sure about a thing found."""
    reading, thing = found.reading, found.reading.thing
    assert thing is not None, "nothing is never found"
    kind, noun = kind_and_noun(thing)
    if reading.kind.confidence < SURE and kind in GENERAL:
        noun = GENERAL[kind]
    colourless = style in COLOURLESS
    texture = _sure(reading.texture)
    said_texture = None if texture == "plain" or noun == "tiger" else texture
    coloured = partial(_sure, hidden=colourless)
    return Mention(
        noun, 1, coloured(reading.colour), said_texture,
        coloured(reading.hair), coloured(reading.shirt), coloured(reading.trousers),
    )  # fmt: skip


def _sure(answer: Answer | None, hidden: bool = False) -> str | None:
    return None if answer is None or hidden or answer.confidence < SURE else answer.word


def confidence_of(view: View, found: Sequence[Found]) -> float:
    """The least of what the caption says of its things and its ground."""
    return min([view.ground.confidence, *(f.reading.kind.confidence for f in found)])


# --- words ----------------------------------------------------------------------------------------------


def say(description: Description) -> str:
    """A description in words: what ``grammar.parse`` reads back as the same description."""
    style = [] if description.style is None else [STYLE_PHRASES[description.style]]
    words = [phrase(mention) for mention in description.mentions]
    joined = words[:1]
    for relation, following in zip(description.relations, words[1:], strict=True):
        joined += [relation, following]
    if description.ground is not None:
        joined += ["on", description.ground] if words else [description.ground]
    return " ".join([*style, *joined])


def phrase(mention: Mention) -> str:
    """Such as "two red striped balls" or "a man with black hair in a blue shirt and green trousers"."""
    adjectives = [word for word in (mention.colour, mention.texture) if word is not None]
    one = mention.count == 1
    words = " ".join([*adjectives, mention.noun if one else plural(mention.noun)])
    counted = with_article(words) if one else f"{_NUMBER_WORDS[mention.count]} {words}"
    return " ".join([counted, *looks(mention)])


def looks(mention: Mention) -> list[str]:
    """Hair and clothes, as far as they are said."""
    words = [] if mention.hair is None else [f"with {mention.hair} hair"]
    trousers = None if mention.trousers is None else f"{mention.trousers} trousers"
    if mention.shirt is None:
        return words if trousers is None else [*words, f"in {trousers}"]
    shirt = f"in {with_article(f'{mention.shirt} shirt')}"
    return [*words, shirt if trousers is None else f"{shirt} and {trousers}"]
