"""A real server on loopback, in this process, over real workers that run the fixture tasks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import uvicorn

from palimpsest.api.services import ApiLimits, AppServices
from palimpsest.app import configured
from palimpsest.errors import ModelNotFoundError
from palimpsest.jobs.engine import Engine, Limits
from palimpsest.jobs.log import EventLog
from palimpsest.jobs.process import WorkerProcess, WorkerSpec
from palimpsest.jobs.supervisor import Lane, Timeouts
from palimpsest.models.families import published_widths
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore
from palimpsest.storage.owned_images import OwnedImages
from palimpsest.storage.owners import Owners

TOKENS = {"anna": "a" * 32, "bert": "b" * 32}
LANES = (
    Lane("main", "cpu", ("edit", "invert", "learn", "attention", "describe", "draw")),
    Lane("net", "", ("pull",)),
)
OFFERED = {
    "title": "An endless one",
    "size": 2 << 30,
    "licence": "Free to use",
    "licence_url": "https://x.org/",
}
MODELS: list[dict[str, Any]] = [
    {"name": "built-in", "installed": True, "details": {"native_size": 128}},
    {"name": "endless", "installed": False, "details": OFFERED},
]


class Live:
    """``get``, ``put``, … as in requests, with a token."""

    def __init__(self, services: AppServices, port: int) -> None:
        self.services = services
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, owner: str = "anna", **rest: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKENS[owner]}", **rest.pop("headers", {})}
        return requests.request(method, self.address + path, headers=headers, timeout=120, **rest)

    def bring(self, content: bytes, owner: str = "anna") -> str:
        image = hashlib.sha256(content).hexdigest()
        answer = self.ask("PUT", f"/v1/images/{image}", owner, data=content)
        assert answer.status_code in (200, 201), answer.text
        return image

    def submit(self, id: str, do: str = "steps", owner: str = "anna", **rest: Any) -> requests.Response:
        """An edit whose source prompt tells the fixture task what to do."""
        content = self.bring(b"a photo", owner)
        order = json.dumps({"do": do, **rest.pop("order", {})})
        request = {
            "image": content,
            "operation": "replace",
            "source_prompt": order,
            **rest.pop("request", {}),
        }
        return self.ask(
            "POST", "/v1/jobs", owner, json={"id": id, "kind": "edit", "request": request, **rest}
        )

    def follow(self, id: str, owner: str = "anna") -> list[dict[str, Any]]:
        """All events until the job has ended, by long polling; it has two minutes."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + 120
        while True:
            after = found[-1]["sequence"] if found else 0
            answer = self.ask("GET", f"/v1/jobs/{id}/events?wait=20&after={after}", owner).json()
            found += answer["events"]
            if answer["job"]["state"] in ("finished", "failed", "cancelled") and not answer["events"]:
                return found
            assert time.monotonic() < deadline, f"{id} has not ended: {answer['job']['state']}"


def require_model(name: str) -> None:
    if name != "built-in":
        raise ModelNotFoundError(f"There is no model called {name!r}.")


def furnish(folder: Path, limits: ApiLimits, queue: Limits, **rest: Any) -> AppServices:
    database = Database(folder / "jobs.db", Owners(folder / "images"))
    spec = WorkerSpec("jobs.fixture_tasks:open_prompted", folder, {"images": str(folder / "images")})

    def start_worker(lane: Lane) -> WorkerProcess:
        return WorkerProcess(spec, lane.name, lane.device)

    return AppServices(
        engine=Engine(EventLog(database), LANES, start_worker, Timeouts(cancel_grace=2.0), queue),
        database=database,
        owned_images=OwnedImages(ImageStore(folder / "images"), database),
        concepts=ConceptLibrary(folder / "concepts", published_widths()),
        tokens=TOKENS,
        models=lambda: (MODELS, []),
        require_model=require_model,
        versions={"palimpsest": "0.0"},
        limits=limits,
        scratch=folder / "scratch",
        **rest,
    )


@contextlib.contextmanager
def live(
    folder: Path, limits: ApiLimits | None = None, queue: Limits | None = None, **rest: Any
) -> Iterator[Live]:
    services = furnish(
        folder,
        ApiLimits(requests_per_second=10_000, refusals_per_minute=10_000) if limits is None else limits,
        Limits() if queue is None else queue,
        **rest,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(configured(services))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield Live(services, listener.getsockname()[1])
    finally:
        services.closing.set()
        server.should_exit = True
        thread.join()
        services.database.close()
