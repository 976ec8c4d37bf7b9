"""What is done, in words, described: the operation, both sentences, their words and the concepts."""

from __future__ import annotations

from typing import Callable, Tuple

from ..fields.controls import drawn_weight
from ..fields.operations import OPERATIONS
from ..fields.settings import WEIGHT
from ..panel.library import Concept
from ..panel.panel import Panel
from ..panel.state import PanelState
from ..text.sentences import Word, spans
from ..text.wording import say
from .view import (
    LINK,
    QUIET,
    Button,
    Gap,
    Links,
    MenuLine,
    Option,
    Part,
    Sentence,
    Slider,
    Sliders,
    Tabs,
    Text,
    column,
    flow,
    note,
    row,
)
from .windows import Windows

CONCEPT = 22  # px


class WordsView:
    """``apply`` is what Return does; ``use`` writes a learned word into the sentence."""

    def __init__(
        self, panel: Panel, windows: Windows, apply: Callable[[], None], use: Callable[[str], None]
    ) -> None:
        self._panel, self._windows, self._apply, self._use = panel, windows, apply, use
        self.focus: Callable[[str], None] = lambda key: None  # gives a part the keyboard
        self.choose: Callable[[str, Word], None] = lambda key, word: None  # with this word of it chosen

    def describe(self) -> Part:
        state = self._panel.state
        menu = lambda word: self._menu(word)  # noqa: E731
        links = Links(
            "words",
            name=say("words"),
            tip=say("tip-words"),
            words=state.words,
            shown=bool(state.words),
            menu=menu,
        )
        return column(
            "words-part",
            self._operations(state),
            Text("first-title", text=say("first")),
            self._first(state),
            links,
            *self._second(state),
            note("changes", state.changes_text),
            note("unknown", state.unknown_text),
            *self._weights(state),
            self._concepts(state),
        )

    def focus_place(self) -> str:
        """What is still to be filled in: the first sentence, the second, or the first word's weight."""
        state = self._panel.state
        if state.form.source_prompt.strip() and "second" in state.shown:
            return "second"
        weights = "weights" in state.shown and state.words
        return f"weight-{state.words[0]}" if weights else "first"

    def begin(self) -> None:
        """The keyboard goes where something is still to be filled in."""
        self.go_to(self.focus_place())

    def go_to(self, key: str) -> None:
        """Gives a part the keyboard. All of a sentence is chosen, so that writing takes its place; in one
        that is to be changed, which still says what the first does, the cursor is at its end."""
        form = self._panel.form
        text = {"first": form.source_prompt, "second": form.operand}.get(key, "")
        if text:
            unchanged = key == "second" and text == form.source_prompt
            self.choose(key, Word(text, len(text) if unchanged else 0, len(text)))
        else:
            self.focus(key)

    def _operations(self, state: PanelState) -> Part:
        options = tuple(
            Option(
                key,
                say(key),
                state.cannot_operate.get(key, "{}: {}".format(say(key), say("tip-" + key))),
                key not in state.cannot_operate,
            )
            for key in OPERATIONS
        )
        choose, chosen = self._panel.draft.choose_operation, state.form.operation
        return Tabs("operations", options=options, chosen=chosen, choose=choose)

    def _first(self, state: PanelState) -> Part:
        describe = Button(
            "describe",
            name=say("describe"),
            tip=state.cannot_describe or say("tip-describe"),
            text=say("describe"),
            icon="describe",
            look=LINK,
            enabled=not state.cannot_describe,
            do=self._propose,
        )
        return Sentence(
            "first",
            name=say("first"),
            text=state.form.source_prompt,
            example=say("first-example"),
            changed=self._changed(state, "source"),
            unknown=state.unknown[0],
            doubtful=state.doubtful,
            corner=describe,
            write=self._panel.draft.write_source_prompt,
            enter=self._apply,
            complete=self._panel.completion,
            notices=lambda: self._panel.state.hints[0],
        )

    def _propose(self) -> None:
        """The keyboard waits where the sentence will be: the button can't be pressed meanwhile."""
        self._panel.describe()
        self.focus("first")

    def _second(self, state: PanelState) -> Tuple[Part, ...]:
        shown, operation = "second" in state.shown, state.form.operation
        title = say("second-" + operation) if shown else ""
        return (
            Text("second-title", text=title, shown=shown),
            Sentence(
                "second",
                name=title,
                text=state.form.operand,
                example=say("example-" + operation) if shown else "",
                shown=shown,
                changed=self._changed(state, "target"),
                unknown=state.unknown[1],
                write=self._panel.draft.write_operand,
                enter=self._apply,
                complete=self._panel.completion,
                notices=lambda: self._panel.state.hints[1],
            ),
        )

    def _changed(self, state: PanelState, side: str) -> Tuple[Word, ...]:
        return tuple(spans(state.changes, side)) if "changes" in state.shown else ()

    def _weights(self, state: PanelState) -> Tuple[Part, ...]:
        """A slider for each word: gone, as it is, strong."""
        shown = "weights" in state.shown
        title = say("weights" if state.words else "no-words")
        sliders = tuple(self._weight(state, word) for word in state.words) if shown else ()
        return (
            Text("weights-title", text=title, wrap=True, shown=shown),
            Sliders("weights", parts=sliders, shown=shown),
        )

    def _weight(self, state: PanelState, word: str) -> Part:
        weigh = self._panel.draft.weigh
        return Slider(
            "weight-" + word,
            name=word,
            tip=WEIGHT.tip,
            caption=word,
            control=WEIGHT,
            drawn=drawn_weight(state.form.weights.get(word, 0.0)),
            change=lambda weight: weigh(word, weight),
            back=lambda: weigh(word, WEIGHT.default),
        )

    def _concepts(self, state: PanelState) -> Part:
        known = [self._concept(state, concept) for concept in state.concepts]
        learn = Button(
            "learn",
            name=say("learn-action"),
            tip=say("learn-action"),
            text="+",
            look=LINK,
            do=self._windows.learn,
        )
        everything = Button(
            "all",
            text=say("all"),
            tip=say("tip-all"),
            look=LINK,
            shown=bool(known),
            do=self._windows.concepts,
        )
        none = "" if known else say("no-concepts")
        acts = column("concepts-acts", row("concepts-buttons", learn, everything), Gap("below-concepts-acts"))
        return row(
            "concepts-line",
            flow("concepts", *known, name=say("concepts"), one_row=True, grow=1),
            note("no-concepts", none, look=QUIET, grow=1),
            acts,
        )

    def _concept(self, state: PanelState, concept: Concept) -> Part:
        foreign = state.foreign(concept)
        return Button(
            "concept-" + concept.name,
            name=concept.name,
            tip=foreign or concept.tip,
            text=concept.name,
            look=LINK,
            picture=concept.thumbnail,
            side=CONCEPT,
            enabled=not foreign,
            do=lambda: self._use(concept.name),
        )

    def _menu(self, word: str) -> Tuple[MenuLine, ...]:
        """What can be done with a word of the picture."""
        draft = self._panel.draft
        write = lambda: self.choose("second", draft.begin_replacing(word))  # noqa: E731
        return (
            MenuLine(say("word-replace", word=word), write),
            MenuLine(say("word-emphasise", word=word), lambda: draft.emphasise(word)),
            MenuLine(say("word-select", word=word), lambda: self._panel.select_word(word)),
        )
