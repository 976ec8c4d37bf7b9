"""The composition root: settings → stores, engine, API → a server that runs until it is told to stop.

Torch is never imported here: models live in the worker processes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

import palimpsest
from palimpsest.api.application import create_app
from palimpsest.api.connection import affordable_connections, connection_class
from palimpsest.api.services import PROTOCOL, ApiLimits, AppServices
from palimpsest.errors import PalimpsestError, RequestError, TokenError
from palimpsest.jobs.engine import Engine, Limits
from palimpsest.jobs.log import EventLog
from palimpsest.jobs.process import WorkerProcess, WorkerSpec
from palimpsest.jobs.supervisor import Lane, Timeouts
from palimpsest.models.catalog import find
from palimpsest.models.families import published_widths
from palimpsest.models.listing import list_all
from palimpsest.models.loras.library import LoraLibrary
from palimpsest.settings import Settings
from palimpsest.storage import announcement, leftovers
from palimpsest.storage.atomic import tighten
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore
from palimpsest.storage.owned_images import OwnedImages, Retention
from palimpsest.storage.owners import Owners
from palimpsest.storage.paths import Folders
from palimpsest.storage.revisions import of_folder

logger = logging.getLogger(__name__)

TASK_RUNNER = "palimpsest.tasks.runner:open_runner"
PULL_RUNNER = "palimpsest.tasks.pull:open_pull_runner"
NETWORK = Lane("network", "", ("pull",))  # beside everything else: it needs no device
EDITING = ("edit", "invert", "attention", "describe", "draw")
SWEEP_SECONDS = 600.0
WAITING_CONNECTIONS = 128  # accepted in one go, before any of them can be made to leave again
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class ServeOptions:
    """How to serve, as said on the command line."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    allowed_hosts: tuple[str, ...] = ()
    token_file: Path | None = None
    idle_seconds: float | None = None  # stop when nobody asked for so long and nothing runs
    with_parent: bool = False  # stop when the standard input ends
    verbose: bool = False
    as_json: bool = False  # what is printed once it answers
    runner: str = TASK_RUNNER  # "module:function" that every device's worker opens


def serve(settings: Settings, options: ServeOptions) -> None:
    """Until a signal, idleness, or the parent's end. Raises PalimpsestErrors that forbid to start."""
    os.umask(0o077)  # also for what libraries and workers write
    tokens, token_file = tokens_for(settings, options)
    data, config = settings.folders.data, settings.folders.config
    with announcement.hold(data, config), listening(options) as listener:
        close_to_others(settings.folders)
        services = open_services(settings, options, tokens)
        address = address_of(options.host, listener)
        notice = announcement.Announcement(
            address, os.getpid(), PROTOCOL, palimpsest.__version__, str(token_file)
        )
        server = Server(services, notice, config, options)
        keep = Retention(settings.keep_days * 86400.0, settings.keep_bytes)
        try:
            with sweeping(settings.folders, services.database, services.owned_images, keep):
                try:
                    server.run(sockets=[listener])
                finally:
                    announcement.withdraw(config)
                    services.engine.set_aside()  # a second signal doesn't wait for the engine's own end
        finally:
            services.database.close()


def close_to_others(folders: Folders) -> None:
    """What an older version left open to other accounts."""
    for folder in (folders.data, folders.cache, folders.config):
        for place in tighten(folder):
            logger.warning("%s is open to other accounts and can't be closed.", place)


class Server(uvicorn.Server):
    """Announces itself once it answers, and lets open streams end when it is told to stop."""

    def __init__(
        self, services: AppServices, notice: announcement.Announcement, folder: Path, options: ServeOptions
    ) -> None:
        super().__init__(configured(services, options.verbose))
        self._services = services
        self._notice = notice
        self._folder = folder
        self._options = options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        self._notice.publish(self._folder)
        where, token = self._notice.address, self._notice.token_file
        if self._options.as_json:
            print(json.dumps({"address": where, "token_file": token}), flush=True)
        else:
            print(f"Palimpsest is at {where}\nIts token is in {token}", flush=True)
        for watch in self._watches():
            threading.Thread(target=watch, daemon=True).start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal doesn't wait for anybody."""
        self.force_exit = self.should_exit
        self.leave()

    def leave(self) -> None:
        self._services.closing.set()
        self.should_exit = True

    def _watches(self) -> Iterator[Any]:
        if self._options.with_parent:
            yield self._watch_parent
        if self._options.idle_seconds is not None:
            yield self._watch_idleness

    def _watch_parent(self) -> None:
        """The standard input ends when whoever started us is gone. Read without Python's buffer: its lock,
        held by this thread, would abort the process as it ends."""
        while os.read(sys.stdin.fileno(), 4096):
            pass
        self.leave()

    def _watch_idleness(self) -> None:
        assert self._options.idle_seconds is not None
        while not self.should_exit:
            time.sleep(min(1.0, self._options.idle_seconds))
            quiet = time.monotonic() - self._services.last_request[0]
            if quiet > self._options.idle_seconds and not any(self._services.engine.counts().values()):
                self.leave()


def configured(services: AppServices, verbose: bool = False) -> uvicorn.Config:
    """How uvicorn serves them. No forwarded address is believed unless the settings name the proxy."""
    return uvicorn.Config(
        create_app(services),
        http=connection_class(services.limits, services.proxies),
        lifespan="on",
        log_level="info" if verbose else "warning",
        access_log=verbose,
        server_header=False,
        timeout_graceful_shutdown=5,
        backlog=WAITING_CONNECTIONS,
        ws="none",
        proxy_headers=bool(services.proxies),
        forwarded_allow_ips=list(services.proxies),
    )


def open_services(settings: Settings, options: ServeOptions, tokens: dict[str, str]) -> AppServices:
    """Open the stores and set up the engine; nothing runs yet."""
    folders = settings.folders
    database = Database(folders.database, Owners(folders.images))
    owned_images = OwnedImages(ImageStore(folders.images), database, settings.keep_bytes_per_owner)
    limits = ApiLimits(
        image_bytes=settings.max_image_bytes,
        requests_per_second=settings.requests_per_second,
        stall_seconds=settings.upload_stall_seconds,
        connections=affordable_connections(settings.connections),
        connections_per_address=settings.connections_per_address,
    )
    leftovers.remove_uploads(folders)
    return AppServices(
        engine=build_engine(settings, database, options.runner),
        database=database,
        owned_images=owned_images,
        concepts=ConceptLibrary(folders.concepts, published_widths()),
        tokens=tokens,
        models=lambda: list_all(folders.models, settings.model_folders),
        loras=lambda: [card.shown() for card in LoraLibrary(folders.models, settings.model_folders).list()],
        require_model=lambda name: find(
            name, folders.models, paths_allowed=False, others=settings.model_folders
        ),
        models_revision=lambda: of_folder(folders.models),
        versions={"palimpsest": palimpsest.__version__, "python": sys.version.split()[0]},
        limits=limits,
        hosts=options.allowed_hosts,
        any_address=options.host not in LOOPBACK,
        proxies=settings.trusted_proxies,
        notices=notices_of(database),
        scratch=leftovers.upload_folder(folders),
    )


def build_engine(settings: Settings, database: Database, runner: str) -> Engine:
    logs = settings.folders.cache / "logs"
    editing = WorkerSpec(runner, logs, runner_options(settings))
    pulling = WorkerSpec(PULL_RUNNER, logs, pull_options(settings))

    def start_worker(lane: Lane) -> WorkerProcess:
        return WorkerProcess(pulling if lane is NETWORK else editing, lane.name, lane.device)

    timeouts = Timeouts(
        idle_unload=settings.idle_unload_seconds,
        cancel_grace=settings.cancel_grace_seconds,
        stall=settings.job_stall_seconds,
    )
    limits = Limits(waiting=settings.queue_jobs, waiting_per_owner=settings.queue_jobs_per_owner)
    lanes = (*lanes_of(settings.device), NETWORK)
    return Engine(EventLog(database), lanes, start_worker, timeouts, limits)


def lanes_of(device: str) -> tuple[Lane, ...]:
    """One worker per device of a list such as ``cuda:0,cuda:1``.

    Where there are several, the first takes no learning; where one does both, learning makes way for edits
    and goes on after them. On the CPU it has a worker of its own beside the edits.
    """
    devices = [name.strip() for name in device.split(",") if name.strip()]
    if devices == ["cpu"]:
        return (Lane("cpu", "cpu", EDITING), Lane("cpu-learn", "cpu", ("learn",)))
    several = len(devices) > 1
    return tuple(
        Lane(f"device-{index}", name, EDITING)
        if several and index == 0
        else Lane(f"device-{index}", name, (*EDITING, "learn"), patient=("learn",))
        for index, name in enumerate(devices)
    )


def pull_options(settings: Settings) -> dict[str, Any]:
    return {
        **model_folders_of(settings),
        "max_download_bytes": settings.max_download_bytes,
        "download_networks": list(settings.download_networks),
    }


def model_folders_of(settings: Settings) -> dict[str, Any]:
    others = [str(folder) for folder in settings.model_folders]
    return {"models": str(settings.folders.models), "model_folders": others}


def runner_options(settings: Settings) -> dict[str, Any]:
    """The fields of ``tasks.runner.RunnerOptions``, as plain JSON."""
    folders = settings.folders
    return {
        **model_folders_of(settings),
        "images": str(folders.images),
        "concepts": str(folders.concepts),
        "inversions": str(folders.inversions),
        "learning": str(settings.learning),
        "weights_memory": str(settings.weights_memory),
        "inversion_cache_bytes": settings.inversion_cache_bytes,
        "max_pixels": settings.max_pixels,
        "max_image_bytes": settings.max_image_bytes,
    }


def tokens_for(settings: Settings, options: ServeOptions) -> tuple[dict[str, str], Path]:
    """Owner → token, and the file of the main one. Raises TokenError, RequestError."""
    if options.token_file is None and options.host not in LOOPBACK:
        raise RequestError(
            f"On {options.host} everybody in the network could reach this server: say which token it needs.",
            "Make one (umask 077; openssl rand -hex 32 > FILE) and add --token-file FILE.",
        )
    if options.token_file is not None:
        path, token = options.token_file.absolute(), announcement.read_token(options.token_file)
    else:
        path = settings.folders.token
        token = announcement.make_token(path)
    others = announcement.read_tokens(settings.folders.config)
    if announcement.LOCAL_OWNER in others or len({token, *others.values()}) <= len(others):
        raise TokenError("Two owners have the same token or name.", "Give each of them their own.")
    return {announcement.LOCAL_OWNER: token, **others}, path


@contextlib.contextmanager
def listening(options: ServeOptions) -> Iterator[socket.socket]:
    """A bound socket; the port is taken from now on. Raises RequestError."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family)
    except (OSError, OverflowError) as error:
        raise RequestError(
            f"{options.host} port {options.port} can't be used: {error}.",
            "Choose another port, or none: a free one is then found.",
        ) from error
    with listener:
        yield listener


def address_of(host: str, listener: socket.socket) -> str:
    """Where a client on this machine reaches the server."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    port = listener.getsockname()[1]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def notices_of(database: Database) -> tuple[str, ...]:
    aside = database.moved_aside
    if aside is None:
        return ()
    notice = f"The list of jobs could not be read and was moved to {aside}. Pictures and concepts are kept."
    logger.error("%s", notice)
    return (notice,)


@contextlib.contextmanager
def sweeping(
    folders: Folders, database: Database, owned_images: OwnedImages, keep: Retention
) -> Iterator[None]:
    """Meanwhile a thread removes now and then what is too old or too much; it has ended when this ends."""
    ending = threading.Event()

    def sweep() -> None:
        jumps = 0
        while not ending.is_set():
            try:
                database.watch_clock()
                if database.jumps != jumps:
                    leftovers.redate(folders)
                    jumps = database.jumps
                leftovers.sweep(folders, keep.seconds)
                owned_images.sweep(keep, ending.is_set)
            except (PalimpsestError, OSError) as error:  # this thread must live on
                logger.error("Old pictures were not removed: %s", error)
            ending.wait(SWEEP_SECONDS)

    thread = threading.Thread(target=sweep, name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
