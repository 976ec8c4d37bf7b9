"""Pull a model: every file of it downloaded and checked, then put in place at once. Needs no device."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from palimpsest import contract
from palimpsest.contract import PullRequest
from palimpsest.errors import ModelUnreadableError, PickledModelError, RequestError
from palimpsest.jobs.events import Event, Finished, Progressed
from palimpsest.models.catalog import captioners, installed
from palimpsest.models.download import Remote, download
from palimpsest.models.hub import list_files
from palimpsest.models.offers import offer
from palimpsest.storage import atomic
from palimpsest.storage.room import require_room

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
ARRIVING = ".arriving"  # folder inside the models folder; on the same disk, so that a rename suffices
SUFFIX = ".safetensors"
MOST_HEADER_BYTES = 100 << 20
UNIT = 1 << 20  # progress is told in MiB
PAUSE = 0.25  # seconds between two news of it


class Puller:
    """The workplace of the network's lane."""

    def __init__(self, models: Path, others: tuple[Path, ...] = ()) -> None:
        self._models = models
        self._others = others

    def run(self, kind: str, request: dict[str, Any]) -> Iterator[Event]:
        return pull(contract.from_json(PullRequest, request), self._models, self._others)

    def status(self) -> dict[str, Any]:
        return {"device": "network"}


def open_puller(device: str, options: dict[str, Any]) -> Puller:
    """``options``: {"models": folder, "model_folders": [folder, …]}."""
    return Puller(Path(options["models"]), tuple(map(Path, options["model_folders"])))


def pull(request: PullRequest, models: Path, others: tuple[Path, ...] = ()) -> Iterator[Event]:
    """Raises RequestError, ModelNotFoundError, and what ``models.download`` raises."""
    require_safe(request)
    here = {**installed(models, others), **captioners(models)}.get(request.model)
    if here is not None:
        yield Finished(result={"model": request.model, "path": str(here), "new": False})
        return
    if request.url is None:
        path = yield from pull_offer(request.model, models)
    else:
        path = yield from pull_file(request, request.url, models)
    yield Finished(result={"model": request.model, "path": str(path), "new": True})


def require_safe(request: PullRequest) -> None:
    """A name that can't be a path; an address whose content can't be exchanged on its way."""
    if NAME.fullmatch(request.model) is None:
        raise RequestError(
            f"{request.model!r} can't be a model's name.", "Use 1 to 64 letters, digits, - and _."
        )
    if request.url is not None and not request.url.startswith("https://") and request.sha256 is None:
        raise RequestError(
            f"{request.url} is not an https address.",
            "Give the file's sha256 too, so that it can be checked.",
        )


def pull_offer(name: str, models: Path) -> Iterator[Event]:
    """All files of a model of the catalogue, into a folder in the diffusers layout."""
    files = list_files(offer(name))
    folder = models / ARRIVING / name
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(file.remote.size or 0 for file in files)
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    require_room(folder, max(0, total - here))
    before, began = 0, time.monotonic()
    for file in files:
        target = folder / file.path
        if not target.exists():  # what is there was checked when it came
            for done, _ in now_and_then(download(file.remote, target)):
                yield progress(before + done, total, began)
        before += file.remote.size or 0
    return put_in_place(folder, models / name)


def pull_file(request: PullRequest, url: str, models: Path) -> Iterator[Event]:
    """One checkpoint by its address."""
    arriving = models / ARRIVING / f"{request.model}{SUFFIX}"
    began = time.monotonic()
    for done, total in now_and_then(download(Remote(url, sha256=request.sha256), arriving)):
        yield progress(done, total, began)
    try:
        require_safetensors(arriving)
    except (ModelUnreadableError, PickledModelError):
        arriving.unlink()
        raise
    return put_in_place(arriving, models / arriving.name)


def now_and_then(pieces: Iterator[tuple[int, int | None]]) -> Iterator[tuple[int, int | None]]:
    """The first of them, and then a few per second: enough to watch and to cancel."""
    told = -PAUSE
    for piece in pieces:
        if time.monotonic() - told >= PAUSE:
            told = time.monotonic()
            yield piece


def progress(done: int, total: int | None, began: float) -> Progressed:
    """In MiB; the time that is left is the past's rate carried on."""
    if total is None or total == 0:
        return Progressed("downloading", done // UNIT, 0)
    left = (time.monotonic() - began) / done * (total - done) if done > 0 else None
    return Progressed("downloading", done // UNIT, -(-total // UNIT), left)


def put_in_place(source: Path, target: Path) -> Path:
    """Never over something that is there."""
    if target.exists():
        raise RequestError(f"{target} exists already.", "Choose another name.")
    atomic.put_in_place(source, target)
    return target


def require_safetensors(path: Path) -> None:
    """The file begins as a safetensors file does. Raises PickledModelError, ModelUnreadableError."""
    with path.open("rb") as file:
        start = file.read(8)
        if start[:2] in (b"PK", b"\x80\x02", b"\x80\x04"):
            raise PickledModelError(
                "The address holds a pickled checkpoint, which can run programs.",
                "Look for a .safetensors file.",
            )
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        header = file.read(length) if 0 < length <= MOST_HEADER_BYTES else b""
    try:
        found = json.loads(header)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ModelUnreadableError(
            "The address holds no safetensors file.", "Check the address: is it a web page?"
        )
