"""What windows are made of, as plain data: each editor draws these parts with widgets of its own toolkit.

A window is described anew for every state. A part's ``key`` says which widget it is from one description to
the next: that widget stays, with its focus, cursor and scroll position, and only what differs is changed.
Keys are unique in a window. What a part does is no part of what it is: it is never compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Tuple

from ..fields.control import Control
from ..fields.controls import Drawn
from ..panel.completion import Completion
from ..text.habits import Notice
from ..text.sentences import Word

LINK, TIGHT, FRAMED = "link", "tight", "framed"  # a quiet button, a small one, one in a row of small ones
LARGE, MAIN, STRIP = (
    "large",
    "main",
    "strip",
)  # large ones; a picture in a row of pictures as wide as the panel
QUIET, FAINT, SMALL = "quiet", "faint", "small"  # a text that stands back, one that is small too, small alone
ODD, CLOSE, EDGED = "odd", "close", "edged"  # a box in a frame, with little room between or around
LONGEST = 16  # letters of a name where there is little room


def shortened(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def nothing(*_: Any) -> None:
    """What a part does that does nothing."""


def act(default: Optional[Callable[..., Any]] = nothing) -> Any:
    return field(default=default, compare=False, repr=False)


@dataclass(frozen=True)
class Part:
    """``name``: for readers of the screen, where the text doesn't say it. ``grow``: its share of the room
    that is left in its row or column."""

    key: str
    shown: bool = True
    enabled: bool = True
    name: str = ""
    tip: str = ""
    grow: int = 0


@dataclass(frozen=True)
class Gap(Part):
    """Nothing, which takes the room that is left."""

    grow: int = 1


@dataclass(frozen=True)
class Rule(Part):
    """A line between two parts."""


@dataclass(frozen=True)
class Text(Part):
    """``wrap``: as many lines as it takes; ``lines``: so many are kept free for it. ``color``: of a light.
    ``selectable``: its letters can be copied, where that takes no keyboard from the picture."""

    text: str = ""
    look: str = ""
    wrap: bool = False
    lines: int = 0
    color: str = ""
    selectable: bool = False


@dataclass(frozen=True)
class Links(Part):
    """Words to be pressed, each with a menu."""

    words: Tuple[str, ...] = ()
    menu: Callable[[str], Tuple[MenuLine, ...]] = act()


@dataclass(frozen=True)
class MenuLine:
    """A line of a menu; one without a text parts two groups. ``do`` takes what was written where the line
    asks for a text first."""

    text: str
    do: Callable[..., object] = act()
    chosen: Optional[bool] = None  # None: it can't be chosen
    ask: str = ""  # what is asked for first
    value: str = ""  # what stands there already


@dataclass(frozen=True)
class Button(Part):
    """``menu``: asked for the lines when it is pressed. ``hold`` gets True while it is pressed, then False.
    ``arrow``: "left", "right", "down". ``elide``: cut with "…" where there is no room for all of it."""

    text: str = ""
    look: str = ""
    icon: str = ""
    arrow: str = ""
    picture: Optional[bytes] = None
    side: int = 0  # px of the picture
    default: bool = False  # Return presses it
    elide: bool = False
    on: bool = False  # of a picture in a row: the chosen one
    has_menu: bool = False
    do: Callable[[], object] = act()
    menu: Callable[[], Tuple[MenuLine, ...]] = act()
    hold: Optional[Callable[[bool], object]] = act(None)


@dataclass(frozen=True)
class Switch(Part):
    text: str = ""
    on: bool = False
    turn: Callable[[bool], object] = act()


@dataclass(frozen=True)
class Tile(Part):
    """A result: a click shows it, a double-click keeps it; keys are told by their names and whether they go
    down, and ``press`` says whether they mean something."""

    text: str = ""
    picture: Optional[bytes] = None
    side: int = 0  # px
    on: bool = False
    faded: bool = False
    do: Callable[[], object] = act()
    keep: Callable[[], object] = act()
    press: Callable[[str, bool], bool] = act()
    menu: Callable[[], Tuple[MenuLine, ...]] = act()


@dataclass(frozen=True)
class Line(Part):
    """A line of text, written by people and, where it must be written otherwise, by the panel."""

    text: str = ""
    example: str = ""
    secret: bool = False
    search: bool = False
    default: bool = False  # Return presses the window's default button
    write: Callable[[str], object] = act()
    enter: Optional[Callable[[], object]] = act(None)


@dataclass(frozen=True)
class Sentence(Part):
    """A text that grows with its words, some of them marked. Return does ``enter``."""

    text: str = ""
    example: str = ""
    changed: Tuple[Word, ...] = ()
    unknown: Tuple[Word, ...] = ()
    doubtful: Tuple[Word, ...] = ()
    corner: Optional[Button] = None
    write: Callable[[str], object] = act()
    enter: Callable[[], object] = act()
    complete: Callable[[str, int], Optional[Completion]] = act()
    notices: Callable[[], Tuple[Notice, ...]] = act()


@dataclass(frozen=True)
class Option:
    key: str
    text: str
    tip: str = ""
    enabled: bool = True
    picture: Optional[bytes] = None


@dataclass(frozen=True)
class Options(Part):
    """One of a few, side by side, or one under the other (``high``); none where ``chosen`` is none."""

    options: Tuple[Option, ...] = ()
    chosen: str = ""
    high: bool = False
    choose: Callable[[str], object] = act()

    @property
    def at(self) -> int:
        """The place of the chosen one; -1 = none is."""
        return next((at for at, option in enumerate(self.options) if option.key == self.chosen), -1)


@dataclass(frozen=True)
class Tabs(Options):
    """One of a few that have icons: where the texts don't fit, icons alone."""


@dataclass(frozen=True)
class Pick(Options):
    """One of many: folded up but for the chosen one."""


@dataclass(frozen=True)
class Choices(Options):
    """One of many, in a list of pictures and texts. ``enter``: Return or a double-click."""

    side: int = 0  # px of the pictures
    enter: Callable[[], object] = act()


@dataclass(frozen=True)
class Field(Part):
    """What a control is filled in with: its number, choice or text. Return does ``enter``."""

    control: Control = field(default_factory=lambda: Control(""))
    drawn: Drawn = field(default_factory=lambda: Drawn(None, None, None, ""))
    prefix: str = ""
    change: Callable[[Any], object] = act()
    enter: Callable[[], object] = act()


@dataclass(frozen=True)
class Slider(Field):
    """With its name and where it stands. A double-click does ``back``."""

    caption: str = ""
    back: Callable[[], object] = act()


@dataclass(frozen=True)
class Bar(Part):
    """How far something is, 0 … 1; None where that isn't known. ``about``: the same in words. ``keep``: its
    room stays free while it isn't shown."""

    fraction: Optional[float] = None
    about: str = ""
    keep: bool = False


@dataclass(frozen=True)
class Picture(Part):
    """A PNG or JPEG at most ``side`` px wide and high. With ``chequered``, chequers are seen where it is
    transparent, and it is dark where ``mask`` is; then it is decoded aside, and its place is kept."""

    content: Optional[bytes] = None
    side: int = 0
    mask: Optional[bytes] = None
    chequered: bool = False
    badge: str = ""


@dataclass(frozen=True)
class Box(Part):
    """Holds parts, and isn't shown while none of them is. ``late``: it comes when the time of a double-click
    is over, so that nothing moves below the mouse within one."""

    parts: Tuple[Part, ...] = ()
    look: str = ""
    late: bool = False


@dataclass(frozen=True)
class Row(Box):
    pass


@dataclass(frozen=True)
class Column(Box):
    pass


@dataclass(frozen=True)
class Flow(Box):
    """Side by side, going on in the next row where the width ends; ``one_row``: those that fit."""

    one_row: bool = False


@dataclass(frozen=True)
class Sliders(Box):
    """A row each; what isn't a slider is as wide as all of them."""


@dataclass(frozen=True)
class Form(Box):
    """Each part behind its caption; an empty one leaves its place, None gives the part the whole row."""

    captions: Tuple[Optional[str], ...] = ()


@dataclass(frozen=True)
class Scroll(Box):
    """Of one part: up and down only. ``least``: px of its height."""

    least: int = 0


def note(key: str, text: str, **about: Any) -> Text:
    """A text that isn't shown while it says nothing."""
    return Text(key, text=text, wrap=True, shown=bool(text), **about)


def row(key: str, *parts: Part, **about: Any) -> Row:
    return Row(key, parts=parts, **about)


def column(key: str, *parts: Part, **about: Any) -> Column:
    return Column(key, parts=parts, **about)


def flow(key: str, *parts: Part, **about: Any) -> Flow:
    return Flow(key, parts=parts, **about)


def is_shown(part: Part) -> bool:
    """What scrolls keeps its room while nothing is in it."""
    if isinstance(part, Box) and not isinstance(part, Scroll):
        return part.shown and any(is_shown(inner) for inner in part.parts)
    return part.shown
