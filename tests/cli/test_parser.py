"""What the parser refuses: one sentence that names what to give, never a usage dump. And its help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from palimpsest.cli import build_parser
from palimpsest.errors import RequestError
from palimpsest.installation.command import EXPLAINED
from palimpsest.parser import ELSEWHERE, Parser

EDIT = ("edit", "photo.png")
MISTAKES = [
    (("edti",), "palimpsest has no command 'edti'. Did you mean edit?"),
    (("lern", "my-toy"), "palimpsest has no command 'lern'. Did you mean learn?"),
    (("train",), "palimpsest has no command 'train'. Did you mean learn?"),
    (("--verison",), "palimpsest has no option --verison. Did you mean --version?"),
    (("xyz",), "palimpsest has no command 'xyz'. See: palimpsest --help"),
    (("concepts", "lst"), "palimpsest concepts has no command 'lst'. Did you mean list?"),
    (("bench", "qality"), "palimpsest bench has no command 'qality'. Did you mean quality?"),
    (("edit",), "palimpsest edit needs IMAGE, photos, or folders of them. See: palimpsest edit --help"),
    (("pull",), "palimpsest pull needs NAME, its name in the catalogue, or how to call it here."),
    (("learn", "my-toy", "a.png"), "palimpsest learn needs --noun NOUN, what it is, as a common noun"),
    (("learn", "my-toy", "a.png", "--nun", "toy"), "learn has no option --nun. Did you mean --noun?"),
    (("learn",), "palimpsest learn needs NAME, IMAGE, --noun NOUN. See: palimpsest learn --help"),
    ((*EDIT, "--selction", "s.png"), "edit has no option --selction. Did you mean --selection?"),
    ((*EDIT, "--selction=s.png"), "edit has no option --selction. Did you mean --selection?"),
    ((*EDIT, "--mask", "s.png"), "edit has no option --mask. Did you mean --selection?"),
    ((*EDIT, "-o", "there"), "edit has no option -o. Did you mean --output?"),
    ((*EDIT, "--se", "1"), "--se can mean --selection, --seed, --self or --server. Write it out."),
    ((*EDIT, "--operation", "replce"), "--operation can't be 'replce'. Did you mean replace?"),
    ((*EDIT, "--method", "x"), "--method can't be 'x'. It can be direct, null-text, null-text-fast or ddim."),
    ((*EDIT, "--seed", "abc"), "--seed: 'abc' is not a whole number."),
    ((*EDIT, "--guidance", "much"), "--guidance: 'much' is not a number."),
    ((*EDIT, "--weight", "cat"), "--weight: 'cat' is not of the form WORD=FACTOR."),
    ((*EDIT, "--pair", "cat"), "--pair: 'cat' is not of the form OLD=NEW."),
    ((*EDIT, "--seed"), "--seed needs a value: --seed N."),
    ((*EDIT, "--json=yes"), "--json takes no value; it is given 'yes'."),
    (("draw", "a", "cat"), "palimpsest draw has no place for 'cat'. Put quotes around a sentence"),
    (("serve", "--port", "http"), "--port: 'http' is not a whole number. See: palimpsest serve --help"),
]


@pytest.mark.parametrize(("words", "says"), MISTAKES)
def test_a_mistake_is_one_sentence_that_says_what_to_give(
    words: tuple[str, ...], says: str, shell: Any
) -> None:
    said = shell(*words)
    first, *more = said.err.splitlines()
    assert first.startswith("Error: ")
    assert says in first
    assert more == ["(request_invalid)"]
    assert (said.out, said.code) == ("", 2)


def test_a_mistake_is_one_object_with_json(shell: Any) -> None:
    for words in (("edit", "--json"), ("edti", "--json"), ("learn", "--json", "--nun", "x")):
        said = shell(*words)
        assert said.json["error"]["code"] == "request_invalid"
        assert (said.err, said.code) == ("", 2)


@pytest.mark.parametrize("group", [(), ("concepts",), ("models",), ("jobs",), ("kept",), ("bench",)])
def test_who_asks_nothing_gets_help_and_no_script_goes_on(group: tuple[str, ...], shell: Any) -> None:
    said = shell(*group)
    assert said.err.startswith(" ".join(("usage: palimpsest", *group)))
    assert (said.out, said.code) == ("", 2)


def test_help_is_a_word_too(shell: Any) -> None:
    assert shell("help") == shell("--help")
    assert shell("help", "concepts", "list") == shell("concepts", "list", "--help")
    assert shell("help").code == 0


@pytest.mark.parametrize(
    ("name", "also", "more"),
    [
        ("invert", "remember", ("--shows", "a cat")),
        ("attention", "word-to-selection", ("--shows", "a cat", "--word", "cat")),
    ],
)
def test_what_the_panels_call_otherwise_has_both_names(
    name: str, also: str, more: tuple[str, ...], shell: Any
) -> None:
    parse = build_parser().parse_args
    assert vars(parse([name, "a.png", *more])) == vars(parse([also, "a.png", *more]))
    assert f"{name} ({also})" in shell("--help").out


def test_help_is_written_for_people() -> None:
    """No reStructuredText of a docstring."""
    assert [leaf.prog for leaf in everyone(build_parser()) if "``" in leaf.format_help()] == []


def everyone(parser: Parser) -> list[Parser]:
    below = parser.commands()
    return [parser, *(one for p in below.choices.values() for one in everyone(p))] if below else [parser]


def test_emphasise_is_reweight() -> None:
    for written in ("emphasise", "reweight"):
        assert build_parser().parse_args(["edit", "a.png", "--operation", written]).operation == "reweight"


def test_every_command_is_read_by_the_same_parser() -> None:
    assert {type(leaf) for leaf in build_parser().leaves()} == {Parser}


def test_what_other_tools_call_otherwise_is_a_name_here() -> None:
    """No proposal for a name that is gone."""
    parser = build_parser()
    options = {option for leaf in parser.leaves() for option in leaf._option_string_actions} | {"--version"}
    words = {leaf.prog.split()[i] for leaf in parser.leaves() for i in (1, -1)}
    operations = {"remove", "insert", "restyle", "reweight"}
    installer = set(EXPLAINED)
    assert {
        one for told in ELSEWHERE.values() for one in told.split()
    } <= options | words | operations | installer


def test_values_that_look_like_options_are_values() -> None:
    options = build_parser().parse_args(["edit", "a.png", "--weight", "snow=-2", "--shows=-- a cat --"])
    assert (options.weight, options.shows) == ([("snow", -2.0)], "-- a cat --")
    assert build_parser().parse_args(["draw", "a -- b", "--guidance", "-1"]).guidance == -1
    with pytest.raises(RequestError, match="has no option --b"):
        build_parser().parse_args(["draw", "--b"])


def test_a_file_of_any_name_is_given_after_two_dashes(shell: Any) -> None:
    Path("--photo.png").write_bytes(Path("photo.png").read_bytes())
    said = shell(
        "edit", "--json", "--model", "nowhere", "--shows", "a cat", "--should-show", "a", "--", "--photo.png"
    )
    assert json.loads(said.out)["error"]["code"] == "model_not_found"
