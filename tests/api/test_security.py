"""Nobody comes in without a token, from a foreign page, under a foreign name, or too slowly."""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import time

import pytest
import requests

from api.live import TOKENS, live
from palimpsest.api.services import ApiLimits

WRONG = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Basic {TOKENS['anna']}"},
    {"Authorization": f"Bearer {TOKENS['anna'][:-1]}"},
    {"Authorization": f"Bearer {TOKENS['anna']}x"},
]
FOREIGN_HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "",
    "[",
    "192.168.1.5",
    "0.0.0.0",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def routes(server):
    """Every method and path that the API describes, and some that it doesn't."""
    paths = server.ask("GET", "/v1/openapi.json").json()["paths"]
    found = [
        (method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"
    ]
    assert len(found) > 15
    fill = {"{id}": "some", "{name}": "some", "{image}": "0" * 64}
    for name, value in fill.items():
        found = [(method, path.replace(name, value)) for method, path in found]
    more = ("/v1/openapi.json", "/dashboard/x", "/docs", "/v1/nothing")
    return [*found, *(("GET", path) for path in more)]


def plain(server, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """A request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("headers", WRONG, ids=str)
def test_every_route_but_health_refuses_a_missing_or_wrong_token(server, routes, headers):
    for method, path in routes:
        status, body = plain(server, method, path, headers)
        assert status == (200 if path == "/v1/health" else 401), (method, path, body)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_every_route_refuses_a_foreign_host(server, routes, host):
    for method, path in routes:
        headers = {"Authorization": f"Bearer {TOKENS['anna']}", "Host": host}
        assert plain(server, method, path, headers)[0] in (400, 403), (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1\u2100:1".encode().decode("latin1")},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_every_route_refuses_a_foreign_page(server, routes, headers):
    for method, path in routes:
        status, _ = plain(server, method, path, {"Authorization": f"Bearer {TOKENS['anna']}", **headers})
        assert status == 403, (method, path)


def test_our_own_pages_and_this_machines_names_are_welcome(server):
    token = {"Authorization": f"Bearer {TOKENS['anna']}"}
    for host in ("localhost", f"localhost:{server.port}", f"127.0.0.1:{server.port}", f"[::1]:{server.port}"):
        told = {**token, "Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert plain(server, "GET", "/v1/system", told)[0] == 200, host


def test_the_dashboard_is_open_and_may_load_nothing_from_elsewhere(server):
    """The page and its two parts hold no secret; everything it shows needs the token."""
    script = ("/dashboard/dashboard.js", "text/javascript")
    for path, kind in [("/", "text/html"), ("/dashboard/dashboard.css", "text/css"), script]:
        answer = requests.get(server.address + path, headers={"Sec-Fetch-Site": "cross-site"}, timeout=60)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not any(token in answer.text for token in TOKENS.values())
    assert plain(server, "GET", "/", {"Host": "evil.example"})[0] == 403
    assert plain(server, "GET", "/dashboard/..%2fapp.py", {})[0] == 401


def test_nothing_is_shared_with_other_origins(server):
    answer = server.ask("OPTIONS", "/v1/jobs", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_another_protocol_is_told_what_to_do(server):
    answer = server.ask("GET", "/v1/health", headers={"Palimpsest-Protocol": "99"})
    assert (answer.status_code, answer.json()["code"]) == (426, "protocol_mismatch")
    assert "install.py" in answer.json()["hint"]


def guesses(server, count: int, **headers: str) -> list[int]:
    told = {"Authorization": "Bearer no", **headers}
    return [plain(server, "GET", "/v1/jobs", told)[0] for _ in range(count)]


def test_guessing_tokens_is_slowed_down_and_keeps_no_right_one_out(tmp_path):
    """Behind a tunnel or a proxy everybody has the same address."""
    with live(tmp_path, limits=ApiLimits(refusals_per_minute=5)) as server:
        assert guesses(server, 8) == [401] * 5 + [429] * 3
        assert [server.ask("GET", "/v1/jobs", owner).status_code for owner in TOKENS] == [200, 200]


def test_a_forwarded_address_is_believed_only_from_a_proxy_that_was_named(tmp_path):
    for proxies, last in [((), 429), (("10.0.0.0/8",), 429), (("127.0.0.0/8",), 401)]:
        folder = tmp_path / f"believed-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        with live(folder, limits=ApiLimits(refusals_per_minute=1), proxies=proxies) as server:
            assert guesses(server, 1, **{"X-Forwarded-For": "203.0.113.1"}) == [401]
            assert guesses(server, 1, **{"X-Forwarded-For": "203.0.113.2"}) == [last]
            assert guesses(server, 2, **{"X-Forwarded-For": "[::1"})[1] == 429


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 19, "+5", "-1", "5, 6", "\u0665"])
def test_no_length_of_a_body_is_a_mistake_of_ours(server, length):
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKENS['anna']}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).split()[1] in (b"400", b"413")


def test_a_body_larger_than_the_limit_is_refused_said_or_unsaid(tmp_path):
    with live(tmp_path, limits=ApiLimits(json_bytes=1000, image_bytes=5000)) as server:
        uploads = [("PUT", "/v1/images/" + "0" * 64, 6000), ("POST", "/v1/images", 6000)]
        for method, path, size in [("POST", "/v1/jobs", 2000), *uploads]:
            assert server.ask(method, path, data=b"x" * size).json()["code"] == "body_too_large"
            chunked = server.ask(method, path, data=iter([b"x" * 500] * (size // 500)))
            assert (chunked.status_code, chunked.json()["code"]) == (413, "body_too_large")
        assert not list((tmp_path / "images").glob(".arriving*"))


def test_an_upload_that_dries_up_is_cut_off_and_leaves_nothing(tmp_path):
    limits = ApiLimits(stall_seconds=0.5, least_rate=1000)
    with live(tmp_path, limits=limits) as server:
        assert b" 408 " in begin_upload(server, [b"some bytes"])
        drops = [b"x"] * 40  # one at a time, never pausing long enough
        assert b" 408 " in begin_upload(server, drops, pause=0.05)
        assert server.ask("GET", "/v1/system").status_code == 200
        assert not list((tmp_path / "images").glob(".arriving*"))


def test_a_head_that_dries_up_is_cut_off_the_first_as_well_as_a_later_one(tmp_path):
    whole = b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with live(tmp_path, limits=ApiLimits(stall_seconds=1.0)) as server:
        for before in (b"", whole):
            assert_cut_off(server, before, [b"GET /v1/health HTTP/1.1\r\nX-Slow: "])
            assert_cut_off(server, before, [b"x"] * 200)  # never pausing, never done
        assert_cut_off(server, b"", [])
        assert server.ask("GET", "/v1/system").status_code == 200


def assert_cut_off(server, before: bytes, drops: list[bytes]) -> None:
    """The server answers 408 and closes, long before its client gives up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(before)
        if before:
            assert b" 200 " in connection.recv(10_000)
        for drop in drops:
            try:
                connection.sendall(drop)
            except OSError:
                break
            time.sleep(0.02)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(10_000):
                said += piece
        if len(drops) < 2:
            assert b" 408 " in said
            assert b'"body_stalled"' in said


def test_many_connections_that_say_nothing_keep_nobody_out(tmp_path):
    with live(tmp_path, limits=ApiLimits(stall_seconds=30.0)) as server, contextlib.ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            connection.sendall(b"POST /v1/jobs HTTP/1.1\r\n")
        assert server.ask("GET", "/v1/system").status_code == 200


def begin_upload(server, chunks: list[bytes], pause: float = 0.0) -> bytes:
    head = (
        f"PUT /v1/images/{'0' * 64} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKENS['anna']}\r\n"
        "Content-Length: 100000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode())
        for chunk in chunks:
            try:
                connection.sendall(chunk)
            except OSError:
                break
            time.sleep(pause)
        return connection.recv(10_000)


def test_neither_tokens_nor_prompts_are_logged(server, caplog):
    caplog.set_level(logging.INFO)
    server.submit("logged", "refuse", request={"target_prompt": "a very private prompt"})
    server.follow("logged")
    plain(server, "GET", "/v1/jobs", {"Authorization": "Bearer a-secret-token"})
    assert "private" not in caplog.text
    assert "secret-token" not in caplog.text
    assert TOKENS["anna"] not in caplog.text


def test_on_an_open_network_addresses_and_given_names_are_welcome(tmp_path):
    with live(tmp_path, any_address=True, hosts=("studio.example",)) as server:
        token = {"Authorization": f"Bearer {TOKENS['anna']}"}
        for host, status in [("192.168.1.5:8000", 200), ("studio.example", 200), ("evil.example", 403)]:
            assert plain(server, "GET", "/v1/jobs", {**token, "Host": host})[0] == status
