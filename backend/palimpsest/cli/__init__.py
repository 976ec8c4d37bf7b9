"""``palimpsest``: everything the product does, from a shell.

Result paths go to standard output, progress to standard error. Exit codes: 0 done; 1 the machine or its
files must be mended; 2 the request must be changed; 130 interrupted (nothing is half-written).

One file per command. The named command's alone is imported, and imports nothing heavy until it runs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import palimpsest
from palimpsest.cli import completion
from palimpsest.cli.arguments import add_reporting
from palimpsest.cli.hints import in_shell
from palimpsest.cli.output import LOST, json_text, lenient
from palimpsest.errors import PalimpsestError
from palimpsest.parser import Parser

COMMANDS = (
    "edit",
    "invert",
    "learn",
    "concepts",
    "attention",
    "describe",
    "draw",
    "loras",
    "models",
    "pull",
    "replay",
    "demo",
    "sample",
    "serve",
    "status",
    "stop",
    "jobs",
    "results",
    "logs",
    "kept",
    "plugins",
    "bench",
    "doctor",
    "completion",
)
INTERRUPTED = 130
FIRST = """to begin with:
  palimpsest demo                  see it work, with a small model that comes with it
  palimpsest pull sd15             get a model for real photos
  palimpsest COMMAND --help        every option of a command
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    with lenient() as (out, _):
        code = run(arguments)
        out.flush()
        if out.lost is None:
            return code
        if not isinstance(out.lost, BrokenPipeError):  # else whoever read it has gone, and knows
            print(f"The output could not be written: {out.lost}. What is in files is there.", file=sys.stderr)
        return code if code != 0 else LOST


def run(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:  # as of git: palimpsest help edit
        words = [*words[1:], "--help"]
    if words[:1] == [completion.ASKED]:
        return completion.answer(build_parser(), words[1:])
    as_json, named = "--json" in words, False
    try:
        options = build_parser(_wanted(words)).parse_args(words)
        as_json = getattr(options, "json", False)
        named = getattr(options, "server", None) is not None
        return options.run(options)
    except PalimpsestError as error:
        return refused(error, as_json, named)
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing was half-written.", file=sys.stderr)
        return INTERRUPTED


def _wanted(words: Sequence[str]) -> Sequence[str]:
    """The command that is named; all of them where none is, for its help or what is refused."""
    return words[:1] if words and words[0] in COMMANDS else COMMANDS


def build_parser(names: Sequence[str] = COMMANDS) -> Parser:
    parser = Parser(
        prog="palimpsest",
        description="Edit a photo by words and by your own concepts, and change nothing else.",
        epilog=FIRST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"palimpsest {palimpsest.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in names:
        importlib.import_module(f"palimpsest.cli.{name}").add_parser(commands)
    for leaf in parser.leaves():
        add_reporting(leaf)
    return parser


def refused(error: PalimpsestError, as_json: bool, server_named: bool = False) -> int:
    """``server_named``: by the option, which the command that a hint proposes needs as well."""
    if as_json:
        print(json_text({"error": error.to_json()}))
    else:
        hint = in_shell(error)
        also = "Give --server there too." if server_named and "palimpsest " in hint else ""
        said = " ".join(filter(None, (error.message, hint, also)))
        print(f"Error: {said}\n({error.code})", file=sys.stderr)
    return error.exit_code
