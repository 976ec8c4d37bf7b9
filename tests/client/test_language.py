"""Catalogues: whole, in step with the English texts, compiled, and narrow enough for the panel."""

from __future__ import annotations

import string
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest

import translate
from palimpsest.installation.bundle import SOURCES, bundle_for
from palimpsest_client.text.language import (
    available,
    catalogue,
    names,
    nearest,
    read_language,
    speak_as,
    write_language,
)
from palimpsest_client.text.wording import ENGLISH, number, say, speak

CODES = translate.codes()


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    speak(NullTranslations())


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_languages():
    assert "de" in CODES
    assert available() == ["en", *CODES]


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_translated(code):
    """Mend it with ``python tests/translate.py`` and a look at the .po file."""
    read = translate.read(code)
    assert {m.context for m in read if m.id} == set(ENGLISH)
    assert translate.left(read) == []


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_is_in_step_with_the_english_texts(code):
    place = translate.place_of(code)
    brought = translate.brought_up(translate.read(code), code)
    assert translate.as_po(brought) == place.read_bytes()
    assert translate.as_mo(brought) == place.with_suffix(".mo").read_bytes()


def test_the_template_is_in_step_with_the_english_texts():
    place = translate.FOLDER / "palimpsest.pot"
    assert translate.as_po(translate.template()) == place.read_bytes()


@pytest.mark.parametrize("code", CODES)
def test_placeholders_are_those_of_the_english_text(code):
    wrong = []
    for message in translate.read(code):
        if message.id:
            forms, wanted = translate.tuple_of(message.string), fields(ENGLISH[str(message.context)])
            wrong += [(message.context, form) for form in forms if not fields(form) <= wanted]
            wrong += [(message.context, forms[-1])] if fields(forms[-1]) != wanted else []
    assert wrong == []


def test_what_changed_in_english_is_to_be_translated_anew():
    old = translate.Catalog(locale="de")
    old.add("Aply", "Anwenden", context="apply")
    old.add("Cancel", "Abbrechen", context="cancel")
    new = {m.context: m for m in translate.brought_up(old, "de")}
    assert (new["apply"].string, new["apply"].fuzzy) == ("Anwenden", True)
    assert (new["cancel"].string, new["cancel"].fuzzy) == ("Abbrechen", False)
    assert {"apply", "busy"} <= set(translate.left(translate.brought_up(old, "de")))
    assert "cancel" not in translate.left(translate.brought_up(old, "de"))


def test_the_english_of_before_goes_when_it_is_translated_anew():
    key, text = next(iter(translate.texts().items()))
    for flags, left in ((("fuzzy",), ['| msgid "Before"']), ((), [])):
        old = translate.Catalog(locale="de")
        old.add(text, text, context=key, flags=flags, user_comments=['| msgid "Before"'])
        new = {m.context: m for m in translate.brought_up(old, "de")}
        assert new[key].user_comments == left


def test_a_language_is_spoken():
    speak(catalogue("de"))
    assert (say("apply"), say("n-of-m", n=1, m=2)) == ("Anwenden", "1 von 2")
    assert say("waiting-behind", n=1).count("Auftrag") == 1
    assert "Aufträge" in say("waiting-behind", n=2)
    assert (number(1.5, 1), number(3)) == ("1,5", "3")


@pytest.mark.parametrize(
    ("editor", "spoken"),
    [
        (["de_DE"], "de"),
        (["de-AT"], "de"),
        (["de_CH.UTF-8@euro"], "de"),
        (["xx:de:en"], "de"),
        (["en_GB:de"], "en"),
        (["C.UTF-8", "de"], "de"),
        (["C"], "en"),
        ([""], "en"),
        ([], "en"),
        (["zh_TW"], "en"),
    ],
)
def test_the_editors_language_is_taken(tmp_path, editor, spoken):
    assert speak_as(editor, tmp_path) == spoken
    assert say("apply") == ("Anwenden" if spoken == "de" else "Apply")


def test_a_chosen_language_comes_first(tmp_path):
    write_language(tmp_path / "new", "en")
    assert read_language(tmp_path / "new") == "en"
    assert speak_as(["de"], tmp_path / "new") == "en"
    write_language(tmp_path / "new", "")
    assert speak_as(["de"], tmp_path / "new") == "de"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"language": 3}', '{"language": "xx"}'])
def test_a_choice_that_cant_be_read_is_none(tmp_path, content):
    (tmp_path / "language.json").write_text(content)
    assert speak_as(["de"], tmp_path) == "de"


def test_languages_are_named_in_themselves():
    told = names()
    assert (told["en"], told["de"]) == ("English", "Deutsch")
    assert len(set(told.values())) == len(told)


def test_a_language_stands_in_for_its_kin(monkeypatch):
    monkeypatch.setattr("palimpsest_client.text.language.available", lambda: ["en", "pt_BR", "zh_CN"])
    assert [nearest(name) for name in ("pt", "pt_PT", "zh", "zh_SG", "zh_TW", "zh_Hant_HK", "ja")] == [
        "pt_BR", "pt_BR", "zh_CN", "zh_CN", "", "", "",
    ]  # fmt: skip


def test_compiled_catalogues_come_with_the_plug_ins():
    for editor in SOURCES:
        files = bundle_for(editor, Path(translate.__file__).parent.parent).files
        shipped = {path for path in files if "/_client/languages/" in path}
        assert {path.split("/languages/")[1] for path in shipped} == {
            f"{code}/LC_MESSAGES/palimpsest.mo" for code in CODES
        }


@pytest.mark.parametrize(("code", "stop"), [("de", ". "), ("ja", "。"), ("zh_CN", "。")])
def test_a_label_before_a_sentence_ends_as_the_language_ends_sentences(code: str, stop: str):
    speak(catalogue(code))
    assert say("label-and-sentence", label="1", sentence="2") == f"1{stop}2"
