"""Which task does a request: the context in which tasks run, opened in a worker process or in this one."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from palimpsest import contract
from palimpsest.errors import OutOfMemoryError, RequestError, Text, noticed
from palimpsest.jobs.events import Events, Finished
from palimpsest.models.families import published_widths
from palimpsest.models.pool import ModelPool, device_named, plan_of
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.decode import Limits
from palimpsest.storage.images import ImageStore
from palimpsest.storage.inversions import InversionCache
from palimpsest.tasks.attention import attention
from palimpsest.tasks.context import TaskContext
from palimpsest.tasks.describe import describe
from palimpsest.tasks.draw import draw
from palimpsest.tasks.edit import edit
from palimpsest.tasks.invert import invert
from palimpsest.tasks.learn import learn

TASKS: dict[type, Callable[[TaskContext, Any], Events[None]]] = {
    contract.EditRequest: edit,
    contract.InvertRequest: invert,
    contract.LearnRequest: learn,
    contract.AttentionRequest: attention,
    contract.DescribeRequest: describe,
    contract.DrawRequest: draw,
}


@dataclass(frozen=True)
class RunnerOptions:
    """What a runner is opened with; plain JSON on its way into a worker process."""

    models: str
    images: str
    concepts: str
    inversions: str
    learning: str
    weights_memory: str
    model_folders: tuple[str, ...] = ()
    inversion_cache_bytes: int = 8 << 30
    max_pixels: int = Limits.pixels
    max_image_bytes: int = Limits.file_bytes
    paths_allowed: bool = False  # whether a request may name a model by its path
    previews: bool = True


class TaskRunner(TaskContext):
    """A context that does whole jobs."""

    def run(self, kind: str, request: dict[str, Any]) -> Events[None]:
        """The events of one job; the last one is Finished. Raises PalimpsestErrors."""
        if kind not in contract.KINDS:
            raise RequestError(f"There is no kind of job {kind!r}.", f"Kinds: {', '.join(contract.KINDS)}.")
        return self.do(contract.from_json(contract.KINDS[kind], request))

    def do(self, request: contract.Request) -> Events[None]:
        """The same for a request that is one already.

        Where the card's memory runs out, it is done anew with less of the model on the card, and its result
        says so; describing has the other model make way. Raises OutOfMemoryError where nothing is left to
        take away.
        """
        task, saved = _task_of(request), False
        describes = isinstance(request, contract.DescribeRequest)  # by a model that has no plan
        while True:
            try:
                with closing(task(self, request)) as events:
                    for event in events:
                        yield _told(event) if saved and isinstance(event, Finished) else event
                return
            except OutOfMemoryError:
                if not (self.models.loaded if describes else self.models.save_memory()):
                    raise
            self.captioner = None
            self.models.unload()  # only now: the error held what it ran out with
            saved = not describes


def open_runner(device: str, options: dict[str, Any]) -> TaskRunner:
    """``options``: the fields of ``RunnerOptions``."""
    settings = contract.from_json(RunnerOptions, options, "the worker's options")
    where = device_named(device)
    if where.type == "cpu":
        leave_a_core()
    others = tuple(Path(folder) for folder in settings.model_folders)
    memory = Path(settings.weights_memory)
    return TaskRunner(
        models=ModelPool(
            Path(settings.models), where, memory, settings.paths_allowed, others, *plan_of(where)
        ),
        images=ImageStore(Path(settings.images)),
        concepts=ConceptLibrary(Path(settings.concepts), published_widths()),
        inversions=InversionCache(Path(settings.inversions), settings.inversion_cache_bytes),
        learning=Path(settings.learning),
        limits=Limits(pixels=settings.max_pixels, file_bytes=settings.max_image_bytes),
        previews=settings.previews,
    )


def leave_a_core() -> None:
    """One core stays free for the editor: PyTorch's threads wait for each other at every operation, so one
    that has to share its core makes all of them several times slower. Never raises the number."""
    cores = os.cpu_count()
    most = 1 if cores is None else max(1, cores - 1)
    torch.set_num_threads(min(torch.get_num_threads(), most))


def _told(finished: Finished) -> Finished:
    """Its result, with the notice that memory ran out once."""
    before, said = finished.result, noticed(Text("memory-saved"))
    notices = [*before.get("notices", ()), *said["notices"]]
    texts = before.get("texts", {})
    kept = [*texts.get("notices", ()), *said["texts"]["notices"]]
    return replace(finished, result={**before, "notices": notices, "texts": {**texts, "notices": kept}})


def _task_of(request: contract.Request) -> Callable[[TaskContext, Any], Events[None]]:
    if type(request) not in TASKS:
        raise RequestError(f"This version can't run a {type(request).__name__}.")
    return TASKS[type(request)]
