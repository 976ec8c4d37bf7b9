"""The icons of the operations and of two more buttons: one colour, of 16 × 16 px, filled paths only.

GTK gives a picture whose name ends in "-symbolic.svg" the text's own colour; elsewhere ``colored`` does.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "icons"
BLACK, SIDE, SIZE = "#000", 16, 'width="{0}" height="{0}"'


def icon_file(name: str) -> Path:
    return FOLDER / f"{name}-symbolic.svg"


def colored(name: str, color: str, side: int = SIDE) -> bytes:
    """SVG in a color such as "#d0d0d0", to be drawn with ``side`` px."""
    text = icon_file(name).read_text(encoding="utf-8").replace(BLACK, color)
    return text.replace(SIZE.format(SIDE), SIZE.format(side)).encode("utf-8")
