"""What completes a word at the cursor, and what the text is when it is taken."""

from __future__ import annotations

import pytest

from palimpsest_client.panel.completion import (
    COMPLETE,
    DOWN,
    FEWEST,
    LEAVE,
    MOST,
    TAKE,
    UP,
    Choosing,
    Completer,
    completion,
    finished_length,
)

CONCEPTS = ("my-toy", "ink", "our_dog")
KNOWN = frozenset({"ball", "balloon", "cat", "grass", "striped", "star"})


def at(text: str) -> tuple[str, int]:
    """The text without its |, which is the cursor."""
    before, after = text.split("|")
    return before + after, len(before)


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("a photo of <|", ("<my-toy>", "<ink>", "<our_dog>")),
        ("a photo of <m|", ("<my-toy>",)),
        ("a photo of <TOY|", ("<my-toy>",)),
        ("a photo of <d|", ("<our_dog>",)),
        ("a photo of <x|", ()),
        ("a photo of <my-toy>|", ()),
        ("<|my-toy> on grass", ("<my-toy>", "<ink>", "<our_dog>")),
        ("a photo of in|", ("<ink>",)),
        ("a photo of ba|", ("ball", "balloon")),
        ("a photo of BA|", ("ball", "balloon")),
        ("a photo of ball|", ()),  # it is whole
        ("a photo of ballo|", ("balloon",)),
        ("a photo of b|", ()),
        ("a photo of ba|ll", ()),  # inside of a word
        ("a photo of ba| on grass", ("ball", "balloon")),
        ("a photo of st|", ("star", "striped")),
        ("a photo of |", ()),
        ("|", ()),
        ("a <3 b|", ()),
    ],
)
def test_what_completes_the_word_at_the_cursor(text, candidates):
    found = completion(*at(text), CONCEPTS, KNOWN)
    assert (() if found is None else found.candidates) == candidates


@pytest.mark.parametrize(
    ("text", "candidate", "becomes"),
    [
        ("a photo of <m| on grass", "<my-toy>", "a photo of <my-toy>| on grass"),
        ("a photo of <|ink> on grass", "<my-toy>", "a photo of <my-toy>| on grass"),
        ("a photo of <|ink on grass", "<my-toy>", "a photo of <my-toy>|ink on grass"),
        ("two ba|, one cat", "ball", "two ball|, one cat"),
        ("in|", "<ink>", "<ink>|"),
    ],
)
def test_what_is_taken_stands_in_the_place_of_what_was_begun(text, candidate, becomes):
    choosing = chosen_from(*at(text))
    assert choosing.found is not None
    taken = choosing.take(choosing.found.candidates.index(candidate))
    assert taken is not None
    before = at(text)[0]
    written = before[: taken.start] + taken.text + before[taken.stop :]
    assert (written, taken.start + len(taken.text)) == at(becomes)
    assert choosing.found is None


def chosen_from(text: str, cursor: int) -> Choosing:
    choosing = Choosing(lambda text, cursor: completion(text, cursor, CONCEPTS, KNOWN))
    choosing.look(text, cursor)
    return choosing


def test_keys_choose_take_and_leave():
    choosing = chosen_from(*at("ba|"))
    assert choosing.press("x") == (False, None)
    assert choosing.press(UP) == (True, None)
    assert choosing.chosen == -1
    for _ in range(3):
        assert choosing.press(DOWN) == (True, None)
    assert choosing.chosen == 1
    assert choosing.press(UP) == (True, None)
    assert choosing.press(TAKE) == (True, (0, 2, "ball"))
    assert choosing.found is None


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("a red b", "a red "),
        ("a red ba", "a red "),
        ("a <toy", "a "),
        ("a red ba ", "a red ba "),
        ("a ball", "a ball"),
        ("", ""),
    ],
)
def test_a_last_word_that_can_go_on_is_not_finished(text, before):
    assert text[: finished_length(text, CONCEPTS, KNOWN)] == before


def test_tab_takes_what_is_chosen_or_the_first():
    choosing = chosen_from(*at("ba|"))
    assert choosing.press(COMPLETE) == (True, (0, 2, "ball"))
    assert choosing.found is None
    assert choosing.press(COMPLETE) == (False, None)  # it goes on to the next field
    choosing = chosen_from(*at("ba|"))
    assert [choosing.press(key)[0] for key in (DOWN, DOWN)] == [True, True]
    assert choosing.press(COMPLETE) == (True, (0, 2, "balloon"))


def test_return_takes_the_first_concept_after_its_bracket():
    """Half a name in brackets is never what is meant to be applied."""
    choosing = chosen_from(*at("a <my|"))
    assert choosing.chosen == 0
    assert choosing.found is not None
    first = choosing.found.candidates[0]
    assert choosing.press(TAKE) == (True, (2, 5, first))
    choosing = chosen_from(*at("a <my|"))
    choosing.press(UP)
    assert choosing.press(TAKE) == (False, None), "none is chosen any more"


def test_where_nothing_is_chosen_or_shown_keys_are_the_fields_own():
    choosing = chosen_from(*at("ba|"))
    assert choosing.press(TAKE) == (False, None)  # Return applies
    assert choosing.found is None
    assert [choosing.press(key) for key in (DOWN, UP, TAKE, LEAVE)] == [(False, None)] * 4
    choosing = chosen_from(*at("ba|"))
    assert choosing.press(LEAVE) == (True, None)
    assert choosing.found is None


def test_a_model_that_does_not_say_what_it_knows_has_concepts_only():
    assert completion("a photo of ba", 13, CONCEPTS, ()) is None
    assert completion("<", 1, CONCEPTS, ()) is not None


def test_no_more_are_shown_than_can_be_seen():
    many = [f"toy-{n}" for n in range(3 * MOST)]
    found = completion("<toy", 4, many, ())
    assert found is not None
    assert found.candidates == tuple(f"<toy-{n}>" for n in range(MOST))
    assert completion("t" * (FEWEST - 1), FEWEST - 1, many, ()) is None


class Listed(Completer):
    """A field with a cursor, and a list beside it."""

    def __init__(self, text: str) -> None:
        super().__init__(lambda text, cursor: completion(text, cursor, CONCEPTS, KNOWN))
        self.text, self.cursor = at(text)
        self.focused = True
        self.shown: tuple[str, ...] = ()
        self.marked: str | None = None

    def written(self):
        return (self.text, self.cursor) if self.focused else None

    def unfold(self, found):
        self.shown = found.candidates

    def mark(self, place):
        self.marked = None if place < 0 else self.shown[place]

    def fold(self):
        self.shown = ()

    def write(self, taken):
        self.text = self.text[: taken.start] + taken.text + self.text[taken.stop :]


def test_a_list_follows_what_is_written_and_the_keys():
    listed = Listed("a photo of ba|")
    listed.look()
    assert (listed.shown, listed.marked) == (("ball", "balloon"), None)
    assert listed.pressed("down")
    assert listed.pressed("down")
    assert listed.marked == "balloon"
    assert listed.pressed("return")
    assert (listed.text, listed.shown) == ("a photo of balloon", ())


def test_where_no_list_is_shown_keys_are_the_fields_own():
    listed = Listed("a photo of |")
    listed.look()
    assert not any(listed.pressed(key) for key in ("down", "up", "return", "tab", "escape", "a"))


def test_a_click_takes_a_candidate_and_a_concept_is_chosen_at_once():
    listed = Listed("a photo of <|")
    listed.look()
    assert listed.marked == "<my-toy>"
    listed.clicked(1)
    assert (listed.text, listed.unfolded) == ("a photo of <ink>", False)


def test_a_list_folds_without_the_keyboard_and_when_nothing_completes():
    listed = Listed("a photo of ba|")
    listed.look()
    listed.focused = False
    listed.look()
    assert (listed.shown, listed.unfolded) == ((), False)
    listed.focused = True
    listed.look()
    listed.text, listed.cursor = at("a photo of ball|")
    listed.look()
    assert (listed.shown, listed.unfolded) == ((), False)
