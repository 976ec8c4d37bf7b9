"""``palimpsest bench``: measure the product and its model. Each benchmark loads what it needs when run."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from palimpsest.bench import server
from palimpsest.bench.model_options import WEIGHTS, add_arguments
from palimpsest.bench.pie_data import MAPPING, PICTURES, TYPES, read_entries
from palimpsest.cli import arguments
from palimpsest.cli.output import hushed
from palimpsest.contract import BUILT_IN
from palimpsest.errors import RequestError
from palimpsest_client.methods import METHODS, OFFERED, RECOMMENDED

SHAPES = ("sd15", "sd21", "sdxl", "tiny")
PARTS = ("networks", "drawing", "photos", "edits", "scaling", "words")
"""Of ``bench speed``."""


class Kinds(Collection[str]):
    """The kinds of cases of ``bench quality``. They are imported where one asks for them: by NumPy."""

    def __contains__(self, kind: object) -> bool:
        return kind in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> tuple[str, ...]:
        from palimpsest.bench.quality_cases import KINDS

        return tuple(KINDS)


def add_parser(subparsers: Any) -> None:
    """Add ``bench`` with its benchmarks to the commands; nothing heavy is imported."""
    bench = subparsers.add_parser("bench", help="measure the product and its model")
    kinds = bench.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    add_model(kinds)
    add_server(kinds)
    add_quality(kinds)
    add_speed(kinds)
    add_memory(kinds)
    add_agreement(kinds)
    add_pie(kinds)


def add_model(kinds: Any) -> None:
    parser = kinds.add_parser("model", help="prompt adherence, autoencoder loss and word maps of a model")
    add_arguments(parser)
    parser.set_defaults(run=run_model)


def run_model(options: argparse.Namespace) -> int:
    require(options.out, str(options.model))
    from palimpsest.bench.model import run

    with hushed(options.quiet):
        return run(options)


def add_server(kinds: Any) -> None:
    parser = kinds.add_parser("server", help="what the server itself costs, with jobs that only sleep")
    server.add_arguments(parser)
    parser.set_defaults(run=server.run)


def add_quality(kinds: Any) -> None:
    parser = kinds.add_parser("quality", help="photos reproduced and edited, held against the truth")
    parser.add_argument("--quick", action="store_true", help="20 photos and 8 edits of each kind")
    parser.add_argument("--scenes", type=int, metavar="N", help="photos to reproduce (default: 100)")
    parser.add_argument("--cases", type=int, metavar="N", help="edits of each kind (default: 50)")
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        choices=Kinds(),
        metavar="KIND",
        help="edits of this kind only; may be given several times (default: all)",
    )
    parser.add_argument(
        "--split",
        choices=("development", "test"),
        default="test",
        help="scenes to choose settings on, or those that figures are reported of (default: test)",
    )
    parser.add_argument(
        "--detail", action="store_true", help="learn words with adapters (default: the embedding alone)"
    )
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        choices=tuple(METHODS),
        metavar="METHOD",
        help=f"edit and reproduce by this inversion, too, beside {RECOMMENDED}; may be given several times: "
        f"{', '.join(METHODS)}",
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="report.json of another run over the same cases"
    )
    parser.add_argument(
        "--margin",
        type=int,
        action="append",
        default=[],
        metavar="PIXELS",
        help="select so much wider than what changes, 0 = snugly; may be given several times (default: 5)",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("quality"), metavar="FOLDER", help="default: quality"
    )
    arguments.add_model(parser)
    parser.set_defaults(run=run_quality)


def run_quality(options: argparse.Namespace) -> int:
    from palimpsest.models.devices import require_devices

    require(options.output, options.model)
    if options.device is not None:
        require_devices(options.device)
    from palimpsest.bench.quality import run

    with hushed(options.quiet):
        return run(options)


def add_speed(kinds: Any) -> None:
    parser = kinds.add_parser("speed", help="seconds, evaluations and memory on this device")
    parser.add_argument(
        "--shape",
        choices=SHAPES,
        help="random weights in the shape of this model: nothing has to be downloaded",
    )
    parser.add_argument("--quick", action="store_true", help="one photo for each kind, 20 steps of learning")
    parser.add_argument("--photos", type=int, metavar="N", help="photos for each kind of edit (default: 3)")
    parser.add_argument(
        "--learning-steps", type=int, metavar="N", help="most steps of a word (default: as recommended)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="of an edit (default: the model's)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=PARTS,
        metavar="PART",
        help=f"measure this part; may be given several times: {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--output", type=Path, default=Path("speed"), metavar="FOLDER", help="default: speed")
    arguments.add_model(parser)
    parser.set_defaults(run=run_speed)


def run_speed(options: argparse.Namespace) -> int:
    from palimpsest.models.devices import require_devices

    _require_extent(options)
    require(options.output, options.model)
    if options.device is not None:
        require_devices(options.device)
    from palimpsest.bench.speed import run

    with hushed(options.quiet):
        return run(options)


def _require_extent(options: argparse.Namespace) -> None:
    """Raises RequestError for what would measure nothing, or another model than the one given."""
    if options.shape is not None and options.model != BUILT_IN:
        raise RequestError(
            f"--shape {options.shape} and --model {options.model} are two models.",
            "Leave one of the two out.",
        )
    counts = {
        "--photos": options.photos,
        "--learning-steps": options.learning_steps,
        "--steps": options.steps,
    }
    for name, count in counts.items():
        if count is not None and count < 1:
            raise RequestError(f"{name} can't be {count}.", "Give 1 or more.")


def add_memory(kinds: Any) -> None:
    parser = kinds.add_parser("memory", help="what each job needs of a card, counted without one")
    parser.add_argument("--shape", choices=SHAPES, help="of one model only; default: all")
    parser.add_argument("--json", action="store_true", help="print one JSON object, in bytes")
    parser.set_defaults(run=run_memory)


def run_memory(options: argparse.Namespace) -> int:
    from palimpsest.bench.peaks import run

    return run(options)


def add_agreement(kinds: Any) -> None:
    parser = kinds.add_parser("agreement", help="how well a picture that does not fit is found")
    parser.add_argument("--model", type=Path, default=WEIGHTS, metavar="FOLDER", help="default: built-in")
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="sets per concept (default: 6)")
    parser.add_argument(
        "--output", type=Path, default=Path("agreement.json"), metavar="FILE", help="every set's score"
    )
    parser.set_defaults(run=run_agreement)


def run_agreement(options: argparse.Namespace) -> int:
    require(options.output.parent, str(options.model))
    from palimpsest.bench.agreement import run

    with hushed(options.quiet):
        return run(options)


def add_pie(kinds: Any) -> None:
    parser = kinds.add_parser("pie", help="PIE-Bench's edits of photos, if you have its data")
    parser.add_argument("data", type=Path, metavar="FOLDER", help=f"with {MAPPING} and {PICTURES}")
    parser.add_argument(
        "--type", action="append", default=[], choices=tuple(TYPES), metavar="ID",
        help="edits of this editing_type_id only, 0 to 9; may be given several times (default: all)",
    )  # fmt: skip
    parser.add_argument("--cases", type=int, metavar="N", help="at most so many of each type (default: all)")
    parser.add_argument("--masks", action="store_true", help="select the data set's masks (default: nothing)")
    parser.add_argument(
        "--method", choices=OFFERED, default=RECOMMENDED, help=f"inversion (default: {RECOMMENDED})"
    )
    parser.add_argument(
        "--clip", type=Path, metavar="FOLDER", help="CLIP's weights, to measure similarity by"
    )
    parser.add_argument("--output", type=Path, default=Path("pie"), metavar="FOLDER", help="default: pie")
    arguments.add_model(parser)
    parser.set_defaults(run=run_pie)


def run_pie(options: argparse.Namespace) -> int:
    from palimpsest.models.devices import require_devices

    entries = read_entries(options.data)
    if options.cases is not None and options.cases < 1:
        raise RequestError(f"--cases can't be {options.cases}.", "Give 1 or more.")
    if options.clip is not None and not options.clip.is_dir():
        raise RequestError(f"{options.clip} is not a folder.", "Give the folder that CLIP's weights are in.")
    require(options.output, options.model)
    if options.device is not None:
        require_devices(options.device)
    from palimpsest.bench.pie import run

    with hushed(options.quiet):
        return run(options, entries)


def require(folder: Path, model: str) -> None:
    """What can be refused before torch is loaded: a folder that can't be, a model that isn't there."""
    from palimpsest.cli.inventory import require_model
    from palimpsest.cli.running import require_folder
    from palimpsest.settings import read_settings

    require_folder(folder)
    require_model(model, read_settings())
