"""The model that is loaded on a device. One at a time: two would rarely fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from palimpsest.contract import BUILT_IN
from palimpsest.core.lora import Lora
from palimpsest.core.model import DiffusionModel
from palimpsest.errors import DeviceNotFoundError
from palimpsest.models.catalog import find, installed
from palimpsest.models.devices import OTHERS, require_devices
from palimpsest.models.families import load, read_modules, read_spec
from palimpsest.models.loras.library import LoraLibrary
from palimpsest.models.loras.read import read_lora
from palimpsest.models.needs import fitting
from palimpsest.models.plan import HIGH, Plan, plan_named, smaller
from palimpsest.models.precision import default_device
from palimpsest.settings import read_memory


@dataclass
class ModelPool:
    """Loads models by name and keeps the last one. Not for several threads."""

    models: Path  # the folder with the user's models
    device: torch.device
    memory: Path | None = None  # remembers hashes of weight files
    paths_allowed: bool = False  # whether a model may be named by its path
    others: tuple[Path, ...] = ()  # folders of other tools
    plan: Plan = HIGH  # what of a model stays on the device: at most, then of the model got last
    free: Callable[[], int] | None = None  # bytes there, by which the plan is chosen; None: it isn't
    _name: str = ""
    _model: DiffusionModel | None = None
    _asked: str = ""  # the name of the model got last, whether or not it could be loaded
    _saved: dict[str, Plan] = field(default_factory=dict)  # by name: with which memory may be enough
    _most: Plan | None = None

    def __post_init__(self) -> None:
        self._most = self._most or self.plan

    @property
    def loaded(self) -> str:
        """The name of the loaded model, or nothing."""
        return self._name

    def get(self, name: str) -> DiffusionModel:
        """Raises a ModelError or OutOfMemoryError; after that no model is loaded."""
        if self._model is not None and name == self._name:
            return self._model
        place = find(name, self.models, self.paths_allowed, self.others)
        self.unload()
        self._asked, self.plan = name, self._saved.get(name, self._most or self.plan)
        if self.free is not None:
            spec = read_spec(place)
            cells = (spec.native_size // spec.stride) ** 2
            self.plan = fitting(spec.family, cells, self.free(), self.plan)
        self._model = load(place, self.device, self.memory, self._tokenizer_sources(place), self.plan)
        self._name = name
        return self._model

    def lora(self, name: str, model: str) -> Lora:
        """A LoRA of this machine for the model of that name, which need not be loaded. Raises LoraErrors,
        ModelErrors."""
        place = find(model, self.models, self.paths_allowed, self.others)
        file = LoraLibrary(self.models, self.others).find(name)
        return read_lora(file, name, read_modules(place), model, self.memory)

    def _tokenizer_sources(self, place: Path) -> tuple[Path, ...]:
        """Whose tokenizer a checkpoint may use: any but the built-in one's, whose words are its own."""
        if place.is_dir():
            return ()
        places = installed(self.models, self.others)
        return tuple(path for name, path in places.items() if name != BUILT_IN and path.is_dir())

    def save_memory(self) -> bool:
        """Have the model got last loaded with the next smaller plan, from now on; whether there is one. Main
        memory isn't saved so."""
        found = None if self.device.type == "cpu" else smaller(self.plan)
        if found is None:
            return False
        self.plan = self._saved[self._asked] = found
        return True

    def unload(self) -> None:
        """Give the device's memory back."""
        self._name, self._model = "", None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def plan_of(device: torch.device) -> tuple[Plan, Callable[[], int] | None]:
    """``ModelPool.plan`` and ``free``, as ``PALIMPSEST_MEMORY`` says. Raises RequestError."""
    named = read_memory()
    if device.type == "cpu" or named == "auto":
        return HIGH, (lambda: torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else None
    return plan_named(named), None


def device_named(name: str) -> torch.device:
    """``auto`` is the fastest there is. Raises DeviceNotFoundError."""
    first = name.split(",")[0]  # the server may be given several, each for a worker of its own
    require_devices(first)
    if first == "auto":
        return default_device()
    device = torch.device(first)
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if (device.index or 0) >= count:  # hidden from this process, or its driver doesn't work
        raise DeviceNotFoundError(
            f"The device {first} isn't here: PyTorch finds {count}.", OTHERS, device=first
        )
    return device
