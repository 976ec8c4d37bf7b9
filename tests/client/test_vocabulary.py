"""The list of learned words: which come first, which a search finds, and what renaming changes."""

from __future__ import annotations

from palimpsest_client.fields.controls import Form
from palimpsest_client.panel.library import Concept
from palimpsest_client.panel.vocabulary import RECENT, Vocabulary, matching, renamed

WORDS = tuple(
    Concept(name, "subject", noun, "demo") for name, noun in [("b", "toy"), ("a", "cat"), ("c", "toy")]
)


def names(concepts) -> list[str]:
    return [concept.name for concept in concepts]


def test_those_used_last_come_first_also_in_the_next_start(tmp_path):
    vocabulary = Vocabulary(tmp_path)
    assert names(vocabulary.ordered(WORDS)) == ["a", "b", "c"]
    vocabulary.use(["a"])
    vocabulary.use(["c", "gone"])
    assert names(vocabulary.ordered(WORDS)) == ["c", "a", "b"]
    assert names(Vocabulary(tmp_path).ordered(WORDS)) == ["c", "a", "b"]
    vocabulary.rename("a", "b")
    assert names(vocabulary.ordered(WORDS)) == ["c", "b", "a"]


def test_editors_open_at_a_time_keep_what_the_other_used(tmp_path):
    krita, gimp = Vocabulary(tmp_path), Vocabulary(tmp_path)
    gimp.use(["b"])
    krita.use(["c"])
    assert names(krita.ordered(WORDS)) == ["c", "b", "a"]
    gimp.rename("b", "a")
    assert names(Vocabulary(tmp_path).ordered(WORDS)) == ["c", "a", "b"]
    krita.forget()
    gimp.use(["b"])
    assert names(Vocabulary(tmp_path).ordered(WORDS)) == ["b", "a", "c"], "what was forgotten stays so"


def test_words_that_could_not_be_saved_are_saved_with_the_next(tmp_path):
    folder = tmp_path / "folder"
    folder.write_text("a file, where nothing can be saved")
    vocabulary = Vocabulary(folder)
    vocabulary.use(["c"])
    folder.unlink()
    vocabulary.use(["b"])
    assert names(Vocabulary(folder).ordered(WORDS)) == ["b", "c", "a"]


def test_a_file_that_is_no_list_of_names_is_as_none(tmp_path):
    for content in ("", "{}", '["a", 5]', "[" * 100_000):
        (tmp_path / RECENT).write_text(content)
        assert names(Vocabulary(tmp_path).ordered(WORDS))[1:] == ["b", "c"]


def test_numbers_in_names_count_as_numbers(tmp_path):
    given = ("thing-10", "a-1b", "thing-1", "thing-2", "7")
    told = [Concept(name, "subject", "toy", "demo") for name in given]
    assert names(matching(told, "")) == ["7", "a-1b", "thing-1", "thing-2", "thing-10"]
    assert names(Vocabulary(tmp_path).ordered(told)) == names(matching(told, ""))


def test_a_search_looks_at_names_and_nouns():
    assert names(matching(WORDS, "")) == ["a", "b", "c"]
    assert names(matching(WORDS, " TOY ")) == ["b", "c"]
    assert names(matching(WORDS, "<a>")) == ["a"]
    assert names(matching(WORDS, "toy x")) == []


def test_renaming_changes_every_sentence_and_weight():
    form = Form("replace", "<a> on grass", {"replace": "<a> and <ab>"}, {"insert": "<a>"}, {"<a>": 0.5})
    told = renamed(form, "a", "new")
    assert (told.source_prompt, told.operands, told.own_targets, told.weights) == (
        "<new> on grass",
        {"replace": "<new> and <ab>"},
        {"insert": "<new>"},
        {"<new>": 0.5},
    )


def test_a_concept_without_a_noun_ends_with_its_kind():
    with_one, without = (Concept("my-toy", "subject", noun, "demo") for noun in ("toy", ""))
    assert (with_one.line, with_one.tip) == ("my-toy · subject, a toy", "<my-toy>: subject, a toy")
    assert (without.line, without.tip) == ("my-toy · subject", "<my-toy> · subject")
