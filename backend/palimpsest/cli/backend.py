"""Where a command's work is done: in this process, or by the server that runs already.

A running server has the models loaded and the queue; a second process beside it would need the same
memory again. Both ways read the same files, say the same, and end with the same codes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from palimpsest import __version__, contract, errors
from palimpsest.cli.client_errors import as_palimpsest_errors, to_palimpsest_error
from palimpsest.cli.inventory import Inventory, require_model
from palimpsest.cli.pictures import read
from palimpsest.contract import KINDS, Request
from palimpsest.errors import JobCancelledError
from palimpsest.jobs import events
from palimpsest.jobs.events import Cancelled, Event, Events, Failed, Finished, Previewed, Progressed, Queued
from palimpsest.models.catalog import names_path
from palimpsest.models.devices import require_devices
from palimpsest.settings import Settings, read_settings
from palimpsest.storage.announcement import holder
from palimpsest.storage.paths import folders
from palimpsest_client.http.client import Client, find_client
from palimpsest_client.http.protocol import ClientError, RefusedError, UnreachableError
from palimpsest_client.panel.origins import LONGEST_NAME, Origin

if TYPE_CHECKING:
    from palimpsest.tasks.runner import TaskRunner

UNATTENDED_SECONDS = 300.0  # then a job whose shell is gone, without having said so, is cancelled
FIND_SECONDS = 5.0
TALK_SECONDS = 60.0


class Backend(Protocol):
    """What a command needs of it. Every method raises PalimpsestErrors."""

    def put(self, file: Path) -> str:
        """A picture into the store; returns its hash."""
        ...

    def keep(self, content: bytes) -> str:
        """The same for a picture that is no file."""
        ...

    def get(self, image: str) -> bytes: ...

    def do(self, request: Request) -> Events[None]:
        """Progress, and Finished as the last. Closing it, or an interruption, ends the work."""
        ...


@dataclass(frozen=True)
class InProcess:
    runner: TaskRunner

    def put(self, file: Path) -> str:
        return self.keep(read(file, self.runner.limits.file_bytes))

    def keep(self, content: bytes) -> str:
        return self.runner.images.put(content)

    def get(self, image: str) -> bytes:
        return self.runner.images.get(image)

    def do(self, request: Request) -> Events[None]:
        return self.runner.do(request)


@dataclass(frozen=True)
class Served:
    """Through a running server. The job is cancelled when nobody wants it any more."""

    client: Client
    max_image_bytes: int
    names: dict[str, str] = field(default_factory=dict[str, str])  # of pictures that are files, by hash

    def put(self, file: Path) -> str:
        image = self.keep(read(file, self.max_image_bytes))
        self.names[image] = file.name
        return image

    def keep(self, content: bytes) -> str:
        with as_palimpsest_errors():
            return self.client.upload(content)

    def get(self, image: str) -> bytes:
        with as_palimpsest_errors():
            return self.client.download(image)

    def do(self, request: Request) -> Events[None]:
        id, ended = f"shell-{uuid.uuid4().hex}", False
        try:
            with as_palimpsest_errors():
                self._submit(id, request)
                for event in self._events(id):
                    ended = isinstance(event, (Finished, Failed, Cancelled))
                    yield event_or_error(event)
        finally:
            if not ended:
                with contextlib.suppress(ClientError):  # refused, or gone: then nobody waits for it either
                    self.client.cancel(id)

    def _submit(self, id: str, request: Request) -> None:
        kind = next(kind for kind, cls in KINDS.items() if isinstance(request, cls))
        fields, note = contract.to_json(request), self._origin(request)
        self.client.submit(id, kind, fields, unattended_seconds=UNATTENDED_SECONDS, origin=note)

    def _origin(self, request: Request) -> str:
        """For lists of jobs: the photo's name. Nothing for what is done to no photo."""
        name = self.names.get(getattr(request, "image", ""), "")
        shortened = name.encode("utf-8", "replace").decode("utf-8")[:LONGEST_NAME]
        return Origin(name=shortened).note() if shortened else ""

    def _events(self, id: str) -> Events[None]:
        for event in self.client.follow(id):
            known = {name: value for name, value in event.items() if name not in ("sequence", "time")}
            yield events.from_json(known)


def event_or_error(event: Event) -> Event:
    """What a task would have said itself: an end without a result is raised."""
    if isinstance(event, Failed):
        raise errors.from_json(event.error)
    if isinstance(event, Cancelled):
        why = event.reason if event.reason else "Somebody else cancelled it."
        raise JobCancelledError(f"The job was cancelled. {why}")
    if isinstance(event, (Progressed, Previewed, Finished)):
        return event
    return Progressed("waiting" if isinstance(event, Queued) else "starting", 0, 0)


@contextmanager
def opened(options: argparse.Namespace, inventory: Inventory) -> Iterator[Backend]:
    """The server that is named, else the running one, if it can do it; otherwise this process."""
    settings = read_settings()
    client = inventory.server
    if client is not None and options.model_needed:
        inventory.words(options.model)  # raises what is wrong with the model there
    if client is None and not must_be_here(options, settings):
        client = running_server(settings)
        if client is not None and not options.quiet:
            where = client.transport.address
            print(f"The server at {where} does it; --local has it done in this process.", file=sys.stderr)
    if client is not None:
        yield Served(client, settings.max_image_bytes)
        return
    if options.model_needed:
        require_model(options.model, settings)
    with open_task_runner(options, settings) as runner:
        yield InProcess(runner)


def must_be_here(options: argparse.Namespace, settings: Settings) -> bool:
    """A device is this process's own choice, and a server takes models by their names only."""
    by_path = names_path(options.model, settings.folders.models, settings.model_folders)
    return options.local or options.device is not None or by_path


def running_server(settings: Settings, any_version: bool = False) -> Client | None:
    """Raises the error of a server that answers but can't be used: it is not passed over in silence.

    None where none runs, and nobody is asked: what listens at the last one's address need not be ours. None
    also, unless ``any_version``, where its version or engine is another, whose results may be others; that is
    said.
    """
    if holder(settings.folders.data) is None:
        return None
    try:
        client = find_client(timeout=FIND_SECONDS)
        health = client.health()
    except UnreachableError:
        return None
    except RefusedError as error:
        print("The server that runs here refused; --local does without it.", file=sys.stderr)
        raise to_palimpsest_error(error) from error
    theirs, ours = (health.get("version"), health.get("engine")), (__version__, contract.ENGINE)
    if not any_version and theirs != ours:
        what = "The server that runs here is of version {} (engine {}), and this of {} (engine {})"
        print(
            f"Notice: {what.format(*theirs, *ours)}: it is done without it. palimpsest stop ends it.",
            file=sys.stderr,
        )
        return None
    return find_client(timeout=TALK_SECONDS)


@contextmanager
def open_task_runner(
    options: argparse.Namespace, settings: Settings | None = None, scratch: Path | None = None
) -> Iterator[TaskRunner]:
    """A task runner in this process whose pictures live only as long as this command.

    ``scratch``: a folder for concepts, remembered photos and all else that is kept, but for the models.
    """
    settings = read_settings() if settings is None else settings
    models = settings.folders.models
    if scratch is not None:
        settings = replace(settings, folders=folders({"PALIMPSEST_HOME": str(scratch)}))
    device = getattr(options, "device", None)
    device = settings.device if device is None else device
    require_devices(device)
    from palimpsest.tasks.runner import RunnerOptions, open_runner

    with tempfile.TemporaryDirectory(prefix="palimpsest-") as images:
        chosen = RunnerOptions(
            models=str(models),
            model_folders=tuple(map(str, settings.model_folders)),
            images=images,
            concepts=str(settings.folders.concepts),
            inversions=str(settings.folders.inversions),
            learning=str(settings.learning),
            weights_memory=str(settings.weights_memory),
            inversion_cache_bytes=settings.inversion_cache_bytes,
            max_pixels=settings.max_pixels,
            max_image_bytes=settings.max_image_bytes,
            paths_allowed=True,
            previews=False,
        )
        yield open_runner(device, asdict(chosen))
