"""Sliders, numbers and choices, made from the panel's table of fields.

The wheel turns one only while it has the keyboard: else it is scrolled past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import qt
from ._client.fields.control import CHOICE, NUMBER, SLIDER, Control
from ._client.fields.controls import Drawn
from ._client.views.view import Field as FieldPart
from ._client.views.view import Slider as SliderPart
from .layout import Entered, Framed, label
from .parts import Drawer
from .widgets import ROUNDING, Entry, stack

NARROWEST = 40  # px, of a slider
MARK = 2  # px, width of what marks the recommended place
WIDEST = "00000"  # of what is said of a place: so the sliders end in one line


class Passing(Entered):
    """Before a Qt class: without the keyboard it leaves the wheel to what it lies in."""

    def wheelEvent(self, event: qt.QWheelEvent) -> None:  # noqa: N802
        if self.hasFocus():  # type: ignore[attr-defined]
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


def named(widget: Any, name: str, tip: str) -> None:
    """For the mouse and for readers of the screen; as wide as there is room. The wheel gives no focus."""
    widget.pyqtConfigure(accessibleName=name, accessibleDescription=tip, toolTip=tip)
    widget.setFocusPolicy(qt.Qt.FocusPolicy.StrongFocus)
    widget.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)


class Slider(Passing, Framed, qt.QSlider):
    """Its recommended place is marked; a double-click leads there."""

    def __init__(self, control: Control, moved: Callable[[Any], None], back: Callable[[], None]) -> None:
        step = max(1, control.places // 4)
        across = qt.Qt.Orientation.Horizontal
        super().__init__(across, maximum=control.places, pageStep=step, minimumWidth=NARROWEST)
        self._control, self._back = control, back
        self._recommended = 0
        self.valueChanged.connect(lambda place: moved(control.at(place)))

    def put(self, drawn: Drawn) -> None:
        """Without telling the panel what it said itself."""
        recommended = self._control.place(drawn.recommended)
        if recommended != self._recommended:
            self._recommended = recommended
            self.update()
        with qt.QSignalBlocker(self):
            self.setValue(self._control.place(drawn.place))

    def mouseDoubleClickEvent(self, event: qt.QMouseEvent) -> None:  # noqa: N802
        self._back()

    def paintEvent(self, event: qt.QPaintEvent) -> None:  # noqa: N802
        super().paintEvent(event)
        option = qt.QStyleOptionSlider()
        self.initStyleOption(option)
        option.sliderPosition = self._recommended
        kind, part = qt.QStyle.ComplexControl.CC_Slider, qt.QStyle.SubControl.SC_SliderHandle
        x = self.style().subControlRect(kind, option, part, self).center().x()
        painter, height = qt.QPainter(self), self.height() // 4
        color = self.palette().color(qt.QPalette.ColorRole.WindowText)
        painter.fillRect(x, self.height() - height, MARK, height, color)
        painter.end()


class Number(Passing, qt.QDoubleSpinBox):
    """What is below its least is no value: it is automatic."""

    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        super().__init__(decimals=control.digits, singleStep=control.step, editingFinished=self._settle)
        self._control = control
        self.setRange(control.lowest, control.most)
        self.setSuffix(f" {control.unit}" if control.unit else "")
        self.valueChanged.connect(lambda number: changed(control.meant(number)))

    def put(self, drawn: Drawn) -> None:
        """Without telling the panel what it said itself; what is half written stays."""
        self.setSpecialValueText(drawn.automatic)
        if self._control.meant(self.value()) != drawn.value:
            with qt.QSignalBlocker(self):
                self.setValue(self._control.shown(drawn.value))

    def _settle(self) -> None:
        if self.value() < self._control.least:
            self.setValue(self._control.lowest)


class Choice(Passing, qt.QComboBox):
    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        super().__init__(activated=lambda at: changed(self.itemData(at)))

    def put(self, drawn: Drawn) -> None:
        if list(drawn.choices) != [(self.itemData(at), self.itemText(at)) for at in range(self.count())]:
            self.clear()
            for name, text in drawn.choices:
                self.addItem(text, name)
        if self.currentData() != drawn.value:
            self.setCurrentIndex(self.findData(drawn.value))

    @property
    def fitting(self) -> qt.QStyleOptionComboBox:
        """What is chosen, which ends in dots where there is no room for all of it."""
        option, kind = qt.QStyleOptionComboBox(), qt.QStyle.ComplexControl.CC_ComboBox
        self.initStyleOption(option)
        field = self.style().subControlRect(kind, option, qt.QStyle.SubControl.SC_ComboBoxEditField, self)
        metrics, dots = self.fontMetrics(), qt.Qt.TextElideMode.ElideRight
        option.currentText = metrics.elidedText(option.currentText, dots, field.width() - ROUNDING)
        return option

    def paintEvent(self, event: qt.QPaintEvent) -> None:  # noqa: N802
        painter, option = qt.QStylePainter(self), self.fitting
        painter.drawComplexControl(qt.QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(qt.QStyle.ControlElement.CE_ComboBoxLabel, option)


class Line(Entry):
    """A line of text; while it is empty it shows what stands for it."""

    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        super().__init__(textEdited=changed)

    def put(self, drawn: Drawn) -> None:
        super().put(drawn.value)
        self.setPlaceholderText(drawn.text)


class FieldDrawer(Drawer):
    typed = True

    def make(self, part: FieldPart) -> qt.QWidget:
        kind = {SLIDER: Number, NUMBER: Number, CHOICE: Choice}.get(part.control.kind, Line)
        made = kind(part.control, lambda value: self.part.change(value))
        made.entered = lambda: self.part.enter()
        named(made, part.control.label, part.control.tip)
        if part.prefix:
            made.setPrefix(part.prefix + " ")
            made.setSizePolicy(qt.QSizePolicy.Policy.Fixed, qt.QSizePolicy.Policy.Fixed)
        return made

    def put(self, part: FieldPart) -> None:
        self.widget.put(part.drawn)


class SliderDrawer(Drawer):
    """Beside it where it stands."""

    typed = True

    def make(self, part: SliderPart) -> qt.QWidget:
        change, back = lambda value: self.part.change(value), lambda: self.part.back()
        made = Slider(part.control, change, back)
        named(made, part.name, part.tip)
        return made

    def around(self, part: SliderPart) -> qt.QWidget:
        outer, self._text = qt.QWidget(), label(muted=True)
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance(WIDEST))
        stack(outer, [self.widget, self._text], spread=True).setStretch(0, 1)
        return outer

    def put(self, part: SliderPart) -> None:
        self.widget.put(part.drawn)
        self._text.setText(part.drawn.text)
        self._text.setToolTip(part.tip)


FIELDS: dict = {FieldPart: FieldDrawer, SliderPart: SliderDrawer}
