"""The server that ``--server`` or ``PALIMPSEST_SERVER`` names, asked once before anything slow begins.

What can be wrong with it, its address or its token is said in one sentence that names the option.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from palimpsest.contract import BUILT_IN
from palimpsest.errors import NetworkError, PalimpsestError, ProtocolMismatchError, RequestError, TokenError
from palimpsest.models.catalog import names_path
from palimpsest.settings import Settings
from palimpsest_client.http.client import Client
from palimpsest_client.http.protocol import PROTOCOL, ClientError, RefusedError, UnreachableError
from palimpsest_client.http.transport import Transport, parsed

FIND_SECONDS = 10.0
TALK_SECONDS = 60.0
WHOLE = "Write all of it, as in --server https://palimpsest.example or --server http://127.0.0.1:8391."
TOKEN = "Give the file that holds its token: --token-file FILE."


def add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        metavar="URL",
        help="have it done by the server at this address, as in https://palimpsest.example",
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="the file with that server's token")


def named_server(options: argparse.Namespace, settings: Settings) -> Client | None:
    """None where none is named, or what else is given keeps the work in this process.

    Raises RequestError, TokenError, NetworkError, ProtocolMismatchError, and what the server refuses us with.
    """
    address = _address(options, settings)
    if address is None:
        return None
    _require_address(address)
    with _naming(address):
        token = _token(options, settings, address)
        if not _is_private(address):  # before the token goes
            what = f"--server {address} is not encrypted: who reads the network reads pictures and the token."
            print(f"Notice: {what} Give an address with https, or go through SSH.", file=sys.stderr)
        _require(address, token)
    return Client(Transport(address, token, TALK_SECONDS))


def _require_address(address: str) -> None:
    try:
        parsed(address)
    except UnreachableError as error:
        raise RequestError(f"{address!r} is no server's address.", WHOLE) from error


def _address(options: argparse.Namespace, settings: Settings) -> str | None:
    """What keeps the work here wins over the environment, and contradicts the option."""
    here = _reason_to_stay(options, settings)
    if options.server is None:
        if options.token_file is not None and not settings.server:
            raise RequestError("--token-file is of a server, and none is named.", "Give --server URL too.")
        return None if here else settings.server or None
    if here:
        raise RequestError(f"{here}, and --server has it done elsewhere.", "Leave one of the two out.")
    return options.server


def _reason_to_stay(options: argparse.Namespace, settings: Settings) -> str:
    if getattr(options, "local", False):
        return "--local has it done in this process"
    if getattr(options, "device", None) is not None:
        return f"--device {options.device} is of this machine"
    model = options.model if hasattr(options, "device") and hasattr(options, "model") else BUILT_IN
    near = options.server is None or "/" in model  # a server may have one that is named as a file here
    if near and names_path(model, settings.folders.models, settings.model_folders):
        return f"--model {model} is a path on this machine"
    return ""


def _token(options: argparse.Namespace, settings: Settings, address: str) -> str:
    from palimpsest.storage.announcement import read_token

    named = settings.server.rstrip("/") in ("", address.rstrip("/"))  # one server's token is not for another
    file = options.token_file or (settings.token_file if named else None)
    if file is None:
        raise TokenError(f"The server at {address} wants its token.", TOKEN)
    try:
        return read_token(file.expanduser())
    except TokenError as error:
        raise TokenError(error.message, error.hint or TOKEN) from error


def _require(address: str, token: str) -> None:
    """That it is one of ours, of this version, and lets this token in."""
    asked = Client(Transport(address, token, FIND_SECONDS))
    spoken = asked.health().get("protocol")
    if spoken != PROTOCOL:
        raise ProtocolMismatchError(*_of_another_version(address))
    asked.system()


@contextlib.contextmanager
def _naming(address: str) -> Iterator[None]:
    """The client's errors, naming the options."""
    from palimpsest.cli.client_errors import to_palimpsest_error

    try:
        yield
    except RefusedError as error:
        raise _refused(address, error, to_palimpsest_error(error)) from error
    except UnreachableError as error:
        what = f"Check --server {address}, and that the server runs there."
        raise NetworkError(error.message, what) from error
    except ClientError as error:
        raise to_palimpsest_error(error) from error


def _refused(address: str, error: RefusedError, known: PalimpsestError) -> PalimpsestError:
    if error.code == TokenError.code:
        return TokenError(f"The server at {address} doesn't know the token that it was given.", TOKEN)
    if error.code == ProtocolMismatchError.code:
        return ProtocolMismatchError(*_of_another_version(address))
    if error.code == "host_forbidden":
        name = urlsplit(address).hostname
        hint = f"There: palimpsest serve --allow-host {name}. Or give another --server."
        return type(known)(known.message, hint)
    if error.code.startswith("status_"):
        return NetworkError(f"What answers at {address} is no server of Palimpsest.", "Check --server.")
    return known


def _of_another_version(address: str) -> tuple[str, str]:
    what = f"The server at {address} is of another version than this palimpsest."
    return what, "Update the older of the two, or give another --server."


def _is_private(address: str) -> bool:
    """Encrypted, or never on a network."""
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
