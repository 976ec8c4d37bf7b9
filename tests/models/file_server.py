"""A file server that can misbehave: it breaks off, lies about ranges, changes its file, or is a hub."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 12000  # about 3 MB


class Shelf:
    """What is served, and how. ``asked``: the Range header of each request, in order."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {"/file": CONTENT}
        self.etag = '"one"'
        self.break_after: list[int] = []  # bytes after which each of the next answers breaks off
        self.ignore_ranges = False
        self.shift = 0  # by how much a partial answer begins too late
        self.status = 200
        self.redirects: dict[str, str] = {}  # path → where it leads
        self.encoding: str | None = None  # a Content-Encoding
        self.drips = 0  # drops, 20 a second, in which a head's first header comes
        self.endless = False  # chunks without end, until nobody reads them
        self.paths: list[str] = []  # asked for, in order
        self.headers: list[dict[str, str]] = []  # of each request
        self.repositories: dict[str, list[str]] = {}
        self.asked: list[str | None] = []

    def url(self, path: str = "/file") -> str:
        return self.address + path

    def add_repository(self, name: str, files: dict[str, bytes]) -> None:
        self.repositories[name] = list(files)
        for path, content in files.items():
            self.files[f"/{name}/resolve/c0ffee/{path}"] = content

    def describe(self, name: str) -> bytes:
        siblings = []
        for path in self.repositories[name]:
            content = self.files[f"/{name}/resolve/c0ffee/{path}"]
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            told = {"rfilename": path, "size": len(content), "blobId": blob}
            if path.endswith(".safetensors"):
                sha256 = hashlib.sha256(content).hexdigest()
                told["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 100}
            siblings.append(told)
        return json.dumps({"id": name, "_id": "0", "sha": "c0ffee", "siblings": siblings}).encode()


def handler_for(shelf: list[Shelf]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            shelf[0].paths.append(path)
            shelf[0].headers.append(dict(self.headers))
            if not self._drip(shelf[0].drips):
                self.close_connection = True
                return
            if path in shelf[0].redirects:
                self._lead(shelf[0].redirects[path])
                return
            found = re.fullmatch(r"/api/models/(.+?)", path)
            if found is not None:
                self._say(shelf[0].describe(found[1]) if found[1] in shelf[0].repositories else None)
            else:
                self._serve(shelf[0], path)

        def _drip(self, drops: int) -> bool:
            """Before an answer another one, of status 100, whose head comes slowly; whether it was read."""
            if drops == 0:
                return True
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\nX-Drops: ")
                for _ in range(drops):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
                self.wfile.write(b"\r\n\r\n")
                return True
            return False

        def _serve(self, shelf: Shelf, path: str) -> None:
            content, asked = shelf.files.get(path), self.headers.get("Range")
            shelf.asked.append(asked)
            if content is None or shelf.status != 200:
                self._say(None, shelf.status if shelf.status != 200 else 404)
                return
            same = self.headers.get("If-Range") in (None, shelf.etag)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked is not None and same else 0
            if start > 0 and not shelf.ignore_ranges:
                start += shelf.shift
                extra = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
                self._send(206, content[start:], extra)
            else:
                self._send(200, content, {})

        def _lead(self, location: str) -> None:
            """The body has no end: whoever reads it is lost."""
            self.send_response(302)
            self.send_header("Location", location)
            self._chunks()

        def _chunks(self) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")

        def _send(self, status: int, content: bytes, extra: dict[str, str]) -> None:
            self.send_response(status)
            if shelf[0].endless:
                self._chunks()
                return
            if shelf[0].encoding is not None:
                extra = {**extra, "Content-Encoding": shelf[0].encoding}
            for name, value in {"ETag": shelf[0].etag, "Content-Length": str(len(content)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            limit = shelf[0].break_after.pop(0) if shelf[0].break_after else len(content)
            self.wfile.write(content[:limit])
            self.close_connection = limit < len(content)

        def _say(self, content: bytes | None, status: int = 404) -> None:
            self.send_response(200 if content is not None else status)
            body = b"{}" if content is None else content
            self.send_header("Content-Length", str(len(body)))
            if content is None and status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def shelf() -> Iterator[Shelf]:
    served: list[Shelf] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(served))
    served.append(Shelf(server.server_port))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
