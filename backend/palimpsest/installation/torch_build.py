"""Which build of PyTorch suits this machine, and where pip finds it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from palimpsest.installation.environment import GIB, Environment, InstallationError
from palimpsest.interpreter import isolated

VERSION = "2.13.0"
BUILDS = ("auto", "cpu", "cuda", "rocm", "mps")
WHEELS = "https://download.pytorch.org/whl/"  # PyTorch's own index of builds
ROCM, CUDA_ON_WINDOWS = "rocm7.2", "cu130"
ROOM = {"cpu": 3 * GIB, "mps": 3 * GIB, "cuda": 12 * GIB, "rocm": 20 * GIB}
#: What pip fetches for a build and what it takes on the disk, in MB; measured with VERSION and Python 3.11 on
#: x86-64 (Apple: arm64). The builds that only PyTorch's own index has weren't measured.
DOWNLOAD_OF_TORCH = {
    ("cpu", "linux"): 192,
    ("cuda", "linux"): 2700,
    ("cpu", "win32"): 122,
    ("cpu", "darwin"): 111,
    ("mps", "darwin"): 111,
}
ON_DISK_OF_TORCH = {"cpu": 760, "mps": 760, "cuda": 4600}


@dataclass(frozen=True)
class Machine:
    platform: str  # sys.platform
    nvidia: bool
    amd: bool


def look_at_machine() -> Machine:
    nvidia = shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()
    amd = Path("/opt/rocm").exists() or shutil.which("rocminfo") is not None
    return Machine(sys.platform, nvidia, amd)


def choose_build(asked: str, machine: Machine) -> str:
    """The build that suits the machine, or the one asked for if the platform has it."""
    apple, linux = machine.platform == "darwin", machine.platform == "linux"
    has = {"cpu": True, "mps": apple, "cuda": not apple, "rocm": linux}
    if asked == "auto":
        suits = {"mps": apple, "cuda": machine.nvidia and not apple, "rocm": machine.amd and linux}
        return next((build for build, fits in suits.items() if fits), "cpu")
    if not has[asked]:
        raise InstallationError(f"PyTorch has no {asked} build for {machine.platform}. Leave --torch out.")
    return asked


def torch_arguments(environment: Environment, build: str, machine: Machine) -> list[str]:
    """What pip is told. The registry's own build is CUDA on Linux, CPU on Windows, CPU and MPS on a Mac."""
    pin = f"torch=={VERSION}"
    if build == "rocm":
        return [pin, "--index-url", WHEELS + ROCM]
    if build == "cuda" and machine.platform == "win32":
        return [pin, "--index-url", WHEELS + CUDA_ON_WINDOWS]
    if build == "cpu" and machine.platform == "linux" and not _offers_cpu_build(environment):
        return [pin, "--extra-index-url", WHEELS + "cpu"]
    return [pin]


def _offers_cpu_build(environment: Environment) -> bool:
    """Whether pip, as it is configured on this machine, takes a CPU build anyway."""
    options = ["--quiet", "--no-deps", "--dry-run", "--report", "-"]
    command = isolated(environment.python, "-m", "pip", "install", *options, f"torch=={VERSION}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(result.stdout)["install"][0]["metadata"]["version"].endswith("+cpu")
    except (ValueError, LookupError):
        return False
