"""How good is a model? ``palimpsest bench model``, also ``python -m palimpsest.bench.model``.

Prompt adherence by the judge, with the same judgement of true pictures beside it; what the autoencoder
loses; how well word maps find what words name; and, as information, the time of a UNet evaluation. Seeds come
from the range that no training reads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TextIO

import torch

from palimpsest.bench.adherence import Case, Verdict, assess, plan
from palimpsest.bench.generate import Sampling, generate, psnr, round_trip, unet_seconds
from palimpsest.bench.model_options import Settings, add_arguments, settings_of
from palimpsest.bench.model_report import Drawn, Loss, ModelReport, write
from palimpsest.bench.word_maps import Captioned, Overlap, overlaps
from palimpsest.builtin.grammar import caption
from palimpsest.builtin.judge import Judge, load_judge
from palimpsest.builtin.language import kind_and_noun
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import PalimpsestError, PromptTooLongError
from palimpsest.models.families import load
from palimpsest.scenes.scene import TEST_SEEDS, render, sample_scene
from palimpsest.scenes.things import STYLES, Scene

MAP_LEVELS = (0.1, 0.3, 0.5, 0.7)  # shares of the noise process, at which word maps are read
TRIP_SEEDS, MAP_SEEDS = TEST_SEEDS[50_000:60_000], TEST_SEEDS[60_000:70_000]


def measure(model: DiffusionModel, judge: Judge, settings: Settings) -> Steps[ModelReport]:
    """Run every measure; yields a step per batch or picture."""
    guidance = model.guidance if settings.guidance is None else settings.guidance
    sampling_steps = model.steps if settings.steps is None else settings.steps
    sampling = Sampling(guidance, sampling_steps, settings.batch, settings.seed)
    planned = plan(settings.prompts, settings.seed)
    cases = readable(model, planned)
    drawn = yield from draw_cases(model, judge, cases, sampling)
    ceiling = yield from judge_truth(model, judge, cases, settings.batch)
    losses = yield from measure_losses(model, settings)
    found = yield from measure_maps(model, settings)
    return ModelReport(
        settings={**asdict(settings), "guidance": guidance, "steps": sampling_steps},
        model={"family": model.family, "weights_hash": model.weights_hash, "native_size": model.native_size},
        too_long=tuple(case.prompt for case in planned if case not in cases),
        drawn=tuple(drawn),
        ceiling=tuple(ceiling),
        losses=tuple(losses),
        overlaps=tuple(found),
        unet_seconds={batch: unet_seconds(model, batch) for batch in (1, 2, 8)},
        threads=torch.get_num_threads(),
    )


def readable(model: DiffusionModel, cases: Sequence[Case]) -> list[Case]:
    """The cases whose prompts fit the text encoder. A model with few words spells others out at length."""
    fitting = []
    with concepts_installed(model, ()) as vocabulary:
        for case in cases:
            with suppress(PromptTooLongError):
                vocabulary.parse(case.prompt)
                fitting.append(case)
    return fitting


def draw_cases(
    model: DiffusionModel, judge: Judge, cases: Sequence[Case], sampling: Sampling
) -> Steps[list[Drawn]]:
    """Every prompt drawn and judged."""
    drawn: list[Drawn] = []
    for pictures in generate(model, [case.prompt for case in cases], sampling):
        batch = cases[len(drawn) : len(drawn) + len(pictures)]
        views = judge.look(pictures)
        drawn += [Drawn(c, p, assess(c, v)) for c, p, v in zip(batch, pictures, views, strict=True)]
        yield Step("draw", len(drawn), len(cases))
    return drawn


def judge_truth(
    model: DiffusionModel, judge: Judge, cases: Sequence[Case], batch: int
) -> Steps[list[Verdict]]:
    """The same judgement of the true pictures after the model's autoencoder: the most that can be reached."""
    verdicts: list[Verdict] = []
    for start in range(0, len(cases), batch):
        some = cases[start : start + batch]
        pictures = [render(case.scene, model.native_size, masks=False).image for case in some]
        views = judge.look(round_trip(model, pictures))
        verdicts += [assess(case, view) for case, view in zip(some, views, strict=True)]
        yield Step("judge the truth", len(verdicts), len(cases))
    return verdicts


def measure_losses(model: DiffusionModel, settings: Settings) -> Steps[list[Loss]]:
    """What the autoencoder loses, picture by picture: photos, and a third as many in other styles."""
    losses = []
    for index in range(settings.round_trips):
        style = "photo" if index % 4 else STYLES[1 + index // 4 % (len(STYLES) - 1)]
        scene = sample_scene(TRIP_SEEDS[index], style=style)
        picture = render(scene, model.native_size, masks=False).image
        losses.append(Loss(scene.style, scene.ground, psnr(picture, round_trip(model, [picture])[0])))
        yield Step("round trips", index + 1, settings.round_trips)
    return losses


def measure_maps(model: DiffusionModel, settings: Settings) -> Steps[list[Overlap]]:
    """Word maps of real pictures, at several amounts of noise."""
    found: list[Overlap] = []
    for index, seed in zip(range(settings.maps), MAP_SEEDS, strict=False):
        scene = sample_scene(seed, count=1 + index % 2, style="photo")
        sample = captioned(scene, model.native_size)
        for share in MAP_LEVELS:
            with suppress(PromptTooLongError):  # counted out by n; see ``readable``
                found += overlaps(model, sample, model.process.level(share), seed)
        yield Step("word maps", index + 1, settings.maps)
    return found


def captioned(scene: Scene, size: int) -> Captioned:
    """A scene's picture with what its nouns name; nouns that name two things are left out."""
    rendering = render(scene, size, masks=False)
    nouns = [kind_and_noun(placed.thing)[1] for placed in scene.placed]
    bodies = {
        noun: body
        for noun, body in zip(nouns, rendering.bodies, strict=True)
        if nouns.count(noun) == 1 and body.any()
    }
    return Captioned(rendering.image, caption(scene), bodies)


# --- command --------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Measure, write the report into ``--out`` and print where it is."""
    settings = settings_of(options)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    report = watch(measure(load(options.model), load_judge(), settings), sys.stderr)
    write(report, options.out)
    report_file = str(options.out / "report.md")
    print(json.dumps({"files": {"report.md": report_file}}) if options.json else report_file)
    return 0


def watch(steps: Iterator[Step], stream: TextIO) -> ModelReport:
    """Run to the end with one line of progress every few seconds."""
    start, shown = time.monotonic(), 0.0
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        now = time.monotonic() - start
        if now - shown >= 3 or step.index == step.total:
            print(f"{now:6.0f} s  {step.phase} {step.index}/{step.total}", file=stream, flush=True)
            shown = now


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m palimpsest.bench.model", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(arguments))
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
