"""Who has the keyboard: after an edit it is the canvas, so that Ctrl+Z and the tools' keys go there."""

from __future__ import annotations

from krita import Krita

from .qt import QMdiArea, QWidget

CANVASES = ("KisOpenGLCanvas2", "KisQPainterCanvas")  # Krita's own names for what it paints on


def to_canvas() -> None:
    """Does nothing where no picture is open."""
    window = Krita.instance().activeWindow()
    main = None if window is None else window.qwindow()
    pictures = None if main is None else main.findChild(QMdiArea)
    picture = None if pictures is None else pictures.activeSubWindow()
    for widget in [] if picture is None else picture.findChildren(QWidget):
        if widget.metaObject().className() in CANVASES:
            main.activateWindow()
            widget.setFocus()
