"""After an edit: its files in the photo's own kind, and one line for people, counted on what was written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import known_words
from palimpsest.cli.outside import Box, Outside, counting
from palimpsest.cli.photos import More, Work
from palimpsest.cli.pictures import read
from palimpsest.errors import InternalError, OutOfMemoryError, StorageError

if TYPE_CHECKING:
    from palimpsest.cli.backend import Backend
    from palimpsest.cli.photos import Done, Ready
    from palimpsest.contract import EditRequest
    from palimpsest.jobs.events import Finished

COMPOSITE, OWN = "composite", "own"  # names of artifacts and files; of further variations with ``:2`` …


def work_of(operation: str, request: Callable[..., EditRequest], options: argparse.Namespace) -> Work:
    """An edit's, with what those options ask for."""
    work = Work(operation, ("layer", COMPOSITE), request, known_words.of_edit, after=say)
    return replace(work, files=own_files, more=own_contents) if options.keep_format else work


def own_files(ready: Ready) -> list[Path]:
    """Of the first variation; further ones are named after it."""
    content = read(ready.photo, ready.pictures.settings.max_image_bytes)
    path = own_path(ready, content, "")
    return [] if path is None else [path]


def own_path(ready: Ready, content: bytes, variation: str) -> Path | None:
    """``photo-replace.jpg``, with the ending that the photo has where it fits. None where no further file is
    written: a PNG's composite is of its own kind already, and BMP and GIF aren't written.

    ``content``: the photo's.
    """
    from palimpsest.storage.own_kind import suffix_for

    suffix = suffix_for(content)
    if suffix in (None, ".png"):
        return None
    own = ready.photo.suffix
    fits = own.lower() in {".jpg": (".jpg", ".jpeg"), ".tif": (".tif", ".tiff")}.get(suffix, (suffix,))
    number = f"-{variation}" if variation else ""
    return ready.target.folder / f"{ready.target.stem}{number}{own if fits else suffix}"


def own_contents(ready: Ready, backend: Backend, finished: Finished) -> More:
    """Says what had no place in a file, and which can't be made: the PNGs are written all the same."""
    from palimpsest.storage.own_kind import pack_like, suffix_for

    photo = backend.get(ready.request.image)  # the file may be gone by now
    if suffix_for(photo) is None:
        print(f"Notice: {ready.photo} is of a kind that isn't written: its result is a PNG.", file=sys.stderr)
    contents, code = {}, 0
    for name, image in finished.artifacts.items():
        kind, _, variation = name.partition(":")
        path = own_path(ready, photo, variation) if kind == COMPOSITE else None
        if path is None:
            continue
        merged = backend.get(image)
        try:
            packed = pack_like(photo, merged, ready.pictures.limits)
        except (StorageError, OutOfMemoryError) as error:
            print(f"Notice: {path} isn't written. {error.message} Its result is a PNG.", file=sys.stderr)
            code = error.exit_code
            continue
        contents[name.replace(COMPOSITE, OWN)] = (path, packed.content)
        for lost in packed.lost:
            print(f"Notice: {path} lacks something: {lost}.", file=sys.stderr)
    return More(contents, code)


def say(done: Done, options: argparse.Namespace) -> Done:
    """One line. Raises InternalError where a file breaks the promise that nothing outside changes."""
    counts = counted(done)
    exact = [outside for name, outside in counts.items() if name.startswith(COMPOSITE)]
    worst = max(exact, key=lambda outside: outside.changed, default=None)
    what = "nothing was selected, so every pixel could change" if worst is None else worst.said()
    if worst is not None and worst.changed:
        record = done.files["record"]
        raise InternalError(f"{what}, which must not be.", f"Please report it with {record}.")
    if not options.quiet:
        folder = str(done.ready.target.folder)
        where = "this folder" if folder == "." else folder
        files = f"{len(done.files)} files in {where}"
        about = f"{what}. Model: {done.ready.request.model}. {files}{_place(done)}."
        print(f"{done.ready.photo.name} is done in {done.seconds:.1f} s: {about}", file=sys.stderr)
    for name, file in done.files.items():
        if name.partition(":")[0] == OWN:
            _say_of_own(Path(file), done, counts.get(name))
    return replace(done, result={**done.result, "outside": {n: one.to_json() for n, one in counts.items()}})


def counted(done: Done) -> dict[str, Outside]:
    """Of every merged picture that was written, by its name; empty where nothing was selected."""
    if done.selection is None:
        return {}
    grown = int(done.result["grown"])
    photo, box = done.ready.photo, box_of(done)
    count: Callable[[Path], Any] = counting(done.ready.pictures, photo, done.selection, grown, box)
    merged = {n: file for n, file in done.files.items() if n.partition(":")[0] in (COMPOSITE, OWN)}
    return {name: count(Path(file)) for name, file in merged.items()}


def box_of(done: Done) -> Box | None:
    """Which part of the photo the files are of; None = all of it."""
    recipe = done.result["recipe"]
    if recipe["request"]["extent"] != "region":
        return None
    left, top, right, bottom = recipe["region"]["box"]
    return left, top, right, bottom


def _place(done: Done) -> str:
    return "" if box_of(done) is None else f", {laid_at(done.result['recipe'])}"


def laid_at(recipe: Mapping[str, Any]) -> str:
    """Where pictures of the region alone lie."""
    left, top = recipe["region"]["box"][:2]
    return f"to be laid at {left}, {top} of the photo"


def _say_of_own(file: Path, done: Done, outside: Outside | None) -> None:
    if outside is None or not outside.changed:
        return
    changed = f"{outside.said()} by up to {outside.most} levels"
    exact = Path(done.files["layer"]).name
    print(f"Notice: {file} is compressed anew, so {changed}; {exact} is exact.", file=sys.stderr)
