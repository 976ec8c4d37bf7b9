"""What holds parts: rows, columns, forms, and what flows or scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import qt
from ._client.views import view
from .layout import GAP, MARGIN, label
from .parts import Drawer
from .widgets import Flowing, box, take_turn

NEAR = 2  # px between what belongs together
ROOM = 116  # px of a small form's field; its name stands above it where both don't fit beside each other


class BoxDrawer(Drawer):
    """Its parts keep their places as long as their keys do."""

    _inside: Any = None

    def make(self, part: Any) -> qt.QWidget:
        made, way = qt.QWidget(), qt.QBoxLayout.Direction
        self.layout = box(way.LeftToRight if isinstance(part, view.Row) else way.TopToBottom)
        if part.look == view.ODD:
            made = qt.QFrame(objectName="odd", frameShape=qt.QFrame.Shape.Box)
            made.setStyleSheet("#odd { border: 2px solid #b3372b; }")
            self.layout.setContentsMargins(3, 3, 3, 3)
        made.setLayout(self.layout)
        if part.look == view.CLOSE:
            self.layout.setSpacing(NEAR)
        if part.look == view.EDGED:
            above = 0 if part.late else MARGIN
            self.layout.setContentsMargins(MARGIN, above, MARGIN, above)
        return made

    def put(self, part: view.Box) -> None:
        inside = [self.view.drawn(inner) for inner in part.parts]
        if inside != self._inside:
            new, self._inside = self._inside is None, inside
            self.arrange()
            for drawer in inside:
                drawer.show(view.is_shown(drawer.part))
            if not new:
                take_turn(self.widget, [drawer.outer for drawer in inside])

    def show(self, shown: bool) -> None:
        if shown and self.part.late:
            qt.QTimer.singleShot(qt.QApplication.doubleClickInterval(), self._come)
        else:
            super().show(shown)

    def _come(self) -> None:
        if not qt.isdeleted(self.outer):  # with its window
            super().show(view.is_shown(self.part))
            self.view.reveal()

    def arrange(self) -> None:
        for at, drawer in enumerate(self._inside):
            there = self.layout.itemAt(at)
            if there is None or there.widget() is not drawer.outer:
                self.layout.insertWidget(at, drawer.outer, drawer.part.grow)


class FlowDrawer(BoxDrawer):
    def make(self, part: view.Flow) -> qt.QWidget:
        return Flowing(part.one_row)

    def put(self, part: view.Box) -> None:
        super().put(part)
        self.widget.place([drawer.outer for drawer in self._inside if view.is_shown(drawer.part)])

    def arrange(self) -> None:
        for drawer in self._inside:
            drawer.outer.setParent(self.widget)


class FormDrawer(BoxDrawer):
    """Always of the same parts."""

    def make(self, part: view.Form) -> qt.QWidget:
        made, growth = qt.QWidget(), qt.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        self.layout = qt.QFormLayout(made, verticalSpacing=GAP, fieldGrowthPolicy=growth)
        self.layout.setContentsMargins(0, 0, 0, 0)
        if part.look == view.SMALL:
            self.layout.setRowWrapPolicy(qt.QFormLayout.RowWrapPolicy.WrapLongRows)
        return made

    def captions(self, part: view.Form) -> Sequence:
        return part.captions

    def put(self, part: view.Form) -> None:
        super().put(part)
        for drawer in self._inside:
            caption = self.layout.labelForField(drawer.outer)
            if caption is not None:
                caption.pyqtConfigure(visible=view.is_shown(drawer.part), toolTip=drawer.part.tip)

    def arrange(self) -> None:
        for caption, drawer in zip(self.captions(self.part), self._inside):
            if caption is None:
                self.layout.addRow(drawer.outer)
            else:
                self.layout.addRow(label(caption), drawer.outer)
                self.layout.labelForField(drawer.outer).setBuddy(drawer.widget)
                if self.part.look == view.SMALL:
                    drawer.outer.setMinimumWidth(ROOM)


class SlidersDrawer(FormDrawer):
    """Rows of names, sliders, and where they stand; not the same ones each time."""

    def captions(self, part: view.Sliders) -> list:
        return [view.shortened(one.caption) if isinstance(one, view.Slider) else None for one in part.parts]

    def arrange(self) -> None:
        while self.layout.rowCount():
            caption = self.layout.takeRow(0).labelItem
            if caption is not None:
                caption.widget().setParent(None)
        super().arrange()


class ScrollDrawer(BoxDrawer):
    def make(self, part: view.Scroll) -> qt.QWidget:
        made = qt.QScrollArea(widgetResizable=True, frameShape=qt.QFrame.Shape.NoFrame)
        made.setFocusPolicy(qt.Qt.FocusPolicy.NoFocus)
        made.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setMinimumSize(120, part.least or 80)
        return made

    def arrange(self) -> None:
        inside = self._inside[0].outer
        inside.setMinimumWidth(1)  # what is too wide is cut alone, and takes no other along
        self.widget.setWidget(inside)

    def reveal(self, widget: qt.QWidget) -> None:
        if self.widget.isAncestorOf(widget):
            self.widget.ensureWidgetVisible(widget, 0, MARGIN)


BOXES: dict = {
    view.Row: BoxDrawer,
    view.Column: BoxDrawer,
    view.Flow: FlowDrawer,
    view.Form: FormDrawer,
    view.Sliders: SlidersDrawer,
    view.Scroll: ScrollDrawer,
}
