"""The LoRAs of the backend's machine, as other machines are told of them."""

from __future__ import annotations

from pathlib import Path

from api.live import live
from lora_files import make
from palimpsest.models.loras.library import LoraLibrary
from tiny import tiny_model


def test_they_are_listed_without_places(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path / "models")
    path = make(tiny_model("sd1"), "kohya").save(library.folder / "ink.safetensors")
    with live(tmp_path, loras=lambda: [card.shown() for card in library.list()]) as server:
        (told,) = server.ask("GET", "/v1/loras").json()["loras"]
    assert told == {
        **{"name": "ink", "bytes": path.stat().st_size, "base": None, "context": 24, "rank": 4},
        **{"words": [], "title": None, "error": None},
    }
