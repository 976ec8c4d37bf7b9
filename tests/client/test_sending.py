"""Pictures that are sent while they are read: once, whole, and again where that failed."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api.live import TOKENS, live
from jobs.shop import eventually
from palimpsest.api.services import ApiLimits
from palimpsest.storage.announcement import Announcement
from palimpsest.storage.owned_images import Retention
from palimpsest_client.editor import png
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.packing import pack
from palimpsest_client.editor.slices import WorkError, finish
from palimpsest_client.folders import config_folder
from palimpsest_client.http.client import Client
from palimpsest_client.http.protocol import STATE_FILE, RefusedError, UnreachableError
from palimpsest_client.http.sending import LARGEST_STORED, Outgoing
from palimpsest_client.http.submission import Submission, upload_and_submit
from palimpsest_client.http.transport import Transport


@pytest.fixture
def server(tmp_path, monkeypatch):
    with live(tmp_path, limits=ApiLimits(image_bytes=5_000_000)) as server:
        announced(server.address, tmp_path / "home", monkeypatch)
        yield server


def announced(address: str, home: Path, monkeypatch) -> None:
    """This user's own server says that it runs at ``address``."""
    monkeypatch.setenv("PALIMPSEST_HOME", str(home))
    Announcement(address, 1, 2, "1.0", str(home / "token")).publish(config_folder())


class Counted(Client):
    """Counts the pictures that are sent in one piece."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.uploads: list[int] = []

    def upload(self, content: bytes) -> str:
        self.uploads.append(len(content))
        return super().upload(content)


def to(server) -> Transport:
    return Transport(server.address, TOKENS["anna"])


def captured(transport: Transport | None, side: int = 500, read=None) -> tuple[bytes, Outgoing]:
    """A picture of several bands, as an editor packs it."""
    layout, file = png.Layout(Extent(side, side), 4), Outgoing(transport)
    some = lambda band: bytes([band.y % 256, 2, 3, 255]) * band.extent.pixels  # noqa: E731
    return finish(pack(layout, Bounds(0, 0, side, side), 10_000, read or some, file)), file


def submission(content: bytes, file: Outgoing, id: str) -> Submission:
    request = {"operation": "replace", "source_prompt": json.dumps({"do": "keep"})}
    return Submission("edit", request, {"image": content}, id=id, ahead={"image": file.arrived})


def test_a_picture_is_sent_while_it_is_read_and_not_again(server):
    client = Counted(to(server))
    content, file = captured(client.transport)
    assert file.arrived() == file.arrived() == hashlib.sha256(content).hexdigest()
    assert client.download(file.arrived()) == content
    upload_and_submit(client, submission(content, file, "first"))
    assert client.uploads == []
    assert client.job("first")["request"]["image"] == file.arrived()


def test_the_server_has_nothing_of_a_picture_that_broke_off(server):
    folder = server.services.owned_images.images.folder

    def closed_below(band: Bounds) -> bytes:
        if band.y > 250:
            eventually(lambda: list(folder.glob(".arriving*")))
            raise WorkError("The picture was closed.")
        return bytes(4 * band.extent.pixels)

    with pytest.raises(WorkError, match="closed"):
        captured(to(server), read=closed_below)
    eventually(lambda: not list(folder.glob(".arriving*")))
    assert Client(to(server)).pictures()["images"] == []


@pytest.mark.parametrize("told", [True, False])
def test_a_picture_that_nothing_is_asked_of_is_its_senders_and_goes_as_any_unused_one(server, told: bool):
    """As of an Apply that was cancelled while its picture was read, before the backend's answer or after."""
    owned = server.services.owned_images
    _, file = captured(to(server))
    if told:
        image = file.arrived()
        assert [kept["image"] for kept in Client(to(server)).pictures()["images"]] == [image]
        theirs = Client(Transport(server.address, TOKENS["bert"]))
        assert theirs.pictures()["images"] == []
        with pytest.raises(RefusedError, match="no picture"):
            theirs.download(image)
    file.close()

    def gone() -> bool:
        """A day later."""
        for image in list(owned.images):
            os.utime(owned.images.path(image), (1e9, 1e9))
        server.services.database._connection.execute("UPDATE image_owners SET used = 1e9")
        owned.sweep(Retention(seconds=1, image_bytes=1 << 30))
        files = [path for path in owned.images.folder.rglob("*") if path.is_file()]
        return not files and owned.pictures("anna") == []

    eventually(gone)


@pytest.mark.parametrize("why", ["nobody", "refused", "elsewhere", "not told"])
def test_what_did_not_arrive_is_sent_in_one_piece(server, why, tmp_path, monkeypatch):
    client = Counted(to(server))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    if why == "nobody":
        announced(nobody, tmp_path / "home", monkeypatch)
    transport = {
        "nobody": Transport(nobody, "t"),
        "refused": Transport(server.address, "a wrong token"),
        "elsewhere": Transport("https://gpu.example:8391", "t"),
        "not told": None,
    }[why]
    content, file = captured(transport)
    assert file.arrived() == ""
    upload_and_submit(client, submission(content, file, "late"))
    assert client.uploads == [len(content)]
    assert client.job("late")["request"]["image"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]", b"null", b"\xff"])
def test_an_answer_that_is_none_of_ours_says_that_it_did_not_arrive(body, tmp_path, monkeypatch):
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            while self.rfile.readline() != b"0\r\n":  # the picture's chunks
                pass
            self.rfile.readline()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as there:
        threading.Thread(target=there.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{there.server_port}"
        announced(address, tmp_path, monkeypatch)
        _, file = captured(Transport(address, "t"))
        upload = file._upload
        assert upload is not None
        assert file.arrived() == ""
        assert file._upload is None
        assert upload._connection.sock is None
        there.shutdown()


def test_a_picture_that_is_gone_where_the_job_goes_is_sent_again(server):
    client = Counted(to(server))
    content, file = captured(client.transport)
    client.remove_picture(file.arrived())
    upload_and_submit(client, submission(content, file, "again"))
    assert client.uploads == [len(content)]


def test_one_that_is_too_large_is_refused_with_the_reason(server):
    client = Counted(to(server))
    content, file = captured(client.transport, side=1200)
    assert file.arrived() == ""
    with pytest.raises(Exception, match="larger than 5000000"):
        upload_and_submit(client, submission(content, file, "large"))


@pytest.mark.parametrize(
    ("address", "size", "level"),
    [
        ("http://127.0.0.1:8391", 1 << 28, png.STORED),
        ("http://localhost:8391", 1 << 28, png.STORED),
        ("http://[::1]:8391/", 1 << 28, png.STORED),
        ("http://127.0.0.1:8391", LARGEST_STORED + 1, png.QUICK),  # more than the backend takes in one file
        ("http://127.0.0.1:8392", 1 << 20, png.QUICK),  # a tunnel beside it
        ("https://gpu.example:8391", 1 << 20, png.QUICK),
    ],
)
def test_what_stays_on_this_computer_is_not_packed(
    tmp_path: Path, monkeypatch, address: str, size: int, level: int
):
    announced("http://127.0.0.1:8391", tmp_path, monkeypatch)
    assert Outgoing(Transport(address, "t")).level(size) == level
    assert Outgoing().level(size) == png.QUICK


@pytest.mark.parametrize("record", [None, "garbage", "http://127.0.0.1:8400", "no address"])
def test_behind_a_loopback_address_that_is_not_announced_there_may_be_a_tunnel(
    tmp_path: Path, monkeypatch, record: str | None
):
    monkeypatch.setenv("PALIMPSEST_HOME", str(tmp_path))
    if record == "garbage":
        config_folder().mkdir(parents=True)
        (config_folder() / STATE_FILE).write_text(record)
    elif record is not None:
        announced(record, tmp_path, monkeypatch)
    outgoing = Outgoing(Transport("http://127.0.0.1:8391", "t"))
    assert outgoing.level(1 << 20) == png.QUICK
    outgoing.write(b"packed")
    outgoing.end()
    assert outgoing.arrived() == "", "it is sent when it is whole"


def test_an_upload_that_cannot_begin_leaves_no_connection_open(monkeypatch):
    made = []

    class Broken(http.client.HTTPConnection):
        def endheaders(self, *_, **__):
            made.append(self)
            self.connect()
            raise ConnectionResetError

    monkeypatch.setattr(http.client, "HTTPConnection", Broken)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = Transport(f"http://127.0.0.1:{listener.getsockname()[1]}", "t")
        with pytest.raises(UnreachableError):
            there.upload("/v1/images")
    assert [connection.sock for connection in made] == [None]
