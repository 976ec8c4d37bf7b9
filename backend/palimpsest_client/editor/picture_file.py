"""The file into which a picture is packed, in memory."""

from __future__ import annotations

import io

from .png import QUICK


class PictureFile(io.BytesIO):
    """It is kept, and no more: one that is also sent meanwhile is ``http.sending.Outgoing``."""

    def level(self, size: int) -> int:
        """zlib's, for a picture of ``size`` bytes."""
        return QUICK

    def end(self) -> None:
        """All is written."""

    def arrived(self) -> str:
        """The backend's id of it; "" = it has to be sent. May wait. ``end`` it first."""
        return ""
