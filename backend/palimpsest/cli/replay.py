"""``palimpsest replay``: make a result again from its recipe."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments, selecting
from palimpsest.cli.remote import add_server
from palimpsest.contract import ENGINE, request_of
from palimpsest.errors import RequestError
from palimpsest.settings import Settings, read_settings
from palimpsest.tasks.differences import differences_between

if TYPE_CHECKING:
    from palimpsest.cli.backend import Backend
    from palimpsest.cli.inventory import Inventory
    from palimpsest.tasks.runner import TaskRunner

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
    add_server(parser)
    arguments.add_finish(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import finish, notices, photos, preflight, running
    from palimpsest.cli.inventory import inventory_of
    from palimpsest.cli.pictures import Pictures

    settings = read_settings()
    pictures = Pictures(settings)
    hashes = pictures.names(options.files)
    recipe = read_recipe(options.recipe)
    request = replace(request_of(recipe), extent="canvas")  # the files are whole pictures
    inventory = inventory_of(options, settings)
    inventory.words(request.model)  # raises what is wrong with the model
    target = running.Target(options.output, f"{options.files[0].stem}-{request.operation}", options.overwrite)
    target.check("layer", "composite")
    if request.image not in hashes:
        raise RequestError(
            "None of the files is the picture of this recipe.", f"Its sha256: {request.image}."
        )
    if request.reflection not in (None, *hashes):
        raise RequestError(
            "None of the files is the mirror's mask of this recipe.", f"Its sha256: {request.reflection}."
        )
    photo = pictures.named[request.image]
    preflight.require_possible(request, inventory, pictures)
    parts = None if request.selection in hashes else selecting.parts_from(recipe, hashes)
    # Another engine may write the same selection as another file; that engines differ is said below.
    same_engine = recipe.get("engine") == ENGINE
    expected = request.selection if parts is not None and same_engine else None
    ready = photos.Ready(photo, target, pictures, request, parts, expected)
    work = finish.work_of(request.operation, lambda *_: request, options)
    target.check(*(() if parts is None else ("selection",)), files=work.files(ready))
    told = notices.tell(inventory, request.model, request.source_prompt, request.target_prompt)
    with opened(options, settings, inventory) as (backend, runner):
        if runner is not None:
            _say_differences(_before(recipe, runner))
        done = photos.do(work, backend, ready, options, told)
    if runner is None:
        _say_differences(differences_between(recipe, done.result["recipe"]))
    code = photos.report_only({photo: done}, options)
    if options.open:
        photos.show([done], options.output)
    return code


@contextlib.contextmanager
def opened(
    options: argparse.Namespace, settings: Settings, inventory: Inventory
) -> Iterator[tuple[Backend, TaskRunner | None]]:
    """A server only where one is named: it tells afterwards what it differs in, this process before."""
    from palimpsest.cli.backend import InProcess, Served, open_task_runner

    if inventory.server is not None:
        yield Served(inventory.server, settings.max_image_bytes), None
        return
    with open_task_runner(options, settings) as runner:
        yield InProcess(runner), runner


def _before(recipe: dict[str, Any], runner: TaskRunner) -> list[str]:
    from palimpsest.tasks.recipe import differences

    return differences(recipe, runner)


def _say_differences(found: Sequence[str]) -> None:
    for difference in found:
        print(f"Not the same as then: {difference}.", file=sys.stderr)


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
