"""What install.py does: make ``.venv``, install pinned packages, run a command in it. Standard library only.

Every finished step is noted in a stamp inside the environment. A second run finds the stamp and does
nothing; an interrupted one goes on with the step that was not finished; a changed lock runs its step again.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from palimpsest.errors import RequestError
from palimpsest.installation import plugins
from palimpsest.installation.checkup import Finding, editor_findings, show_findings
from palimpsest.installation.editors import this_account
from palimpsest.installation.environment import Environment, InstallationError, refuse_too_little_room, say
from palimpsest.installation.launch import remove_launch_record, write_launch_record
from palimpsest.installation.lock import alone
from palimpsest.installation.torch_build import (
    BUILDS,
    DOWNLOAD_OF_TORCH,
    ON_DISK_OF_TORCH,
    ROOM,
    VERSION,
    Machine,
    choose_build,
    look_at_machine,
    torch_arguments,
)
from palimpsest.parser import Parser
from palimpsest.storage.paths import folders

INTERRUPTED = 130
EXPLAINED = {
    "demo": "learn a word and edit a photo with it, results in demo-output/",
    "test": "the linter, the type checker and all tests",
    "setup": "only install the backend, and print where it is",
    "krita": "put the plugin into Krita, and the backend into .venv",
    "gimp": "put the plug-in into GIMP 3, and the backend into .venv",
    "plugins": "both, into every editor that is found",
    "uninstall": "take the plugins out of the editors again",
    "doctor": "look whether backend and editors are as they should be",
}
STEPS = {
    "runtime": "the libraries",
    "torch": f"PyTorch {VERSION}",
    "test": "what the tests need",
    "package": "Palimpsest itself",
}
DOWNLOAD = {"runtime": 71, "test": 196, "package": 0}  # MB, measured as those of PyTorch
ON_DISK = {"runtime": 500, "test": 700, "package": 0}
UNKNOWN = "several GB, not measured"


def run(root: str, arguments: Sequence[str]) -> int:
    """The command line. Returns the exit code."""
    try:
        options, rest = build_installer_parser().parse_known_args(arguments)
        return COMMANDS[options.command](Environment(Path(root)), options, rest)
    except RequestError as error:
        say(f"Error: {' '.join(filter(None, (error.message, error.hint)))}")
        return error.exit_code
    except InstallationError as error:
        say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. Run the same command again: it goes on where it stopped.")
        return INTERRUPTED


def install(environment: Environment, build: str, with_tests: bool) -> None:
    """Everything that is not there yet, or not whole any more. Raises InstallationError."""
    with alone(environment.root):
        _install(environment, build, with_tests)


def _install(environment: Environment, build: str, with_tests: bool) -> None:
    environment.read()
    machine = look_at_machine()
    before = environment.done.get("torch", "").split()
    settled = build == "auto" and before[:1] == [VERSION]  # stays until something else is asked for
    chosen = before[1] if settled else choose_build(build, machine)
    wanted = _wanted(environment.root, chosen, with_tests)
    works = environment.works()
    done = {step for step, value in wanted.items() if works and environment.done.get(step) == value}
    lacking = {step: environment.lacking(contents(environment.root, step)) for step in wanted if step in done}
    broken = {step for step in done if lacking[step]}
    if environment.holds_a_copy():
        say(f"{environment.folder} has Palimpsest from a wheel: this folder's own takes its place.")
        environment.remove("palimpsest")
        done.discard("package")
    if done - broken == set(wanted):
        return
    refuse_too_little_room(environment.root, 0 if works and "torch" in environment.done else ROOM[chosen])
    say(announced(environment, [step for step in wanted if step not in done - broken], chosen, machine))
    if not works:
        say("Making the environment .venv …")
        environment.make()
    for step, value in wanted.items():
        if step in done - broken:
            continue
        say(f"{_why(lacking.get(step, []))}Installing {STEPS[step]} …")
        again = ["--ignore-installed"] if step in broken else []
        if step == "torch":
            environment.remove("torch")  # another build of the same version would count as installed
            again += torch_arguments(environment, chosen, machine)
        environment.pip(again if step == "torch" else again + step_arguments(environment.root, step))
        environment.note(step, value)


def announced(environment: Environment, steps: list[str], build: str, machine: Machine) -> str:
    """What will be fetched, how much that is, and where it goes: said before it begins."""
    fetched: dict[str, int | None] = {}
    taken: dict[str, int | None] = {}
    for step in steps:
        own = step == "torch"
        fetched[step] = DOWNLOAD_OF_TORCH.get((build, machine.platform)) if own else DOWNLOAD[step]
        taken[step] = ON_DISK_OF_TORCH.get(build) if own else ON_DISK[step]
    named = {"torch": f"{STEPS['torch']} for {build}"}
    parts = [f"{named.get(step, STEPS[step])}: {shown(size)}" for step, size in fetched.items() if size != 0]
    if not parts:
        return f"Nothing is downloaded; {environment.folder} is brought up to date."
    return (
        f"Downloading about {summed(fetched)} into {environment.folder}, about {summed(taken)} on the disk "
        f"({', '.join(parts)}). Ctrl-C stops it; the same command goes on from there."
    )


def summed(sizes: dict[str, int | None]) -> str:
    known = sum(size or 0 for size in sizes.values())
    return shown(known) if None not in sizes.values() else f"{shown(known)} and {UNKNOWN}"


def shown(size: int | None) -> str:
    """``size`` in MB, as people read it."""
    if size is None:
        return UNKNOWN
    return f"{size / 1000:.1f} GB" if size >= 1000 else f"{size} MB"


def _why(lacking: list[str]) -> str:
    return f"Files are missing of {', '.join(lacking)}. " if lacking else ""


def step_arguments(root: Path, step: str) -> list[str]:
    """What pip is told: the libraries by their hashes, and nothing that isn't listed."""
    if step == "package":
        return ["--no-deps", "--no-build-isolation", "-e", str(root)]
    return ["--no-deps", "--require-hashes", "-r", str(root / "backend" / "requirements" / f"{step}.txt")]


def contents(root: Path, step: str) -> list[str]:
    """What a step installs, as requirements without their hashes."""
    if step == "package":
        return ["palimpsest"]
    if step == "torch":
        return ["torch"]
    text = (root / "backend" / "requirements" / f"{step}.txt").read_text(encoding="utf-8")
    return [line.rstrip(" \\") for line in text.splitlines() if line[:1] not in "# "]


def run_demo(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    install(environment, options.torch, with_tests=False)
    output = ["--output", str(environment.root / "demo-output")]
    return environment.call(["-m", "palimpsest", "demo", *(output if "--output" not in rest else []), *rest])


def run_tests(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    """All of them, also when an earlier one fails: one run shows everything."""
    install(environment, options.torch, with_tests=True)
    types = ["-m", "pyright", "--pythonpath", str(environment.python)]  # else it looks at the system's
    checks = [["-m", "ruff", "check", "."], types, ["-m", "pytest", "-q", *rest]]
    failed = [check[1] for check in checks if environment.call(check) != 0]
    say("Failed: " + ", ".join(failed) if failed else "All tests passed.")
    return 1 if failed else 0


def show(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    install(environment, options.torch, with_tests=False)
    print(environment.scripts / "palimpsest")
    return 0


def put_plugins(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    """Into the editors first: that is quick, and tells soon when there is none."""
    if options.package:
        print("\n".join(map(str, plugins.package(environment.root, options))))
        return 0
    plugins.put(environment.root, this_account(), options)
    if not options.plugin_only:
        install(environment, options.torch, with_tests=False)
        say(f"Backend: editors start it as {write_launch_record(environment.python)} says")
    return 0


def remove_plugins(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    plugins.take_away(environment.root, this_account(), options)
    if options.editor == "all":
        record = remove_launch_record()
        say(f"Backend: {record} removed" if record else "Backend: no editor starts it")
        say(f"Left as they are: {environment.folder} with the backend, {folders().data} with your concepts")
    return 0


def examine(environment: Environment, options: argparse.Namespace, rest: list[str]) -> int:
    """In the environment where there is one; what concerns the editors also without."""
    environment.read()
    steps = ("runtime", "torch", "package")
    works = environment.works()
    lacking = [
        name for step in steps if works for name in environment.lacking(contents(environment.root, step))
    ]
    if lacking:
        found = f"files are missing of {', '.join(lacking)}"
        show_findings([Finding("Backend", found, "Run: python3 install.py setup"), *editor_findings()])
        return 1
    if works and environment.holds_a_copy():
        found = f"{environment.folder} has Palimpsest from a wheel, not this folder's own"
        show_findings([Finding("Backend", found, "Run: python3 install.py setup"), *editor_findings()])
        return 1
    if works:
        return environment.call(["-m", "palimpsest", "doctor", *rest])
    show_findings([Finding("Backend", "not installed", "Run: python3 install.py setup"), *editor_findings()])
    return 1


Command = Callable[[Environment, argparse.Namespace, list[str]], int]
COMMANDS: dict[str, Command] = {
    "demo": run_demo,
    "test": run_tests,
    "setup": show,
    "krita": put_plugins,
    "gimp": put_plugins,
    "plugins": put_plugins,
    "uninstall": remove_plugins,
    "doctor": examine,
}
PUT = {"krita": "krita", "gimp": "gimp", "plugins": "all"}
PASS_ON = ("demo", "test", "doctor")


def _wanted(root: Path, build: str, with_tests: bool) -> dict[str, str]:
    requirements = root / "backend" / "requirements"
    wanted = {"runtime": _hash(requirements / "runtime.txt"), "torch": f"{VERSION} {build}"}
    if with_tests:
        wanted["test"] = _hash(requirements / "test.txt")
    return {**wanted, "package": f"{_hash(root / 'pyproject.toml')} in {root}"}  # scripts hold the path


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def build_installer_parser() -> argparse.ArgumentParser:
    parser = Parser(
        passes_on=True,
        prog="install.py",
        description="Set Palimpsest up in .venv beside this file, and run what you ask for.",
        epilog="demo, test and doctor pass further arguments on: install.py test -k inversion",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in EXPLAINED.items():
        passes_on = name in PASS_ON
        command = commands.add_parser(
            name, passes_on=passes_on, help=what, description=what, allow_abbrev=False
        )
        if name not in ("uninstall", "doctor"):
            command.add_argument("--torch", choices=BUILDS, default="auto", help="build of PyTorch")
        if name in PUT:
            _add_plugin_options(command)
            command.set_defaults(editor=PUT[name])
        if name in PUT or name == "uninstall":
            command.add_argument("--krita-dir", type=Path, metavar="FOLDER", help="Krita's resource folder")
            command.add_argument("--gimp-dir", type=Path, metavar="FOLDER", help="GIMP's profile folder")
        if name == "uninstall":
            command.add_argument("editor", nargs="?", choices=("krita", "gimp", "all"), default="all")
    return parser


def _add_plugin_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--link", action="store_true", help="link to this folder instead of copying")
    command.add_argument("--package", action="store_true", help="only make a zip to install from, in dist/")
    command.add_argument(
        "--plugin-only", action="store_true", help="no backend here: the editor will use one elsewhere"
    )
