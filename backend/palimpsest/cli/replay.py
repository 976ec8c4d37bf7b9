"""``palimpsest replay``: make a result again from its recipe."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments, selecting
from palimpsest.contract import AttentionRequest, EditRequest, request_of
from palimpsest.errors import RequestError, SelectionError
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.cli.backend import Backend
    from palimpsest.cli.pictures import Pictures
    from palimpsest.jobs.events import Finished

MOST_BYTES = 4 << 20  # of a recipe with the record around it, which have a few thousand
HINT = "Give the .json that was written beside the result."


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "replay",
        help="make a result again from its recipe",
        description="Make a result again: on the same device and versions byte for byte the same.",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="the .json written beside a result")
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the picture, and the file of its selection"
    )
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: the fastest)")
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import early, notices, running
    from palimpsest.cli.backend import InProcess, require_model, workplace
    from palimpsest.cli.pictures import Pictures

    settings = read_settings()
    pictures = Pictures(settings)
    hashes = pictures.names(options.files)
    recipe = read_recipe(options.recipe)
    request = request_of(recipe)
    require_model(request.model, settings)
    target = running.Target(options.output, f"{options.files[0].stem}-{request.operation}", options.overwrite)
    target.check("layer", "composite")
    if request.image not in hashes:
        raise RequestError(
            "None of the files is the picture of this recipe.", f"Its sha256: {request.image}."
        )
    photo = pictures.named[request.image]
    early.require_possible(request, settings, pictures)
    parts = None if request.selection in hashes else selecting.parts_from(recipe, hashes)
    told = notices.tell(settings, request.model, request.source_prompt, request.target_prompt)
    with workplace(options, settings) as place:
        from palimpsest.tasks.recipe import differences

        backend = InProcess(place)
        pictures.put(backend)
        for difference in differences(recipe, place):
            print(f"Not the same as then: {difference}.", file=sys.stderr)
        if parts is not None:
            _select_again(backend, pictures, photo, parts, request, options)
        finished = running.run(backend, request, options, told)
        return running.report(target.write(backend, finished), finished.result, options)


def _select_again(
    backend: Backend,
    pictures: Pictures,
    photo: Path,
    parts: selecting.Parts,
    request: EditRequest,
    options: argparse.Namespace,
) -> None:
    """Make the selection that the recipe describes. Raises SelectionError if it isn't the same any more."""
    from palimpsest.cli import running

    def watch(asked: AttentionRequest) -> Finished:
        return running.run(backend, asked, options)

    selection = backend.keep(selecting.made(backend, pictures, photo, parts, request.model, watch))
    if selection != request.selection:
        raise SelectionError(
            "The selection that the recipe describes comes out differently here.",
            "Give the file that was written then, …-selection.png, after the photo.",
        )


def read_recipe(file: Path) -> dict[str, Any]:
    """Raises RequestError for what is none of ours."""
    from palimpsest.storage.files import read_regular

    try:
        content = read_regular(file, MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        record = json.loads(content)
    except OSError as error:
        raise RequestError(f"{file} can't be read as a recipe: {error.strerror}.", HINT) from error
    except RecursionError as error:
        raise RequestError(f"{file} can't be read as a recipe: it is nested too deeply.", HINT) from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{file} can't be read as a recipe: it isn't text.", HINT) from error
    except ValueError as error:
        raise RequestError(f"{file} can't be read as a recipe: {error}.", HINT) from error
    return record.get("recipe", record) if isinstance(record, dict) else record
