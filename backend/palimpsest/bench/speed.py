"""``palimpsest bench speed``: how long things take on this device, and how much of its memory.

First the networks alone, then the product's own path: a photo remembered, edits of photos that are not
remembered (cold) and that are (hot), a word learned. Diffusers' pipeline on the same networks is the
yardstick.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import torch

from palimpsest.bench import speed_scaling as scaling
from palimpsest.bench.meter import wait
from palimpsest.bench.quality_cases import KINDS as CASES
from palimpsest.bench.quality_cases import Case, make_case
from palimpsest.bench.scratch_runner import scratch_runner
from palimpsest.bench.shapes import random_model
from palimpsest.bench.speed_plot import scaling_picture
from palimpsest.bench.speed_report import PICTURE, markdown
from palimpsest.bench.speed_rows import PROMPT, Row, Run, Stopwatch, row_of
from palimpsest.contract import (
    EditRequest,
    InversionMethod,
    InversionSettings,
    InvertRequest,
    LearnRequest,
)
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import OutOfMemoryError, Text
from palimpsest.installation.origin import commit
from palimpsest.models.pool import ModelPool
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.png import encode
from palimpsest.tasks.context import describe_device
from palimpsest.tasks.progress import memory_errors
from palimpsest.tasks.runner import TaskRunner
from palimpsest_client import methods
from palimpsest_client.fields.operations import OPERATIONS

KINDS = tuple(kind for kind in CASES if kind in OPERATIONS)  # one of each operation that has cases
METHODS: tuple[InversionMethod, ...] = methods.OFFERED
BATCHES = (1, 2, 4)
LEARNING_BATCH = 4


@dataclass(frozen=True)
class Extent:
    """How much is measured. ``steps``: of remembering and editing, None = the model's own."""

    repeats: int = 10  # of an evaluation, and a third as often of a picture
    photos: int = 3  # for every kind of edit
    learning: int | None = None  # most steps of a word; None = as recommended
    methods: tuple[InversionMethod, ...] = METHODS
    steps: int | None = None
    canvases: tuple[int, ...] = (1024, 4096, 8192)  # sides in pixels
    pictures: tuple[int, ...] = (1, 2, 4)
    step_counts: tuple[int, ...] = (10, 20, 50)


QUICK = Extent(
    repeats=3, photos=1, learning=20, methods=(methods.RECOMMENDED,),
    canvases=(1024, 4096), pictures=(1, 2), step_counts=(10, 20),
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    extent = QUICK if options.quick else Extent()
    given = {"photos": options.photos, "learning": options.learning_steps, "steps": options.steps}
    extent = replace(extent, **{name: value for name, value in given.items() if value is not None})
    name = options.model if options.shape is None else options.shape
    places: dict[str, str] = {}
    with open_task_runner(options) as runner:
        for report in measure(runner, name, extent, options.only):  # kept as far as it is: a run is long
            for file, content in files(report, options.shape is not None).items():
                write_atomically(options.output / file, content)
                places[file] = str(options.output / file)
    print(json.dumps({"files": places}) if options.json else "\n".join(places.values()))
    return 0


def files(report: dict[str, Any], random_weights: bool) -> dict[str, bytes]:
    whole = {**report, "random_weights": random_weights}
    content = json.dumps(whole, indent=2) + "\n"
    made = {"report.json": content.encode(), "report.md": markdown(whole).encode()}
    grown = [row for row in report["rows"] if row["series"]]
    return {**made, PICTURE: scaling_picture(grown)} if grown else made


@contextmanager
def open_task_runner(options: argparse.Namespace) -> Iterator[TaskRunner]:
    """A scratch runner; with ``--shape`` its models are random weights."""
    with scratch_runner(options.device) as runner:
        kind = OneModel if options.shape is None else RandomModels
        runner.models = kind(**{each.name: getattr(runner.models, each.name) for each in fields(ModelPool)})
        yield runner


class OneModel(ModelPool):
    """What is measured stays as it was loaded: a row that memory isn't enough for says so."""

    def save_memory(self) -> bool:
        return False


class RandomModels(OneModel):
    """Its models are shapes of ``bench.shapes``."""

    def get(self, name: str) -> DiffusionModel:
        if self._model is None or name != self._name:
            self.unload()
            self._model, self._name = random_model(name, self.device, self.plan), name
        return self._model


def measure(
    runner: TaskRunner, name: str, extent: Extent, parts: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """The report as plain JSON, again with each further row. ``parts``: of ``Bench.parts``; none = all."""
    device = runner.device
    began = time.perf_counter()
    model = runner.models.get(name)
    wait(device)
    loading = time.perf_counter() - began
    held = torch.cuda.memory_allocated(device) if device.type == "cuda" else None
    bench = Bench(runner, name, model, extent)
    report = {
        "model": name,
        "family": model.family,
        "native_size": model.native_size,
        "steps": bench.steps,
        "guidance": model.guidance,
        "plan": runner.models.plan.name,
        "precision": str(model.dtype).removeprefix("torch."),
        "loading_seconds": round(loading, 3),
        "memory_of_the_model": held,
        **about(device),
    }
    rows: list[dict[str, Any]] = []
    for row in bench.rows(parts):
        rows.append(asdict(row))
        yield {**report, "rows": list(rows)}


def about(device: torch.device) -> dict[str, Any]:
    described = describe_device(device)
    processor = f" ({platform.processor() or platform.machine()})" if device.type == "cpu" else ""
    return {
        "device": described["name"] + processor,
        "device_memory": described["memory"],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "commit": commit(),
    }


@dataclass(frozen=True)
class Bench:
    runner: TaskRunner
    name: str
    model: DiffusionModel
    extent: Extent

    @property
    def steps(self) -> int:
        return self.model.steps if self.extent.steps is None else self.extent.steps

    @property
    def parts(self) -> Mapping[str, Callable[[], Iterator[Row]]]:
        return {
            "networks": self.networks,
            "drawing": self.sampling,
            "photos": self.remembering,
            "edits": self.edits,
            "scaling": self.scaling,
            "words": self.learning,
        }

    def rows(self, parts: Collection[str] = ()) -> Iterator[Row]:
        for part, rows in self.parts.items():
            if not parts or part in parts:
                yield from rows()

    @cached_property
    def watch(self) -> Stopwatch:
        return Stopwatch(self.runner, self.model)

    # --- the networks alone ---

    def networks(self) -> Iterator[Row]:
        model = self.model
        z = start_noise(model, 0)
        with torch.no_grad(), concepts_installed(model, ()) as vocabulary:
            null = vocabulary.null()
            prompt = vocabulary.parse(PROMPT)
            yield self._row("text of one prompt", lambda: vocabulary.encode([prompt]))
        for batch in BATCHES:
            yield self._row(f"UNet, {batch} at once", lambda batch=batch: self._evaluate(z, null, batch))
        yield self._row(
            f"UNet forward and back, {LEARNING_BATCH} at once",
            lambda: self._led_back(z, null, LEARNING_BATCH),
        )
        pixels = torch.zeros(1, 3, model.native_size, model.native_size)
        yield self._row("picture encoded", lambda: model.encode(pixels))
        yield self._row("picture decoded", lambda: model.decode(z))

    @torch.no_grad()
    def _evaluate(self, z: torch.Tensor, null: Conditioning, batch: int) -> None:
        self.model.predict(z.expand(batch, -1, -1, -1), 1, null.expand(batch))

    @torch.enable_grad()
    def _led_back(self, z: torch.Tensor, null: Conditioning, batch: int) -> None:
        context = null.context.expand(batch, -1, -1).clone().requires_grad_(True)
        conditioning = null.expand(batch).with_context(context)
        self.model.predict(z.expand(batch, -1, -1, -1), 1, conditioning).square().mean().backward()

    # --- one picture from words: ours and diffusers' ---

    def sampling(self) -> Iterator[Row]:
        few = max(1, self.extent.repeats // 3)
        yield self._row("diffusers' pipeline, one latent", lambda: self.watch.plain(self.steps), few)
        yield self._row("drawn from words, one latent", self._drawn, few, beside=True)

    def _drawn(self) -> None:
        model = self.model
        with concepts_installed(model, ()) as vocabulary:
            parsed = [vocabulary.parse(PROMPT)]
            finish(draw(model, vocabulary, parsed, start_noise(model, 0), model.guidance, self.steps))

    # --- the product's own path ---

    def remembering(self) -> Iterator[Row]:
        for method in self.extent.methods:
            case = make_case("replace", self.extent.photos)  # no edit below has this photo
            request = InvertRequest(
                self._photo(case), case.shows, model=self.name, inversion=self._inversion(method)
            )
            yield self._job_row(f"photo remembered, {method}", request)

    def edits(self) -> Iterator[Row]:
        for kind in KINDS:
            requests = [self._edit(make_case(kind, number)) for number in range(self.extent.photos)]
            self.runner.inversions.clear()
            yield from self._cold_and_hot(kind, requests)

    def scaling(self) -> Iterator[Row]:
        request, extent = self._edit(make_case("replace", self.extent.photos + 1)), self.extent
        canvases = scaling.on_canvases(self.runner.images, request, extent.canvases)
        yield from self._series(scaling.CANVAS, canvases)
        yield from self._series(scaling.PICTURES, scaling.with_pictures(request, extent.pictures))
        yield from self._series(scaling.STEPS, scaling.with_steps(request, extent.step_counts))

    def learning(self) -> Iterator[Row]:
        images = tuple(self._photo(make_case("replace", number)) for number in range(4))
        request = LearnRequest(
            "bench", images, "ball", model=self.name, steps=self.extent.learning, accept_outliers=True
        )
        yield self._job_row("word learned", request)

    def _photo(self, case: Case) -> str:
        return self.runner.images.put(encode(case.drawn(self.model.native_size)[0].image))

    def _inversion(self, method: InversionMethod) -> InversionSettings:
        return InversionSettings(method=method, steps=self.extent.steps)

    def _edit(self, case: Case) -> EditRequest:
        mask = case.selection(self.model.native_size)
        return EditRequest(
            image=self._photo(case),
            operation=case.operation,
            source_prompt=case.shows,
            target_prompt=case.should_show,
            selection=None if mask is None else self.runner.images.put(encode(mask)),
            pairs=case.pairs,
            model=self.name,
            inversion=self._inversion(methods.RECOMMENDED),
        )

    # --- measuring ---

    def _row(
        self, name: str, work: Callable[[], Any], repeats: int | None = None, beside: bool = False
    ) -> Row:
        """``work`` done once to warm up, then ``repeats`` times."""
        say(name)
        try:
            with memory_errors(self.runner.device, self._size(), Text("lower-size-option")):
                work()
                many = self.extent.repeats if repeats is None else repeats
                return row_of(name, [self.watch.work(work, beside) for _ in range(many)])
        except OutOfMemoryError as error:
            return Row(name, 0, failed=str(error))

    def _size(self) -> Text:
        side = self.model.native_size
        return Text("what-drawing", width=side, height=side)

    def _cold_and_hot(self, kind: str, requests: Sequence[EditRequest]) -> Iterator[Row]:
        """Each photo's hot edit follows its cold one; another seed shares no step with it."""
        runs = {"cold": list[Run](), "hot": list[Run]()}
        say(kind)
        try:
            for request in requests:
                runs["cold"].append(self.watch.job(request, beside=True))
                runs["hot"].append(self.watch.job(replace(request, seed=request.seed + 1), beside=True))
        except OutOfMemoryError as error:
            yield from (Row(f"{kind}, {name}", 0, failed=str(error)) for name in runs)
            return
        yield from (row_of(f"{kind}, {name}", made) for name, made in runs.items())

    def _series(self, name: str, requests: Mapping[int, EditRequest]) -> Iterator[Row]:
        say(name)
        try:
            yield from scaling.series(self.watch, name, requests, max(1, self.extent.repeats // 3))
        except OutOfMemoryError as error:
            yield Row(name, 0, failed=str(error))

    def _job_row(self, name: str, request: InvertRequest | LearnRequest) -> Row:
        """A job as the product runs it, not warmed up."""
        say(name)
        try:
            return row_of(name, [self.watch.job(request, beside=True)])
        except OutOfMemoryError as error:
            return Row(name, 0, failed=str(error))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
