"""How each part is drawn: texts, buttons, what is written and chosen, pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from . import qt
from ._client.views import drawing, view
from .layout import icon, label, pixmap_of, small
from .widgets import Entry, Flat, Press, stack

EDGE, STRIP_EDGE, NARROWEST, THIN = 12, 6, 24, 10  # px beside a button's text; of a bar, its height
ARROWS = {name: getattr(qt.Qt.ArrowType, name.title() + "Arrow") for name in ("left", "right", "down")}


class Drawer(drawing.Drawer):
    def name(self, part: view.Part) -> None:
        self.widget.pyqtConfigure(enabled=part.enabled, toolTip=part.tip)
        name = part.name or (part.text if isinstance(part, (view.Button, view.Switch)) else "")
        if name:
            self.widget.setAccessibleName(name)

    def show(self, shown: bool) -> None:
        self.outer.setVisible(shown)

    def drop(self) -> None:
        self.outer.hide()
        self.outer.setParent(None)
        self.outer.deleteLater()


class GapDrawer(Drawer):
    def make(self, part: view.Gap) -> qt.QWidget:
        return qt.QWidget()


class RuleDrawer(Drawer):
    def make(self, part: view.Rule) -> qt.QWidget:
        return qt.QFrame(frameShape=qt.QFrame.Shape.HLine, frameShadow=qt.QFrame.Shadow.Sunken)


class TextDrawer(Drawer):
    def make(self, part: view.Text) -> qt.QWidget:
        made = label(wrap=part.wrap, muted=part.look in (view.QUIET, view.FAINT))
        if part.lines:
            made.setAlignment(qt.Qt.AlignmentFlag.AlignTop)
            made.setFixedHeight(part.lines * made.fontMetrics().lineSpacing())
        return made

    def put(self, part: view.Text) -> None:
        self.widget.setText(part.text)
        if part.color:
            self.widget.setStyleSheet(f"color: {part.color}")


class LinksDrawer(Drawer):
    def make(self, part: view.Links) -> qt.QWidget:
        made = label(wrap=True)
        made.setTextFormat(qt.Qt.TextFormat.RichText)
        made.linkActivated.connect(self._pressed)
        flags = qt.Qt.TextInteractionFlag
        made.setTextInteractionFlags(flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard)
        return made

    def put(self, part: view.Links) -> None:
        color = self.widget.palette().color(qt.QPalette.ColorRole.WindowText).name()
        link = '<a href="{0}" style="color: {1}">{0}</a>'
        words = [link.format(escape(word, quote=False), color) for word in part.words]
        self.widget.setText("  ·  ".join(words))

    def _pressed(self, word: str) -> None:
        at = self.widget.mapToGlobal(self.widget.rect().bottomLeft())
        offer(self.widget, self.part.menu(word), self.view.desktop, at)


class ButtonDrawer(Drawer):
    def make(self, part: view.Button) -> qt.QWidget:
        flat = part.look in (view.LINK, view.FRAMED) or part.icon or part.arrow or part.has_menu or part.side
        made = Flat(part.elide) if flat else Press()
        if part.hold is None:
            made.clicked.connect(lambda: self.part.do())
        else:
            made.pressed.connect(lambda: self.part.hold(True))
            made.released.connect(lambda: self.part.hold(False))
        if part.has_menu:
            made.setMenu(qt.QMenu(made, aboutToShow=self._fill))
            made.setPopupMode(qt.QToolButton.ToolButtonPopupMode.InstantPopup)
        if part.look in (view.LARGE, view.MAIN, view.STRIP):
            made.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)
        if part.look == view.STRIP:
            made.setFixedHeight(part.side + STRIP_EDGE)
        if part.look == view.FRAMED:
            made.setAutoRaise(False)
        if part.default:
            made.setDefault(True)
        return made

    def _fill(self) -> None:
        fill(self.widget.menu(), self.part.menu(), self.view.desktop)

    def put(self, part: view.Button) -> None:
        made, style = self.widget, qt.Qt.ToolButtonStyle
        made.setText(view.shortened(part.text) if part.side else part.text)
        if part.look in (view.LARGE, view.MAIN):
            made.setMinimumWidth(made.fontMetrics().horizontalAdvance(part.text) + EDGE)
        if part.icon:
            made.setIcon(icon(part.icon, made))
        if part.arrow:
            made.setArrowType(ARROWS[part.arrow])
        if part.side:
            pixmap = pixmap_of(small(part.picture, part.side))
            made.pyqtConfigure(icon=qt.QIcon(pixmap), iconSize=pixmap.size())
        if part.look == view.STRIP:  # its text is seen where there is no picture
            made.setAutoRaise(not part.on)
        elif part.text and (part.arrow or part.side):
            made.setToolButtonStyle(style.ToolButtonTextBesideIcon)


class SwitchDrawer(Drawer):
    typed = True

    def make(self, part: view.Switch) -> qt.QWidget:
        return Flat(checkable=True, clicked=lambda on: self.part.turn(on))

    def put(self, part: view.Switch) -> None:
        self.widget.pyqtConfigure(text=part.text, checked=part.on)


class LineDrawer(Drawer):
    typed = True

    def make(self, part: view.Line) -> qt.QWidget:
        made = Entry(clearButtonEnabled=part.search)
        made.entered = part.enter and (lambda: self.part.enter())
        if part.secret:
            made.setEchoMode(made.EchoMode.Password)
        made.textChanged.connect(lambda text: self.part.write(text) if text != self.part.text else None)
        return made

    def put(self, part: view.Line) -> None:
        self.widget.setPlaceholderText(part.example)
        self.widget.put(part.text)


class OptionsDrawer(Drawer):
    """The same ones each time."""

    typed = True

    def make(self, part: view.Options) -> qt.QWidget:
        made = qt.QWidget()
        self.fill(made, part, qt.QRadioButton)
        return made

    def fill(self, made: qt.QWidget, part: view.Options, kind: Callable[..., Any], **about: Any) -> None:
        """With a button of this ``kind`` for each."""
        self.group = qt.QButtonGroup(made)
        self.buttons = {option.key: kind(text=option.text) for option in part.options}
        for key, button in self.buttons.items():
            button.clicked.connect(lambda *_, key=key: self.part.choose(key))
            self.group.addButton(button)
        stack(made, list(self.buttons.values()), part.high, **about)

    def put(self, part: view.Options) -> None:
        self.group.setExclusive(False)  # else none of them can be the chosen one
        for option in part.options:
            made = self.buttons[option.key]
            made.pyqtConfigure(checked=option.key == part.chosen, enabled=option.enabled, toolTip=option.tip)
        self.group.setExclusive(True)


class BarDrawer(Drawer):
    def make(self, part: view.Bar) -> qt.QWidget:
        made = qt.QProgressBar(textVisible=False, minimumWidth=NARROWEST)
        made.setFixedHeight(THIN)
        policy = made.sizePolicy()
        policy.setRetainSizeWhenHidden(part.keep)
        made.setSizePolicy(policy)
        return made

    def put(self, part: view.Bar) -> None:
        self.widget.setAccessibleDescription(part.about)
        self.widget.setRange(0, 0 if part.fraction is None else 1000)
        self.widget.setValue(0 if part.fraction is None else round(1000 * part.fraction))


def offer(widget: qt.QWidget, lines: Sequence[view.MenuLine], desktop: Any, at: qt.QPoint) -> None:
    """A menu of this one time, at a place on the screen."""
    menu = qt.QMenu(widget)
    menu.setAttribute(qt.Qt.WidgetAttribute.WA_DeleteOnClose)
    fill(menu, lines, desktop)
    menu.popup(at)


def fill(menu: qt.QMenu, lines: Sequence[view.MenuLine], desktop: Any) -> None:
    menu.clear()
    for told in lines:
        if not told.text:
            menu.addSeparator()
            continue
        action = menu.addAction(told.text.replace("&", "&&"))
        action.pyqtConfigure(checkable=told.chosen is not None, checked=bool(told.chosen))
        action.triggered.connect(lambda _=False, told=told: desktop.follow(told))


PARTS: dict = {
    view.Gap: GapDrawer,
    view.Rule: RuleDrawer,
    view.Text: TextDrawer,
    view.Links: LinksDrawer,
    view.Button: ButtonDrawer,
    view.Switch: SwitchDrawer,
    view.Line: LineDrawer,
    view.Options: OptionsDrawer,
    view.Bar: BarDrawer,
}
