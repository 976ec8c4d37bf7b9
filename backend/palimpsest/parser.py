"""argparse whose refusals are RequestErrors: one sentence, and what to give instead; never a usage dump."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from palimpsest.errors import RequestError

NOTHING_ASKED = 2  # exit code of a command that lacks its action, as of clap's and click's
MOST_LISTED = 20  # choices that a refusal lists
QUOTES = 'Put quotes around a sentence: "a cat on grass"'
LIKENESS = 0.6  # of what is proposed to what was written, 0 to 1
ELSEWHERE = {
    # what other tools, and people, call it: what it is called here, one or several; offered where it is there
    "--prompt": "--should-show",
    "--text": "--should-show",
    "--mask": "--selection",
    "--strength": "--self",
    "--cfg": "--guidance",
    "--cfg-scale": "--guidance",
    "--force": "--overwrite",
    "--out": "--output",
    "--output-dir": "--output",
    "--dir": "--output",
    "--silent": "--quiet",
    "--class": "--noun",
    "-f": "--overwrite",
    "-m": "--model",
    "-o": "--output",
    "-q": "--quiet",
    "-v": "--version",
    "download": "pull",
    "generate": "draw",
    "import": "concepts",
    "inpaint": "edit",
    "install": "pull setup",
    "update": "plugins",
    "upgrade": "plugins",
    "list": "models",
    "ls": "models",
    "segment": "attention",
    "select": "attention",
    "server": "serve",
    "start": "serve",
    "train": "learn",
    "txt2img": "draw",
    "delete": "remove",
    "rm": "remove",
    "remove": "uninstall",
    "check": "doctor",
    "mv": "rename",
    "emphasize": "reweight",
    "erase": "remove",
    "add": "insert",
    "style": "restyle",
}
_NUMBER = re.compile(r"-\d*\.?\d+")


class Parser(argparse.ArgumentParser):
    """Subparsers are of the same class. What parse_args refuses is raised as RequestError.

    ``passes_on``: what a command doesn't know itself is left over, for another program to read.
    """

    def __init__(self, passes_on: bool = False, **settings: Any) -> None:
        super().__init__(**{"exit_on_error": False, **settings})
        self.passes_on = passes_on
        self.register("type", int, whole)
        self.register("type", float, number)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]  # it is overloaded
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """Nothing is left over unless it is passed on: whoever asks would only refuse it."""
        words = sys.argv[1:] if args is None else list(args)
        self._help_if_nothing_is_asked(words)
        if not self.passes_on or self.commands() is not None:
            self._require_options(words)
        try:
            found, over = super().parse_known_args(words, namespace)
        except argparse.ArgumentError as error:
            raise self._refusal(error.argument_name, error.message) from error
        if over and not self.passes_on:
            hint = QUOTES if over[0].isalpha() else self._see()
            raise RequestError(f"{self.prog} has no place for {over[0]!r}.", hint)
        return found, over

    def error(self, message: str) -> NoReturn:
        raise self._refusal(None, message)

    def _help_if_nothing_is_asked(self, words: Sequence[str]) -> None:
        if self.commands() is not None and not words:
            self.print_help(sys.stderr)
            self.exit(NOTHING_ASKED)

    def _require_options(self, words: Sequence[str]) -> None:
        """Judged before all else: an option that is misspelt is the reason why another is missing."""
        for word in self._options_in(words):
            name = word.partition("=")[0]
            meant = [option for option in self._option_string_actions if option.startswith(name)]
            if name in meant or (word[1:2] != "-" and word[:2] in self._option_string_actions):
                continue
            if len(meant) > 1:
                raise RequestError(f"{name} can mean {_either(meant)}.", "Write it out.")
            if not meant:
                known = [option for option in self._option_string_actions if option != "-h"]
                what = f"{self.prog} has no option {name}."
                raise RequestError(what, self._proposed(name, known))

    def _options_in(self, words: Sequence[str]) -> Iterator[str]:
        """Those that are this parser's own, told from values as argparse tells them."""
        for word in words:
            if word == "--" or (self.commands() is not None and word[:1] != "-"):
                return
            if word[:1] == "-" and len(word) > 1 and " " not in word and not _NUMBER.fullmatch(word):
                yield word

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(map(str, action.choices))
        if isinstance(action, argparse._SubParsersAction):
            raise RequestError(f"{self.prog} has no command {value!r}.", self._proposed(value, known))
        name = "/".join(action.option_strings) or str(action.metavar or action.dest)
        raise RequestError(
            f"{name} can't be {value!r}.", _nearest(value, known) or f"It can be {_either(known)}."
        )

    def _proposed(self, written: str, known: Collection[str]) -> str:
        return _nearest(written, known) or self._see()

    def _see(self) -> str:
        return f"See: {self.prog} --help"

    def leaves(self) -> Iterator[Parser]:
        """Those that do something: itself, or all below, each once whatever names it has."""
        below = self.commands()
        if below is None:
            yield self
            return
        for parser in dict.fromkeys((below.choices or {}).values()):
            yield from parser.leaves()

    def commands(self) -> Any:
        """The action that has the parsers below in its ``choices``; None where there are none."""
        return next((a for a in self._actions if isinstance(a, argparse._SubParsersAction)), None)

    def _refusal(self, name: str | None, message: str) -> RequestError:
        """argparse's own words (``argument --seed: …``) as a sentence."""
        missing = re.match(r"the following arguments are required: (.*)", message)
        if missing:
            what = self._written_out(missing[1]) + self._about(missing[1])
            return RequestError(f"{self.prog} needs {what}.", self._see())
        if message.startswith("expected "):
            return RequestError(f"{name} needs a value: {self._written_out(str(name))}.", self._see())
        extra = re.match(r"ignored explicit argument (.*)", message)
        if extra:
            return RequestError(f"{name} takes no value; it is given {extra[1]}.", self._see())
        return RequestError(f"{name}: {message}." if name else f"{message}.", self._see())

    def _about(self, name: str) -> str:
        """What help says of the one that is missing."""
        action = next((action for action in self._actions if _named(action) == name), None)
        return f", {action.help}" if action is not None and action.help else ""

    def _written_out(self, names: str) -> str:
        """``--noun`` as ``--noun NOUN``."""
        by_name = {_named(action): action for action in self._actions}
        return ", ".join(_usage(by_name[name]) if name in by_name else name for name in names.split(", "))


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _nearest(written: str, known: Collection[str]) -> str:
    """``Did you mean --selection?``, or nothing."""
    others = [other for other in ELSEWHERE.get(written.lower(), "").split() if other in known]
    near = others or get_close_matches(written.lower(), known, 1, LIKENESS)
    return f"Did you mean {near[0]}?" if near else ""


def _either(names: Sequence[str]) -> str:
    shown = [*names[:MOST_LISTED], "…"] if len(names) > MOST_LISTED else list(names)
    return ", ".join(shown[:-1]) + f" or {shown[-1]}" if len(shown) > 1 else "".join(shown)


def _named(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest
    return "/".join(action.option_strings) or metavar


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        return _named(action)
    value = action.metavar or ("{" + ",".join(map(str, action.choices or ())) + "}" if action.choices else "")
    return f"{action.option_strings[-1]} {value or action.dest.upper()}"
