"""What a run records of itself: its fixed settings, what it started from, how its model is made and used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from palimpsest.builtin.language import vocabulary
from palimpsest.installation.origin import commit
from palimpsest.training.layout import PROVENANCE, weight_hashes
from palimpsest.training.presets import Preset


def use(preset: Preset) -> dict[str, Any]:
    """How the model is best used; the loader reads it."""
    return {
        "family": "demo",
        "native_size": preset.size,
        "guidance": preset.guidance,
        "steps": preset.sampling_steps,
        "map_side": preset.map_side,
        "words": vocabulary(),
    }


def provenance(preset: Preset, steps: dict[str, int], origin: str, notes: dict[str, Any]) -> dict[str, Any]:
    """How the model was made; ``steps`` are the optimiser steps of each stage."""
    return {
        "name": "Palimpsest built-in",
        "preset": preset.name,
        "commit": commit(),
        "capabilities": ["describe"],
        "optimiser_steps": steps,
        "batch": preset.unet_course.batch,
        "scenes": preset.scenes,
        "initialised_from": origin,
        "attention_supervision": "none in this run",
        "license": "MIT",
        **notes,
    }


def fixed_settings(preset: Preset) -> dict[str, Any]:
    """What must not change between two pieces of one run: all but how long its stages last."""
    settings = json.loads(json.dumps(preset.to_json()))
    for course in ("vae_course", "unet_course", "decoder_course"):
        for free in ("steps", "rate", "decay_share", "full_share", "mix"):
            settings[course].pop(free, None)
    for free in ("save_every", "grid_every", "shown", "checked", "guidance", "sampling_steps", "map_side"):
        settings.pop(free)
    return settings


def describe_origin(folder: Path | None) -> str:
    """What a run started from, in words that mean something on another machine."""
    if folder is None:
        return "random weights"
    file = folder / PROVENANCE
    if not file.is_file():
        return f"a model without a record of its training, unet sha256 {_unet_hash(weight_hashes(folder))}"
    facts = json.loads(file.read_text(encoding="utf-8"))
    return f"{facts['name']}, preset {facts['preset']}, unet sha256 {_unet_hash(facts['sha256'])}"


def _unet_hash(hashes: dict[str, str]) -> str:
    return next((h for name, h in hashes.items() if name.startswith("unet/")), "unknown")
