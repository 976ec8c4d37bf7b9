"""A picture on its way to the backend while it is still read and packed.

Where the backend is on this computer, sending takes as long as reading: so both are done at once. What
doesn't arrive so is sent afterwards, as any other picture.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Optional, Tuple

from ..editor.picture_file import PictureFile
from ..editor.png import STORED
from ..folders import config_folder
from .protocol import ClientError, read_record
from .transport import Answer, Transport, Upload, parsed

LARGEST_STORED = 640 << 20  # bytes of a capture that is sent unpacked; the backend takes files of 1 GiB


class Outgoing(PictureFile):
    """Kept, and sent to the backend behind ``transport`` while it is written. None: it isn't
    known yet. Any thread but an editor's own, one after the other."""

    def __init__(self, transport: Optional[Transport] = None) -> None:
        super().__init__()
        self._transport = transport
        self._upload: Optional[Upload] = None
        self._id: Optional[str] = None

    def level(self, size: int) -> int:
        """zlib's, for a picture of ``size`` bytes: for a backend on this computer it isn't packed, since
        packing takes longer than all else. Elsewhere, and what would be too large a file, is packed quickly,
        and sent when it is whole."""
        with suppress(ClientError):
            if self._transport is not None and size <= LARGEST_STORED and is_here(self._transport.address):
                return STORED
        self._transport = None
        return super().level(size)

    def write(self, piece: Any) -> int:
        self._try(lambda upload: upload.send(piece))
        return super().write(piece)

    def end(self) -> None:
        self._try(lambda upload: upload.end())

    def arrived(self) -> str:
        """Waits for the answer."""
        if self._id is None:
            try:
                self._id = str(self._try(lambda upload: id_in(upload.answer())) or "")
            finally:
                self._give_up()
        return self._id or ""

    def close(self) -> None:
        """What isn't ended, the backend forgets."""
        self._give_up()
        super().close()

    def _try(self, step: Any) -> Any:
        try:
            if self._upload is None and self._transport is not None:
                self._upload = self._transport.upload("/v1/images")
            return None if self._upload is None else step(self._upload)
        except ClientError:
            self._give_up()
            return None

    def _give_up(self) -> None:
        if self._upload is not None:
            self._upload.close()
        self._upload = self._transport = None


def id_in(answer: Answer) -> str:
    """Of the picture; "" = it was refused, or this is no answer of a backend's."""
    told = answer.json() if answer.status < 400 else None
    return str(told.get("image", "")) if isinstance(told, dict) else ""


def is_here(address: str) -> bool:
    """Whether it is the server that this user runs on this computer, by its state file. A loopback address
    alone says nothing: behind it there may be a tunnel to another computer."""
    record = read_record(config_folder())
    return record is not None and _place(record.address) == _place(address)


def _place(address: str) -> Tuple[str, int]:
    """The host and port that are connected to. Raises UnreachableError for what is no address."""
    parts = parsed(address)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return ("127.0.0.1" if host in ("localhost", "::1") else host), port
