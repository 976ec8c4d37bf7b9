"""What a shell completes is what the parser knows, and the names that are there; tried in bash itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import palimpsest
from palimpsest.cli import COMMANDS, build_parser
from palimpsest.cli.completion import ASKED, FILES, NAMES, SCRIPTS

CASES = [
    (("des",), ["describe"]),
    (("rem",), ["remember"]),
    (("concepts", ""), ["list", "show", "rename", "remove", "import", "export"]),
    (("concepts", "sh"), ["show"]),
    (("edit", ""), [FILES]),
    (("edit", "photo.png", ""), [FILES]),
    (("edit", "photo.png", "--sho"), ["--shows", "--should-show"]),
    (("edit", "--shows", "a cat", "--sho"), ["--should-show"]),
    (("edit", "--shows", "--weight", "--operation", "re"), ["replace", "restyle", "remove", "reweight"]),
    (("edit", "--operation", "em"), ["emphasise"]),
    (("edit", "--selection", ""), [FILES]),
    (("edit", "--weight", "cat=2", "--weigh"), ["--weight"]),
    (("edit", "--shows=a cat", "--method", "n"), ["null-text", "null-text-fast"]),
    (("edit", "--model", "b"), ["built-in", FILES]),
    (("edit", "--device", ""), ["cpu", "cuda", "mps"]),
    (("pull", "sd"), ["sd15", "sd21", "sdxl"]),
    (("pull", "sd15", ""), []),
    (("learn", ""), []),
    (("learn", "my-toy", ""), [FILES]),
    (("completion", "z"), ["zsh"]),
    (("edit", "--", "--s"), [FILES]),
    (("nonsense", ""), list(COMMANDS)),
    (("edit", "--seed", ""), []),
]


def values(said: Any) -> list[str]:
    assert (said.code, said.err) == (0, "")
    return [line.partition("\t")[0] for line in said.out.splitlines()]


@pytest.mark.parametrize(("words", "proposed"), CASES)
def test_what_fits_is_proposed(words: tuple[str, ...], proposed: list[str], shell: Any) -> None:
    assert values(shell(ASKED, *words)) == proposed


def test_every_command_and_option_is_proposed_with_what_it_is(shell: Any) -> None:
    lines = shell(ASKED, "").out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == list(COMMANDS)
    assert all(line.partition("\t")[2] for line in lines)
    for leaf in build_parser().leaves():
        options = {name for name in leaf._option_string_actions if len(name) > 2}
        assert set(values(shell(ASKED, *leaf.prog.split()[1:], "--"))) == options


def test_concepts_and_models_are_those_that_are_there(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("home/data/models").mkdir(parents=True)
    Path("home/data/models/mine.safetensors").write_bytes(b"")
    assert values(shell(ASKED, "edit", "--model", "m")) == ["mine", FILES]
    monkeypatch.setattr("palimpsest.storage.concepts.ConceptLibrary.names", lambda _: ("my-cat", "your-dog"))
    assert values(shell(ASKED, "concepts", "show", "my")) == ["my-cat"]
    assert values(shell(ASKED, "learn", "--start", "")) == ["my-cat", "your-dog"]


def test_what_cannot_be_asked_is_no_error(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_MAX_PIXELS", "many")
    assert values(shell(ASKED, "edit", "--model", "")) == []
    assert values(shell(ASKED)) == list(COMMANDS)


def test_names_are_of_arguments_that_there_are() -> None:
    leaves = {leaf.prog: {action.dest for action in leaf._actions} for leaf in build_parser().leaves()}
    every = set().union(*leaves.values())
    for prog, dest in NAMES:
        assert dest in (leaves[prog] if prog else every)


@pytest.fixture
def bash(tmp_path: Path) -> Any:
    """Runs lines in bash, where ``palimpsest`` is a command; returns what they print."""
    program = shutil.which("bash")
    if program is None or sys.platform == "win32":
        pytest.skip("needs bash")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "palimpsest"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m palimpsest "$@"\n')
    command.chmod(0o755)
    (tmp_path / "photo one.png").write_bytes(b"")
    environment = {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(palimpsest.__file__).parent.parent),
        "PALIMPSEST_HOME": str(tmp_path / "home"),
        "LC_ALL": "C.UTF-8",  # bash complains of a language that isn't installed
    }

    def run(*lines: str) -> str:
        done = subprocess.run(
            [program, "--norc", "--noprofile", "-c", "\n".join(lines)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout

    return run


def test_bash_completes(bash: Any) -> None:
    def completed(*words: str) -> list[str]:
        array = " ".join(f'"{word}"' for word in words)
        said = bash(
            'eval "$(palimpsest completion bash)"',
            f"COMP_WORDS=(palimpsest {array}) COMP_CWORD={len(words)}",
            f'_palimpsest palimpsest "{words[-1]}" ""',
            'printf "%s\\n" "${COMPREPLY[@]}"',
            "complete -p palimpsest",
        )
        *found, registered = said.splitlines()
        assert registered == "complete -F _palimpsest palimpsest"
        return found

    assert completed("des") == ["describe"]
    assert completed("edit", "photo one.png", "--should") == ["--should-show"]
    assert completed("edit", "photo o") == ["photo one.png"]
    assert completed("concepts", "ex") == ["export"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_shell_has_a_script_that_asks_at_each_tab(name: str, shell: Any) -> None:
    said = shell("completion", name)
    assert (said.code, said.err) == (0, "")
    assert f" {ASKED} " in said.out
    assert FILES in said.out
    assert shell("completion", name, "--json").json == {"script": said.out.rstrip("\n")}


def test_another_shell_is_refused_by_name(shell: Any) -> None:
    assert "SHELL can't be 'tcsh'. It can be bash, zsh or fish." in shell("completion", "tcsh").err
