"""Where a download by address may connect to: public addresses, and networks that the settings name.

A name is resolved here, every address that it has must be allowed, and the connection goes to those very
addresses: a name that means another machine a moment later gains nothing. Every hop of a redirection is
a connection of its own and is looked at in the same way. Behind a proxy, which resolves names itself, only
what can be resolved here as well can be refused.

All hops together have one deadline, to the end of the last head: with every drop of a drip a timeout begins
anew.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from palimpsest.errors import AddressForbiddenError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
WRAPPING = [  # the last four bytes are an IPv4 address: compatible, translated (RFC 2765), NAT64 (RFC 6052)
    ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]
UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that is given to the public
# What the registries of special addresses (RFC 6890) take from the public, the same in every Python.
SPECIAL = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]


def is_allowed(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether a numeric address is public or in one of ``networks`` (``10.1.0.0/16``)."""
    found = embedded_ipv4(ipaddress.ip_address(address.partition("%")[0]))
    if any(found in ipaddress.ip_network(network, strict=False) for network in networks):
        return True
    is_given = isinstance(found, ipaddress.IPv4Address) or found in UNICAST
    return is_given and not any(found in network for network in SPECIAL)


def embedded_ipv4(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in network for network in WRAPPING) and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address if inner is None else inner


def resolve(host: str, port: int, networks: Sequence[str]) -> list[str]:
    """The numeric addresses of ``host``. Raises AddressForbiddenError unless there are some, all allowed.

    A name that isn't known and one that means a machine of this network get the same answer: otherwise
    strangers could ask which names the network has.
    """
    try:
        entries = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        entries = []
    found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if found and all(is_allowed(address, networks) for address in found):
        return found
    raise AddressForbiddenError(
        "The address leads to no public machine that is known here.",
        "Check it. Machines of this network are allowed by PALIMPSEST_DOWNLOAD_NETWORKS.",
    )


def session(networks: Sequence[str] | None, seconds: float = 60.0) -> requests.Session:
    """One for strangers' addresses; for those of the catalogue, which may be mirrored anywhere, None.

    seconds: until the head of the last answer must be there, in all.
    """
    opened = requests.Session()
    opened.auth = _no_password
    deadline = time.monotonic() + seconds
    for scheme in ("http://", "https://"):
        opened.mount(scheme, Guard(networks, deadline))
    return opened


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without this the passwords in the .netrc of whoever runs the server would be sent along."""
    return request


class Guard(HTTPAdapter):
    """Connects only to what is allowed (``networks``; None: all); reads no head after ``deadline``."""

    def __init__(self, networks: Sequence[str] | None, deadline: float) -> None:
        self._networks = None if networks is None else tuple(networks)
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._networks, self._deadline)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The proxy itself may be anywhere. Those of SOCKS have connections of their own."""
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _pools(None, self._deadline)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        url = str(request.url)
        proxies: Mapping[str, str] | None = options.get("proxies")
        if self._networks is not None and proxies and select_proxy(url, dict(proxies)) is not None:
            _refuse_known(url, self._networks)
        return super().send(request, *args, **options)


def _refuse_known(url: str, networks: Sequence[str]) -> None:
    host = urlsplit(url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError, ValueError):
        return  # known to the proxy alone, perhaps
    resolve(host, 0, networks)


@contextlib.contextmanager
def _until(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Raises TimeoutError where what is read inside isn't there by then; the connection is cut off."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)  # of TLS, too, what lies under it

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise TimeoutError("no answer in time") from error
        raise
    finally:
        timer.cancel()
        timer.join()
    if late.is_set():  # half a head, cut off, reads like a whole one
        raise TimeoutError("no answer in time")


def _pools(networks: tuple[str, ...] | None, deadline: float) -> dict[str, Any]:
    """The connection pools of urllib3 with guarded connections in them."""

    def attempts(connection: Any, connect: Any) -> Any:
        name = connection._dns_host
        if networks is None:
            return connect()
        try:
            for address, last in _with_last(resolve(name, connection.port, networks)):
                connection._dns_host = address
                try:
                    return connect()
                except NewConnectionError:
                    if last or time.monotonic() > deadline:
                        raise
        finally:
            connection._dns_host = name  # certificates and Host are for the name

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return attempts(self, super()._new_conn)

        def getresponse(self) -> Any:
            with _until(deadline, self.sock):
                return super().getresponse()

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return attempts(self, super()._new_conn)

        def getresponse(self) -> Any:
            with _until(deadline, self.sock):
                return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # pyright: ignore[reportAssignmentType]

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted  # pyright: ignore[reportAssignmentType]

    return {"http": PlainPool, "https": EncryptedPool}


def _with_last(items: Sequence[str]) -> Iterator[tuple[str, bool]]:
    for index, item in enumerate(items):
        yield item, index == len(items) - 1
