"""Models as people choose among them: what each costs, and whether this machine has what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple

from ..text.wording import ENGLISH, gigabytes, say
from .library import Model


@dataclass(frozen=True)
class ModelRow:
    """``lines``: of one that isn't there yet, what to know before it is fetched."""

    name: str
    title: str
    installed: bool
    lines: Tuple[str, ...] = ()


def model_rows(models: Sequence[Model], system: Mapping[str, Any]) -> Tuple[ModelRow, ...]:
    """``system``: as the backend tells of itself; its workers know their device's memory."""
    return tuple(
        ModelRow(model.name, model.title, model.installed, () if model.installed else lines_of(model, system))
        for model in models
    )


def lines_of(model: Model, system: Mapping[str, Any]) -> Tuple[str, ...]:
    details = model.details
    told: List[str] = [
        say("model-size", size=gigabytes(details.get("size", 0)), licence=details.get("licence", ""))
    ]
    if details.get("memory"):
        told.append(memory_line(details["memory"], memory_of(system)))
    if details.get("evaluations"):
        told.append(say("model-time", n=details["evaluations"], size=model.native_size))
    key = f"model-note-{model.name}"
    note = say(key) if key in ENGLISH else details.get("note", "")
    return (*told, note) if note else tuple(told)


def memory_line(needs: int, device: Optional[int]) -> str:
    """``device``: bytes of the device that edits; None = it can't be asked, as of a processor."""
    if device is None:
        return say("model-memory", needs=gigabytes(needs))
    key = "model-memory-fits" if device >= needs else "model-memory-short"
    return say(key, needs=gigabytes(needs), has=gigabytes(device))


def memory_of(system: Mapping[str, Any]) -> Optional[int]:
    """Of the largest device that edits."""
    workers = [worker for worker in system.get("workers", ()) if "edit" in worker["kinds"]]
    known = [w["status"]["memory"] for w in workers if w["status"].get("memory") is not None]
    return max(known) if known else None
