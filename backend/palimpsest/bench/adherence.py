"""Does a picture show what its prompt says? Claims taken from the caption, answers from the judge.

What a prompt leaves unsaid is not asked, and neither is colour in a style that has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from palimpsest.bench.statistics import Rate, rate
from palimpsest.builtin.grammar import Description, Mention, caption, fits, parse
from palimpsest.builtin.judge_answers import View
from palimpsest.scenes.scene import TEST_SEEDS, sample_scene
from palimpsest.scenes.things import STYLES, Animal, Scene, Solid, Thing
from palimpsest.scenes.truth import COLOURLESS, name_of

MOST_FOUND = 6  # things that are weighed against a prompt; the likeliest ones
CLAIMS = ("colour", "texture", "hair", "shirt", "trousers")


@dataclass(frozen=True)
class Stratum:
    """A group of prompts; ``share`` of them all."""

    name: str
    share: float
    counts: tuple[int, ...]
    style: str = "photo"
    kinds: tuple[str, ...] = ("solid", "person", "animal", "mirror")


STRATA = (
    Stratum("one thing", 0.18, (1,)),
    Stratum("two things", 0.18, (2,)),
    Stratum("three things", 0.12, (3,)),
    Stratum("people", 0.12, (1, 2), kinds=("person",)),
    *(Stratum(style, 0.10, (1,), style) for style in STYLES if style != "photo"),
)


@dataclass(frozen=True)
class Case:
    """One prompt and the scene it was worded from."""

    stratum: str
    prompt: str
    scene: Scene


@dataclass(frozen=True)
class Claim:
    """One thing the prompt says, and whether the picture shows it."""

    what: str  # "thing", one of CLAIMS, "plain", "count", "ground" or "style"
    right: bool


@dataclass(frozen=True)
class Verdict:
    """All claims of one prompt.

    "plain" (no texture was said, and none is shown) is reported but doesn't count towards ``right``.
    """

    claims: tuple[Claim, ...]

    @property
    def right(self) -> bool:
        return all(claim.right for claim in self.claims if claim.what != "plain")

    def of(self, what: str) -> list[bool]:
        return [claim.right for claim in self.claims if claim.what == what]


def plan(prompts: int, seed: int = 0) -> list[Case]:
    """About ``prompts`` cases on test seeds from ``seed`` on, in the proportions of ``STRATA``."""
    cases = []
    seeds = iter(TEST_SEEDS[seed:])
    for stratum in STRATA:
        for number in range(max(1, round(prompts * stratum.share))):
            count = stratum.counts[number % len(stratum.counts)]
            scene = sample_scene(next(seeds), count=count, style=stratum.style, kinds=stratum.kinds)
            cases.append(Case(stratum.name, caption(scene), scene))
    return cases


def assess(case: Case, view: View) -> Verdict:
    """Hold what the judge sees against the prompt."""
    description = visible(parse(case.prompt))
    things = [found.reading.thing for found in sorted(view.found, key=lambda found: -found.score)][
        :MOST_FOUND
    ]
    slots = [mention for mention in description.mentions for _ in range(mention.count)]
    claims = [claim for slot, thing in match(slots, things) for claim in claims_of(slot, thing)]
    claims.append(Claim("count", len(view.found) == description.count))
    if description.ground is not None:
        claims.append(Claim("ground", view.ground.word == description.ground))
    if description.style is not None:
        claims.append(Claim("style", view.style.word == description.style))
    return Verdict(tuple(claims))


def visible(description: Description) -> Description:
    """The description without the colours that its style can't show."""
    if description.style not in COLOURLESS:
        return description
    bare = [replace(m, colour=None, hair=None, shirt=None, trousers=None) for m in description.mentions]
    return replace(description, mentions=tuple(bare))


def match(slots: Sequence[Mention], things: Sequence[Thing | None]) -> list[tuple[Mention, Thing | None]]:
    """Give each slot another thing, or None, so that as much as can be is right; nouns weigh most."""
    padded = [*things, *[None] * len(slots)]
    worths = [[_worth(slot, thing) for thing in padded] for slot in slots]

    def worth(order: tuple[int, ...]) -> int:
        return sum(row[i] for row, i in zip(worths, order, strict=True))

    best = max(permutations(range(len(padded)), len(slots)), key=worth)
    return [(slot, padded[i]) for slot, i in zip(slots, best, strict=True)]


def _worth(slot: Mention, thing: Thing | None) -> int:
    if thing is None:
        return 0
    return 1 + sum(10 if claim.what == "thing" else 2 for claim in claims_of(slot, thing) if claim.right)


def claims_of(slot: Mention, thing: Thing | None) -> list[Claim]:
    """What a slot says of the thing that stands for it; nothing is right of a missing thing."""
    claims = [Claim("thing", thing is not None and fits(Mention(slot.noun), thing))]
    for what in CLAIMS:
        said = getattr(slot, what)
        if said is not None:
            claims.append(Claim(what, getattr(thing, what, None) == said))
    if slot.texture is None and isinstance(thing, Solid | Animal) and name_of(thing) != "tiger":
        claims.append(Claim("plain", thing.texture == "plain"))
    return claims


ALL = "all prompts"
COLUMNS: Mapping[str, str] = {
    "thing": "shape", "colour": "colour", "texture": "texture", "plain": "plain left plain", "hair": "hair",
    "shirt": "shirt colour", "trousers": "trousers", "count": "count", "ground": "ground", "style": "style",
}  # fmt: skip
"""Kinds of claims as the report calls them."""


def cells(cases: Sequence[Case], verdicts: Sequence[Verdict]) -> dict[str, dict[str, Rate]]:
    """Rates by stratum, and within it by what is claimed; "all right" is every claim of a prompt at once."""
    both = list(zip(cases, verdicts, strict=True))
    table = {ALL: rates([verdict for _, verdict in both])}
    for stratum in STRATA:
        table[stratum.name] = rates([verdict for case, verdict in both if case.stratum == stratum.name])
    return table


def rates(verdicts: Sequence[Verdict]) -> dict[str, Rate]:
    claims = {name: rate(right for v in verdicts for right in v.of(what)) for what, name in COLUMNS.items()}
    return {"all right": rate(v.right for v in verdicts)} | claims
