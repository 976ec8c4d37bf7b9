"""What install.py does: make ``.venv``, install pinned packages, run a command in it. Standard library only.

Every finished step is noted in a stamp inside the environment. A second run finds the stamp and does
nothing; an interrupted one goes on with the step that was not finished; a changed lock runs its step again.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from palimpsest.installation.environment import Environment, InstallationError, refuse_too_little_room, say
from palimpsest.installation.torch_build import (
    BUILDS,
    ROOM,
    VERSION,
    choose_build,
    look_at_machine,
    torch_arguments,
)

INTERRUPTED = 130
STEPS = {
    "torch": f"PyTorch {VERSION}",
    "runtime": "the libraries",
    "test": "what the tests need",
    "package": "Palimpsest itself",
}


def run(root: str, arguments: Sequence[str]) -> int:
    """The command line. Returns the exit code."""
    options, rest = _parser().parse_known_args(arguments)
    environment = Environment(Path(root))
    try:
        install(environment, options.torch, with_tests=options.command == "test")
        return COMMANDS[options.command](environment, rest)
    except InstallationError as error:
        say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. Run the same command again: it goes on where it stopped.")
        return INTERRUPTED


def install(environment: Environment, build: str, with_tests: bool) -> None:
    """Everything that is not there yet. Raises InstallationError."""
    environment.read()
    machine = look_at_machine()
    before = environment.done.get("torch", "").split()
    settled = build == "auto" and before[:1] == [VERSION]  # stays until something else is asked for
    chosen = before[1] if settled else choose_build(build, machine)
    wanted = _wanted(environment.root, chosen, with_tests)
    works = environment.works()
    if works and all(environment.done.get(step) == value for step, value in wanted.items()):
        return
    refuse_too_little_room(environment.root, 0 if works and "torch" in environment.done else ROOM[chosen])
    if not works:
        say("Making the environment .venv …")
        environment.make()
    for step, value in wanted.items():
        if environment.done.get(step) != value:
            say(f"Installing {STEPS[step]} …")
            source = torch_arguments(environment, chosen, machine) if step == "torch" else []
            environment.pip(source or step_arguments(environment.root, step))
            environment.note(step, value)


def step_arguments(root: Path, step: str) -> list[str]:
    """What pip is told. PyTorch is named again, so that nothing replaces it."""
    if step == "package":
        return ["--no-deps", "--no-build-isolation", "-e", str(root)]
    requirements = root / "backend" / "requirements"
    return [f"torch=={VERSION}", "-r", str(requirements / "runtime.txt")] + (
        ["-r", str(requirements / "test.txt")] if step == "test" else []
    )


def run_demo(environment: Environment, rest: list[str]) -> int:
    output = ["--output", str(environment.root / "demo-output")]
    return environment.call(["-m", "palimpsest", "demo", *(output if "--output" not in rest else []), *rest])


def run_tests(environment: Environment, rest: list[str]) -> int:
    """All of them, also when an earlier one fails: one run shows everything."""
    types = ["-m", "pyright", "--pythonpath", str(environment.python)]  # else it looks at the system's
    checks = [["-m", "ruff", "check", "."], types, ["-m", "pytest", "-q", *rest]]
    failed = [check[1] for check in checks if environment.call(check) != 0]
    say("Failed: " + ", ".join(failed) if failed else "All tests passed.")
    return 1 if failed else 0


def show(environment: Environment, rest: list[str]) -> int:
    print(environment.scripts / "palimpsest")
    return 0


COMMANDS: dict[str, Callable[[Environment, list[str]], int]] = {
    "demo": run_demo,
    "test": run_tests,
    "setup": show,
}


def _wanted(root: Path, build: str, with_tests: bool) -> dict[str, str]:
    requirements = root / "backend" / "requirements"
    wanted = {"torch": f"{VERSION} {build}", "runtime": _hash(requirements / "runtime.txt")}
    if with_tests:
        wanted["test"] = _hash(requirements / "test.txt")
    return {**wanted, "package": _hash(root / "pyproject.toml")}


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Set Palimpsest up in .venv beside this file, and run what you ask for.",
        epilog="Further arguments are passed on: install.py test -k inversion",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        choices=tuple(COMMANDS),
        help="demo: learn a word and edit a photo with it, results in demo-output/; "
        "test: the linter, the type checker and all tests; setup: only install",
    )
    parser.add_argument("--torch", choices=BUILDS, default="auto", help="build of PyTorch")
    return parser
