"""How far can the judge be trusted? ``python -m palimpsest.bench.judge`` prints the table of its model card.

Fresh scenes from the range that no training reads are drawn and, with ``--model``, also sent through that
model's autoencoder; then each answer of the judge is held against the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from palimpsest.bench.generate import round_trip
from palimpsest.bench.model_options import WEIGHTS
from palimpsest.bench.pictures import Picture
from palimpsest.bench.statistics import Rate, rate
from palimpsest.builtin.judge import Judge, load_judge
from palimpsest.builtin.judge_answers import NOTHING, Reading
from palimpsest.errors import PalimpsestError
from palimpsest.models.families import load
from palimpsest.scenes.concepts import CONCEPTS, view_scenes
from palimpsest.scenes.scene import TEST_SEEDS, Rendering, render, sample_scene
from palimpsest.scenes.things import HELD_OUT_STYLES, STYLES, Scene
from palimpsest.scenes.truth import COLOURLESS, LEAST_VISIBLE, fractions_visible, readable

SEEDS = TEST_SEEDS[80_000:90_000]
QUESTIONS = (
    "kind", "colour", "texture", "hair", "shirt", "trousers", "skin", "nothing", "concept", "no concept",
    "ground", "style", "count", "all of a found thing",
)  # fmt: skip
Through = Callable[[Sequence[Picture]], list[Picture]]


@dataclass(frozen=True)
class Outcome:
    """One answer of the judge."""

    question: str  # one of QUESTIONS
    style: str
    right: bool


def examine(judge: Judge, scenes: Iterable[Scene], size: int, through: Through = list) -> Iterator[Outcome]:
    """Ask the judge all there is to ask about each scene; ``through`` changes its picture first."""
    for scene in scenes:
        rendering = render(scene, size)
        picture = through([rendering.image])[0]
        say = partial(Outcome, style=scene.style)
        for question, right in (
            *about_things(judge, scene, rendering, picture),
            *about_nothing(judge, scene, rendering, picture),
            *about_whole(judge, scene, picture),
        ):
            yield say(question, right=right)


def about_things(
    judge: Judge, scene: Scene, rendering: Rendering, picture: Picture
) -> Iterator[tuple[str, bool]]:
    """Every thing that is mostly visible, marked by its true visible body."""
    visible = fractions_visible(scene, rendering.bodies)
    asked = [i for i, fraction in enumerate(visible) if fraction >= LEAST_VISIBLE]
    readings = judge.read_regions(picture, [rendering.bodies[i] for i in asked])
    for i, reading in zip(asked, readings, strict=True):
        thing = scene.placed[i].thing
        expected = readable(thing, scene.style)
        yield from ((head, str(getattr(reading, head)) == word) for head, word in expected.items())
        if scene.style not in COLOURLESS:
            name = next((c.name for c in CONCEPTS.values() if c.thing == thing), None)
            yield ("no concept" if name is None else "concept"), reading.concept == name


def about_nothing(
    judge: Judge, scene: Scene, rendering: Rendering, picture: Picture
) -> Iterator[tuple[str, bool]]:
    """A box of bare ground, where one can be found that no thing and no shadow reaches into."""
    rng = np.random.default_rng(scene.seed)
    side = picture.shape[0]
    taken = rendering.masks.any(0)
    for _ in range(20):
        width, height = rng.integers(side // 8, side // 2, 2)
        left, top = rng.integers(0, side - width), rng.integers(0, side - height)
        box = np.zeros((side, side), np.bool_)
        box[top : top + height, left : left + width] = True
        if not (box & taken).any():
            yield NOTHING, judge.read_regions(picture, [box])[0].kind.word == NOTHING
            return


def about_whole(judge: Judge, scene: Scene, picture: Picture) -> Iterator[tuple[str, bool]]:
    """The picture at once, and the things that the judge finds by itself."""
    view = judge.look([picture])[0]
    yield "ground", view.ground.word == scene.ground
    yield "style", view.style.word == scene.style
    yield "count", len(view.found) == len(scene.placed)
    if len(view.found) == len(scene.placed):
        ordered = sorted(scene.placed, key=lambda placed: placed.x)
        for found, placed in zip(view.found, ordered, strict=True):
            yield "all of a found thing", agrees(found.reading, readable(placed.thing, scene.style))


def agrees(reading: Reading, expected: dict[str, str]) -> bool:
    return all(str(getattr(reading, head)) == word for head, word in expected.items())


# --- the card -------------------------------------------------------------------------------------------


def fresh_scenes(count: int) -> Iterator[Scene]:
    """A third photos, a third the other named styles, a ninth held-out styles, the rest concepts."""
    others, names = STYLES[1:], sorted(CONCEPTS)
    for index, seed in zip(range(count), SEEDS, strict=False):
        turn, which = index % 9, index // 9
        if turn < 3:
            yield sample_scene(seed, style="photo")
        elif turn < 6:
            yield sample_scene(seed, style=others[(3 * which + turn) % len(others)])
        elif turn < 7:
            yield sample_scene(seed, style=HELD_OUT_STYLES[which % len(HELD_OUT_STYLES)])
        else:
            yield view_scenes(CONCEPTS[names[(2 * which + turn) % len(names)]], 1, seed)[0]


def groups(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The columns of the table: photos, and each other style."""
    columns = {style: [o for o in outcomes if o.style == style] for style in (*STYLES, *HELD_OUT_STYLES)}
    return {style: own for style, own in columns.items() if own}


def table(columns: dict[str, list[Outcome]]) -> str:
    """One row per question, one column per group; each cell a rate with its interval and n."""

    def cell(own: Sequence[Outcome], question: str) -> str:
        measured: Rate = rate(o.right for o in own if o.question == question)
        return str(measured) if measured.n else "–"

    head = f"| question | {' | '.join(columns)} |"
    rows = [f"| {q} | {' | '.join(cell(own, q) for own in columns.values())} |" for q in QUESTIONS]
    return "\n".join([head, "|---" * (1 + len(columns)) + "|", *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m palimpsest.bench.judge", description=__doc__)
    parser.add_argument("--scenes", type=int, default=1800, help="scenes to draw (%(default)s)")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels (%(default)s)")
    parser.add_argument("--judge", type=Path, help="another judge's folder")
    parser.add_argument("--model", type=Path, default=WEIGHTS, help="model whose autoencoder is used")
    parser.add_argument(
        "--threads", type=int, default=torch.get_num_threads(), help="CPU threads (%(default)s)"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        judge = load_judge() if options.judge is None else load_judge(options.judge)
        through = partial(round_trip, load(options.model))
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    scenes = list(fresh_scenes(options.scenes))
    print("Clean pictures:\n")
    print(table(groups(list(examine(judge, scenes, options.size)))), flush=True)
    print("\nThrough the autoencoder:\n")
    print(table(groups(list(examine(judge, scenes, options.size, through)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
