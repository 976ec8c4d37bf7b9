"""Small things that a narrow panel is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from . import qt
from ._client.views.icons import SIDE, colored

GAP, MARGIN = 4, 6  # px
QUIET = 150  # of 255
NARROWEST = 100  # px


class Framed:
    """Before a Qt class: what has the keyboard has a frame (Krita's style shows few), or is "framed"."""

    def paintEvent(self, event: qt.QPaintEvent) -> None:  # noqa: N802
        super().paintEvent(event)  # type: ignore[misc]
        if self.hasFocus() or self.property("framed"):  # type: ignore[attr-defined]
            painter = qt.QPainter(self)  # type: ignore[arg-type]
            painter.setPen(self.palette().color(qt.QPalette.ColorRole.Highlight))  # type: ignore[attr-defined]
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))  # type: ignore[attr-defined]
            painter.end()


class Entered:
    """Before a Qt class: Return does what ``entered`` says, and then presses no button of a dialog."""

    entered: Optional[Callable[[], object]] = None

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:  # noqa: N802
        if self.entered is not None and key_of(event) == "return":
            self.entered()
        else:
            super().keyPressEvent(event)  # type: ignore[misc]


class Themed:
    """Before a Qt class: ``recolor`` is called when the theme's colours are others."""

    def changeEvent(self, event: qt.QEvent) -> None:  # noqa: N802
        super().changeEvent(event)  # type: ignore[misc]
        if event.type() in (qt.QEvent.Type.PaletteChange, qt.QEvent.Type.ParentChange):
            self.recolor()

    def recolor(self) -> None:
        raise NotImplementedError


class Quiet(Themed, qt.QLabel):
    """Text that stands back, in every theme: Krita's palettes have no readable colour for it."""

    def recolor(self) -> None:
        role = qt.QPalette.ColorRole.WindowText
        color = qt.QApplication.palette().color(role)
        color.setAlpha(QUIET)
        mine = self.palette()
        if mine.color(role) != color:
            mine.setColor(role, color)
            self.setPalette(mine)


def label(text: str = "", wrap: bool = False, muted: bool = False) -> qt.QLabel:
    """``wrap``: as many lines as it takes."""
    made = (Quiet if muted else qt.QLabel)(text, wordWrap=wrap, textFormat=qt.Qt.TextFormat.PlainText)
    if wrap:
        made.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Minimum)
    return made


def icon(
    name: str, widget: qt.QWidget, role: qt.QPalette.ColorRole = qt.QPalette.ColorRole.ButtonText
) -> qt.QIcon:
    """In the colour of the widget's text, as sharp as its screen is."""
    made, ratio = qt.QIcon(), widget.devicePixelRatioF()
    for mode, group in ((qt.QIcon.Mode.Normal, "Active"), (qt.QIcon.Mode.Disabled, "Disabled")):
        color = widget.palette().color(getattr(qt.QPalette.ColorGroup, group), role).name()
        pixmap = qt.QPixmap()
        pixmap.loadFromData(colored(name, color, round(SIDE * ratio)), "SVG")
        pixmap.setDevicePixelRatio(ratio)
        made.addPixmap(pixmap, mode)
    return made


def small(content: bytes | None, side: int) -> qt.QImage:
    """Scaled into a square of ``side`` px; a null image for what can't be read. On any thread."""
    image = qt.QImage.fromData(content or b"")
    ratio, smooth = qt.Qt.AspectRatioMode.KeepAspectRatio, qt.Qt.TransformationMode.SmoothTransformation
    return image if image.isNull() else image.scaled(side, side, ratio, smooth)


def key_of(event: qt.QEvent) -> str:
    """The key's name in small letters, as the panel calls it: "return", "escape", "left", "o"."""
    name = qt.QKeySequence(event.key()).toString().lower()
    return {"enter": "return", "esc": "escape"}.get(name, name)


def pixmap_of(image: qt.QImage | None) -> qt.QPixmap:
    """A null one while there is no image."""
    return qt.QPixmap() if image is None else qt.QPixmap.fromImage(image)
