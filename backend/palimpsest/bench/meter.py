"""What a piece of work takes: time, also inside each network, UNet evaluations, and memory."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from palimpsest.core.count import counted
from palimpsest.core.model import DiffusionModel

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Linux's: the process's memory, and where its peak is forgotten."""


@dataclass
class Metered:
    """Complete when the ``with metered(...)`` has ended."""

    seconds: float = 0.0
    evaluations: int = 0  # of the UNet, one per sample of every batch
    calls: int = 0  # of the UNet, one per batch
    backward: int = 0  # of the evaluations, those that a gradient was led back through
    networks: dict[str, float] = field(default_factory=dict)  # seconds inside unet, autoencoder and text
    peak: int | None = None  # bytes in use at most, see ``peak_memory``; None where it can't be asked

    @property
    def outside(self) -> float | None:
        """Share of the time outside the networks; None where gradients ran, which no hook sees."""
        if self.backward or not self.seconds:
            return None
        return max(0.0, 1 - sum(self.networks.values()) / self.seconds)


@contextmanager
def metered(model: DiffusionModel) -> Iterator[Metered]:
    """Measure what happens inside the ``with``; nothing is made to wait for the device but its two ends."""
    device, made = model.device, Metered()
    watches = {
        "unet": _Watch(device, (model.network.module,)),
        "autoencoder": _Watch(device, (model.vae.encoder, model.vae.decoder)),
        "text": _Watch(device, tuple(part.encoder for part in model.text)),
    }
    with ExitStack() as stack:
        count = stack.enter_context(counted(model))
        for watch in watches.values():
            stack.enter_context(watch.watching())
        _forget_peak(device)
        wait(device)
        began = time.perf_counter()
        yield made
        wait(device)
        made.seconds = time.perf_counter() - began
    made.evaluations, made.calls, made.backward = count.evaluations, count.calls, count.backward
    made.networks = {name: watch.seconds for name, watch in watches.items()}
    made.peak = peak_memory(device)


def peak_memory(device: torch.device) -> int | None:
    """The most bytes since the work began: of a card those that PyTorch allocated, of the processor what the
    process had resident. None where neither can be asked."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        lines = STATUS.read_text(encoding="ascii", errors="ignore").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), None)


def _forget_peak(device: torch.device) -> None:
    """Where Linux doesn't allow it, the peak is that since the process began."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        FORGET.write_text("5", encoding="ascii")


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class _Watch:
    """The time between the beginnings and the ends of some modules' forward passes.

    On CUDA these are events in the device's own queue, so that nothing has to wait; MPS's passes are timed
    where they are asked for, which is too little there.
    """

    def __init__(self, device: torch.device, modules: tuple[Any, ...]) -> None:
        self.device = device
        self.modules = modules
        self.passes: dict[int, list[Any]] = defaultdict(list)  # by module: beginning, end, beginning …

    @contextmanager
    def watching(self) -> Iterator[None]:
        def mark(module: Any, *_: Any) -> None:
            self.passes[id(module)].append(self._now())

        with ExitStack() as stack:
            for module in self.modules:
                for handle in (module.register_forward_pre_hook(mark), module.register_forward_hook(mark)):
                    stack.callback(handle.remove)
            yield

    def _now(self) -> Any:
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event

    @property
    def seconds(self) -> float:
        return sum(self._between(*pair) for marks in self.passes.values() for pair in _pairs(marks))

    def _between(self, begun: Any, ended: Any) -> float:
        return ended - begun if self.device.type != "cuda" else begun.elapsed_time(ended) / 1000


def _pairs(marks: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(marks[::2], marks[1::2], strict=True)


def median(made: list[Metered]) -> Metered:
    """The run of the median time (the faster of two)."""
    return sorted(made, key=lambda one: one.seconds)[(len(made) - 1) // 2]
