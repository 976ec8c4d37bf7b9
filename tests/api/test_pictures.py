"""Pictures go in and come out byte for byte, and only whole."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from types import SimpleNamespace

import pytest
from fastapi import Response

from api.live import TOKENS, live
from jobs.shop import eventually
from palimpsest.api.pictures import receive

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 5000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_picture_comes_back_as_it_went_in(server):
    image = hashlib.sha256(PNG).hexdigest()
    assert server.ask("HEAD", f"/v1/images/{image}").status_code == 404
    first, again = (server.ask("PUT", f"/v1/images/{image}", data=PNG) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"image": image, "new": True})
    assert (again.status_code, again.json()) == (200, {"image": image, "new": False})
    answer = server.ask("GET", f"/v1/images/{image}")
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"
    head = server.ask("HEAD", f"/v1/images/{image}")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(PNG)))


def test_a_strangers_picture_is_not_found_even_by_its_name(server):
    image = server.bring(b"anna's own")
    for method in ("GET", "HEAD"):
        assert server.ask(method, f"/v1/images/{image}", "bert").status_code == 404
    server.bring(b"anna's own", "bert")
    assert server.ask("GET", f"/v1/images/{image}", "bert").content == b"anna's own"


def test_bytes_with_another_hash_are_refused(server):
    answer = server.ask("PUT", "/v1/images/" + "0" * 64, data=b"whatever")
    assert (answer.status_code, answer.json()["code"]) == (422, "image_hash")
    assert server.ask("GET", "/v1/images/" + "0" * 64).status_code == 404


def test_a_picture_that_is_sent_while_it_is_made_gets_its_name_from_the_answer(server):
    content = PNG + b"made just now"
    image = hashlib.sha256(content).hexdigest()
    pieces = [content[start : start + 300_000] for start in range(0, len(content), 300_000)]
    first, again = (server.ask("POST", "/v1/images", data=iter(pieces)) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"image": image, "new": True})
    assert (again.status_code, again.json()) == (200, {"image": image, "new": False})
    assert server.ask("GET", f"/v1/images/{image}").content == content
    assert server.ask("HEAD", f"/v1/images/{image}", "bert").status_code == 404


class Measured(bytes):
    """Counts how often its length is asked for."""

    asked = 0

    def __len__(self) -> int:
        Measured.asked += 1
        return super().__len__()


def test_each_piece_of_an_upload_is_measured_a_few_times_however_many_there_are(server):
    pieces = [Measured(b"%d" % (number % 10)) for number in range(2000)]

    async def stream():
        for piece in pieces:
            yield piece

    request = SimpleNamespace(headers={}, scope={"owner": "anna"}, stream=stream)
    stored = asyncio.run(receive(server.services, request, Response(), None))  # pyright: ignore
    assert stored.image == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert Measured.asked <= 4 * len(pieces)


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "0" * 63, "G" * 64, "A" * 64, "%00", "0" * 64 + "%0a"]
)
def test_a_name_that_is_no_hash_is_refused(server, name):
    for method in ("GET", "PUT"):
        assert server.ask(method, f"/v1/images/{name}", data=b"x").status_code in (400, 404)


def test_a_picture_that_is_broken_off_while_it_is_made_leaves_nothing(server):
    content = b"half a picture" * 100
    head = f"POST /v1/images HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKENS['anna']}\r\n"
    folder = server.services.owned_images.images.folder
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n" % (len(content), content))
        eventually(lambda: list(folder.glob(".arriving*")))
    eventually(lambda: not list(folder.glob(".arriving*")))
    assert server.ask("HEAD", f"/v1/images/{hashlib.sha256(content).hexdigest()}").status_code == 404


def test_an_upload_that_is_cut_off_leaves_nothing(server):
    image = hashlib.sha256(b"x" * 1000).hexdigest()
    head = f"PUT /v1/images/{image} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKENS['anna']}\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + b"Content-Length: 1000\r\n\r\n" + b"x" * 500)
    folder = server.services.owned_images.images.folder
    eventually(lambda: not list(folder.glob(".arriving*")))
    assert server.ask("HEAD", f"/v1/images/{image}").status_code == 404
    server.bring(b"x" * 1000)


def test_a_result_is_fetched_by_its_name(server):
    server.submit("named", order={"do": "keep"})
    server.follow("named")
    missing = server.ask("GET", "/v1/jobs/named/artifacts/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "artifact_not_found")
    assert server.ask("GET", "/v1/jobs/named/artifacts/layer").content == b"a layer"
    server.submit("nowhere")
    server.follow("nowhere")
    assert server.ask("GET", "/v1/jobs/nowhere/artifacts/preview").json()["code"] == "image_not_found"


@pytest.mark.parametrize("damage", [b"", b"a laye", b"a layeR", b"a layer and more"])
def test_a_damaged_result_is_an_error_and_never_served(server, damage):
    server.submit("spoilt", order={"do": "keep"})
    server.follow("spoilt")
    image = server.ask("GET", "/v1/jobs/spoilt").json()["artifacts"]["layer"]
    path = server.services.owned_images.images.path(image)
    path.write_bytes(damage)
    answer = server.ask("GET", "/v1/jobs/spoilt/artifacts/layer")
    assert (answer.status_code, answer.json()["code"]) == (422, "image_hash")
    assert not path.exists()
    assert server.ask("GET", "/v1/jobs/spoilt/artifacts/layer").json()["code"] == "image_not_found"
    server.bring(b"a layer")
    assert server.ask("GET", f"/v1/images/{image}").content == b"a layer"


def test_a_damaged_upload_is_not_taken_for_the_picture(server):
    image = server.bring(b"a photo that rots")
    path = server.services.owned_images.images.path(image)
    path.write_bytes(b"a photo that rotS")
    assert server.ask("HEAD", f"/v1/images/{image}").status_code == 422
    assert server.bring(b"a photo that rots") == image
    assert server.ask("GET", f"/v1/images/{image}").content == b"a photo that rots"


def test_a_full_disk_is_said(server, monkeypatch):
    def no_room(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("palimpsest.storage.owned_images.os.fsync", no_room)
    answer = server.ask("PUT", "/v1/images/" + hashlib.sha256(b"y").hexdigest(), data=b"y")
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
