"""Pull a model: every file of it downloaded and checked, then put in place at once. Needs no device."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from palimpsest import contract
from palimpsest.contract import BUILT_IN, PullRequest
from palimpsest.errors import (
    DiskFullError,
    DownloadTooLargeError,
    ModelBusyError,
    ModelUnreadableError,
    PickledModelError,
    RequestError,
    StorageError,
    Text,
)
from palimpsest.jobs.events import Events, Finished, Progressed
from palimpsest.models.catalog import captioners, installed
from palimpsest.models.download import NOTHING_KEPT, Limits, Remote, download
from palimpsest.models.hub import RepositoryFile, list_files
from palimpsest.models.offers import OFFERS, offer
from palimpsest.storage import atomic
from palimpsest.storage.header import HeaderError, read_header
from palimpsest.storage.lock import exclusive
from palimpsest.storage.room import require_room

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
DOWNLOADS = ".arriving"  # folder inside the models folder; on the same disk, so that a rename suffices
SUFFIX = ".safetensors"
UNIT = 1 << 20  # progress is told in MiB
DEFAULT_LIMITS = Limits()
PAUSE = 0.25  # seconds between two news of it


class PullRunner:
    """Runs the jobs of the network's lane."""

    owner = ""  # models belong to all

    def __init__(self, models: Path, others: tuple[Path, ...], limits: Limits) -> None:
        self._models = models
        self._others = others
        self._limits = limits

    def run(self, kind: str, request: dict[str, Any]) -> Events[None]:
        return pull(contract.from_json(PullRequest, request), self._models, self._others, self._limits)

    def status(self) -> dict[str, Any]:
        return {"device": "network"}


def open_pull_runner(device: str, options: dict[str, Any]) -> PullRunner:
    """``options``: {"models": folder, "model_folders": [folder, …]}, and the fields of ``Limits``."""
    limits = Limits(options["max_download_bytes"], tuple(options["download_networks"]))
    return PullRunner(Path(options["models"]), tuple(map(Path, options["model_folders"])), limits)


def pull(
    request: PullRequest,
    models: Path,
    others: tuple[Path, ...] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Events[None]:
    """Raises RequestError, ModelNotFoundError, ModelBusyError, and what ``models.download`` raises."""
    require_safe(request)
    done = result_if_installed(request, models, others)
    if done is None:
        with model_lock(request.model, models):
            done = result_if_installed(request, models, others)  # another process may just have brought it
            if done is None:
                done = yield from pull_new(request, models, limits)
    yield done


def result_if_installed(request: PullRequest, models: Path, others: tuple[Path, ...]) -> Finished | None:
    """The end of a pull of what is here. Raises RequestError where that is another model of this name."""
    here = {**installed(models, others), **captioners(models)}.get(request.model)
    if here is None:
        return None
    require_same(request, here)
    return Finished(result={"model": request.model, "path": str(here), "new": False})


def pull_new(request: PullRequest, models: Path, limits: Limits) -> Events[Finished]:
    if request.url is None:
        path = yield from pull_offer(request.model, models, limits)
    else:
        path = yield from pull_file(request, request.url, models, limits)
    return Finished(result={"model": request.model, "path": str(path), "new": True})


@contextmanager
def model_lock(name: str, models: Path) -> Iterator[None]:
    """One process at a time brings a model of this name. Raises ModelBusyError, StorageError."""
    with ExitStack() as stack:
        try:
            mine = stack.enter_context(exclusive(models / DOWNLOADS / f"{name.casefold()}.lock"))
        except OSError as error:
            raise StorageError(Text("not-written", place=str(models), reason=error.strerror)) from error
        if not mine:
            raise ModelBusyError(
                f"{name!r} is being downloaded by another process.", "Wait until that has ended."
            )
        yield


def require_safe(request: PullRequest) -> None:
    """A name that can't be a path; an address whose content can't be exchanged on its way."""
    if NAME.fullmatch(request.model) is None:
        raise RequestError(
            f"{request.model!r} can't be a model's name.", "Use 1 to 64 letters, digits, - and _."
        )
    if request.url is not None and is_taken(request.model):
        raise RequestError(
            f"{request.model!r} is a name of the catalogue, whose models come from there alone.",
            "Pull it without an address, or choose another name.",
        )
    if request.url is not None and not request.url.lower().startswith("https://") and request.sha256 is None:
        raise RequestError(
            f"{request.url} is not an https address.",
            "Give the file's sha256 too, so that it can be checked.",
        )


def is_taken(name: str) -> bool:
    """Whether the built-in model or one of the catalogue is called so, in capitals or not."""
    return name.casefold() in {BUILT_IN, *(known.name for known in OFFERS)}


def require_same(request: PullRequest, here: Path) -> None:
    """Raises RequestError where a model of this name is here that isn't the one that was asked for."""
    if request.url is None or request.sha256 is None:
        return
    if not here.is_file() or sha256_of(here) != request.sha256:
        raise RequestError(
            f"There is another model called {request.model!r} already.", "Choose another name."
        )


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(UNIT), b""):
            digest.update(chunk)
    return digest.hexdigest()


def pull_offer(name: str, models: Path, limits: Limits) -> Events[Path]:
    """All files of a model of the catalogue, into a folder in the diffusers layout."""
    files = list_files(offer(name))
    folder = models / DOWNLOADS / name
    try:
        atomic.make_folder(folder)
        yield from download_files(files, folder, limits)
    except (DiskFullError, DownloadTooLargeError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        raise StorageError(Text("not-written", place=str(folder), reason=error.strerror)) from error
    return put_in_place(folder, models / name)


def download_files(files: list[RepositoryFile], folder: Path, limits: Limits) -> Events[None]:
    total = sum(file.remote.size or 0 for file in files)
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    require_room(folder, max(0, total - here), NOTHING_KEPT)
    before, began = 0, time.monotonic()
    for file in files:
        target = folder / file.path
        if not target.exists():  # what is there was checked when it came
            for done, _ in at_intervals(download(file.remote, target, limits)):
                yield progress(before + done, total, began)
        before += file.remote.size or 0


def pull_file(request: PullRequest, url: str, models: Path, limits: Limits) -> Events[Path]:
    """One checkpoint by its address."""
    arriving = models / DOWNLOADS / f"{request.model}{SUFFIX}"
    began = time.monotonic()
    remote = Remote(url, sha256=request.sha256, strange=True)
    for done, total in at_intervals(download(remote, arriving, limits)):
        yield progress(done, total, began)
    try:
        require_safetensors(arriving)
    except (ModelUnreadableError, PickledModelError):
        arriving.unlink()
        raise
    return put_in_place(arriving, models / arriving.name)


def at_intervals(pieces: Iterator[tuple[int, int | None]]) -> Iterator[tuple[int, int | None]]:
    """The first of them, and then a few per second: enough to watch and to cancel."""
    last_event = -PAUSE
    for piece in pieces:
        if time.monotonic() - last_event >= PAUSE:
            last_event = time.monotonic()
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
    try:
        atomic.put_in_place(source, target)
    except OSError as error:
        raise StorageError(Text("not-written", place=str(target), reason=error.strerror)) from error
    return target


def require_safetensors(path: Path) -> None:
    """The file begins as a safetensors file does. Raises PickledModelError, ModelUnreadableError."""
    with path.open("rb") as file:
        try:
            read_header(file)
            return
        except HeaderError as error:
            why = error
        file.seek(0)
        start = file.read(2)
    if start == b"PK" or start[:1] == b"\x80":  # torch's two pickled formats
        raise PickledModelError(
            "The address holds a pickled checkpoint, which can run programs.",
            "Look for a .safetensors file.",
        )
    raise ModelUnreadableError(
        f"The address holds no safetensors file: {why}.", "Check the address: is it a web page?"
    )
