"""What holds parts: rows, columns, forms, and what flows or scrolls."""

from __future__ import annotations

from typing import Any

from ._client.view import ODD, Box, Column, Flow, Form, Row, Scroll, Sliders, is_shown
from .layout import label
from .parts import Drawer
from .qt import QBoxLayout, QWidget
from .widgets import Flowing, box, form, frame, grid, scroller, take_turn

CLOSE = 2  # px between what belongs together


class BoxDrawer(Drawer):
    """Its parts keep their places as long as their keys do."""

    def __init__(self, view: Any, part: Any) -> None:
        super().__init__(view, part, self.make(part))
        self._inside: list = []

    def make(self, part: Any) -> QWidget:
        made = frame() if part.look == ODD else QWidget()
        way = QBoxLayout.Direction
        self.layout = box(way.LeftToRight if isinstance(part, Row) else way.TopToBottom)
        made.setLayout(self.layout)
        if part.look == ODD:
            self.layout.setContentsMargins(3, 3, 3, 3)
        if isinstance(part, Column) and part.close:
            self.layout.setSpacing(CLOSE)
        return made

    def put(self, part: Box) -> None:
        inside = [self.view.drawn(inner) for inner in part.parts]
        if inside != self._inside:
            first, self._inside = not self._inside, inside
            self.arrange()
            for drawer in inside:
                drawer.show(is_shown(drawer.part))
            if not first:
                take_turn(self.widget, [drawer.outer for drawer in inside])

    def arrange(self) -> None:
        for at, drawer in enumerate(self._inside):
            there = self.layout.itemAt(at)
            if there is None or there.widget() is not drawer.outer:
                self.layout.insertWidget(at, drawer.outer, drawer.part.grow)


class FlowDrawer(BoxDrawer):
    def make(self, part: Flow) -> QWidget:
        return Flowing(part.one_row)

    def put(self, part: Box) -> None:
        super().put(part)
        self.widget.place([drawer.outer for drawer in self._inside if is_shown(drawer.part)])

    def arrange(self) -> None:
        for drawer in self._inside:
            drawer.outer.setParent(self.widget)


class FormDrawer(BoxDrawer):
    """Always of the same parts."""

    def make(self, part: Form) -> QWidget:
        made = QWidget()
        self.layout, self._captions = form(made), []
        return made

    def put(self, part: Form) -> None:
        super().put(part)
        for caption, drawer in zip(self._captions, self._inside):
            if caption is not None:
                caption.setVisible(is_shown(drawer.part))
                caption.setToolTip(drawer.part.tip)

    def arrange(self) -> None:
        self._captions = [None if text is None else label(text) for text in self.part.captions]
        for caption, drawer in zip(self._captions, self._inside):
            if caption is None:
                self.layout.addRow(drawer.outer)
            else:
                caption.setBuddy(drawer.widget)
                self.layout.addRow(caption, drawer.outer)


class SlidersDrawer(BoxDrawer):
    def make(self, part: Sliders) -> QWidget:
        made = QWidget()
        self.layout = grid(made)
        return made

    def arrange(self) -> None:
        for at, drawer in enumerate(self._inside):
            for place, widget in enumerate(drawer.row):
                self.layout.addWidget(widget, at, place)


class ScrollDrawer(BoxDrawer):
    def make(self, part: Scroll) -> QWidget:
        made = scroller()
        if part.least:
            made.setMinimumHeight(part.least)
        return made

    def arrange(self) -> None:
        inside = self._inside[0].outer
        inside.setMinimumWidth(1)  # what is too wide is cut alone, and takes no other along
        self.widget.setWidget(inside)


BOXES: dict = {
    Row: BoxDrawer,
    Column: BoxDrawer,
    Flow: FlowDrawer,
    Form: FormDrawer,
    Sliders: SlidersDrawer,
    Scroll: ScrollDrawer,
}
