"""The window in which a concept is learned, described."""

from __future__ import annotations

from typing import Callable, Optional, Tuple

from ..learning.dialog import Learning
from ..learning.examples import STYLE, SUBJECT, Example
from ..learning.state import DETAIL, MORE, QUICK, REPLACE, LearnState
from ..panel.status import Progress
from ..text.wording import say
from .view import (
    CLOSE,
    FAINT,
    LINK,
    MAIN,
    ODD,
    SMALL,
    TIGHT,
    Bar,
    Button,
    Column,
    Form,
    Gap,
    Line,
    Option,
    Options,
    Part,
    Picture,
    Row,
    Scroll,
    Text,
    column,
    flow,
    note,
    row,
)
from .window import IMAGES, Desktop, Dialog

SIDE, LOOK = 72, 72  # px of a picture, and of the looks at the word
SHELF = 104  # px, at least, of the pictures
LINES = 3  # of a message: room is kept, so that no button moves


class LearnWindow(Dialog):
    """Stays open beside the picture: a selection can be made while it is there. A learning goes on when it
    is closed, and all that is filled in stays."""

    size = (440, 690)
    floats = True

    @property
    def title(self) -> str:
        return say("learn-title")

    def __init__(self, learning: Learning, desktop: Desktop) -> None:
        super().__init__()
        self.learning, self._desktop = learning, desktop

    def opened(self, show: Callable[[Part], None], leave: Callable[[], None]) -> None:
        super().opened(show, leave)
        self.learning.show_to(lambda _: self.redraw())

    def closed(self) -> None:
        super().closed()
        self.learning.close()

    def add_files(self) -> None:
        self.learning.pictures.add_files(self._desktop.files(say("learn-title"), IMAGES))

    def describe(self) -> Part:
        state = self.learning.state
        return column(
            "learning",
            self._names(state),
            *self._pictures(state),
            self._looks(state),
            *self._work(state),
        )

    def _names(self, state: LearnState) -> Part:
        change = self.learning.set
        modes = Option(MORE, say("learn-more")), Option(REPLACE, say("learn-anew"))
        kinds = Option(SUBJECT, say("subject")), Option(STYLE, say("style"))
        thorough = (
            Option(QUICK, say("quick"), say("tip-quick"), enabled=not state.only_detail),
            Option(DETAIL, say("with-detail"), say("tip-with-detail")),
        )
        return Form(
            "names",
            captions=(say("name"), "", "", say("kind"), say("noun"), say("learn-now")),
            parts=(
                self._line("name", say("name-example"), state.field, lambda text: change(name=text)),
                Text("name-note", text=state.note, wrap=True, lines=2, look=FAINT),
                Options(
                    "mode",
                    options=modes,
                    chosen=state.mode,
                    shown=state.exists,
                    choose=lambda mode: change(mode=mode),
                ),
                Options("kind", options=kinds, chosen=state.kind, choose=lambda kind: change(kind=kind)),
                self._line("noun", say("noun-example"), state.noun, lambda text: change(noun=text)),
                Options(
                    "thorough",
                    options=thorough,
                    chosen=DETAIL if state.detail else QUICK,
                    choose=lambda chosen: change(chosen=chosen),
                ),
            ),
        )

    def _line(self, key: str, example: str, text: str, write: Callable[[str], None]) -> Part:
        return Line(key, name=say(key), text=text, example=example, default=True, write=write)

    def _pictures(self, state: LearnState) -> Tuple[Part, ...]:
        examples = [self._example(number, example) for number, example in enumerate(state.examples)]
        found = note("found", state.found, look=SMALL)  # scrolls with them: the buttons stay where they are
        shelf = column("shelved", flow("pictures", *examples, name=say("pictures")), found)
        reader = self.learning.pictures
        adders = (
            Button("add-files", text=say("add-files"), look=TIGHT, do=self.add_files),
            Button("add-selection", text=say("add-selection"), look=TIGHT, do=reader.add_selection),
            Button("add-layers", text=say("add-layers"), look=TIGHT, do=reader.add_layers),
        )
        title = Text("pictures-title", text=say("pictures"), grow=1)
        clear = Button("clear", text=say("clear"), look=LINK, do=self.learning.clear)
        return (
            row("pictures-head", title, clear),
            Text("good-set", text=state.good_set, look=FAINT, wrap=True),
            Scroll("shelf", parts=(shelf,), least=SHELF, grow=1),
            row("adders", *adders, Gap("after-adders")),
        )

    def _example(self, number: int, example: Example) -> Part:
        """The picture, what is wrong with it, and what can be done about that."""
        key = f"{'odd' if example.problem else 'example'}-{number}"
        name = say("picture", n=number + 1, name=example.name)
        picture = Picture(
            key + "-picture",
            name=name,
            tip="\n".join(filter(None, (name, example.dark))),
            content=example.image,
            mask=example.mask or example.found,
            side=SIDE,
            chequered=True,
            badge="!" if example.problem else "",
        )
        out = Button(
            key + "-out",
            name=f"{say('leave-out')}: {name}",
            tip=say("leave-out"),
            text=say("leave-out") if example.problem else "×",
            look=TIGHT,
            do=lambda: self.learning.leave_out(number),
        )
        return self._odd(key, picture, example, out) if example.problem else _pair(key, picture, out)

    def _odd(self, key: str, picture: Part, example: Example, out: Part) -> Part:
        """In a frame, with the sentence and its answers beside it."""
        meant = Button(
            key + "-meant",
            text=say("picture-is-meant"),
            look=TIGHT,
            shown=example.odd,
            do=self.learning.accept_outliers,
        )
        said = Text(key + "-problem", text=example.problem, look=SMALL, wrap=True)
        answers = row(key + "-answers", out, meant, Gap(key + "-rest"))
        return Row(key, parts=(picture, column(key + "-beside", said, answers)), look=ODD)

    def _looks(self, state: LearnState) -> Part:
        looks = (
            _look("preview", say("how-it-looks"), state.preview),
            _look("sketch", say("test-sentence"), state.drawn),
        )
        any_look = state.preview is not None or state.drawn is not None
        return row("looks", *looks, Gap("beside-looks", shown=any_look), shown=any_look)

    def _work(self, state: LearnState) -> Tuple[Part, ...]:
        learned, draw = bool(state.learned), self.learning.draw
        sentence = Line(
            "sentence",
            name=say("test-sentence"),
            text=state.sentence,
            shown=learned,
            grow=1,
            write=lambda text: self.learning.set(sentence=text),
            enter=draw,
        )
        drawing = Button(
            "draw",
            text=say("draw"),
            look=TIGHT,
            shown=learned,
            enabled=not state.cannot_draw,
            tip=state.cannot_draw,
            do=draw,
        )
        return (
            row("sentences", sentence, drawing),
            Text("message", text=state.line, tip=state.tip, wrap=True, lines=LINES),
            _bar(state.progress),
            row("deeds", *self._deeds(state)),
        )

    def _deeds(self, state: LearnState) -> Tuple[Part, ...]:
        working = state.progress is not None
        can_stop = state.progress is not None and state.progress.can_cancel
        return (
            Button(
                "learn",
                text=state.learn_text,
                look=MAIN,
                enabled=not working and not state.cannot_learn,
                default=True,
                grow=1,
                do=self.learning.learn,
            ),
            Button("stop", text=say("stop"), enabled=can_stop, do=self.learning.stop),
            Button("close", text=say("close"), do=self.leave),
        )


def _bar(progress: Optional[Progress]) -> Part:
    if progress is None:
        return Bar("bar", name=say("learn-title"), shown=False, keep=True)
    return Bar("bar", name=say("learn-title"), fraction=progress.fraction, about=progress.text, keep=True)


def _pair(key: str, picture: Part, out: Part) -> Part:
    return Column(key, parts=(picture, out), look=CLOSE)


def _look(key: str, name: str, content: Optional[bytes]) -> Part:
    shown = content is not None
    picture = Picture(key, shown=shown, name=name, content=content, side=LOOK)
    said = Text(key + "-name", text=name, look=FAINT)
    return Column(key + "-look", parts=(picture, said), shown=shown, look=CLOSE)
