"""Which devices surely aren't here, told without loading PyTorch: that takes seconds, a refusal shouldn't.

Only what the installed build and the operating system rule out is refused; PyTorch has the last word.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from palimpsest.errors import DeviceNotFoundError
from palimpsest.limits import shown

DEVICE = re.compile(r"auto|cpu|mps|cuda(?::([0-9]{1,3}))?")
NODES = Path("/dev")
OTHERS = "Choose another with --device or PALIMPSEST_DEVICE; auto is the fastest there is."


@dataclass(frozen=True)
class Machine:
    platform: str  # sys.platform
    arm: bool
    build: str  # what PyTorch was built for: "cpu", "cuda", "rocm", or "" where it isn't known
    cards: int | None  # None where the system doesn't tell


def require_devices(names: str, machine: Machine | None = None) -> None:
    """``names``: one device, or several with commas. Raises DeviceNotFoundError."""
    machine = this_machine() if machine is None else machine
    for name in filter(None, map(str.strip, names.split(","))):
        _require(name, machine)


def _require(name: str, machine: Machine) -> None:
    found = DEVICE.fullmatch(name)
    if found is None:
        raise DeviceNotFoundError(
            f"{shown(name)} is no device.", "Known are auto, cpu, cuda, cuda:1 and mps."
        )
    reason = ""
    if name == "mps" and not (machine.platform == "darwin" and machine.arm):
        reason = "only Macs with Apple's own processors have it"
    if name.startswith("cuda"):
        reason = _no_card(int(found[1] or 0), machine)
    if reason:
        raise DeviceNotFoundError(f"The device {name} isn't here: {reason}.", OTHERS, device=name)


def _no_card(number: int, machine: Machine) -> str:
    if machine.build == "cpu":
        return (
            "PyTorch is installed in its build for the processor alone "
            "(python3 install.py setup --torch cuda installs the other)"
        )
    if machine.cards is None or number < machine.cards:
        return ""
    if machine.cards == 0:
        return "this machine shows no graphics card that it could be"
    return f"this machine has {machine.cards}, counted from cuda:0"


def this_machine() -> Machine:
    return Machine(sys.platform, platform.machine() == "arm64", torch_build(), graphics_cards())


def torch_build() -> str:
    """Read from PyTorch's own file, which isn't run."""
    try:
        spec = importlib.util.find_spec("torch")
        places = (
            [] if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
        )
        text = Path(next(iter(places)), "version.py").read_text(encoding="utf-8")
    except (ImportError, ValueError, StopIteration, OSError):
        return ""
    built = dict(re.findall(r"^(cuda|hip)\b[^=\n]*= *(\S+)", text, re.MULTILINE))
    if set(built) != {"cuda", "hip"}:
        return ""
    return next((name for key, name in (("hip", "rocm"), ("cuda", "cuda")) if built[key] != "None"), "cpu")


def graphics_cards(nodes: Path = NODES) -> int | None:
    """How many the system shows; None where it can't be asked this way (not Linux, AMD's, Windows' Linux)."""
    if sys.platform != "linux" or (nodes / "kfd").exists() or (nodes / "dxg").exists():
        return None
    return sum(1 for node in nodes.glob("nvidia*") if node.name.removeprefix("nvidia").isdigit())
