"""What is written by habit of other tools is noticed, with what to write instead; ordinary words are not."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.cli.arguments import weight
from palimpsest.contract import EditRequest
from palimpsest_client.text.habits import bare_names, notice_at, notices, places, texts, unknown_words

MARKS = "\u200e\u2068"  # before what is read from right to left, so that the sentence isn't
NOTICED = [
    (
        "a (blue:1.4) ball",
        "(blue:1.4)",
        'Write blue, and weigh it with Emphasise (in a shell: --weight "blue=1.4")',
    ),
    ("a (red ball:.8) on grass", "(red ball:.8)", '--weight "red ball=.8"'),
    ("a ((blue)) ball", "((blue))", "Write blue,"),
    ("a [blue] ball", "[blue]", '--weight "blue=0.9"'),
    ("a {blue} ball", "{blue}", "Write blue,"),
    ("a blue++ ball", "blue++", "Write blue,"),
    ("a blue::2 ball", "blue::2", '--weight "blue=2"'),
    ("a blue ball BREAK grass", "BREAK", "Leave it out"),
    ("a cat AND a dog", "AND", "Write and."),
    ("a [red:blue:0.5] ball", "[red:blue:0.5]", "Write the one word"),
    ("a [red|blue] ball", "[red|blue]", "Write the one word"),
    ("a {red|blue} ball", "{red|blue}", "Write the one word"),
    ("embedding:my-toy on grass", "embedding:my-toy", "Write <my-toy>."),
    ("a ball <lora:shiny:0.7>", "<lora:shiny:0.7>", "Leave it out"),
    ("a <my toy> on grass", "<my toy>", "Write <my-toy>."),
    ("a < My toy > on grass", "< My toy >", "Write <my-toy>."),
    ("a my-toy on grass", "my-toy", "Write <my-toy> for the concept"),
    ("the rex's bone", "rex's", "Write <rex> for the concept"),
    ("a ball --ar 16:9", "--ar 16:9", "Leave it out"),
    ("草地上的蓝球的照片", "草地上的蓝球的照片", "Say it in English"),
    ("a ball, кот на траве", "кот на траве", "Say it in English"),
    ("ball كرة", "كرة", "Say it in English"),
    ("a photo of a кот on grass next to a large mirror", "кот", "Say it in English"),
    ("a 猫", "猫", "Say it in English"),
    ("a (blue:100) ball", "(blue:100)", '--weight "blue=20"'),
    ("a (blue:-20.5) ball", "(blue:-20.5)", '--weight "blue=-20"'),
    ("a (blue:1.4 ) ball", "(blue:1.4 )", '--weight "blue=1.4"'),
    ("a [small blue] ball", "[small blue]", '--weight "small blue=0.9"'),
    ("a ball--", "ball--", '--weight "ball=0.8"'),
    ("a my-ball++ here", "my-ball++", '--weight "my-ball=1.2"'),
    ("a [blue:0.5] ball", "[blue:0.5]", "Write the one word"),
    ("a [blue::.5] ball", "[blue::.5]", "Write the one word"),
    ("a cat, BREAK a dog", "BREAK", "Leave it out"),
    ("a cat:1.2 AND a dog:1", "AND", "Write and."),
    ("a <my on grass", "<my", "Did you mean the concept <my-toy>?"),
    ("a <my-tou", "<my-tou", "Did you mean the concept <my-toy>?"),
]


@pytest.mark.parametrize(("sentence", "place", "says"), NOTICED)
def test_it_is_noticed_where_it_stands_with_what_to_write(sentence, place, says):
    (notice,) = notices(sentence, ("my-toy", "rex"))
    assert sentence[notice.place.start : notice.place.stop] == notice.place.text == place
    assert notice.text.strip(MARKS).startswith(place)
    assert says in notice.text


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "a photo of a <my-toy> next to a mirror",
        "a café in Zürich, rock-n-roll, don't, it's 5 µm",
        "a cat (black) and a dog: both asleep; 3:4",
        "a clock at 10:30 -- and a sign that says break",
        "<ink> drawing of <my-toy> and <rex>",
        "C++ book",
        "A++ report",
        "b++ battery",
        "a Notepad++ window",
        "a sign that says [EXIT]",
        "a photo [1]",
        "a map {1850}",
        "an old clock [10:30:00]",
        "AND gate",
        "an AND gate on a T-shirt with AND gate",
        "a sign, SALT AND PEPPER, and one that says BREAK GLASS",
        "BREAK the ice",
        "10 Ω resistor",
        "π on a blackboard",
        "a 5 Å scale of α and β rays",
        "a cat: 1.5 m tall (height: 1.5)",
        "a room (approx: 3)",
        "a model car (scale 1:100), (10:30)",
        "a word embedding: king",
        "a heart <3 b> c",
        "a <3 b, x<y, 5 < 7",
        "((1850))",
        "a well--lit room",
    ],
)
def test_ordinary_sentences_are_not(sentence):
    assert notices(sentence, ("my-toy", "rex", "ink")) == []


@pytest.mark.parametrize(
    ("sentence", "place"),
    [("<", "<"), ("a photo of a < ", "<"), ("a <zebra on grass", "<zebra"), ("a <b <my-toy>", "<b")],
)
def test_a_bracket_that_is_opened_for_no_concept_is_unknown(sentence, place):
    (notice,) = notices(sentence, ("my-toy", "rex"))
    assert sentence[notice.place.start : notice.place.stop] == notice.place.text == place
    assert notice.text == f"Unknown to this model: {place}. Say it otherwise, or choose another model."


@pytest.mark.parametrize("number", ["100", "-100", "20", "-20", ".5", "+20.0001", "9" * 400])
def test_a_weight_that_is_proposed_is_taken(number):
    (notice,) = notices(f"a (blue:{number}) ball")
    (proposed,) = re.findall(r'--weight "(.*?)"', notice.text)
    word, factor = weight(proposed)
    made = EditRequest("0" * 64, "reweight", "a blue ball", weights={word: factor})
    assert made.weights == {"blue": max(-20, min(20, float(number)))}


def test_each_place_is_noticed_once_and_in_order():
    found = notices("a (my-toy:1.2) BREAK a ((кот:1.1)) on a plate", ("my-toy",), ("a", "on"))
    assert [one.place.text for one in found] == ["(my-toy:1.2)", "BREAK", "(кот:1.1)", "plate"]
    assert texts(["a plate", "a plate and a cup"], (), ("a", "and")) == [
        "Unknown to this model: plate. Say it otherwise, or choose another model.",
        "Unknown to this model: plate, cup. Say it otherwise, or choose another model.",
    ]
    assert [word.text for word in places(found)] == [one.place.text for one in found]


def test_a_name_that_also_stands_in_brackets_is_meant_as_it_stands():
    assert bare_names("a <rex> like rex", ("rex",)) == []
    assert [word.text for word in bare_names("a Rex", ("rex",))] == ["Rex"]


def test_a_word_says_what_to_write_in_its_place():
    found = notices("a (blue:1.4) ball on Table", (), ("a", "blue", "ball", "on"))
    assert notice_at(found, 3).startswith("(blue:1.4) gives no weight here")
    assert notice_at(found, 25) == "Unknown to this model: Table. Say it otherwise, or choose another model."
    assert notice_at(found, 15) == ""


def test_a_word_that_is_being_written_is_not_called_unknown():
    sentence = "a helicopter on gra"
    (found,) = notices(sentence, (), ("a", "on", "grass"), len("a helicopter on "))
    assert found.text == "Unknown to this model: helicopter. Say it otherwise, or choose another model."
    assert len(notices(sentence, (), ("a", "on", "grass"))) == 2


def test_only_a_model_of_few_words_has_unknown_ones():
    assert unknown_words("a helicopter", ()) == []
    assert [word.text for word in unknown_words("A <toy> helicopter", ("a",))] == ["helicopter"]


SIGNS = st.text(st.sampled_from("ab <>()[]{}:|.+-1_BREAKcé草ж"), max_size=60)


@given(SIGNS, st.sampled_from([(), ("a", "ab")]), st.sampled_from([(), ("a",)]))
def test_whatever_is_written_no_two_notices_lie_on_each_other(sentence, concepts, known):
    found = notices(sentence, concepts, known)
    for one, other in itertools.pairwise(found):
        assert one.place.stop <= other.place.start
    assert all(re.search(r"\S", one.place.text) for one in found)


NEAR = [
    ("a my toy on grass", "my toy"),
    ("a mytoy on grass", "mytoy"),
    ("a my_toy on grass", "my_toy"),
    ("a my-tyo on grass", "my-tyo"),
    ("a My-Toys on grass", "My-Toys"),
]


@pytest.mark.parametrize(("sentence", "word"), NEAR)
def test_a_name_that_is_nearly_written_is_asked_about(sentence: str, word: str) -> None:
    (found,) = notices(sentence, ("my-toy", "rex"))
    assert found.place.text == word
    assert found.text == f"{word} is read as it stands. Did you mean the concept <my-toy>?"


def test_a_name_that_is_still_being_written_is_left_alone() -> None:
    assert notices("a my-toi", ("my-toy",), finished=2) == []
    assert len(notices("a my-toi", ("my-toy",), finished=8)) == 1


@pytest.mark.parametrize("brackets", ["[]", "()", "{}"])
def test_a_name_in_other_brackets_is_a_name(brackets: str) -> None:
    written = f"{brackets[0]}my-toy{brackets[1]}"
    (found,) = notices(f"a {written} on grass", ("my-toy",))
    assert found.text.startswith(f"{written} is read as an ordinary word. Write <my-toy>")


@pytest.mark.parametrize(
    "sentence",
    [
        "a toy of my own on grass",
        "a red-hot stove",
        "my <my-toy> and my toy",
        "a wrecks on grass",
        "a well-known rock-n-roll star",
        "the my, toy",
    ],
)
def test_ordinary_words_are_no_names(sentence: str) -> None:
    assert notices(sentence, ("my-toy", "rex", "red-ball")) == []
    assert notices("a red ball", ("red-ball",), ("a", "red", "ball")) == []
