"""Edits whose true result can be drawn: scenes that no training has seen, before and after.

Every case follows from its split and number alone. The selection is what a person would draw around the
change. A case with a concept asks for it by its learned word; the same number asks by known words for the
same things where there are such words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from palimpsest.builtin.captions import caption, in_depth
from palimpsest.builtin.language import kind_and_noun
from palimpsest.contract import Operation, Start
from palimpsest.demo.make_pictures import MARGIN, loosely
from palimpsest.scenes import edits
from palimpsest.scenes.concepts import CONCEPTS, STYLES_HELD_OUT, Concept, StyleConcept
from palimpsest.scenes.rendering import Rendering, render
from palimpsest.scenes.scene import (
    TEST_SEEDS,
    VALIDATION_SEEDS,
    kind_of,
    sample_scene,
    sample_thing,
    size_range,
)
from palimpsest.scenes.things import COLOURS, SHAPES, STYLES, Figure, Mirror, Person, Scene, Solid, Thing
from palimpsest.scenes.truth import box_of, readable, touch

SPLITS = {"development": VALIDATION_SEEDS[20_000:25_000], "test": TEST_SEEDS[20_000:25_000]}
"""Settings are chosen on development cases, reported figures come from test cases."""
TRIES = 60
"""Seeds for one case, each as far on as a split is long. So no two cases try the same one, and the splits
never meet; neither training nor its validation has any of them. Other benches may show the same scene: their
seeds, too, are among TEST_SEEDS, and what is tried last lies behind those."""
COMBINATIONS = tuple(c for c in CONCEPTS.values() if not isinstance(c.thing, Figure))
FIGURES = tuple(c for c in CONCEPTS.values() if isinstance(c.thing, Figure))
LEARNED_STYLES = tuple(STYLES_HELD_OUT.values())
_CHOICE = 41  # a stream of randomness of its own
_Make = Callable[[int, np.random.Generator], "Case"]


@dataclass(frozen=True)
class Case:
    """One edit. ``thing`` is its index in ``after``, or in ``before`` where it is removed."""

    kind: str  # one of KINDS
    operation: Operation
    before: Scene
    after: Scene
    thing: int | None
    shows: str
    should_show: str
    pairs: tuple[tuple[str, str], ...] = ()
    concept: Concept | StyleConcept | None = None  # what is asked for by its learned word
    begin_from: Start = "automatic"

    @property
    def adds(self) -> bool:
        return len(self.after.placed) > len(self.before.placed)

    @property
    def removes(self) -> bool:
        return len(self.after.placed) < len(self.before.placed)

    def drawn(self, size: int) -> tuple[Rendering, Rendering]:
        return render(self.before, size), render(self.after, size)

    def selection(self, size: int, margin: int = MARGIN) -> NDArray[np.uint8] | None:
        """(size, size), 255 = may change; None for a change of everything.

        ``margin``: pixels around the change; 0 = exactly what changes.
        """
        if self.thing is None:
            return None
        before, after = self.drawn(size)
        changed = (before.image != after.image).any(axis=-1)
        return loosely(changed, margin)


def make_case(kind: str, number: int, split: str = "test") -> Case:
    """The ``number``-th case of a kind."""
    seed = SPLITS[split][number]
    return KINDS[kind](seed, np.random.default_rng([seed, _CHOICE]))


def word_of(concept: Concept | StyleConcept) -> str:
    """As it stands in a sentence."""
    return f"<{concept.name}>"


def tried(seed: int) -> range:
    """The seeds of the scenes that a case may be of, in their order."""
    stride = len(SPLITS["test"])
    return range(seed, seed + stride * TRIES, stride)


def _scene(seed: int, fits: Callable[[Scene], bool], count: int, kinds: tuple[str, ...]) -> Scene:
    """The first photo that fits, of things of different nouns, so that a caption names each by itself."""
    for attempt in tried(seed):
        scene = sample_scene(attempt, count=count, style="photo", kinds=kinds)
        if len(set(_nouns(scene))) == count and fits(scene):
            return scene
    raise AssertionError(f"no scene of {count} different things of {kinds} near seed {seed}")


def _solids(seed: int, count: int) -> Scene:
    return _scene(seed, lambda scene: True, count, ("solid",))


def _nouns(scene: Scene) -> list[str]:
    return [kind_and_noun(placed.thing)[1] for placed in scene.placed]


def _apart(scene: Scene) -> bool:
    """Whether no thing hides another."""
    return not any(in_depth(a, b) for a in scene.placed for b in scene.placed if a is not b)


def _shapes(scene: Scene) -> list[str]:
    return [_solid(scene, i).shape for i in range(len(scene.placed))]


def _replace(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    old = _solid(before, i)
    after = edits.reshape(before, i, str(rng.choice([s for s in SHAPES if s not in _shapes(before)])))
    pair = ((old.shape, _solid(after, i).shape),)
    return Case("replace", "replace", before, after, i, caption(before), caption(after), pair)


def _recolour(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    old = _solid(before, i)
    after = edits.recolour(before, i, str(rng.choice([c for c in COLOURS if c != old.colour])))
    return Case("recolour", "replace", before, after, i, caption(before), caption(after))


def _restyle(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1)
    after = edits.restyle(before, str(rng.choice([s for s in STYLES if s != "photo"])))
    return Case("restyle", "restyle", before, after, None, caption(before), caption(after))


def _remove(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    after = edits.remove(before, i)
    return Case("remove", "remove", before, after, i, caption(before), caption(after))


def _insert(seed: int, rng: np.random.Generator) -> Case:
    """The reverse of a removal: the thing that was there is the true result. It has the last index."""
    full = _solids(seed, 2)
    i = int(rng.integers(2))
    before = edits.remove(full, i)
    after = edits.insert(before, full.placed[i])
    return Case("insert", "insert", before, after, 1, caption(before), caption(after))


def _clothes(seed: int, rng: np.random.Generator) -> Case:
    """Another shirt or other trousers; the rest of the person stays."""
    before = _scene(seed, _apart, 1 + int(rng.integers(2)), ("person",))
    i = int(rng.integers(len(before.placed)))
    person = before.placed[i].thing
    assert isinstance(person, Person)
    piece = ("shirt", "trousers")[int(rng.integers(2))]
    worn = getattr(person, piece)
    after = edits.reclothe(before, i, **{piece: str(rng.choice([c for c in COLOURS if c != worn]))})
    return Case("clothes", "replace", before, after, i, caption(before), caption(after))


def _remove_person(seed: int, rng: np.random.Generator) -> Case:
    """A passer-by beside something else."""

    def fits(scene: Scene) -> bool:
        return _apart(scene) and any(isinstance(placed.thing, Person) for placed in scene.placed)

    before = _scene(seed, fits, 2, ("solid", "person"))
    people = [i for i, placed in enumerate(before.placed) if isinstance(placed.thing, Person)]
    i = int(rng.choice(people))
    after = edits.remove(before, i)
    return Case("remove-person", "remove", before, after, i, caption(before), caption(after))


def _mirror(seed: int, rng: np.random.Generator) -> Case:
    """A thing beside a mirror becomes another of its sort, of another noun and other colours; so does its
    image in the mirror."""
    sort = ("solid", "animal", "person")[seed % 3]
    i = int(rng.integers(2))
    share = float(rng.random())

    def furnished(scene: Scene) -> Scene:
        placed = scene.placed[1 - i]
        low, high = size_range(Mirror(), 2)
        mirror = replace(placed, thing=Mirror(), y=max(placed.y, 0.8), size=low + share * (high - low))
        return replace(scene, placed=(scene.placed[0], mirror) if i == 0 else (mirror, scene.placed[1]))

    def fits(scene: Scene) -> bool:
        boxes = [box_of(body) for body in render(furnished(scene), masks=False).bodies]
        return not touch(boxes[0], boxes[1])

    before = furnished(_scene(seed, fits, 2, (sort,)))
    old = before.placed[i].thing
    new = next(thing for thing in _drawn(rng, sort) if _differs(thing, old))
    if isinstance(new, Person) and isinstance(old, Person):
        new = replace(new, skin=old.skin)  # of which sentences say nothing
    after = edits.with_thing(before, i, new)
    pair = (_nouns(before)[i], _nouns(after)[i])
    return Case("mirror", "replace", before, after, i, caption(before), caption(after), (pair,))


def _drawn(rng: np.random.Generator, sort: str) -> Iterator[Thing]:
    while True:
        yield sample_thing(rng, (sort,))


def _differs(new: Thing, old: Thing) -> bool:
    """Whether no word that says what a thing is or how it is coloured is the same."""
    a, b = (readable(thing, "photo") for thing in (new, old))
    return not any(a[head] == b[head] for head in ("kind", "colour", "shirt", "trousers") if head in a)


def _learned_style(seed: int, rng: np.random.Generator) -> Case:
    style = LEARNED_STYLES[seed % len(LEARNED_STYLES)]
    before = _solids(seed, 1 + int(rng.integers(2)))
    shows = caption(before)
    should_show = f"a {word_of(style)} of {shows.removeprefix('a photo of ')}"
    after = edits.restyle(before, style.name)
    return Case("learned-style", "restyle", before, after, None, shows, should_show, concept=style)


def _replace_by(
    kind: str, concepts: tuple[Concept, ...], learned: bool, begin_from: Start = "automatic"
) -> _Make:
    """One thing by a concept of its sort (a solid, an animal, a person), which isn't there yet."""

    def make(seed: int, rng: np.random.Generator) -> Case:
        concept = concepts[seed % len(concepts)]
        count = 1 + int(rng.integers(2))
        i = int(rng.integers(count))

        def fits(scene: Scene) -> bool:
            nouns = _nouns(scene)
            new = isinstance(scene.placed[i].thing, Person) or nouns[i] != concept.noun
            return new and concept.noun not in nouns[:i] + nouns[i + 1 :] and _apart(scene)

        before = _scene(seed, fits, count, (kind_of(concept.thing),))
        after = edits.with_thing(before, i, concept.thing)
        word = word_of(concept) if learned else concept.noun
        pairs = ((_nouns(before)[i], word),)
        return Case(
            kind, "replace", before, after, i, caption(before), _asked(after, concept, learned), pairs,
            concept if learned else None, begin_from,
        )  # fmt: skip

    return make


_from_photo = partial(_replace_by, begin_from="photo")


def _insert_of(kind: str, concepts: tuple[Concept, ...], learned: bool) -> _Make:
    """A concept beside another thing of its sort: the reverse of its removal. It has the last index."""

    def make(seed: int, rng: np.random.Generator) -> Case:
        concept = concepts[seed % len(concepts)]
        i = int(rng.integers(2))

        def fits(scene: Scene) -> bool:
            return _nouns(scene)[1 - i] != concept.noun and _apart(scene)

        full = edits.with_thing(_scene(seed, fits, 2, (kind_of(concept.thing),)), i, concept.thing)
        before = edits.remove(full, i)
        after = edits.insert(before, full.placed[i])
        return Case(
            kind, "insert", before, after, 1, caption(before), _asked(after, concept, learned), (),
            concept if learned else None,
        )  # fmt: skip

    return make


def _asked(after: Scene, concept: Concept, learned: bool) -> str:
    names: dict[Thing, str] = {concept.thing: word_of(concept)} if learned else {}
    return caption(after, names=names)


def _solid(scene: Scene, i: int) -> Solid:
    thing = scene.placed[i].thing
    assert isinstance(thing, Solid)
    return thing


KINDS: dict[str, _Make] = {
    "replace": _replace,
    "recolour": _recolour,
    "restyle": _restyle,
    "remove": _remove,
    "insert": _insert,
    "clothes": _clothes,
    "remove-person": _remove_person,
    "mirror": _mirror,
    "learned-style": _learned_style,
    **{
        name: make(name, concepts, learned)
        for name, make, concepts, learned in (
            ("replace-by-combination", _replace_by, COMBINATIONS, False),
            ("replace-by-learned-combination", _replace_by, COMBINATIONS, True),
            ("replace-by-learned-figure", _replace_by, FIGURES, True),
            ("replace-from-photo-by-combination", _from_photo, COMBINATIONS, True),
            ("replace-from-photo-by-figure", _from_photo, FIGURES, True),
            ("insert-combination", _insert_of, COMBINATIONS, False),
            ("insert-learned-combination", _insert_of, COMBINATIONS, True),
            ("insert-learned-figure", _insert_of, FIGURES, True),
        )
    },
}
"""A combination is one of known words that training never drew together; a figure is nothing it ever drew."""
