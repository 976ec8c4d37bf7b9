"""A download by address goes to public machines, whatever names say and however addresses are spelt."""

from __future__ import annotations

import socket
import time

import pytest
import requests

from palimpsest.errors import AddressForbiddenError
from palimpsest.models import address
from palimpsest.models.address import is_allowed, resolve, session

INSIDE = """127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 224.0.0.1
    240.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 2002:7f00:1:: 2002:c0a8:101:: ::7f00:1
    0.1.2.3 100.127.255.255 172.31.255.255 192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 239.255.255.255 255.255.255.254
    fec0::1 feff::1 ff0e::1 100::1 200::1 400::1 4000::1 5f00::1 fe00::1 2001:db8::1 3fff::1
    ::ffff:0:7f00:1 ::ffff:0:a9fe:a9fe 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 64:ff9b:1::808:808
    2002:a9fe:a9fe:: 2002:6440:1:: 2001::1 2001:0:4136:e378:8000:63bf:80ff:fffe 2001:20::1""".split()
OUTSIDE = """93.184.216.34 8.8.8.8 100.63.255.255 100.128.0.1 172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1
    223.255.255.255 2606:2800:220:1:248:1893:25c8:1946 2a00:1450:4001::1 2001:4860:4860::8888
    ::ffff:8.8.8.8 ::ffff:0:808:808 64:ff9b::808:808 2002:808:808::1""".split()


@pytest.mark.parametrize("text", INSIDE)
def test_machines_of_this_network_are_not_public(text):
    assert not is_allowed(text)


@pytest.mark.parametrize("text", OUTSIDE)
def test_machines_of_the_world_are(text):
    assert is_allowed(text)


def test_a_network_can_be_allowed_and_no_other_is_with_it():
    networks = ("10.1.0.0/16", "fd12::/32")
    assert is_allowed("10.1.2.3", networks)
    assert is_allowed("::ffff:10.1.2.3", networks)
    assert is_allowed("fd12::1", networks)
    assert is_allowed("64:ff9b:1::a01:203", ("64:ff9b:1::/48",))
    assert is_allowed("fec0::1", ("fec0::/10",))
    assert not is_allowed("10.2.0.1", networks)
    assert not is_allowed("127.0.0.1", networks)


@pytest.fixture
def names(monkeypatch):
    """``names["host"]``: the addresses of each next question; the last of them is for ever."""
    told: dict[str, list[list[str]]] = {}

    def look_up(host, port, *args, **options):
        answers = told.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        family = [socket.AF_INET6 if ":" in text else socket.AF_INET for text in found]
        return [(f, socket.SOCK_STREAM, 6, "", (text, port)) for f, text in zip(family, found, strict=True)]

    monkeypatch.setattr(address.socket, "getaddrinfo", look_up)
    return told


def test_a_name_with_one_address_inside_is_refused(names):
    names["both"] = [["93.184.216.34", "10.0.0.1"]]
    names["public"] = [["93.184.216.34", "8.8.8.8"]]
    with pytest.raises(AddressForbiddenError):
        resolve("both", 80, ())
    assert resolve("public", 80, ()) == ["93.184.216.34", "8.8.8.8"]


def test_which_names_this_network_has_is_not_told(names):
    names["inside"] = [["10.0.0.1"]]
    told = []
    for name in ("inside", "unknown", "a" * 300, ""):
        with pytest.raises(AddressForbiddenError) as caught:
            resolve(name, 80, ())
        told.append(str(caught.value))
    assert len(set(told)) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_connection_goes_to_the_address_that_was_judged(names, monkeypatch, scheme):
    """A name that means another machine at the second question gains nothing."""
    names["rebound"] = [["93.184.216.34"], ["127.0.0.1"]]
    asked = []

    def connect(where, *args, **options):
        asked.append(where[0])
        raise OSError("nobody is there")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with session(()) as http, pytest.raises(requests.ConnectionError):
        http.get(f"{scheme}://rebound/file", timeout=1)
    assert asked == ["93.184.216.34"]


def test_every_address_of_a_name_is_tried(names, monkeypatch):
    names["two"] = [["2606:2800:220:1:248:1893:25c8:1946", "93.184.216.34"]]
    asked = []

    def connect(where, *args, **options):
        asked.append(where[0])
        raise OSError("nobody is there")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with session(()) as http, pytest.raises(requests.ConnectionError):
        http.get("http://two/file", timeout=1)
    assert asked == names["two"][0]


def test_certificates_are_asked_for_the_name(names, monkeypatch):
    names["named"] = [["93.184.216.34"]]
    pool = address._pools((), time.monotonic())["https"]("named", 443)
    connection = pool._new_conn()
    monkeypatch.setattr("urllib3.util.connection.create_connection", lambda *a, **o: "a socket")
    assert connection._new_conn() == "a socket"
    assert connection.host == "named"


def test_behind_a_proxy_what_is_known_here_is_judged_and_the_rest_is_the_proxys(names, monkeypatch):
    names["inside"] = [["10.0.0.1"]]
    names["proxy"] = [["10.0.0.9"]]
    names["127.0.0.1"] = [["127.0.0.1"]]
    asked = []

    def connect(where, *args, **options):
        asked.append(where[0])
        raise OSError("nobody is there")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with session(()) as http:
        for host in ("inside", "127.0.0.1"):
            with pytest.raises(AddressForbiddenError):
                http.get(f"http://{host}/file", timeout=1)
        with pytest.raises(requests.ConnectionError):
            http.get("http://only-the-proxy-knows/file", timeout=1)
    assert asked == ["proxy"]
