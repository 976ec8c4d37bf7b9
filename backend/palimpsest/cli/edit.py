"""``palimpsest edit``: change what a photo shows; outside the selection nothing changes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments, known_words, selecting
from palimpsest.contract import Control, EditRequest
from palimpsest.errors import RequestError
from palimpsest_client.fields.operations import OPERATIONS

if TYPE_CHECKING:
    from palimpsest.cli.pictures import Pictures

EXAMPLES = """examples:
  palimpsest edit photo.png --selection cat.png --shows "a photo of a cat" --should-show "a photo of <my-toy>"
  palimpsest edit photo.png --operation remove --selection car.png --shows "a street with a car" \\
      --should-show "a street"
  palimpsest edit photo.png --word cat --shows "a cat on grass" --should-show "a dog on grass"
  palimpsest edit photo.png --operation reweight --shows "a snowy street" --weight snowy=2
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "edit",
        help="change what a photo shows",
        description="Change what a photo shows; outside the selection, grown by --grow, nothing changes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    selecting.add_images(parser)
    parser.add_argument(
        "--operation",
        type=arguments.operation,
        choices=tuple(OPERATIONS),
        default=next(iter(OPERATIONS)),
        help="what to do (default: replace); reweight is Emphasise in the panels, and emphasise works too",
    )
    parser.add_argument("--shows", default="", metavar="TEXT", help="what the picture shows")
    parser.add_argument("--should-show", default="", metavar="TEXT", help="what it should show")
    selecting.add_selection(parser, "everything may change")
    parser.add_argument(
        "--mirror",
        default="auto",
        metavar="auto|none|MASK",
        help="replace: what is selected in a mirror becomes the new thing's image. auto (default): the "
        "mirror is found if --shows names one; a file says where in the selection it is; none: not done",
    )
    arguments.add_controls(parser, *arguments.EDIT)
    arguments.add_finish(parser)
    parser.add_argument(
        "--extent",
        choices=("canvas", "region"),
        default="canvas",
        help="how large layer, merged picture and maps are: as the photo (canvas, default), or as the region "
        "that was worked on, whose place in the photo is said",
    )
    parser.add_argument("--maps", action="store_true", help="also write every word's attention map")
    _add_control(parser)
    arguments.add_inversion(parser)
    known_words.add_option(parser)
    arguments.add_model(parser)
    arguments.add_loras(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def _add_control(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how closely it follows the photo (default: what suits the operation)")
    group.add_argument(
        "--pair",
        type=arguments.pair,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="this word for that",
    )
    group.add_argument(
        "--weight",
        type=arguments.weight,
        action="append",
        default=[],
        metavar="WORD=FACTOR",
        help="1 is as it is",
    )
    arguments.add_controls(group, *arguments.controls_in("control"))
    group.add_argument(
        "--cross-word",
        type=arguments.word_window,
        action="append",
        default=[],
        metavar="WORD=PART",
        help="the same for one word",
    )
    group.add_argument(
        "--blend", action=argparse.BooleanOptionalAction, help="change only where the words are"
    )
    group.add_argument(
        "--blend-include", action="append", default=[], metavar="WORD", help="this word's place changes too"
    )
    group.add_argument(
        "--blend-exclude", action="append", default=[], metavar="WORD", help="this word's place stays"
    )
    group.add_argument(
        "--blend-threshold",
        type=float,
        default=0.3,
        metavar="T",
        help="0 to 1, lower is wider (default: 0.3)",
    )


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import finish, photos

    require_change(options)
    if options.extent == "region" and options.keep_format:
        what = "--keep-format writes the whole photo, and --extent region only a part of it."
        raise RequestError(what, "Leave one of the two out.")
    return photos.run(finish.work_of(options.operation, request_of, options), options)


def require_change(options: argparse.Namespace) -> None:
    """Raises RequestError for the same sentence twice, where nothing else could make a difference."""
    from palimpsest_client.text.sentences import changes, concepts_in
    from palimpsest_client.text.wording import say

    shows, should_show = options.shows, options.should_show
    if not OPERATIONS[options.operation].rewords or not (shows.strip() and should_show.strip()):
        return
    same = not changes(shows, should_show) and concepts_in(shows) == concepts_in(should_show)
    if same and not (options.weight or options.seed or options.variations > 1):
        raise RequestError(
            say("nothing-changes"), "To draw the same anew, give another --seed.", field="target_prompt"
        )


def request_of(pictures: Pictures, options: argparse.Namespace, photo: Path) -> EditRequest:
    """Its selection is the file's, until one is made."""
    return EditRequest(
        image=pictures.name(photo),
        operation=options.operation,
        source_prompt=options.shows,
        target_prompt=options.should_show,
        selection=pictures.name_if(selecting.file_for(options.selection, photo)),
        pairs=tuple(options.pair),
        weights=dict(options.weight),
        model=options.model,
        inversion=arguments.inversion_settings(options),
        control=control_of(options),
        maps=options.maps,
        extent=options.extent,
        loras=tuple(options.lora),
        reflect=options.mirror != "none",
        reflection=_mirror(pictures, options.mirror),
        **{name: getattr(options, name) for name in arguments.EDIT},
    )


def _mirror(pictures: Pictures, said: str) -> str | None:
    return None if said in ("auto", "none") else pictures.name(Path(said))


def control_of(options: argparse.Namespace) -> Control:
    return Control(
        cross_words=dict(options.cross_word),
        blend=options.blend,
        blend_include=tuple(options.blend_include),
        blend_exclude=tuple(options.blend_exclude),
        blend_threshold=options.blend_threshold,
        **{name: getattr(options, name) for name in arguments.controls_in("control")},
    )
