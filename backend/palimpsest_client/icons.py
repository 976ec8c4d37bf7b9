"""The operations' icons: one colour, of 16 × 16 px, filled paths only.

GTK gives a picture whose name ends in "-symbolic.svg" the text's own colour; elsewhere ``colored`` does.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "icons"
BLACK = "#000"


def icon_file(operation: str) -> Path:
    return FOLDER / f"{operation}-symbolic.svg"


def colored(operation: str, color: str) -> bytes:
    """SVG in a color such as "#d0d0d0"."""
    return icon_file(operation).read_text(encoding="utf-8").replace(BLACK, color).encode("utf-8")
