"""How each part is drawn: texts, buttons, what is written and chosen, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import qt
from ._client import drawing
from ._client.view import (
    DEED,
    FAINT,
    FRAMED,
    LINK,
    MAIN,
    QUIET,
    STRIP,
    Bar,
    Button,
    Gap,
    Line,
    Links,
    MenuLine,
    Options,
    Part,
    Rule,
    Switch,
    Text,
)
from .layout import label, picture, shortened
from .qt import Qt
from .widgets import Entry, Flat, LinkedWords, Press, stack

EDGE, STRIP_EDGE, NARROWEST, THIN = 12, 6, 24, 10  # px beside a button's text; of a bar, its height
ARROWS = {"left": Qt.ArrowType.LeftArrow, "right": Qt.ArrowType.RightArrow, "down": Qt.ArrowType.DownArrow}


class Drawer(drawing.Drawer):
    def name(self, part: Part) -> None:
        self.widget.setEnabled(part.enabled)
        self.widget.setToolTip(part.tip)
        name = part.name or (part.text if isinstance(part, (Button, Switch)) else "")
        if name:
            self.widget.setAccessibleName(name)

    def show(self, shown: bool) -> None:
        self.outer.setVisible(shown)

    def drop(self) -> None:
        self.outer.hide()
        self.outer.setParent(None)
        self.outer.deleteLater()


class GapDrawer(Drawer):
    def make(self, part: Gap) -> qt.QWidget:
        return qt.QWidget()


class RuleDrawer(Drawer):
    def make(self, part: Rule) -> qt.QWidget:
        made = qt.QFrame()
        made.setFrameShape(qt.QFrame.Shape.HLine)
        made.setFrameShadow(qt.QFrame.Shadow.Sunken)
        return made


class TextDrawer(Drawer):
    def make(self, part: Text) -> qt.QWidget:
        made = label(wrap=part.wrap, muted=part.look in (QUIET, FAINT))
        if part.lines:
            made.setAlignment(Qt.AlignmentFlag.AlignTop)
            made.setFixedHeight(part.lines * made.fontMetrics().lineSpacing())
        return made

    def put(self, part: Text) -> None:
        self.widget.setText(part.text)
        if part.color:
            self.widget.setStyleSheet(f"color: {part.color}")


class LinksDrawer(Drawer):
    def make(self, part: Links) -> qt.QWidget:
        return LinkedWords(self._pressed)

    def put(self, part: Links) -> None:
        self.widget.show_words(part.words)

    def _pressed(self, word: str) -> None:
        at = self.widget.mapToGlobal(self.widget.rect().bottomLeft())
        offer(self.widget, self.part.menu(word), self.view.desktop, at)


class ButtonDrawer(Drawer):
    def make(self, part: Button) -> qt.QWidget:
        flat = part.look in (LINK, FRAMED) or part.icon or part.arrow or part.has_menu or part.side
        made = Flat(part.icon, part.elide) if flat else Press()
        if part.hold is None:
            made.clicked.connect(lambda: self.part.do())
        else:
            made.pressed.connect(lambda: self.part.hold(True))
            made.released.connect(lambda: self.part.hold(False))
        if part.has_menu:
            menu = qt.QMenu(made)
            menu.aboutToShow.connect(lambda: fill(menu, self.part.menu(), self.view.desktop))
            made.setMenu(menu)
            made.setPopupMode(qt.QToolButton.ToolButtonPopupMode.InstantPopup)
        if part.look == STRIP:
            made.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)
            made.setFixedHeight(part.side + STRIP_EDGE)
        if part.look == FRAMED:
            made.setAutoRaise(False)
        if part.default:
            made.setDefault(True)
        if part.look in (DEED, MAIN):
            made.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)
        return made

    def put(self, part: Button) -> None:
        made, style = self.widget, Qt.ToolButtonStyle
        made.setText(shortened(part.text) if part.side else part.text)
        if part.look in (DEED, MAIN):
            made.setMinimumWidth(made.fontMetrics().horizontalAdvance(part.text) + EDGE)
        if part.arrow:
            made.setArrowType(ARROWS[part.arrow])
        if part.side:
            pixmap = picture(part.picture, part.side)
            made.setIcon(qt.QIcon(pixmap))
            made.setIconSize(pixmap.size())
        if part.look == STRIP:  # its text is seen where there is no picture
            made.setAutoRaise(not part.on)
        elif part.text and (part.arrow or part.side):
            made.setToolButtonStyle(style.ToolButtonTextBesideIcon)


class SwitchDrawer(Drawer):
    typed = True

    def make(self, part: Switch) -> qt.QWidget:
        made = Flat()
        made.setCheckable(True)
        made.clicked.connect(lambda on: self.part.turn(on))
        return made

    def put(self, part: Switch) -> None:
        self.widget.setText(part.text)
        self.widget.setChecked(part.on)


class LineDrawer(Drawer):
    typed = True

    def make(self, part: Line) -> qt.QWidget:
        made = Entry()
        made.entered = part.enter and (lambda: self.part.enter())
        if part.secret:
            made.setEchoMode(made.EchoMode.Password)
        made.setClearButtonEnabled(part.search)
        made.textChanged.connect(lambda text: self.part.write(text) if text != self.part.text else None)
        return made

    def put(self, part: Line) -> None:
        self.widget.setPlaceholderText(part.example)
        self.widget.put(part.text)


class OptionsDrawer(Drawer):
    """The same ones each time."""

    typed = True

    def make(self, part: Options) -> qt.QWidget:
        made = qt.QWidget()
        self.group, self.buttons = qt.QButtonGroup(made), {}
        for option in part.options:
            self.buttons[option.key] = self._button(option.key, option.text)
        stack(made, list(self.buttons.values()), part.high)
        return made

    def _button(self, key: str, text: str) -> qt.QRadioButton:
        made = qt.QRadioButton(text)
        made.clicked.connect(lambda: self.part.choose(key))
        self.group.addButton(made)
        return made

    def put(self, part: Options) -> None:
        self.group.setExclusive(False)  # else none of them can be the chosen one
        for key, made in self.buttons.items():
            made.setChecked(key == part.chosen)
        self.group.setExclusive(True)


class BarDrawer(Drawer):
    def make(self, part: Bar) -> qt.QWidget:
        made = qt.QProgressBar()
        made.setTextVisible(False)
        made.setFixedHeight(THIN)
        made.setMinimumWidth(NARROWEST)
        policy = made.sizePolicy()
        policy.setRetainSizeWhenHidden(part.keep)
        made.setSizePolicy(policy)
        return made

    def put(self, part: Bar) -> None:
        self.widget.setAccessibleDescription(part.about)
        self.widget.setRange(0, 0 if part.fraction is None else 1000)
        self.widget.setValue(0 if part.fraction is None else round(1000 * part.fraction))


def offer(widget: qt.QWidget, lines: Sequence[MenuLine], desktop: Any, at: qt.QPoint) -> None:
    """A menu of this one time, at a place on the screen."""
    menu = qt.QMenu(widget)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    fill(menu, lines, desktop)
    menu.popup(at)


def fill(menu: qt.QMenu, lines: Sequence[MenuLine], desktop: Any) -> None:
    menu.clear()
    for told in lines:
        if not told.text:
            menu.addSeparator()
            continue
        action = menu.addAction(told.text.replace("&", "&&"))
        action.setCheckable(told.chosen is not None)
        action.setChecked(bool(told.chosen))
        action.triggered.connect(lambda _=False, told=told: desktop.follow(told))


PARTS: dict = {
    Gap: GapDrawer,
    Rule: RuleDrawer,
    Text: TextDrawer,
    Links: LinksDrawer,
    Button: ButtonDrawer,
    Switch: SwitchDrawer,
    Line: LineDrawer,
    Options: OptionsDrawer,
    Bar: BarDrawer,
}
