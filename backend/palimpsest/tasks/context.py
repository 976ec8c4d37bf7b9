"""What a task works with: a device, its loaded model, the stores of pictures, concepts and inversions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from palimpsest.contract import LoraUse
from palimpsest.core.attention.record import Record
from palimpsest.core.concept import Concept
from palimpsest.core.editing.trajectory import Trajectory
from palimpsest.core.lora import Lora
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.tokens import PLACEHOLDER
from palimpsest.jobs.events import Progressed
from palimpsest.models.captioner import Captioner
from palimpsest.models.pool import ModelPool
from palimpsest.storage.announcement import LOCAL_OWNER
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.decode import Limits
from palimpsest.storage.decoded import DecodedPictures
from palimpsest.storage.images import ImageStore
from palimpsest.storage.inversions import InversionCache
from palimpsest_client.text.habits import texts

MOST_DRAWINGS = 16
IN_STRIPES = "in stripes"  # of an autoencoder; rounds otherwise than whole


@dataclass
class TaskContext:
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
    record: tuple[str, Record] | None = None  # of the last photo, by its inversion's key
    trajectory: Trajectory | None = None  # of the last edit
    drawings: dict[str, NDArray[np.uint8]] = field(default_factory=dict)  # cut-outs, the last used last
    decoded: DecodedPictures = field(init=False)

    def __post_init__(self) -> None:
        self.decoded = DecodedPictures(self.images, self.limits)

    @property
    def device(self) -> torch.device:
        return self.models.device

    def load(self, name: str) -> Iterator[Progressed]:
        """Have the model ``name`` loaded, and say so if that takes time."""
        if self.models.loaded != name:
            yield Progressed("loading", 0, 1)
            self.models.get(name)
            yield Progressed("loading", 1, 1)

    def record_of(self, key: str, anew: bool) -> Record:
        """Where what attention saw of this photo is kept. One photo at a time: another's takes its place, and
        so does its own where it is to begin ``anew``."""
        if anew or self.record is None or self.record[0] != key:
            self.record, self.trajectory = (key, Record()), None
        return self.record[1]

    def drawing(self, key: str) -> NDArray[np.uint8] | None:
        """A cut-out (h, w, 4) that was drawn, now the last used one."""
        found = self.drawings.pop(key, None)
        if found is not None:
            self.drawings[key] = found
        return found

    def keep_drawing(self, key: str, drawn: NDArray[np.uint8]) -> None:
        """``MOST_DRAWINGS`` are kept, the last used ones."""
        self.drawings[key] = drawn
        for oldest in list(self.drawings)[:-MOST_DRAWINGS]:
            del self.drawings[oldest]

    def concepts_in(self, *prompts: str) -> tuple[Concept, ...]:
        """The concepts that the prompts name. Raises ConceptNotFoundError."""
        found = (name for prompt in prompts for name in PLACEHOLDER.findall(prompt))
        return tuple(self.concepts.load(name[1:-1]) for name in dict.fromkeys(found))

    def loras_of(self, model: str, used: Sequence[LoraUse]) -> tuple[tuple[Lora, float], ...]:
        """Each with its strength, read before the model is loaded. Raises LoraErrors, ModelErrors."""
        return tuple((self.models.lora(one.name, model), one.strength) for one in used)

    def notices(self, model: DiffusionModel, *sentences: str) -> list[str]:
        """What in them means nothing to the model, and what to write instead."""
        return texts(sentences, self.concepts.names(), model.words)

    def status(self) -> dict[str, Any]:
        """For people: the device's name and memory, the loaded model, what is kept."""
        return {**describe_device(self.device), "model": self.models.loaded, "kept": self.kept()}

    def kept(self) -> dict[str, int]:
        """Bytes in memory for the next edit."""
        return {
            "attention": 0 if self.record is None else self.record[1].size,
            "steps": 0 if self.trajectory is None else self.trajectory.size,
            "drawings": sum(drawn.nbytes for drawn in self.drawings.values()),
            "pictures": self.decoded.size,
        }


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
        **({"autoencoder": IN_STRIPES} if model.striped else {}),
    }


def canonical(value: Any) -> str:
    """JSON with one spelling, to hash or compare."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
