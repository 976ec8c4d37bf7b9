"""Which build of PyTorch is installed here, and what pip is told of it."""

from __future__ import annotations

import json
import subprocess

from palimpsest.installation.environment import Environment, InstallationError
from palimpsest.interpreter import isolated
from palimpsest_client.setup.machine import (
    DOWNLOAD_OF_TORCH,
    ON_DISK_OF_TORCH,
    ROOM,
    TORCH,
    WHEELS,
    Machine,
    build_for,
    builds_for,
    look_at_machine,
    torch_source,
)

__all__ = [
    "BUILDS",
    "DOWNLOAD_OF_TORCH",
    "ON_DISK_OF_TORCH",
    "ROOM",
    "VERSION",
    "WHEELS",
    "Machine",
    "choose_build",
    "look_at_machine",
]
VERSION = TORCH
BUILDS = ("auto", "cpu", "cuda", "rocm", "mps")


def choose_build(asked: str, machine: Machine) -> str:
    """The build that suits the machine, or the one asked for if the platform has it."""
    if asked == "auto":
        return build_for(machine)
    if asked not in builds_for(machine):
        raise InstallationError(f"PyTorch has no {asked} build for {machine.platform}. Leave --torch out.")
    return asked


def torch_arguments(environment: Environment, build: str, machine: Machine) -> list[str]:
    """What pip is told."""
    pin = f"torch=={VERSION}"
    plain = build == "cpu" and machine.platform == "linux" and _offers_cpu_build(environment)
    return [pin] if plain else [pin, *torch_source(build, machine.platform)]


def _offers_cpu_build(environment: Environment) -> bool:
    """Whether pip, as it is configured on this machine, takes a CPU build anyway."""
    options = ["--quiet", "--no-deps", "--dry-run", "--report", "-"]
    command = isolated(environment.python, "-m", "pip", "install", *options, f"torch=={VERSION}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(result.stdout)["install"][0]["metadata"]["version"].endswith("+cpu")
    except (ValueError, LookupError):
        return False
