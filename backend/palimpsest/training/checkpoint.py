"""A training run's state on disk: tensors as safetensors, the rest as JSON, replaced only when complete.

All randomness of a step is drawn from a generator seeded by the step's number, so the state is nothing but
weights, optimiser moments and the step: a run that is killed and resumed ends in the same weights.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from palimpsest.errors import ModelUnreadableError

STEP_STRIDE = 1_000_003  # keeps the seeds of two stages' steps apart


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The source of all randomness in step number ``step``."""
    return torch.Generator(device).manual_seed(seed * STEP_STRIDE + step)


def save_state(
    file: Path, step: int, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer | None
) -> None:
    """Write the state of ``modules``, and of ``optimizer`` if there is one, after ``step`` steps."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"{name}/{k}": v for name, m in modules.items() for k, v in m.state_dict().items()}
    if optimizer is not None:
        tensors |= {f"optimizer/{k}": v for k, v in _moments(optimizer).items()}
    partial = file.with_name(file.name + ".partial")
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, partial, {"step": str(step)})
    partial.replace(file)


def load_state(file: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer | None) -> int:
    """Put a saved state back; returns its step. Without an ``optimizer`` its moments are left on disk."""
    try:
        with safe_open(file, "pt") as stored:
            step = int((stored.metadata() or {})["step"])
            tensors = {k: stored.get_tensor(k) for k in stored.keys()}  # noqa: SIM118
        for name, module in modules.items():
            module.load_state_dict(_below(tensors, name))
        if optimizer is not None:
            _restore_moments(optimizer, _below(tensors, "optimizer"))
    except (OSError, KeyError, RuntimeError, ValueError) as problem:
        raise ModelUnreadableError(
            f"The saved training state {file} does not fit this run: {problem}",
            "Start in another folder, or delete the file to train this stage again.",
        ) from problem
    return step


def _below(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{name}/")}


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{index}/{key}": value for index, entry in state.items() for key, value in entry.items()}


def _restore_moments(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in moments.items():
        index, key = path.split("/")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def append_line(file: Path, entry: dict[str, float]) -> None:
    """Add one line to a JSON-lines log."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def read_lines(file: Path, before: int | None = None) -> list[dict[str, float]]:
    """A JSON-lines log, without the lines of steps after ``before`` (they were lost with their state)."""
    if not file.is_file():
        return []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [entry for entry in lines if before is None or entry["step"] <= before]
