"""The documents know every command, every option and every file they point to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from palimpsest.cli import build_parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command and every action below it, by its name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}".strip(), below
                yield from parsers(below, f"{name} {word}".strip())


COMMANDS = dict(parsers(build_parser()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_described(command: str) -> None:
    said = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    headings = " ".join(re.findall(r"^## (.*)$", said, re.MULTILINE))
    assert re.search(rf"\b{command.split()[0]}\b", headings)
    assert f"palimpsest {command}" in said or f"`{command.split()[-1]}`" in said or " " not in command
    everything = said + "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    options = [o for a in COMMANDS[command]._actions for o in a.option_strings if o.startswith("--")]
    options.remove("--help")
    missing = [option for option in options if not re.search(rf"{option}\b", everything)]
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


def test_the_readme_is_two_commands_and_leads_on() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 install.py demo" in readme
    assert "docs/commands.md" in readme
    assert "docs/architecture.md" in readme
