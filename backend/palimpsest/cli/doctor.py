"""``palimpsest doctor``: look whether everything is as it should be, and say what to do where it isn't."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from palimpsest.contract import BUILT_IN
from palimpsest.errors import PalimpsestError
from palimpsest.installation.checkup import Finding, editor_findings, launch_finding, show_findings
from palimpsest.settings import Settings, read_settings

GIB = 1 << 30
LITTLE_ROOM, LITTLE_MEMORY = 2 * GIB, 4 * GIB
LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "PIL", "numpy")


DESCRIPTION = "Look whether everything is as it should be, and say what to do where it isn't."


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor", help="look whether everything is as it should be", description=DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    findings = [*examine(read_settings()), launch_finding(), *editor_findings()]
    sick = any(finding.trouble for finding in findings)
    if options.json:
        print(json.dumps({"well": not sick, "findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    else:
        show_findings(findings)
    return 1 if sick else 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check by itself: one that fails doesn't hide the others."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        check_python,
        check_libraries,
        check_device,
        check_memory,
        check_room,
        check_folder,
        check_built_in,
        check_models,
        check_concepts,
    )
    for check in checks:
        try:
            yield check(settings)
        except PalimpsestError as error:
            yield Finding(check.__name__.removeprefix("check_"), error.message, error.hint or "See above.")


def check_python(_: Settings) -> Finding:
    found = f"{platform.python_version()} on {platform.platform()}"
    return Finding("Python", found, "" if sys.version_info >= (3, 10) else "Install Python 3.10 or newer.")


def check_libraries(_: Settings) -> Finding:
    import importlib

    versions, missing = [], []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {importlib.import_module(name).__version__}")
        except ImportError:
            missing.append(name)
    trouble = f"Missing: {', '.join(missing)}. Run: python3 install.py setup" if missing else ""
    return Finding("Libraries", ", ".join(versions), trouble)


def check_device(settings: Settings) -> Finding:
    import torch

    from palimpsest.models.pool import device_named
    from palimpsest.tasks.workplace import describe_device

    try:
        device = device_named(settings.device)
        torch.zeros(1, device=device)
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


def check_folder(settings: Settings) -> Finding:
    for folder in (settings.folders.data, settings.folders.cache):
        place = nearest_existing(folder)
        if not os.access(place, os.W_OK):
            return Finding("Folders", str(folder), f"{place} can't be written to. Set PALIMPSEST_HOME.")
    return Finding("Folders", f"{settings.folders.data}, cache in {settings.folders.cache}")


def nearest_existing(folder: Path) -> Path:
    """The folder, or the one in which it would be made."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def check_built_in(settings: Settings) -> Finding:
    """The built-in model is loaded for real: damage shows only then."""
    import torch

    from palimpsest.models.catalog import find
    from palimpsest.models.load import load

    model = load(find(BUILT_IN, settings.folders.models), torch.device("cpu"))
    return Finding("Built-in model", f"{model.native_size} pixels, weights {model.weights_hash[:12]}")


def check_models(settings: Settings) -> Finding:
    from palimpsest.models.catalog import installed
    from palimpsest.models.checkpoint import read_spec

    said, troubles = [], []
    for name, place in installed(settings.folders.models, settings.model_folders).items():
        try:
            said.append(f"{name} ({read_spec(place).family})")
        except PalimpsestError as error:
            troubles.append(str(error))
    return Finding("Models", ", ".join(said), " ".join(troubles))


def check_concepts(settings: Settings) -> Finding:
    from palimpsest.storage.concepts import ConceptLibrary

    library = ConceptLibrary(settings.folders.concepts)
    troubles = " ".join(str(error) for error in library.damaged())
    return Finding("Concepts", ", ".join(card.placeholder for card in library.list()) or "none yet", troubles)
