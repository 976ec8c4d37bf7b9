"""Which build of PyTorch suits this machine, where it is found, and what it takes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import List

from ..text.wording import GIB

TORCH = "2.13.0"
WHEELS = "https://download.pytorch.org/whl/"  # PyTorch's own index of builds
ROCM, CUDA_ON_WINDOWS = "rocm7.2", "cu130"
ROOM = {"cpu": 3 * GIB, "mps": 3 * GIB, "cuda": 12 * GIB, "rocm": 20 * GIB}
"""What must be free on the disk: packages and what is made of them."""
DOWNLOAD_OF_TORCH = {
    ("cpu", "linux"): 192,
    ("cuda", "linux"): 2700,
    ("cpu", "win32"): 122,
    ("cpu", "darwin"): 111,
    ("mps", "darwin"): 111,
}
"""What is fetched for a build, in MB; measured with TORCH and Python 3.11 on x86-64 (Apple: arm64). Builds
that only PyTorch's own index has weren't measured."""
ON_DISK_OF_TORCH = {"cpu": 760, "mps": 760, "cuda": 4600}  # MB
NOT_MEASURED = 5000  # MB: more than any build that was
LIBRARIES = 71 + 18  # MB: all others, and uv


@dataclass(frozen=True)
class Machine:
    platform: str  # sys.platform
    nvidia: bool
    amd: bool


def look_at_machine() -> Machine:
    nvidia = shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()
    amd = Path("/opt/rocm").exists() or shutil.which("rocminfo") is not None
    return Machine(sys.platform, nvidia, amd)


def builds_for(machine: Machine) -> Sequence[str]:
    """Those that PyTorch has for this platform."""
    apple, linux = machine.platform == "darwin", machine.platform == "linux"
    has = {"cpu": True, "mps": apple, "cuda": not apple, "rocm": linux}
    return [build for build, there in has.items() if there]


def build_for(machine: Machine) -> str:
    """The one that suits the machine."""
    has = builds_for(machine)
    suits = {"mps": True, "cuda": machine.nvidia, "rocm": machine.amd}
    return next((build for build, fits in suits.items() if fits and build in has), "cpu")


def torch_source(build: str, platform: str) -> List[str]:
    """Where pip and uv find a build. The usual index has CUDA on Linux, CPU on Windows, both of a Mac's."""
    if build == "rocm":
        return ["--index-url", WHEELS + ROCM]
    if build == "cuda" and platform == "win32":
        return ["--index-url", WHEELS + CUDA_ON_WINDOWS]
    if build == "cpu" and platform == "linux":
        return ["--extra-index-url", WHEELS + "cpu"]
    return []


def served(build: str, mirrored: bool, platform: str) -> str:
    """The build that comes. A mirror has what the usual index has, and for Linux that is CUDA alone; whether
    it has another one is not known before, so what it takes is counted for this one."""
    return "cuda" if mirrored and (build, platform) == ("cpu", "linux") else build


def download(build: str, platform: str) -> int:
    """Bytes of all packages together, about."""
    return (DOWNLOAD_OF_TORCH.get((build, platform), NOT_MEASURED) + LIBRARIES) * 10**6
