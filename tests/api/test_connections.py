"""No client can hold a connection by being slow, nor keep others out by opening many."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time

import pytest

from api.live import TOKENS, live
from palimpsest.api import connection
from palimpsest.api.connection import ConnectionLimit, group_of
from palimpsest.api.services import ApiLimits

HOST = "Host: 127.0.0.1\r\n"
TOKEN = f"Authorization: Bearer {TOKENS['anna']}\r\n"
ENDLESS = "Content-Length: 1000000\r\n\r\n"


def trickle(server, head: str, drops: int = 200) -> tuple[bytes, int]:
    """Send a body drop by drop, whatever the server says: its answer, and how many drops it took."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(head.encode())
        sent = 0
        with contextlib.suppress(OSError):
            while sent < drops:
                client.sendall(b"x")
                sent += 1
                time.sleep(0.05)
        said = b""
        with contextlib.suppress(OSError):
            while piece := client.recv(10_000):
                said += piece
        return said, sent


@pytest.mark.parametrize(
    "head",
    [
        f"GET /v1/health HTTP/1.1\r\n{HOST}",
        f"GET / HTTP/1.1\r\n{HOST}",
        f"POST /v1/jobs HTTP/1.1\r\n{HOST}Authorization: Bearer wrong\r\n",
        f"PUT /v1/images/x HTTP/1.1\r\n{HOST}{TOKEN}",
        f"GET /v1/system HTTP/1.1\r\n{HOST}{TOKEN}",
        "GET /v1/health HTTP/1.1\r\nHost: evil.example\r\n",
        "NONSENSE\r\n",
    ],
    ids=lambda head: head.split(" HTTP")[0],
)
def test_a_body_that_goes_on_after_its_answer_is_cut_off(tmp_path, head):
    with live(tmp_path, limits=ApiLimits(stall_seconds=0.5)) as server:
        _, drops = trickle(server, head + ENDLESS)
        assert drops < 100
        assert server.ask("GET", "/v1/system").status_code == 200


def test_what_is_left_of_a_body_is_read_and_the_connection_can_be_used_again(tmp_path):
    with live(tmp_path) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(3):
            client.request("GET", "/v1/health", body=b"x" * 900_000)
            answer = client.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
        client.close()


def test_a_client_that_sends_too_much_gets_to_read_why(tmp_path):
    """It sends everything before it reads, as most do."""
    with live(tmp_path, limits=ApiLimits(json_bytes=1000, image_bytes=1000, concept_bytes=1000)) as server:
        for method, path in [
            ("POST", "/v1/jobs"),
            ("PUT", "/v1/images/" + "a" * 64),
            ("PUT", "/v1/concepts/x"),
        ]:
            for chunked in (False, True):
                body = iter([b"x" * 65536] * 160) if chunked else b"x" * 10_000_000
                client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                told = {"Authorization": f"Bearer {TOKENS['anna']}"}
                client.request(method, path, body, told, encode_chunked=chunked)
                assert client.getresponse().status == 413, (path, chunked)
                client.close()


def test_an_answer_that_nobody_reads_is_given_up(tmp_path):
    picture = b"x" * 30_000_000
    with live(tmp_path, limits=ApiLimits(unread_seconds=0.5)) as server:
        image = server.bring(picture)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
            client.sendall(f"GET /v1/images/{image} HTTP/1.1\r\n{HOST}{TOKEN}\r\n".encode())
            time.sleep(3)
            received = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(1 << 20):
                    received += len(piece)
        assert received < len(picture)
        assert server.ask("GET", f"/v1/images/{image}").content == picture


def test_a_slow_reader_is_waited_for(tmp_path):
    """Each pause is short, the whole takes several times as long as a pause may."""
    picture = b"x" * 12_000_000
    with live(tmp_path, limits=ApiLimits(unread_seconds=2.0)) as server:
        image = server.bring(picture)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.connect(("127.0.0.1", server.port))
            ask = f"GET /v1/images/{image} HTTP/1.1\r\n{HOST}{TOKEN}Connection: close\r\n\r\n"
            client.sendall(ask.encode())
            received = b""
            while piece := client.recv(1 << 16):
                received += piece
                time.sleep(0.02)
        assert received.endswith(picture)


def test_connections_without_a_token_keep_nobody_out(tmp_path):
    limits = ApiLimits(connections=20, stall_seconds=60.0)
    with live(tmp_path, limits=limits) as server, contextlib.ExitStack() as stack:
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        told = {"Authorization": f"Bearer {TOKENS['anna']}"}
        kept.request("GET", "/v1/system", headers=told)
        kept.getresponse().read()
        for _ in range(60):
            guest = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            guest.sendall(f"GET /v1/health HTTP/1.1\r\n{HOST}{ENDLESS}".encode())
        assert server.ask("GET", "/v1/system", "bert").status_code == 200
        kept.request("GET", "/v1/system", headers=told)  # on the very connection that was there before
        assert kept.getresponse().status == 200


class Guest:
    def __init__(self, address: str, trusted: bool = False) -> None:
        self.group = group_of(address)
        self.trusted = trusted
        self.gone = False

    def make_room(self) -> None:
        self.gone = True


def fill(crowd: ConnectionLimit, *guests: Guest) -> list[bool]:
    return [crowd.enter(guest) for guest in guests]  # pyright: ignore[reportArgumentType]


def test_the_oldest_without_a_token_makes_room():
    crowd = ConnectionLimit(total=3, per_address=3)
    first, second, third, fourth = (Guest(f"10.0.0.{n}", trusted=n == 1) for n in (1, 2, 3, 4))
    assert fill(crowd, first, second, third, fourth) == [True] * 4
    assert [guest.gone for guest in (first, second, third, fourth)] == [False, True, False, False]


def test_one_address_takes_no_more_than_its_share():
    crowd = ConnectionLimit(total=100, per_address=2)
    other = Guest("10.0.0.9")
    own = [Guest("2001:db8::1"), Guest("2001:db8::2"), Guest("2001:db8::3")]
    assert fill(crowd, other, *own) == [True] * 4
    assert [guest.gone for guest in (other, *own)] == [False, True, False, False]


def test_those_with_a_token_stay_and_a_newcomer_is_refused():
    crowd = ConnectionLimit(total=2, per_address=1)
    guests = [
        Guest("10.0.0.1", trusted=True),
        Guest("10.0.0.1", trusted=True),
        Guest("10.0.0.2", trusted=True),
    ]
    assert fill(crowd, *guests) == [True, False, True]
    assert fill(crowd, Guest("10.0.0.3")) == [False]
    crowd.leave(guests[0])  # pyright: ignore[reportArgumentType]
    assert fill(crowd, Guest("10.0.0.1")) == [True]


def test_this_machine_and_proxies_speak_for_many():
    crowd = ConnectionLimit(total=100, per_address=1, proxies=("10.1.0.0/16",))
    for address in ("127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3"):
        guests = [Guest(address) for _ in range(3)]
        assert fill(crowd, *guests) == [True] * 3
        assert not any(guest.gone for guest in guests), address


def test_the_number_of_connections_fits_what_the_system_allows(monkeypatch):
    resource = pytest.importorskip("resource")  # Windows has no such limit
    allowed = [256, 1024]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: tuple(allowed))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: allowed.__setitem__(0, limits[0]))
    assert connection.affordable_connections(100) == 100
    assert allowed == [300, 1024]
    assert connection.affordable_connections(10_000) == 462
    assert allowed == [1024, 1024]
