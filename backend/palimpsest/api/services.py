"""What the routes need of the rest of the server; ``palimpsest.app`` fills it in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from palimpsest.jobs.engine import Engine
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.database import Database
from palimpsest.storage.embedding_file import MOST_WITH_ADAPTERS
from palimpsest.storage.owned_images import OwnedImages

PROTOCOL = 2  # raised when a client and a server of different versions could no longer talk


@dataclass(frozen=True)
class ApiLimits:
    """Limits of the connections and requests; those of the pictures' content are the tasks' own."""

    json_bytes: int = 1 << 20
    image_bytes: int = 512 << 20
    concept_bytes: int = MOST_WITH_ADAPTERS
    stall_seconds: float = 20.0  # without one byte of an upload; for a head; for a body already answered
    unread_seconds: float = 60.0  # for a client to read some of an answer
    connections: int = 512  # in all
    connections_per_address: int = 128  # this machine's own and those of proxies not counted
    least_rate: float = 1024.0  # bytes per second that an upload must bring on average
    requests_per_second: int = 1000  # per token
    refusals_per_minute: int = 60  # wrong tokens per address; then they are answered with 429
    wait_seconds: float = 55.0  # longest answer to a long poll


@dataclass(frozen=True)
class AppServices:
    """One server. ``tokens``: owner → token. ``hosts``: names besides this machine's own."""

    engine: Engine
    database: Database
    owned_images: OwnedImages
    concepts: ConceptLibrary
    tokens: Mapping[str, str]
    models: Callable[[], tuple[list[dict[str, Any]], list[dict[str, str]]]]  # and what is left out
    require_model: Callable[[str], object]  # raises ModelNotFoundError
    versions: Mapping[str, str]
    loras: Callable[[], list[dict[str, Any]]] = list
    models_revision: Callable[[], str] = str  # another text when other models are installed
    limits: ApiLimits = ApiLimits()
    hosts: tuple[str, ...] = ()
    any_address: bool = False  # bound to more than this machine
    proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed
    notices: tuple[str, ...] = ()
    scratch: Path = Path()  # for files on their way into the concept library
    concept_lock: threading.Lock = field(default_factory=threading.Lock)  # who uses a concept doesn't change
    closing: threading.Event = field(default_factory=threading.Event)  # open streams must end
    last_request: list[float] = field(default_factory=lambda: [time.monotonic()])
