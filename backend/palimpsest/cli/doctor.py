"""``palimpsest doctor``: look whether everything is as it should be, and say what to do where it isn't."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import palimpsest
from palimpsest.cli.output import json_text
from palimpsest.contract import BUILT_IN
from palimpsest.errors import DeviceNotFoundError, PalimpsestError
from palimpsest.installation import origin
from palimpsest.installation.checkup import Finding, editor_findings, launch_finding, show_findings
from palimpsest.installation.origin import repair
from palimpsest.settings import Settings, read_settings

GIB = 1 << 30
LITTLE_ROOM, LITTLE_MEMORY = 2 * GIB, 4 * GIB
PLACES = (
    "PALIMPSEST_HOME",
    "HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
)
BROKEN = "Something it needs is broken; what is said of the libraries above comes first."
LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "PIL", "numpy")


DESCRIPTION = "Look whether everything is as it should be, and say what to do where it isn't."


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor", help="look whether everything is as it should be", description=DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    findings = [*check_installation(), *examined("Start from an editor", lambda: [launch_finding()])]
    findings += examined("Editors", editor_findings)
    sick = any(finding.trouble for finding in findings)
    if options.json:
        print(json_text({"well": not sick, "findings": [asdict(f) for f in findings]}))
    else:
        show_findings(findings)
    return 1 if sick else 0


CHECKS: tuple[tuple[str, str], ...] = (
    ("Palimpsest", "check_palimpsest"),
    ("Python", "check_python"),
    ("Libraries", "check_libraries"),
    ("Device", "check_device"),
    ("Memory", "check_memory"),
    ("Disk", "check_room"),
    ("Folders", "check_folders"),
    ("Configuration", "check_configuration"),
    ("List of jobs", "check_database"),
    ("Built-in model", "check_built_in"),
    ("Models", "check_models"),
    ("Concepts", "check_concepts"),
)


def check_installation() -> Iterator[Finding]:
    """What concerns this installation and its files."""
    try:
        settings = read_settings()
    except PalimpsestError as error:
        yield Finding("Settings", error.message, error.hint or "Change that variable of the environment.")
        settings = read_settings({key: value for key, value in os.environ.items() if key in PLACES})
    yield from examine(settings)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check by itself: one that fails doesn't hide the others."""
    for what, name in CHECKS:
        yield from examined(what, lambda name=name: [globals()[name](settings)])


def examined(what: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds; whatever breaks it is a finding, too, never the end of the doctor."""
    try:
        yield from check()
    except PalimpsestError as error:
        yield Finding(what, error.message, error.hint or "Mend that, and run the doctor again.")
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        said = error.strerror or str(error)
        yield Finding(what, f"{place}{said}", "Make it readable for this account, or move it away.")
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        yield Finding(what, f"can't be examined ({type(error).__name__}: {first})", BROKEN)


def check_palimpsest(_: Settings) -> Finding:
    clone = origin.clone_around()
    place = origin.checkout()
    found = f"{palimpsest.__version__} from {'a wheel' if place is None else place}"
    trouble = "" if clone is None else f"It isn't that of {clone}. Run there: python3 install.py setup"
    return Finding("Palimpsest", found, trouble)


def check_python(_: Settings) -> Finding:
    found = f"{platform.python_version()} on {platform.platform()}"
    return Finding("Python", found, "" if sys.version_info >= (3, 10) else "Install Python 3.10 or newer.")


def check_libraries(_: Settings) -> Finding:
    import importlib

    versions, missing = [], []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {importlib.import_module(name).__version__}")
        except Exception as error:  # a library that is half there can raise nearly anything
            first = next(iter(str(error).splitlines()), type(error).__name__)
            missing.append(f"{name} ({first})")
    trouble = f"Missing or broken: {', '.join(missing)}. {repair()}" if missing else ""
    return Finding("Libraries", ", ".join(versions), trouble)


def check_device(settings: Settings) -> Finding:
    import torch

    from palimpsest.models.pool import device_named
    from palimpsest.tasks.context import describe_device

    try:
        device = device_named(settings.device)
        torch.zeros(1, device=device)
    except DeviceNotFoundError as error:
        return Finding("Device", settings.device, str(error))
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        return Finding("Device", settings.device, f"It can't be used: {first} Set PALIMPSEST_DEVICE=auto.")
    known = describe_device(device)
    memory = "" if known["memory"] is None else f", {known['memory_free'] / GIB:.1f} GiB free"
    hint = " (slow with large models)" if device.type == "cpu" else ""
    return Finding("Device", f"{known['name']}{memory}{hint}")


def check_memory(_: Settings) -> Finding:
    free = available_memory()
    if free is None:
        return Finding("Memory", "unknown on this system")
    trouble = "Close other programs: large models need more." if free < LITTLE_MEMORY else ""
    return Finding("Memory", f"{free / GIB:.1f} GiB available", trouble)


def available_memory() -> int | None:
    """Bytes that programs can still have; None where the system doesn't say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def check_room(settings: Settings) -> Finding:
    place = nearest_existing(settings.folders.data)
    free = shutil.disk_usage(place).free
    trouble = f"Make room on the disk of {place}." if free < LITTLE_ROOM else ""
    return Finding("Disk", f"{free / GIB:.1f} GiB free", trouble)


def check_folders(settings: Settings) -> Finding:
    known = settings.folders
    own = (
        known.data,
        known.cache,
        known.config,
        known.concepts,
        known.models,
        known.images,
        known.inversions,
    )
    troubles = []
    for place in dict.fromkeys(nearest_existing(folder) for folder in own):
        if not place.is_dir():
            troubles.append(f"{place} is a file where a folder belongs: move it away.")
        elif not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            troubles.append(
                f"{place} can't be read or written to. Give it to this account, or set PALIMPSEST_HOME."
            )
    return Finding("Folders", f"{known.data}, cache in {known.cache}", " ".join(troubles))


def check_configuration(settings: Settings) -> Finding:
    """The tokens can be read. Raises TokenError."""
    from palimpsest.storage.announcement import read_token, read_tokens

    if settings.folders.token.exists():
        read_token(settings.folders.token)
    others = len(read_tokens(settings.folders.config))
    return Finding("Configuration", f"{settings.folders.config}, {others} further owners")


def check_database(settings: Settings) -> Finding:
    """Looked at without changing it: a server may be writing into it."""
    import sqlite3

    place = settings.folders.database
    if not place.exists():
        return Finding("List of jobs", "none yet")
    try:
        with contextlib.closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True, timeout=5)) as opened:
            (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
            (count,) = opened.execute("SELECT count(*) FROM jobs").fetchone()
    except sqlite3.OperationalError as error:
        return Finding(
            "List of jobs", f"{place}: {error}", "Make it readable for this account, or stop who locks it."
        )
    except sqlite3.DatabaseError as error:
        said, count = str(error), 0
    if said != "ok":
        keeps = "The next server that starts moves it aside; pictures and concepts are kept."
        return Finding("List of jobs", f"{place} is damaged: {said}", keeps)
    return Finding("List of jobs", f"{count} jobs")


def nearest_existing(folder: Path) -> Path:
    """The folder, or the one in which it would be made."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def check_built_in(settings: Settings) -> Finding:
    """The built-in model is loaded for real: damage shows only then."""
    import torch

    from palimpsest.models.catalog import find
    from palimpsest.models.families import load

    model = load(find(BUILT_IN, settings.folders.models), torch.device("cpu"))
    return Finding("Built-in model", f"{model.native_size} pixels, weights {model.weights_hash[:12]}")


def check_models(settings: Settings) -> Finding:
    from palimpsest.models.catalog import installed
    from palimpsest.models.families import read_spec

    said, troubles = [], []
    for name, place in installed(settings.folders.models, settings.model_folders).items():
        try:
            said.append(f"{name} ({read_spec(place).family})")
        except PalimpsestError as error:
            troubles.append(str(error))
    return Finding("Models", ", ".join(said), " ".join(troubles))


def check_concepts(settings: Settings) -> Finding:
    from palimpsest.models.families import published_widths
    from palimpsest.storage.concepts import ConceptLibrary

    library = ConceptLibrary(settings.folders.concepts, published_widths())
    troubles = " ".join(str(error) for error in library.damaged())
    return Finding("Concepts", ", ".join(card.placeholder for card in library.list()) or "none yet", troubles)
