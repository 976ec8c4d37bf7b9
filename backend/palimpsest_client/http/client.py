"""The API as methods. Blocks; raises UnreachableError and RefusedError."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..folders import config_folder
from ..text.wording import say
from .protocol import ENDED, RefusedError, UnreachableError, read_record
from .transport import Body, Transport, require

WAIT_SECONDS = 20.0  # one long poll
RETRY_SECONDS = 0.5  # between attempts to reach a server that went away


class Client:
    """Talks to one server. ``connect`` finds the server again when it has moved to another port."""

    def __init__(self, transport: Transport, connect: Callable[[], Transport] | None = None) -> None:
        self.transport = transport
        self._connect = connect

    def health(self) -> dict[str, Any]:
        return self.transport.ask_json("GET", "/v1/health")

    def system(self) -> dict[str, Any]:
        return self.transport.ask_json("GET", "/v1/system")

    def models(self) -> list[dict[str, Any]]:
        return self.transport.ask_json("GET", "/v1/models")["models"]

    def unload(self) -> None:
        """Free the devices' memory."""
        self.transport.ask_json("POST", "/v1/system/unload")

    # Pictures.

    def upload(self, content: bytes) -> str:
        """The picture's id; bytes that the server has already are not sent again."""
        image = hashlib.sha256(content).hexdigest()
        self._offer(image, lambda: content)
        return image

    def upload_file(self, path: Path) -> str:
        """As ``upload``, without reading the file into memory."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
            file.seek(0)
            self._offer(digest.hexdigest(), lambda: file)
        return digest.hexdigest()

    def download(self, image: str) -> bytes:
        """The picture's bytes, checked against its id."""
        content = require(self.transport.ask("GET", "/v1/images/" + image)).body
        return checked(content, image)

    def pictures(self) -> dict[str, Any]:
        """``{"images": [{"image", "bytes", "used"}, …], "bytes": …, "most_bytes": …}``: one's own."""
        return self.transport.ask_json("GET", "/v1/images")

    def remove_picture(self, image: str) -> None:
        """Give up one's own picture."""
        self.transport.ask_json("DELETE", "/v1/images/" + q(image))

    def artifact(self, id: str, name: str) -> bytes:
        """A result of a job by its name."""
        return require(self.transport.ask("GET", f"/v1/jobs/{q(id)}/artifacts/{q(name)}")).body

    # Jobs.

    def submit(
        self,
        id: str,
        kind: str,
        request: Mapping[str, Any],
        priority: str = "interactive",
        unattended_seconds: float | None = None,
        origin: str = "",
    ) -> dict[str, Any]:
        """The accepted job. Safe to repeat: the same id and request is the same job."""
        told: dict[str, Any] = {"id": id, "kind": kind, "request": dict(request), "priority": priority}
        if unattended_seconds is not None:
            told["unattended_seconds"] = unattended_seconds
        if origin:
            told["origin"] = origin
        return self.transport.ask_json("POST", "/v1/jobs", told)

    def job(self, id: str) -> dict[str, Any]:
        return self.transport.ask_json("GET", "/v1/jobs/" + q(id))

    def jobs(self, limit: int = 50, before: int | None = None) -> dict[str, Any]:
        """``{"jobs": […], "next": …}``, newest first."""
        rest = "" if before is None else f"&before={before}"
        return self.transport.ask_json("GET", f"/v1/jobs?limit={limit}{rest}")

    def cancel(self, id: str) -> dict[str, Any]:
        return self.transport.ask_json("DELETE", "/v1/jobs/" + q(id))

    def forget(self, id: str) -> dict[str, Any]:
        """Forget an ended job and the pictures that it alone has."""
        return self.transport.ask_json("DELETE", "/v1/jobs/" + q(id) + "?forget=true")

    def events(self, id: str, after: int = 0, wait: float = 0.0) -> dict[str, Any]:
        """``{"events": […], "job": …}``: waits up to ``wait`` seconds for the next one."""
        path = f"/v1/jobs/{q(id)}/events?after={after}&wait={wait:g}"
        return self.transport.ask_json("GET", path, patience=wait)

    def follow(self, id: str, after: int = 0, patience: float = 60.0) -> Iterator[dict[str, Any]]:
        """Every event after number ``after``, once and in order, until the job has ended.

        A server that goes away is looked for again for ``patience`` seconds; then UnreachableError.
        """
        while True:
            told = self._persist(lambda seen=after: self.events(id, seen, WAIT_SECONDS), patience)
            for event in told["events"]:
                after = event["sequence"]
                yield event
            if told["job"]["state"] in ENDED and after >= told["job"]["sequence"]:
                return

    # Concepts.

    def concepts(self) -> list[dict[str, Any]]:
        return self.transport.ask_json("GET", "/v1/concepts")["concepts"]

    def concept(self, name: str) -> dict[str, Any]:
        return self.transport.ask_json("GET", "/v1/concepts/" + q(name))

    def thumbnail(self, name: str) -> bytes:
        return require(self.transport.ask("GET", f"/v1/concepts/{q(name)}/thumbnail")).body

    def export_concept(self, name: str, part: str = "whole") -> bytes:
        path = f"/v1/concepts/{q(name)}/file" + ("" if part == "whole" else "?part=" + q(part))
        return require(self.transport.ask("GET", path)).body

    def import_concept(
        self, name: str, content: bytes, family: str | None = None, replace: bool = False
    ) -> dict[str, Any]:
        path = "/v1/concepts/{}?replace={}".format(q(name), "true" if replace else "false")
        path += "" if family is None else "&family=" + q(family)
        return require(self.transport.ask("PUT", path, content, patience=60.0)).json()

    def rename_concept(self, name: str, new_name: str) -> dict[str, Any]:
        return self.transport.ask_json("PATCH", "/v1/concepts/" + q(name), {"name": new_name}, patience=60.0)

    def remove_concept(self, name: str) -> None:
        self.transport.ask_json("DELETE", "/v1/concepts/" + q(name))

    def _offer(self, image: str, body: Callable[[], Body]) -> None:
        path = "/v1/images/" + image
        if self.transport.ask("HEAD", path).status != 200:
            require(self.transport.ask("PUT", path, body(), patience=60.0))

    def _persist(self, ask: Callable[[], Any], patience: float) -> Any:
        deadline = time.monotonic() + patience
        while True:
            try:
                return ask()
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)
                self._look_again()

    def _look_again(self) -> None:
        if self._connect is None:
            return
        try:
            self.transport = self._connect()
        except UnreachableError:
            pass  # it is not back yet


def find_transport(folder: Path | None = None, timeout: float = 30.0) -> Transport:
    """The server that this user runs on this machine. Raises UnreachableError."""
    record = read_record(config_folder() if folder is None else folder)
    if record is None:
        raise UnreachableError(say("searching"), say("start-in-a-shell"))
    return Transport(record.address, record.token(), timeout)


def find_client(folder: Path | None = None, timeout: float = 30.0) -> Client:
    def connect() -> Transport:
        return find_transport(folder, timeout)

    return Client(connect(), connect)


def checked(content: bytes, image: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != image:
        raise RefusedError(502, {"code": "image_hash", "message": say("picture-damaged")})
    return content


def q(text: str) -> str:
    return quote(text, safe="")
