"""The demo: learn a word, remember a photo by every method, edit it, and show what came out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest import contract
from palimpsest.contract import InversionSettings, InvertRequest
from palimpsest.demo import script
from palimpsest.demo.sheet import Row, Tile, contact_sheet, outlined
from palimpsest.errors import StorageError
from palimpsest.jobs.events import Event, Finished
from palimpsest.storage.atomic import SHARED, write_atomically
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import TaskRunner

Watch = Callable[[str, Iterator[Event]], Finished]  # a title and a task's events → its result


@dataclass
class Demo:
    """What the demo has come to so far."""

    runner: TaskRunner
    output: Path
    model: str
    watch: Watch
    hashes: dict[str, str] = field(default_factory=dict)  # picture's name → id in the store
    report: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def run(self) -> dict[str, Path]:
        """All of it. Returns the files by name; ``report`` comes last."""
        started = time.monotonic()
        self._take_pictures()
        self._learn()
        self._remember()
        self.report["edits"] = [self._edit(stop) for stop in script.STOPS]
        self._sheet()
        self.report["seconds"] = round(time.monotonic() - started, 1)
        self._write("report", "report.json", (json.dumps(self.report, indent=2) + "\n").encode())
        return self.files

    def _take_pictures(self) -> None:
        for path in sorted(script.PICTURES.glob("*.png")):
            self.hashes[path.name] = self.runner.images.put(path.read_bytes())
        missing = {script.PHOTO, script.SELECTION, *script.EXAMPLES} - set(self.hashes)
        if missing:
            raise StorageError(
                f"The demo's pictures are missing from {script.PICTURES}: {', '.join(sorted(missing))}.",
                "Install Palimpsest again, or draw them: python -m palimpsest.demo.make_pictures",
            )

    def _learn(self) -> None:
        images = tuple(self.hashes[name] for name in script.EXAMPLES)
        masks = tuple(self.hashes.get(name) for name in script.MASKS)
        request = script.lesson(images, masks, self.model)
        result = self._do(f"learning <{script.CONCEPT}> from {len(images)} pictures", request).result
        known = ("name", "vectors", "steps", "seconds", "noun", "loss", "rows_hash")
        self.report["concept"] = {key: result[key] for key in known}
        target = self.output / f"{script.CONCEPT}.safetensors"
        self.runner.concepts.export_file(script.CONCEPT, target, replace=True)
        self.report["concept"]["file"] = target.name
        self.files["concept"] = target

    def _remember(self) -> None:
        """The photo's reproduction with the guidance that editing uses, by every method."""
        against_photo, against_autoencoder, best = {}, {}, 0.0
        for method in script.METHODS:
            request = InvertRequest(
                self.hashes[script.PHOTO],
                script.SHOWS,
                model=self.model,
                inversion=InversionSettings(method=method),
            )
            finished = self._do(f"remembering the photo, {script.label(method)}", request)
            key = method.replace("-", "_")
            against_photo[key] = finished.result["reconstruction_psnr"]
            against_autoencoder[key] = finished.result["fidelity_psnr"]
            best = finished.result["roundtrip_psnr"]
            self.report["guidance"] = finished.result["guidance"]
            self.report["model"] = {"name": self.model, **finished.result["model"]}
            self._keep(f"reconstruction-{key}", finished.artifacts["reconstruction"])
        self.report["reconstruction_psnr"] = {**against_photo, "autoencoder": best}
        self.report["reconstruction_psnr_against_autoencoder"] = against_autoencoder

    def _edit(self, stop: script.Stop) -> dict[str, Any]:
        finished = self._do(
            f"{stop.operation}, {script.label(stop.method)}",
            script.request(stop, self.hashes, self.model),
        )
        layer = self._keep(f"{stop.name}-layer", finished.artifacts["layer"])
        composite = self._keep(f"{stop.name}-composite", finished.artifacts["composite"])
        maps = {
            name.removeprefix("map:"): self._keep(f"attention-{name.removeprefix('map:')}", image).name
            for name, image in finished.artifacts.items()
            if name.startswith("map:")
        }
        result = finished.result
        return {
            "operation": stop.operation,
            "method": stop.method,
            "shows": script.SHOWS,
            "should_show": stop.should_show,
            "layer": layer.name,
            "composite": composite.name,
            **({"maps": maps} if maps else {}),
            **{
                key: result[key]
                for key in ("pixels_changed_outside", "unet_evaluations", "seconds", "recipe")
            },
        }

    def _sheet(self) -> None:
        rows = [
            self._lesson_row(),
            self._photo_row(),
            self._maps_row(),
            self._edits_row(),
            self._layers_row(),
        ]
        page = contact_sheet(
            "Palimpsest",
            "A word learned from four pictures, a photo remembered, and edited by words: outside the "
            "selection nothing changes.",
            rows,
        )
        self._write("sheet", "contact-sheet.png", encode(page))

    def _lesson_row(self) -> Row:
        tiles = [Tile(self._shipped(name), f"picture {n}") for n, name in enumerate(script.EXAMPLES, 1)]
        concept = self.report["concept"]
        heading = f"<{script.CONCEPT}>, learned in {concept['steps']} steps, {concept['seconds']:.0f} s"
        return Row(heading, tiles)

    def _photo_row(self) -> Row:
        photo = self._shipped(script.PHOTO)
        psnr = self.report["reconstruction_psnr"]
        tiles = [
            Tile(outlined(photo, self._shipped(script.SELECTION)[..., 0]), "the photo, and the selection")
        ]
        for method in script.METHODS:
            key = method.replace("-", "_")
            pixels = self._made(f"reconstruction-{key}")
            tiles.append(Tile(pixels, f"{script.label(method)}\n{psnr[key]:.1f} dB"))
        best = f"the autoencoder alone reaches {psnr['autoencoder']:.1f} dB"
        return Row(f"The photo reproduced at guidance {self.report['guidance']:g} ({best})", tiles)

    def _maps_row(self) -> Row:
        words = next(edit["maps"] for edit in self.report["edits"] if "maps" in edit)
        return Row(
            "Where the words are",
            [Tile(self._made(f"attention-{word}"), word) for word in words],
        )

    def _edits_row(self) -> Row:
        tiles = []
        for stop, edit in zip(script.STOPS, self.report["edits"], strict=True):
            said = (
                f"{stop.operation}, {script.label(stop.method)}\n{stop.should_show}\n"
                f"{edit['pixels_changed_outside']} pixels changed outside"
            )
            tiles.append(Tile(self._made(f"{stop.name}-composite"), said))
        return Row("Edited", tiles)

    def _layers_row(self) -> Row:
        tiles = [
            Tile(
                self._made(f"{stop.name}-layer"),
                f"{edit['unet_evaluations']} evaluations, {edit['seconds']:.0f} s",
            )
            for stop, edit in zip(script.STOPS, self.report["edits"], strict=True)
        ]
        return Row("The layers that an editor gets", tiles)

    def _do(self, title: str, request: contract.Request) -> Finished:
        return self.watch(title, self.runner.do(request))

    def _keep(self, name: str, image: str) -> Path:
        return self._write(name, f"{name}.png", self.runner.images.get(image))

    def _write(self, name: str, file: str, content: bytes) -> Path:
        path = self.output / file
        write_atomically(path, content, mode=SHARED)
        self.files[name] = path
        return path

    def _shipped(self, name: str) -> NDArray[np.uint8]:
        return read_picture(script.PICTURES / name).pixels

    def _made(self, name: str) -> NDArray[np.uint8]:
        """What was written before, with its alpha channel if it has one."""
        picture = read_picture(self.files[name])
        if picture.alpha is None:
            return picture.pixels
        return np.concatenate([picture.pixels, picture.alpha[..., None]], axis=-1)
