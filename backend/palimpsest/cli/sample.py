"""``palimpsest sample``: pictures to try the commands on, copied out of what is installed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.cli import arguments
from palimpsest.cli.output import json_text
from palimpsest.errors import RequestError, StorageError

EXAMPLE = """then:
  palimpsest learn my-toy sample/toy --mask sample/toy-masks --noun star
  palimpsest edit sample/photo.png --selection sample/ball.png --shows "a photo of a red ball on grass" \\
      --should-show "a photo of a <my-toy> on grass"
"""
FILES = {  # where it goes, the demo's own name
    "photo.png": "photo.png",
    "ball.png": "photo-selection.png",
    **{f"toy/{n}.png": f"toy-{n}.png" for n in (1, 2, 3, 4)},
    **{f"toy-masks/{n}.png": f"toy-{n}-mask.png" for n in (1, 2, 3, 4)},
}


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="pictures to try the commands on",
        description="Copy a photo, a selection in it, and four pictures of a toy to learn, with their masks.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("sample"), metavar="FOLDER", help="default: sample"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace other files of these names")
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """All or none of them is written; those that are there already are left as they are."""
    from palimpsest.storage.atomic import SHARED, write_atomically

    contents = {options.folder / name: _picture(own) for name, own in FILES.items()}
    missing = [path for path, content in contents.items() if _differs(path, content, options.overwrite)]
    for path in missing:
        write_atomically(path, contents[path], reserved=False, mode=SHARED)
    files = {name: str(options.folder / name) for name in FILES}
    print(json_text({"files": files, "result": {}}) if options.json else "\n".join(files.values()))
    return 0


def _picture(name: str) -> bytes:
    from palimpsest.demo.script import PICTURES

    try:
        return (PICTURES / name).read_bytes()
    except OSError as error:
        what = f"{PICTURES / name} can't be read: {error.strerror}."
        raise StorageError(what, "Install Palimpsest again.") from error


def _differs(path: Path, content: bytes, overwrite: bool) -> bool:
    """Whether it is to be written. Raises RequestError for another picture there, StorageError."""
    from palimpsest.storage.atomic import require_writable

    try:
        there = path.read_bytes() if path.exists() else None
        place = next(place for place in path.parents if place.exists())
    except OSError as error:
        raise StorageError(f"{path} can't be used: {error.strerror}.", "Name another folder.") from error
    if there is None:
        require_writable(place.absolute())
    elif there != content and not overwrite:
        what = "Name another folder, or give --overwrite."
        raise RequestError(f"{path} is there already, and is another picture.", what)
    return there != content
