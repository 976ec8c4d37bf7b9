"""Doubtful words of a proposed sentence: found where they are, lost when they are written anew."""

from __future__ import annotations

import pytest

from palimpsest_client.panel.doubts import UncertainWords

SENTENCE = "a photo of a striped tiger and a red ball on grass"
RESULT = {
    "caption": SENTENCE,
    "doubts": [
        {"start": 13, "stop": 20, "probability": 0.83},
        {"start": 21, "stop": 26, "probability": 0.414},
    ],
}


@pytest.fixture
def doubtful() -> UncertainWords:
    made = UncertainWords()
    made.proposed("one", RESULT)
    return made


def marked(doubtful: UncertainWords, sentence: str, key: str = "one") -> list[str]:
    found = doubtful.notices(key, sentence)
    assert all(sentence[n.place.start : n.place.stop] == n.place.text for n in found)
    return [notice.place.text for notice in found]


def test_doubtful_words_are_marked_with_how_probable_they_are(doubtful):
    notices = doubtful.notices("one", SENTENCE)
    assert [n.place.text for n in notices] == ["striped", "tiger"]
    assert [n.text for n in notices] == [
        "The model isn't sure of this word: 83 %. Change it if it is wrong.",
        "The model isn't sure of this word: 41 %. Change it if it is wrong.",
    ]


def test_each_word_of_a_doubtful_phrase_is_marked(doubtful):
    sentence = "an ink wash of a ball"
    doubtful.proposed("two", {"caption": sentence, "doubts": [{"start": 3, "stop": 11, "probability": 0.9}]})
    assert marked(doubtful, sentence, "two") == ["ink", "wash"]


def test_a_mark_moves_with_its_word(doubtful):
    assert marked(doubtful, "a big " + SENTENCE[2:]) == ["striped", "tiger"]
    assert marked(doubtful, "an oil painting of a striped tiger") == ["striped", "tiger"]


def test_a_mark_goes_when_its_word_is_edited_and_stays_away(doubtful):
    assert marked(doubtful, SENTENCE.replace("tiger", "tige")) == ["striped"]
    assert marked(doubtful, SENTENCE) == ["striped"], "who writes it again is sure of it"


def test_a_word_that_is_removed_takes_its_mark_with_it(doubtful):
    assert marked(doubtful, SENTENCE.replace("striped ", "")) == ["tiger"]
    assert marked(doubtful, "") == []
    assert marked(doubtful, SENTENCE) == []


def test_each_picture_has_its_own(doubtful):
    assert marked(doubtful, SENTENCE, "another") == []
    assert marked(doubtful, SENTENCE) == ["striped", "tiger"]


def test_an_older_backend_tells_of_none():
    made = UncertainWords()
    made.proposed("one", {"caption": SENTENCE, "confidence": 0.5})
    assert marked(made, SENTENCE) == []


def test_small_words_are_not_marked():
    made = UncertainWords()
    made.proposed("one", {"caption": "a cat", "doubts": [{"start": 0, "stop": 1, "probability": 0.1}]})
    assert marked(made, "a cat") == []
