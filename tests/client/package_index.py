"""A package index that can misbehave: it knows uv's wheel, with the stand-in in it, and all libraries."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from palimpsest_client.setup.index import VERSION, Wheel

STAND_IN = Path(__file__).with_name("uv_stand_in.py")


def stand_in(python: str = sys.executable) -> bytes:
    """uv's program, as far as a setup knows."""
    return f"#!{python}\n".encode() + STAND_IN.read_bytes()


def uv_wheel() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(f"uv-{VERSION}.data/scripts/uv", stand_in())
    return made.getvalue()


class Index:
    """``asked``: paths, in order. ``status``: of every answer. ``stall``: its files never end. ``moved``:
    where its page lies now, if elsewhere."""

    def __init__(self, port: int) -> None:
        self.host = f"http://127.0.0.1:{port}"
        self.address = self.host + "/simple"
        self.wheel = uv_wheel()
        self.known = Wheel("any", hashlib.sha256(self.wheel).hexdigest())
        self.asked: list[str] = []
        self.authorized: set[str] = set()  # what was told to be let in
        self.let_in: set[str] = set()  # paths that were asked for with it
        self.status = 200
        self.html = False
        self.stall = False
        self.moved = ""
        self.going = threading.Event()

    def page(self) -> tuple[str, bytes]:
        where = f"../../files/{self.known.name}"
        if self.html:
            return "text/html", f'<a href="{where}#sha256=0">{self.known.name}</a>'.encode()
        told = {"files": [{"filename": self.known.name, "url": where}]}
        return "application/vnd.pypi.simple.v1+json", json.dumps(told).encode()


@contextlib.contextmanager
def package_index() -> Iterator[Index]:
    found: list[Index] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index = found[0]
            index.asked.append(self.path)
            index.authorized |= {self.headers["Authorization"]} - {None}
            index.let_in |= {self.path} if self.headers["Authorization"] else set()
            wheel = self.path.startswith("/files/")
            kind, body = ("application/zip", index.wheel) if wheel else index.page()
            moved = index.moved if self.path == "/simple/uv/" else ""
            self.send_response(302 if moved else index.status)
            if moved:
                self.send_header("Location", moved)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body[:100] if wheel and index.stall else body)
                if wheel and index.stall:
                    index.going.wait()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.append(Index(server.server_address[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found[0]
    finally:
        found[0].going.set()
        server.shutdown()
        server.server_close()
