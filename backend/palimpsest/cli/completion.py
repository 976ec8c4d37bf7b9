"""``palimpsest completion``: let a shell complete commands, options and names, as the parser knows them.

The script is a few lines that ask ``palimpsest __complete WORD …`` at each Tab: nothing is to be made anew
when a command changes, and models and concepts are those that are there.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from palimpsest.cli.output import json_text
from palimpsest.errors import PalimpsestError
from palimpsest.parser import Parser

ASKED = "__complete"  # what the scripts give instead of a command; the last word is the one being written
FILES = ":files"  # a proposal that stands for every file
SCRIPTS = {
    "bash": r"""
_palimpsest() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = :files ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
        else
            COMPREPLY+=("$(printf %q "${line%%$'\t'*}")")
        fi
    done < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _palimpsest palimpsest
""",
    "zsh": r"""
#compdef palimpsest
_palimpsest() {
    local line
    local -a proposed
    for line in "${(@f)$($words[1] __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            _files
        elif [[ $line != *$'\t'* ]]; then
            [[ -n $line ]] && proposed+=("${line//:/\\:}")
        else
            proposed+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#proposed )) && _describe palimpsest proposed
}
if [ "$funcstack[1]" = _palimpsest ]; then _palimpsest "$@"; else compdef _palimpsest palimpsest; fi
""",
    "fish": r"""
function __palimpsest_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c palimpsest -f -a '(__palimpsest_complete)'
""",
}
HELP = """to use it:
  bash   eval "$(palimpsest completion bash)"          in ~/.bashrc
  zsh    eval "$(palimpsest completion zsh)"           in ~/.zshrc, after compinit
  fish   palimpsest completion fish | source           in ~/.config/fish/config.fish
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "completion",
        help="complete commands and names in bash, zsh and fish",
        description="Print the script that lets a shell complete commands, options, models and concepts.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=tuple(SCRIPTS), metavar="SHELL", help="bash, zsh or fish")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    script = SCRIPTS[options.shell].strip()
    print(json_text({"script": script}) if options.json else script)
    return 0


def answer(parser: Parser, words: Sequence[str]) -> int:
    """Proposals for the last word, one a line, each with a tab and what it is. Never an error."""
    *before, last = words or [""]
    with contextlib.suppress(PalimpsestError, OSError):
        for value, about in Place.after(parser, before).proposals(last):
            print(f"{value}\t{about}" if about else value)
    return 0


@dataclass
class Place:
    """Where in a command line the next word stands."""

    parser: Parser
    option: argparse.Action | None = None  # whose value comes next
    given: set[str] = field(default_factory=set)  # options that are there
    positions: int = 0  # of arguments without an option's name
    only_arguments: bool = False  # after --

    @classmethod
    def after(cls, parser: Parser, words: Sequence[str]) -> Place:
        place = cls(parser)
        for word in words:
            place = place._next(word)
        return place

    def _next(self, word: str) -> Place:
        if self.option is not None:
            self.option = None
        elif self.only_arguments or not word.startswith("-"):
            below = self.parser.commands()
            if below is not None:
                found = below.choices.get(word)
                return Place(found) if found is not None else self
            self.positions += 1
        elif word == "--":
            self.only_arguments = True
        else:
            name, sign, _ = word.partition("=")
            action = self.parser._option_string_actions.get(name)
            self.given.add(name)
            self.option = action if action is not None and action.nargs is None and not sign else None
        return self

    def proposals(self, begun: str) -> Iterator[tuple[str, str]]:
        if self.option is not None:
            yield from self._values(self.option, begun)
        elif begun.startswith("-") and not self.only_arguments:
            yield from self._options(begun)
        elif self.parser.commands() is not None:
            yield from self._commands(begun)
        else:
            arguments = [action for action in self.parser._actions if not action.option_strings]
            if arguments:
                action = arguments[min(self.positions, len(arguments) - 1)]
                if self.positions < len(arguments) or action.nargs in ("+", "*"):
                    yield from self._values(action, begun)

    def _commands(self, begun: str) -> Iterator[tuple[str, str]]:
        """By their own names; by others only where these begin so."""
        below: Any = self.parser.commands()
        named = {action.dest.partition(" ")[0]: action.help for action in below._choices_actions}
        for name, about in named.items():
            if name.startswith(begun):
                yield name, _plain(about)
        if begun:
            yield from ((name, "") for name in below.choices if name not in named and name.startswith(begun))

    def _options(self, begun: str) -> Iterator[tuple[str, str]]:
        for name, action in self.parser._option_string_actions.items():
            again = isinstance(action, argparse._AppendAction)
            if name.startswith(begun) and (again or name not in self.given) and len(name) > 2:
                yield name, _plain(action.help)

    def _values(self, action: argparse.Action, begun: str) -> Iterator[tuple[str, str]]:
        if action.type is Path:
            yield FILES, ""
            return
        known = NAMES.get((self.parser.prog, action.dest), NAMES.get(("", action.dest)))
        values = known() if known is not None else (action.choices or ())
        yield from ((str(value), "") for value in values if str(value).startswith(begun))
        if action.dest == "model" and known is models:
            yield FILES, ""  # it may be a path


def _plain(about: str | None) -> str:
    return (about or "").replace("%%", "%").replace("\n", " ")


def models() -> list[str]:
    from palimpsest.models.catalog import installed
    from palimpsest.settings import read_settings

    settings = read_settings()
    return list(installed(settings.folders.models, settings.model_folders))


def concepts() -> tuple[str, ...]:
    from palimpsest.models.families import published_widths
    from palimpsest.settings import read_settings
    from palimpsest.storage.concepts import ConceptLibrary

    return ConceptLibrary(read_settings().folders.concepts, published_widths()).names()


def loras() -> list[str]:
    from palimpsest.models.loras.library import LoraLibrary
    from palimpsest.settings import read_settings

    settings = read_settings()
    return list(LoraLibrary(settings.folders.models, settings.model_folders).places())


def offers() -> list[str]:
    from palimpsest.models.offers import OFFERS

    return [offer.name for offer in OFFERS]


def devices() -> tuple[str, ...]:
    return "cpu", "cuda", "mps"


def operations() -> tuple[str, ...]:
    from typing import get_args

    from palimpsest.cli.arguments import PANELS
    from palimpsest.contract import Operation

    return *get_args(Operation), *PANELS


NAMES: dict[tuple[str, str], Callable[[], Sequence[str]]] = {
    # a command (empty: every one) and its argument: what it may be
    ("", "model"): models,
    ("", "device"): devices,
    ("", "operation"): operations,
    ("", "start"): concepts,
    ("", "lora"): loras,
    ("palimpsest pull", "model"): offers,
    **{
        (f"palimpsest concepts {action}", "name"): concepts
        for action in ("show", "rename", "remove", "export")
    },
}
