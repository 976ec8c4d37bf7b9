"""What two recipes of one request differ in. Without torch."""

from __future__ import annotations

from typing import Any


def differences_between(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """One sentence each; empty = the same bytes come out. Of ``now`` engine, versions, model and concepts."""
    before, after = _decisive(then), _decisive(now)
    found = [
        f"{key} was {before.get(key)}, is {value}" for key, value in after.items() if before.get(key) != value
    ]
    learned = _object(then, "concepts")
    for placeholder, rows in _object(now, "concepts").items():
        if learned.get(placeholder) != rows:
            found.append(f"the concept {placeholder} has been learned anew since")
    for placeholder, pictures in _object(now, "views").items():
        if _object(then, "views").get(placeholder) != pictures:
            found.append(f"the pictures of {placeholder} are others since")
    for name, content in _object(now, "loras").items():
        if _object(then, "loras").get(name) != content:
            found.append(f"the LoRA {name} is another file than then")
    return found


def _decisive(recipe: dict[str, Any]) -> dict[str, Any]:
    model = {f"model {key}": value for key, value in _object(recipe, "model").items()}
    model = {"model autoencoder": "whole", **model}  # as where nothing is said of it
    return {"engine": recipe.get("engine"), "palimpsest": recipe.get("palimpsest"), **model}


def _object(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    """Empty where the recipe says nothing of it, or nothing that could be compared."""
    part = recipe.get(name)
    return part if isinstance(part, dict) else {}
