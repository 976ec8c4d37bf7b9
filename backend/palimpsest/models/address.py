"""Where a download by address may connect to: public addresses, and networks that the settings name.

A name is resolved here, every address that it has must be allowed, and the connection goes to those very
addresses: a name that means another machine a moment later gains nothing. Every hop of a redirection is
a connection of its own and is looked at in the same way. Behind a proxy, which resolves names itself, only
what can be resolved here as well can be refused.
"""

from __future__ import annotations

import ipaddress
import socket
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
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64: the last four bytes are an IPv4 address
COMPATIBLE = ipaddress.IPv6Network("::/96")


def is_allowed(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether a numeric address is public or in one of ``networks`` (``10.1.0.0/16``)."""
    found = meant(ipaddress.ip_address(address.partition("%")[0]))
    if any(found in ipaddress.ip_network(network, strict=False) for network in networks):
        return True
    return found.is_global and not found.is_multicast


def meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in TRANSLATED or address in COMPATIBLE) and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address if inner is None else inner


def resolve(host: str, port: int, networks: Sequence[str]) -> list[str]:
    """The numeric addresses of ``host``. Raises AddressForbiddenError unless there are some, all allowed.

    A name that isn't known and one that means a machine of this network get the same answer: otherwise
    strangers could ask which names the network has.
    """
    try:
        told = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        told = []
    found = list(dict.fromkeys(str(entry[4][0]) for entry in told))
    if found and all(is_allowed(address, networks) for address in found):
        return found
    raise AddressForbiddenError(
        "The address leads to no public machine that is known here.",
        "Check it. Machines of this network are allowed by PALIMPSEST_DOWNLOAD_NETWORKS.",
    )


def session(networks: Sequence[str] | None) -> requests.Session:
    """One for strangers' addresses; for those of the catalogue, which may be mirrored anywhere, None."""
    opened = requests.Session()
    opened.auth = _no_password
    if networks is not None:
        for scheme in ("http://", "https://"):
            opened.mount(scheme, Guard(networks))
    return opened


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without this the passwords in the .netrc of whoever runs the server would be sent along."""
    return request


class Guard(HTTPAdapter):
    """Connects only to what is allowed."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(networks)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._networks)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        url = str(request.url)
        proxies: Mapping[str, str] | None = options.get("proxies")
        if proxies and select_proxy(url, dict(proxies)) is not None:
            self._refuse_known(url)
        return super().send(request, *args, **options)

    def _refuse_known(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError, ValueError):
            return  # known to the proxy alone, perhaps
        resolve(host, 0, self._networks)


def _pools(networks: tuple[str, ...]) -> dict[str, Any]:
    """The connection pools of urllib3 with guarded connections in them."""

    def attempts(connection: Any, connect: Any) -> Any:
        name = connection._dns_host
        try:
            for address, last in _with_last(resolve(name, connection.port, networks)):
                connection._dns_host = address
                try:
                    return connect()
                except NewConnectionError:
                    if last:
                        raise
        finally:
            connection._dns_host = name  # certificates and Host are for the name

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return attempts(self, super()._new_conn)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return attempts(self, super()._new_conn)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # pyright: ignore[reportAssignmentType]

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted  # pyright: ignore[reportAssignmentType]

    return {"http": PlainPool, "https": EncryptedPool}


def _with_last(items: Sequence[str]) -> Iterator[tuple[str, bool]]:
    for index, item in enumerate(items):
        yield item, index == len(items) - 1
