"""``palimpsest learn``: teach it a word from a few pictures."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from palimpsest.cli import arguments, selecting
from palimpsest.cli.hints import in_shell
from palimpsest.cli.output import json_text
from palimpsest.cli.pictures import expanded
from palimpsest.contract import BUILT_IN, ConceptKind, LearnRequest
from palimpsest.errors import ConceptImagesError, ModelError
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.cli.inventory import Inventory
    from palimpsest.cli.pictures import Pictures

PICTURE = re.compile(r"\b[Pp]icture (\d+)\b")
GOOD_SET = (
    "A good set shows one and the same thing from several sides, in different places and light, sharp and "
    "large in the picture."
)
EXAMPLE = f"""what to give:
{textwrap.fill(GOOD_SET, 106, initial_indent="  ", subsequent_indent="  ")}
  What all pictures share is learned: the wall behind it too, if it is always the same. Where the thing is
  small or the ground the same, say with --mask where it is. For a style: different things, drawn alike.

examples:
  palimpsest sample sample
  palimpsest learn my-toy sample/toy --mask sample/toy-masks --noun star
  palimpsest learn my-mug mug1.jpg mug2.jpg mug3.jpg mug4.jpg --noun mug --model sd15
  then write <my-toy> in a sentence
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "learn",
        help="teach it a word from 3 to 5 pictures",
        description="Learn a new word from 3 to 5 pictures of one subject or one style.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="how it will be written, without brackets: my-toy")
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="3 to 5 pictures, or a folder of them"
    )
    parser.add_argument("--noun", required=True, help="what it is, as a common noun: toy, cat, painting")
    parser.add_argument("--kind", choices=get_args(ConceptKind), default="subject", help="default: subject")
    parser.add_argument(
        "--mask",
        type=Path,
        action="append",
        default=[],
        metavar="MASK",
        help="where the subject is, closely and without its shadow: one per picture in the same order "
        "(repeat the option), or a folder with a file of the same name for each",
    )
    parser.add_argument(
        "--caption",
        action="append",
        default=[],
        metavar="TEXT",
        help="what a picture shows, with {} for the word: 'a photo of {} on grass'; one per picture in the "
        "same order, '' for none (repeat the option)",
    )
    thorough = parser.add_mutually_exclusive_group()
    thorough.add_argument(
        "--detail",
        action="store_true",
        help="learn low-rank adapters with the word: it holds what words can't say, and takes longer",
    )
    thorough.add_argument(
        "--quick", dest="detail", action="store_false", help="learn the word's embedding alone (the default)"
    )
    parser.add_argument(
        "--vectors", type=int, default=2, metavar="N", help="tokens the word stands for (default: 2)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="most steps (default: what suits the model)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise that is drawn (default: 0)")
    parser.add_argument(
        "--start", metavar="CONCEPT", help="learn more: begin with this concept instead of the noun"
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="keep what an interrupted run of the same pictures and options has learned, without a step more",
    )
    parser.add_argument("--replace", action="store_true", help="replace a concept of the same name")
    parser.add_argument(
        "--accept-outliers", action="store_true", help="learn even if a picture doesn't seem to fit"
    )
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import preflight, running
    from palimpsest.cli.backend import opened
    from palimpsest.cli.concepts import require_unused
    from palimpsest.cli.inventory import inventory_of
    from palimpsest.cli.pictures import Pictures

    settings = read_settings()
    pictures = Pictures(settings)
    inventory = inventory_of(options, settings)
    _require_noun(options, inventory)
    images = expanded(options.images)
    with _by_their_files(images):
        request = request_of(pictures, options, images)
        preflight.require_possible(request, inventory)
        if request.replace and inventory.server is None:  # a server looks itself
            require_unused(request.name)
        _read_all(pictures, images, _masks(options, images))
        told = _tell(request, inventory)
        with opened(options, inventory) as backend:
            pictures.put(backend)
            shown = running.Display(sys.stderr, options.quiet)
            result = running.finish(backend.do(request), shown).result
    result["notices"] = [in_files(notice, images) for notice in result["notices"]]
    _say(result, told, options)
    return 0


def _tell(request: LearnRequest, inventory: Inventory) -> tuple[str, ...]:
    """What means nothing in the captions."""
    from palimpsest.cli import notices
    from palimpsest.core.learning.templates import fill

    captions = (caption for caption in request.captions if caption is not None)
    return notices.tell(inventory, request.model, *(fill(one, f"<{request.name}>") for one in captions))


def _say(result: dict[str, Any], told: Collection[str], options: argparse.Namespace) -> None:
    for notice in result["notices"]:
        if notice not in told:
            print(f"Notice: {notice}", file=sys.stderr)
    word = result["placeholder"]
    print(json_text({"files": {}, "result": result}) if options.json else word)
    if not options.quiet:
        model = "" if options.model == BUILT_IN else f" --model {options.model}"
        see = f'palimpsest draw "a photo of a {word}"{model}'
        print(f"{word} is learned in {result['seconds']:.0f} s. To see it: {see}", file=sys.stderr)


def _require_noun(options: argparse.Namespace, inventory: Inventory) -> None:
    """Before a picture is read. Raises RequestError for a noun that a model of few words doesn't know."""
    from palimpsest.core.text.tokens import require_known

    with contextlib.suppress(ModelError):  # the backend says what is wrong with the model
        require_known(options.noun, inventory.words(options.model))


def _read_all(pictures: Pictures, images: Sequence[Path], masks: Sequence[Path]) -> None:
    """Raises the ImageErrors and SelectionErrors of each file, with its name, before a model is loaded."""
    for number, image in enumerate(images):
        size = pictures.read(image).size
        if masks:
            pictures.selection(masks[number], size)


def _masks(options: argparse.Namespace, images: Sequence[Path]) -> list[Path]:
    """A folder stands for the file in it of each picture's name."""
    if len(options.mask) == 1 and os.path.isdir(options.mask[0]):
        return [selecting.named_as(image, options.mask[0]) for image in images]
    return list(options.mask)


@contextlib.contextmanager
def _by_their_files(images: Sequence[Path]) -> Iterator[None]:
    """What is wrong with a set is said with the files' names, and what to give instead."""
    try:
        yield
    except ConceptImagesError as error:
        hint = f"{in_files(in_shell(error), images)} {GOOD_SET}"
        raise ConceptImagesError(in_files(error.message, images), hint, **error.details) from error


def in_files(text: str, images: Sequence[Path]) -> str:
    """``Picture 2 is the same as picture 1`` with the files' names."""

    def name(found: re.Match[str]) -> str:
        number = int(found[1])
        return str(images[number - 1]) if 1 <= number <= len(images) else found[0]

    return PICTURE.sub(name, text)


def request_of(pictures: Pictures, options: argparse.Namespace, images: Sequence[Path]) -> LearnRequest:
    return LearnRequest(
        name=options.name.strip("<>"),
        images=pictures.names(images),
        noun=options.noun,
        kind=options.kind,
        masks=pictures.names(_masks(options, images)),
        captions=tuple(caption if caption else None for caption in options.caption),
        vectors=options.vectors,
        detail=options.detail,
        steps=options.steps,
        seed=options.seed,
        model=options.model,
        start=None if options.start is None else options.start.strip("<>"),
        finish=options.finish,
        replace=options.replace,
        accept_outliers=options.accept_outliers,
    )
