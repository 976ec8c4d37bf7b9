"""Everything a person can set about this machine, in one frozen object. Standard library only.

Folders: ``PALIMPSEST_HOME`` and the platform's own variables, see ``storage.paths``. The other fields are
set by ``PALIMPSEST_`` and the field's name in capitals (``PALIMPSEST_DEVICE=cpu``). Reading the settings
makes no folder and opens no file.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from palimpsest.errors import RequestError
from palimpsest.storage.paths import Folders, folders

PREFIX = "PALIMPSEST_"
PRECISIONS = ("auto", "float32")
MEMORIES = ("auto", "high", "medium", "low")


@dataclass(frozen=True)
class Settings:
    """Where things lie and how much is allowed."""

    folders: Folders
    server: str = ""  # address of the one that commands of the shell ask; empty: this machine's
    token_file: Path | None = None  # with that server's token
    device: str = "auto"  # "cpu", "cuda", "cuda:1", "mps"; auto takes the fastest there is
    precision: str = "auto"  # "float32": never half precision on a processor
    memory: str = "auto"  # of the card: how much of a model stays on it
    model_folders: tuple[Path, ...] = ()  # of other tools, looked into for models as well
    max_pixels: int = 150_000_000  # per picture
    max_image_bytes: int = 1 << 30  # of an encoded picture
    inversion_cache_bytes: int = 8 << 30  # remembered photos; the longest unused go first
    max_download_bytes: int = 64 << 30  # of one pull
    download_networks: tuple[str, ...] = ()  # where pulls by address may go besides public machines

    # The server.
    keep_bytes: int = 20 << 30  # of uploads and results; the longest unused go first
    keep_bytes_per_owner: int = 20 << 30  # then nothing more is taken from this owner
    keep_days: int = 30  # ended jobs and their pictures
    queue_jobs: int = 200  # that wait at once
    queue_jobs_per_owner: int = 100
    requests_per_second: int = 1000  # per token
    connections: int = 512  # open at once, in all
    connections_per_address: int = 128  # of one address; those of this machine and of proxies aren't counted
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed
    upload_stall_seconds: int = 20  # without one byte of an upload
    idle_unload_seconds: int = 600  # then an idle worker ends and its memory is free
    cancel_grace_seconds: int = 15  # then a worker that doesn't stop is ended
    job_stall_seconds: int = 1800  # without any news of a job; then it is failed

    @property
    def learning(self) -> Path:
        """Half-learned concepts, so that an interrupted run can go on; may be deleted at any time."""
        return self.folders.cache / "learning"

    @property
    def weights_memory(self) -> Path:
        """Hashes of model files; may be deleted at any time."""
        return self.folders.cache / "weights-hashes.json"


def read_settings(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Settings:
    """Raises RequestError that names the variable and the value it can't use."""
    names = {field.name: PREFIX + field.name.upper() for field in fields(Settings)}
    given = {name: environment[variable] for name, variable in names.items() if variable in environment}
    given.pop("folders", None)
    values: dict[str, Any] = {name: _parse(name, text) for name, text in given.items()}
    return Settings(folders(environment, platform), **values)


def read_precision(environment: Mapping[str, str] = os.environ) -> str:
    """That setting alone, for where a model is loaded. Raises RequestError."""
    return _parse_precision(environment.get(PREFIX + "PRECISION", "auto"))


def read_memory(environment: Mapping[str, str] = os.environ) -> str:
    """That setting alone, for where a model is loaded. Raises RequestError."""
    return _parse_memory(environment.get(PREFIX + "MEMORY", "auto"))


def _parse(name: str, text: str) -> Any:
    if name in ("device", "server"):
        return text
    if name == "precision":
        return _parse_precision(text)
    if name == "memory":
        return _parse_memory(text)
    if name == "token_file":
        return Path(text) if text else None
    if name == "model_folders":
        return _parse_folders(text)
    if name in ("trusted_proxies", "download_networks"):
        return _parse_networks(name, text)
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise RequestError(f"{PREFIX}{name.upper()} is {text!r}, which is not a whole number above zero.")


def _parse_precision(text: str) -> str:
    if text in PRECISIONS:
        return text
    raise RequestError(f"{PREFIX}PRECISION is {text!r}.", f"Known: {', '.join(PRECISIONS)}.")


def _parse_memory(text: str) -> str:
    if text in MEMORIES:
        return text
    raise RequestError(f"{PREFIX}MEMORY is {text!r}.", f"Known: {', '.join(MEMORIES)}.")


def _parse_networks(name: str, text: str) -> tuple[str, ...]:
    """Addresses and networks, separated by commas."""
    networks = tuple(part.strip() for part in text.split(",") if part.strip())
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise RequestError(
                f"{PREFIX}{name.upper()} names {network!r}, which is no address and no network.",
                "Write for instance 127.0.0.1 or 10.0.0.0/24.",
            ) from error
    return networks


def _parse_folders(text: str) -> tuple[Path, ...]:
    """Separated as in PATH. A relative one would mean another place for each command."""
    folders = tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part)
    for folder in folders:
        if not folder.is_absolute():
            raise RequestError(f"{PREFIX}MODEL_FOLDERS names {folder}, which is not a whole path.")
    return folders
