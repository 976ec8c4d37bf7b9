"""Where tasks run: one device, its loaded model, and the stores of pictures, concepts and inversions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from palimpsest import contract
from palimpsest.core.concept import Concept
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.tokens import PLACEHOLDER
from palimpsest.errors import RequestError
from palimpsest.jobs.events import Event, Progressed
from palimpsest.models.captioner import Captioner
from palimpsest.models.pool import ModelPool, device_named
from palimpsest.storage.announcement import LOCAL_OWNER
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.decode import Limits
from palimpsest.storage.images import ImageStore
from palimpsest.storage.inversions import InversionCache
from palimpsest_client.text.habits import texts


@dataclass(frozen=True)
class Places:
    """What a workplace is opened with; plain JSON on its way into a worker process."""

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


@dataclass
class Workplace:
    """Everything a task needs. Tasks run one after the other."""

    models: ModelPool
    images: ImageStore
    concepts: ConceptLibrary
    inversions: InversionCache
    learning: Path
    limits: Limits = field(default_factory=Limits)
    previews: bool = True
    captioner: Captioner | None = None  # once it was needed
    owner: str = LOCAL_OWNER  # whose job it does

    @property
    def device(self) -> torch.device:
        return self.models.device

    def run(self, kind: str, request: dict[str, Any]) -> Iterator[Event]:
        """The events of one job; the last one is Finished. Raises PalimpsestErrors."""
        if kind not in contract.KINDS:
            raise RequestError(f"There is no kind of job {kind!r}.", f"Kinds: {', '.join(contract.KINDS)}.")
        return self.do(contract.from_json(contract.KINDS[kind], request))

    def do(self, request: contract.Request) -> Iterator[Event]:
        """The same for a request that is one already."""
        return _task_of(request)(self, request)

    def load(self, name: str) -> Iterator[Progressed]:
        """Have the model ``name`` loaded, and say so if that takes time."""
        if self.models.loaded != name:
            yield Progressed("loading", 0, 1)
            self.models.get(name)
            yield Progressed("loading", 1, 1)

    def concepts_in(self, *prompts: str) -> tuple[Concept, ...]:
        """The concepts that the prompts name. Raises ConceptNotFoundError."""
        found = (name for prompt in prompts for name in PLACEHOLDER.findall(prompt))
        return tuple(self.concepts.load(name[1:-1]) for name in dict.fromkeys(found))

    def notices(self, model: DiffusionModel, *sentences: str) -> list[str]:
        """What in them means nothing to the model, and what to write instead."""
        return texts(sentences, self.concepts.names(), model.words)

    def status(self) -> dict[str, Any]:
        """For people: the device's name and memory, the loaded model."""
        return {**describe_device(self.device), "model": self.models.loaded}


def open_workplace(device: str, options: dict[str, Any]) -> Workplace:
    """``options``: the fields of ``Places``."""
    places = contract.from_json(Places, options, "the workplace")
    where = device_named(device)
    if where.type == "cpu":
        leave_a_core()
    others = tuple(Path(folder) for folder in places.model_folders)
    memory = Path(places.weights_memory)
    return Workplace(
        models=ModelPool(Path(places.models), where, memory, places.paths_allowed, others),
        images=ImageStore(Path(places.images)),
        concepts=ConceptLibrary(Path(places.concepts)),
        inversions=InversionCache(Path(places.inversions), places.inversion_cache_bytes),
        learning=Path(places.learning),
        limits=Limits(pixels=places.max_pixels, file_bytes=places.max_image_bytes),
        previews=places.previews,
    )


def leave_a_core() -> None:
    """One core stays free for the editor: PyTorch's threads wait for each other at every operation, so one
    that has to share its core makes all of them several times slower. Never raises the number."""
    cores = os.cpu_count()
    most = 1 if cores is None else max(1, cores - 1)
    torch.set_num_threads(min(torch.get_num_threads(), most))


def describe_device(device: torch.device) -> dict[str, Any]:
    """Name, kind and memory in bytes (None where it can't be asked)."""
    if device.type != "cuda":
        return {"device": str(device), "name": device.type.upper(), "memory": None, "memory_free": None}
    free, total = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    return {"device": str(device), "name": name, "memory": total, "memory_free": free}


def model_identity(model: DiffusionModel) -> dict[str, Any]:
    """What decides, besides the request, which bytes come out."""
    return {
        "family": model.family,
        "weights_hash": model.weights_hash,
        "device": model.device.type,
        "dtype": str(model.dtype).removeprefix("torch."),
        "torch": torch.__version__,
    }


def canonical(value: Any) -> str:
    """JSON with one spelling, to hash or compare."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _task_of(request: contract.Request) -> Callable[[Workplace, Any], Iterator[Event]]:
    from palimpsest.tasks.attention import attention
    from palimpsest.tasks.describe import describe
    from palimpsest.tasks.draw import draw
    from palimpsest.tasks.edit import edit
    from palimpsest.tasks.invert import invert
    from palimpsest.tasks.learn import learn

    tasks: dict[type, Callable[[Workplace, Any], Iterator[Event]]] = {
        contract.EditRequest: edit,
        contract.InvertRequest: invert,
        contract.LearnRequest: learn,
        contract.AttentionRequest: attention,
        contract.DescribeRequest: describe,
        contract.DrawRequest: draw,
    }
    if type(request) not in tasks:
        raise RequestError(f"This version can't run a {type(request).__name__}.")
    return tasks[type(request)]
