"""A command's work on one photo, or on several one after the other: a failing one doesn't stop the others."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import known_words, notices, preflight, running, selecting
from palimpsest.cli.backend import Backend, opened
from palimpsest.cli.hints import in_shell
from palimpsest.cli.inventory import Inventory, inventory_of
from palimpsest.cli.output import json_text
from palimpsest.cli.pictures import Pictures, expanded
from palimpsest.contract import AttentionRequest, EditRequest, InvertRequest
from palimpsest.errors import PalimpsestError, RequestError, SelectionError
from palimpsest.settings import Settings, read_settings

if TYPE_CHECKING:
    from palimpsest.jobs.events import Finished

OnPhoto = EditRequest | InvertRequest | AttentionRequest


@dataclass(frozen=True)
class More:
    """What else is written for a photo: name → path and content. ``code``: 1 where some of it can't be."""

    files: Mapping[str, tuple[Path, bytes]] = field(default_factory=dict[str, tuple[Path, bytes]])
    code: int = 0


@dataclass(frozen=True)
class Work:
    """``suffix``: after the photo's name in those of its results. ``artifacts``: what must not be there yet.

    ``request``: made of the pictures, the options and the photo. ``rests_on``: groups of words, of each of
    which the model must know one. ``files``: what else will be written for a
    photo; ``more``: that, with its content. ``after``: what is said when all is written.
    """

    suffix: str
    artifacts: tuple[str, ...]
    request: Callable[[Pictures, argparse.Namespace, Path], OnPhoto]
    rests_on: Callable[[argparse.Namespace], Collection[Sequence[str]]] = known_words.of_photo
    files: Callable[[Ready], Collection[Path]] = lambda ready: ()
    more: Callable[[Ready, Backend, Finished], More] = lambda *_: More()
    after: Callable[[Done, argparse.Namespace], Done] = lambda done, _: done


@dataclass(frozen=True)
class Ready:
    """A photo whose request has been judged."""

    photo: Path
    target: running.Target
    pictures: Pictures
    request: OnPhoto
    parts: selecting.Parts | None
    expected: str | None = None  # the hash that the selection made of the parts must have; None: any


@dataclass(frozen=True)
class Done:
    """A photo whose results are written: ``files``, name → path. ``selection``: what could change, as a
    file's content; None = everything. ``seconds``: from the first request to the last file. ``code``: that
    of its exit."""

    ready: Ready
    selection: bytes | None
    files: dict[str, str]
    result: dict[str, Any]
    seconds: float
    code: int = 0


def run(work: Work, options: argparse.Namespace) -> int:
    """The exit code: of several photos that of the gravest failure, 1 before 2."""
    settings = read_settings()
    photos = photos_of(options.images, options.output)
    inventory = inventory_of(options, settings)
    several = options.images != photos or len(photos) > 1
    stems = stems_of(photos)
    failed: dict[Path, PalimpsestError] = {}
    ready: list[Ready] = []
    for photo, stem in zip(photos, stems, strict=True):
        with Collecting(photo, failed if several else None):
            ready.append(prepare(work, options, settings, inventory, photo, stem))
    if ready:
        known_words.require_known(inventory, options, work.rests_on(options))
    told = notices.tell(inventory, options.model, *_sentences(options)) if ready else ()
    done: dict[Path, Done] = {}
    if ready:
        with opened(options, inventory) as backend:
            for one in ready:
                with Collecting(one.photo, failed if several else None):
                    done[one.photo] = do(work, backend, one, options, told, several)
    code = summary(photos, done, failed, options) if several else report_only(done, options)
    if getattr(options, "open", False) and done:
        show(list(done.values()), options.output)
    return code


def report_only(done: dict[Path, Done], options: argparse.Namespace) -> int:
    (only,) = done.values()
    return running.report(only.files, only.result, options) or only.code


def show(done: Sequence[Done], folder: Path) -> None:
    """The result of one photo; of several the folder. Where nothing can show it, that is said."""
    from palimpsest.cli import viewer

    files = done[0].files
    shown = Path(files.get("own", files["composite"])) if len(done) == 1 else folder
    why = viewer.show(shown)
    if why:
        print(f"Notice: {why}", file=sys.stderr)


def photos_of(images: Sequence[Path], output: Path) -> list[Path]:
    """Folders stand for the pictures in them. Raises ImageNotFoundError for one without, and RequestError
    for the results' own.
    """
    for image in images:
        if os.path.isdir(image) and output.resolve() == image.resolve():
            raise RequestError(
                f"The results would lie among the photos in {image}.", "Give another folder with --output."
            )
    return list(dict.fromkeys(expanded(images)))


def stems_of(photos: Sequence[Path]) -> list[str]:
    """What the results' names begin with: the photo's own, with its kind where two would be the same.

    Raises RequestError for two photos of one name and kind.
    """
    seen = Counter(photo.stem.casefold() for photo in photos)
    stems = [
        photo.stem if seen[photo.stem.casefold()] == 1 else f"{photo.stem}-{photo.suffix.lstrip('.')}"
        for photo in photos
    ]
    twice = [stem for stem, count in Counter(stem.casefold() for stem in stems).items() if count > 1]
    if twice:
        same = ", ".join(str(p) for p, stem in zip(photos, stems, strict=True) if stem.casefold() == twice[0])
        raise RequestError(f"The results of {same} would have the same names.", "Give them one at a time.")
    return stems


def prepare(
    work: Work, options: argparse.Namespace, settings: Settings, inventory: Inventory, photo: Path, stem: str
) -> Ready:
    """Everything that can be found wrong at once is."""
    target = running.Target(options.output, f"{stem}-{work.suffix}", options.overwrite)
    target.check(*work.artifacts)
    pictures = Pictures(settings)
    request = work.request(pictures, options, photo)
    selects = isinstance(request, (EditRequest, InvertRequest))
    parts = selecting.parts_of(pictures, options, photo) if selects else None
    if parts is None:
        preflight.require_possible(request, inventory, pictures)
    else:
        preflight.require_possible(replace(request, selection=request.image), inventory)  # it will have one
    ready = Ready(photo, target, pictures, request, parts)
    target.check(*(() if parts is None else ("selection",)), files=work.files(ready))
    return ready


def do(
    work: Work,
    backend: Backend,
    ready: Ready,
    options: argparse.Namespace,
    told: Collection[str] = (),
    several: bool = False,
) -> Done:
    started, title = time.monotonic(), ready.photo.name if several else ""
    ready.pictures.put(backend)
    request, selection = ready.request, None
    if ready.parts is not None:

        def watch(asked: AttentionRequest) -> Finished:
            return running.run(backend, asked, options, told, title)

        selection = selecting.made(backend, ready.pictures, ready.photo, ready.parts, request.model, watch)
        request = replace(request, selection=backend.keep(selection))
        if ready.expected not in (None, request.selection):
            raise SelectionError(
                "The selection that the recipe describes comes out differently here.",
                "Give the file that was written then, …-selection.png, after the photo.",
            )
    finished = running.run(backend, request, options, told, title)
    if ready.parts is not None:
        finished = with_selection(finished, request, ready.parts)
    elif request.selection is not None:
        selection = backend.get(request.selection)
    more = work.more(ready, backend, finished)
    files = ready.target.write(backend, finished, more.files)
    done = Done(ready, selection, files, finished.result, time.monotonic() - started, more.code)
    return work.after(done, options)


def with_selection(finished: Finished, request: OnPhoto, parts: selecting.Parts) -> Finished:
    """The made selection becomes a file too, and the recipe says how it was made."""
    result, selection = dict(finished.result), parts.to_json()
    if "recipe" in result:
        result["recipe"] = {**result["recipe"], "selection": selection}
    else:
        result["selection"] = selection
    assert request.selection is not None
    return replace(finished, artifacts={**finished.artifacts, "selection": request.selection}, result=result)


def summary(
    photos: Sequence[Path],
    done: dict[Path, Done],
    failed: dict[Path, PalimpsestError],
    options: argparse.Namespace,
) -> int:
    """Paths or one object on standard output; how many are done, and which aren't, on standard error."""
    if options.json:
        found: list[dict[str, Any]] = []
        for photo in photos:
            if photo in done:
                found.append({"photo": str(photo), "files": done[photo].files, "result": done[photo].result})
            else:
                found.append({"photo": str(photo), "error": failed[photo].to_json()})
        print(json_text({"photos": found}))
    else:
        for one in done.values():
            print("\n".join(one.files.values()))
    if failed or not options.quiet:
        missing = f" Not done: {', '.join(map(str, failed))}." if failed else ""
        print(f"{len(done)} of {len(photos)} photos are done.{missing}", file=sys.stderr)
    codes = [*(error.exit_code for error in failed.values()), *(one.code for one in done.values())]
    return min(filter(None, codes), default=0)


class Collecting:
    """What goes wrong with one of several photos is said and kept; with the only one it is raised."""

    def __init__(self, photo: Path, failed: dict[Path, PalimpsestError] | None) -> None:
        self.photo, self.failed = photo, failed

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if self.failed is None or not isinstance(error, PalimpsestError):
            return False
        self.failed[self.photo] = error
        said = f"{error.message} {in_shell(error)}".strip()
        print(f"{self.photo}: Error: {said}\n({error.code})", file=sys.stderr)
        return True


def _sentences(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(getattr(options, name, "") for name in ("shows", "should_show"))
