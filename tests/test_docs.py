"""The documents know every command, every option and every file they point to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from palimpsest.cli import build_parser
from palimpsest.installation.command import EXPLAINED, build_installer_parser
from palimpsest_client.fields.settings import CONTROLS as FIELDS
from palimpsest_client.fields.settings import SENTENCE
from palimpsest_client.gimp.procedures import PROCEDURES
from palimpsest_client.text.wording import ENGLISH

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command and every action below it, by its name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}".strip(), below
                yield from parsers(below, f"{name} {word}".strip())


def test_the_architecture_names_every_file_of_the_mathematics() -> None:
    said = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = said.split("  core/ ")[1].split("  models/ ")[0]
    there = {file.stem for file in (ROOT / "backend" / "palimpsest" / "core").rglob("[a-z]*.py")}
    assert there - set(re.findall(r"[a-z_]+", part)) == set()


def test_the_architecture_names_files_that_are_there() -> None:
    said = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    roots = [ROOT, ROOT / "backend", ROOT / "backend" / "palimpsest"]
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)`", said))
    assert len(named) > 10
    assert {name for name in named if not any((root / name).exists() for root in roots)} == set()


COMMANDS = dict(parsers(build_parser()))


def names(whole: str, text: str) -> bool:
    """Whether it stands there as it is: not as the beginning of a longer name, nor as the end of one."""
    return re.search(rf"(?<![\w-]){re.escape(whole)}(?![\w-])", text) is not None


def test_a_part_of_a_name_is_not_the_name() -> None:
    for text in ("`--mask-all`", "x--mask", "--masks"):
        assert not names("--mask", text)
    for text in ("`--mask`", "[--mask FILE]", "--mask,", "--mask=x"):
        assert names("--mask", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_described(command: str) -> None:
    said = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    headings = " ".join(re.findall(r"^## (.*)$", said, re.MULTILINE))
    assert re.search(rf"\b{command.split()[0]}\b", headings)
    whole = rf"(?<![\w-])palimpsest {re.escape(command)}(?![\w-])"
    assert re.search(whole, said) or f"`{command.split()[-1]}`" in said or " " not in command
    everything = said + "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    options = [o for a in COMMANDS[command]._actions for o in a.option_strings if o.startswith("--")]
    options.remove("--help")
    missing = [option for option in options if not names(option, everything)]
    assert missing == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_explains_itself(command: str) -> None:
    silent = [a.option_strings for a in COMMANDS[command]._actions if a.option_strings and not a.help]
    assert silent == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"https?:|mailto:", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


def said_in(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def source(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def labels(document: str) -> set[str]:
    """What stands there as a label: emphasised, as code, or in a row's first cell, alone or in a list."""
    said = said_in(document)
    cells = re.findall(r"^\| (.*?) \|", said, re.MULTILINE)
    parts = [part for cell in cells for part in re.split(r", | \+ |\. |: | \(", cell)]
    return {plain(label) for label in (*re.findall(r"[*`]+([^*`\n]+)[*`]+", said), *cells, *parts)}


def plain(label: str) -> str:
    return label.strip("*`… .:").replace(" in selection", "").lower()


CONTROLS = (
    *("replace", "insert", "restyle", "remove", "reweight", "first", "second-replace", "describe", "learn"),
    *("concepts", "apply", "cancel", "remember", "results"),
    *(control.key for control in (*FIELDS.values(), SENTENCE)),
    *("defaults", "name", "subject", "style", "learn-now", "stop", "picture-is-meant"),
    *("leave-out", "update", "new", "start", "connect", "choose-token", "copy-command"),
    *("get-model", "not-installed", "gone", "searching"),
)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_of_the_panel_is_explained(control: str) -> None:
    assert plain(re.split(r"[:.]", ENGLISH[control])[0]) in labels("panel.md")


def test_every_action_in_krita_is_explained() -> None:
    files = ("views/windows.py", "panel/panel.py")
    made = "".join(source(f"backend/palimpsest_client/{file}") for file in files)
    actions = re.findall(r'\("[a-z]+", say\("([a-z-]+)"\)', made)
    assert len(actions) > 9  # the operations are explained in panel.md
    explained = labels("krita.md")
    assert [action for action in actions if plain(ENGLISH[action]) not in explained] == []


def test_every_procedure_of_gimp_is_explained() -> None:
    names = [procedure.name for procedure in PROCEDURES]
    arguments = {argument.name for procedure in PROCEDURES for argument in procedure.arguments}
    assert len(names) > 8
    assert len(arguments) > 15
    said = said_in("gimp.md") + said_in("panel.md")  # the panel's fields are explained there
    assert [name for name in names if f"`plug-in-palimpsest-{name}`" not in said] == []
    assert [name for name in arguments if f"`{name}`" not in said] == []


def test_every_command_of_the_installer_is_explained() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert [name for name in EXPLAINED if not names(f"install.py {name}", said)] == []
    found = dict(parsers(build_installer_parser()))
    every = {option for parser in found.values() for a in parser._actions for option in a.option_strings}
    assert [o for o in every if o.startswith("--") and not names(o, said)] == []


def test_the_readme_is_two_commands_and_leads_on() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 install.py demo" in readme
    assert "docs/commands.md" in readme
    assert "docs/architecture.md" in readme


#: what only its writers would understand → what the field says
PRIVATE = {
    "to be rid of": "to remove",
    "by lot": "noise that is drawn, a seed",
    "mistakes of ours": "faults of Palimpsest",
}


@pytest.mark.parametrize("phrase", PRIVATE)
def test_what_people_read_uses_the_terms_of_the_field(phrase: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    texts |= {f"{name} --help": " ".join(parser.format_help().split()) for name, parser in COMMANDS.items()}
    texts |= ENGLISH
    assert [name for name, text in texts.items() if re.search(rf"\b{phrase}\b", text, re.IGNORECASE)] == []
