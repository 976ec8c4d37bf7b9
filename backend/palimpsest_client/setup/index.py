"""uv from the package index: its wheel, of one version, by its hash. Blocks: never call it on a UI thread.

The index is asked by its simple interface (PEP 503, PEP 691). Proxies are those of the system.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import platform
import ssl
import sys
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..text.wording import say
from .errors import SetupError, error_of, of_reading, without_password

USUAL = "https://pypi.org/simple"
"""uv's and pip's own default. Named here since nothing that knows it is there yet: uv is what is fetched."""
VERSION = "0.13.9"
KINDS = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
PATIENCE = 20.0  # seconds without a byte
PIECE = 1 << 16  # bytes
MOST = 64 << 20  # bytes of the index's page
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where systems keep certificates; the Python of an AppImage or of a Mac's bundle looks elsewhere."""


@dataclass(frozen=True)
class Wheel:
    """``tag``: the end of its file's name."""

    tag: str
    sha256: str

    @property
    def name(self) -> str:
        return f"uv-{VERSION}-py3-none-{self.tag}.whl"


X86, ARM = "x86_64", "aarch64"
WHEELS: Mapping[Tuple[str, str], Wheel] = {
    ("linux", X86): Wheel(
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    ("musl", X86): Wheel(
        "musllinux_1_1_x86_64", "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25"
    ),
    ("linux", ARM): Wheel(
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("darwin", X86): Wheel(
        "macosx_10_12_x86_64", "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5"
    ),
    ("darwin", ARM): Wheel(
        "macosx_11_0_arm64", "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63"
    ),
    ("win32", X86): Wheel("win_amd64", "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b"),
    ("win32", ARM): Wheel("win_arm64", "eeb92051c2123b9730c46b04cc843cfa4bc7d7b0aec56df431a2215ef4cb0273"),
}
NAMES = {"amd64": X86, "x86_64": X86, "arm64": ARM, "aarch64": ARM}


def wheel_for(system: str, processor: str, libc: str) -> Wheel:
    """``system``: sys.platform; ``libc``: as platform.libc_ver tells it. Raises SetupError."""
    kind = NAMES.get(processor.lower(), processor)
    musl = system == "linux" and libc != "glibc" and kind == X86
    found = WHEELS.get(("musl" if musl else system, kind))
    if found is None:
        raise SetupError(say("setup-no-uv", machine=f"{system} {processor}"))
    return found


def this_wheel() -> Wheel:
    return wheel_for(sys.platform, platform.machine(), platform.libc_ver()[0])


def fetch_uv(wheel: Wheel, index: str, folder: Path, arrived: Callable[[int], None]) -> Path:
    """uv's program, in ``folder``. ``index``: a mirror; empty = the usual one. ``arrived`` gets the bytes
    that came so far, and may raise to break off.

    Raises SetupError, OSError where it can't be written.
    """
    address = _page(index if index else USUAL, index).get(wheel.name)
    if address is None:
        raise error_of("wrong", "", index, say("setup-not-there", name=wheel.name))
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"uv-{os.getpid()}-{id(arrived)}.part"
    try:
        if _bring(address, index, part, arrived) != wheel.sha256:
            raise error_of("hash", "", index, wheel.name)
        return _unpack(part, folder)
    finally:
        if part.exists():
            part.unlink()


def _page(address: str, index: str) -> Dict[str, str]:
    """File's name → where it lies."""
    with _opened(address.rstrip("/") + "/uv/", index) as answer:
        kind, place = answer.headers.get_content_type(), answer.geturl()
        try:
            text = answer.read(MOST).decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise of_reading(error, index, False) from error
    try:
        files = json.loads(text)["files"] if kind.endswith("json") else None
        links = _links(text) if files is None else {f["filename"]: f["url"] for f in files}
        return {name: urllib.parse.urljoin(place, link) for name, link in links.items()}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise error_of("wrong", "", index, say("no-server-of-ours")) from error


def _bring(address: str, index: str, part: Path, arrived: Callable[[int], None]) -> str:
    """The hash of what came."""
    found, size = hashlib.sha256(), 0
    with _opened(address, index) as answer, part.open("wb") as file:
        while True:
            try:
                piece = answer.read(PIECE)
            except (OSError, HTTPException) as error:
                raise of_reading(error, index, False) from error
            if not piece:
                return found.hexdigest()
            found.update(piece)
            file.write(piece)
            size += len(piece)
            arrived(size)


def _unpack(wheel: Path, folder: Path) -> Path:
    """The program out of the wheel, whole or not at all."""
    name = program_name()
    with zipfile.ZipFile(wheel) as file:
        data = file.read(f"uv-{VERSION}.data/scripts/{name}")
    part, program = wheel.with_suffix(".program"), folder / name
    try:
        part.write_bytes(data)
        part.chmod(0o755)
        os.replace(str(part), str(program))
    finally:
        if part.exists():
            part.unlink()
    return program


def program_name() -> str:
    return "uv.exe" if os.name == "nt" else "uv"


def _opened(address: str, index: str) -> Any:
    scheme, host = _place(address, index)
    request = urllib.request.Request(without_password(address), headers={"Accept": KINDS})
    _let_in(request, index)
    proxy = scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
    secure = urllib.request.HTTPSHandler(context=_certificates())
    try:
        return urllib.request.build_opener(secure, _Redirects(index)).open(request, timeout=PATIENCE)
    except (OSError, HTTPException, ValueError) as error:
        raise of_reading(error, index, proxy) from error


def _place(address: str, index: str) -> Tuple[str, str]:
    """(scheme, host). Raises SetupError where it is no address of a web page."""
    try:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts.scheme, parts.hostname
    except ValueError:
        pass
    raise error_of("wrong", "", index, say("setup-no-address"))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """The password goes along to the index's own host alone."""

    def __init__(self, index: str) -> None:
        self._index = index

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Optional[urllib.request.Request]:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None:
            _let_in(request, self._index)
        return request


def _let_in(request: urllib.request.Request, index: str) -> None:
    for name, value in _authorization(request.full_url, index).items():
        request.add_unredirected_header(name, value)


def _authorization(address: str, index: str) -> Dict[str, str]:
    """By the name and password in the index's address, to its own host alone."""
    own, asked = urllib.parse.urlsplit(index), urllib.parse.urlsplit(address)
    if own.username is None or (own.scheme, own.hostname, own.port) != (
        asked.scheme,
        asked.hostname,
        asked.port,
    ):
        return {}
    told = f"{urllib.parse.unquote(own.username)}:{urllib.parse.unquote(own.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(told.encode("utf-8")).decode("ascii")}


def _certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not os.environ.get("SSL_CERT_FILE") and not context.get_ca_certs():
        found = next((bundle for bundle in BUNDLES if Path(bundle).exists()), None)
        if found is not None:
            context.load_verify_locations(found)
    return context


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            self.found[urllib.parse.unquote(urllib.parse.urlsplit(href).path.rsplit("/", 1)[-1])] = href


def _links(text: str) -> Dict[str, str]:
    anchors = _Anchors()
    anchors.feed(text)
    return anchors.found
