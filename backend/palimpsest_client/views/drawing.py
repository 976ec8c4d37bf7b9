"""How a window is drawn from its descriptions, in any toolkit: which widgets stay, which come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable, ClassVar, Dict, List, Mapping, Optional, Set, Tuple

from ..http.session import Session
from .view import Bar, Box, Button, Part, is_shown


class Drawer:
    """A part and its widget. ``typed``: people change it, so that it is looked at for every description.
    ``outer``: what lies in the box around it, where that is more than the widget. ``asked``: what it shows
    that is made aside (``Drawing.aside``)."""

    typed = False

    def __init__(self, view: Any, part: Any) -> None:
        self.view, self.part = view, part
        self.asked: Optional[Tuple[Any, ...]] = None
        self.widget = self.make(part)
        self.outer = self.around(part)

    def make(self, part: Any) -> Any:
        """The widget, as far as it is the same for every description."""
        raise NotImplementedError

    def around(self, part: Any) -> Any:
        return self.widget

    def put(self, part: Any) -> None:
        """What differs from what is there."""

    def name(self, part: Part) -> None:
        """Whether it can be used, its tip, and its name for readers of the screen."""
        raise NotImplementedError

    def show(self, shown: bool) -> None:
        raise NotImplementedError

    def drop(self) -> None:
        """It is described no more."""
        raise NotImplementedError


class Drawing:
    """A widget for each part, and of the next description what differs. ``drawing["apply"]`` is the widget of
    the part with this key. ``kinds``: what draws which part."""

    kinds: ClassVar[Mapping[type, Callable[[Any, Any], Any]]] = {}
    gone: Any = False  # its window was closed

    def __init__(self, session: Session, desktop: Any) -> None:
        self.desktop = desktop
        self._session = session
        self._drawers: Dict[str, Any] = {}
        self._seen: Set[str] = set()
        self._made: Dict[Tuple[Any, ...], Any] = {}  # None while it is made

    def __getitem__(self, key: str) -> Any:
        return self._drawers[key].widget

    def __iter__(self) -> Iterator[str]:
        return iter(self._drawers)

    def drawer(self, key: str) -> Any:
        return self._drawers[key]

    def drawers(self, kind: type) -> List[Any]:
        """Of the parts of this kind."""
        return [drawer for drawer in self._drawers.values() if isinstance(drawer.part, kind)]

    def draw(self, part: Part) -> None:
        """The same part each time, whatever is in it."""
        first, self._seen = not self._drawers, set()
        drawer = self.drawn(part)
        if first:
            self.hold(drawer)
        for key in [key for key in self._drawers if key not in self._seen]:
            self._drawers.pop(key).drop()
        shown = {drawer.asked for drawer in self._drawers.values()}
        self._made = {asked: made for asked, made in self._made.items() if asked in shown}

    def hold(self, drawer: Any) -> None:
        """Of the outermost part: its place is in the window."""
        raise NotImplementedError

    def adopt(self, drawer: Any) -> None:
        """One that is new, before it is filled in."""

    def drawn(self, part: Part) -> Any:
        """Its drawer; the widget is as the part says."""
        self._seen.add(part.key)
        drawer = self._drawers.get(part.key)
        if drawer is not None and type(drawer.part) is not type(part):
            drawer.drop()
            drawer = None
        before = None if drawer is None else drawer.part
        if drawer is None:
            drawer = self._drawers[part.key] = self.kinds[type(part)](self, part)
            self.adopt(drawer)
        drawer.part = part
        if part != before or drawer.typed or isinstance(part, Box):
            drawer.put(part)
        if part != before:
            drawer.name(part)
        if before is None or is_shown(part) != is_shown(before):
            drawer.show(is_shown(part))
        return drawer

    def default(self) -> Any:
        """The button that Return presses in a line of text; None = there is none."""
        return next((drawer.widget for drawer in self.drawers(Button) if drawer.part.default), None)

    def pulsing(self) -> List[Any]:
        """The bars that are shown and whose end isn't known."""
        return [d.widget for d in self.drawers(Bar) if d.part.shown and d.part.fraction is None]

    def aside(self, drawer: Any, make: Callable[..., Any], *about: Any) -> Any:
        """What ``make`` makes of it on another thread; None until it is there: the drawer is filled in once
        more then. It is kept as long as a drawer shows it."""
        asked = drawer.asked = (make, *about)
        if asked not in self._made:
            self._made[asked] = None
            self._session.aside(lambda: make(*about), lambda made: self._came(asked, made), lambda _: None)
        return self._made[asked]

    def _came(self, asked: Tuple[Any, ...], made: Any) -> None:
        if self.gone or asked not in self._made:
            return
        self._made[asked] = made
        for drawer in [drawer for drawer in self._drawers.values() if drawer.asked == asked]:
            drawer.put(drawer.part)


class Told:
    """Calls ``changed`` for what people do, not for what the window itself sets."""

    def __init__(self, changed: Callable[..., None]) -> None:
        self._changed = changed
        self._silent = False

    def __call__(self, *values: object) -> None:
        if not self._silent:
            self._changed(*values)

    def silently(self, call: Callable[[], object]) -> None:
        self._silent = True
        try:
            call()
        finally:
            self._silent = False
