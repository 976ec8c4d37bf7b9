"""Labels fit the panel at its narrowest, 260 px, in every language.

Widths of letters are DejaVu Sans's (one of the widest faces that editors use), kept in
``letter_widths.json`` so that a machine without fonts measures the same; East Asian characters are as wide
as high.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from PIL import ImageFont

import translate
from palimpsest_client.text.language import catalogue
from palimpsest_client.text.wording import ENGLISH

HERE = Path(__file__).parent
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
SIZE = 12  # px: 9 points at 96 dots per inch, as Krita and GIMP have them
INSIDE = 260 - 2 * 6 - 14  # px: without margins and scroll bar
BUTTON = 16  # px of a button beside its text
GAP = 6
LETTERS = {
    first + i: width
    for first, widths in json.loads((HERE / "letter_widths.json").read_text())
    for i, width in enumerate(widths)
}
LINES = {
    # what stands on one line → px that are left for the texts together
    ("first", "describe"): INSIDE - BUTTON - GAP,
    ("concepts", "learn"): INSIDE - BUTTON - 20 - GAP,
    ("update",): INSIDE - BUTTON - 70,  # beside the number of variations
    ("update", "new"): 104,  # with GIMP's wide number of variations beside them
    ("apply",): INSIDE - BUTTON - 70,
    ("structure",): INSIDE - 40,  # above its slider, beside its value
    ("strength",): INSIDE - 40,
    ("grow",): INSIDE - 40,
    ("feather",): INSIDE - 40,
    ("free", "exact"): INSIDE - GAP,
    ("gentle", "strong"): INSIDE - GAP,
    ("word-gone", "strong"): INSIDE - GAP,
    **{(key,): 90 for key in ("replace", "insert", "restyle", "remove", "reweight")},
    **{(key,): 110 for key in ("source", "model", "method", "steps", "guidance", "cross", "self-attention")},
    **{(key,): 110 for key in ("context", "working-size", "seed")},
    **{(key,): INSIDE - BUTTON for key in ("start", "connect", "choose-token", "get-model", "reopen")},
    **{(key,): INSIDE - BUTTON for key in ("copy-command", "rgb-copy", "remember")},
    **{(key,): INSIDE - BUTTON - 20 for key in ("dice", "defaults", "advanced", "results", "cancel")},
    **{(key,): INSIDE for key in ("second-replace", "second-insert", "second-restyle", "second-remove")},
}


def width(text: str) -> float:
    """px. Raises KeyError for a letter whose width isn't known: add it to letter_widths.json."""
    wide = {letter for letter in text if unicodedata.east_asian_width(letter) in "WF"}
    return SIZE * sum(1000 if letter in wide else LETTERS[ord(letter)] for letter in text) / 1000


@pytest.mark.parametrize("code", ["en", *translate.codes()])
def test_labels_fit(code):
    spoken = catalogue(code)
    too_wide = {
        keys: round(found - room)
        for keys, room in LINES.items()
        if (found := sum(width(spoken.pgettext(key, ENGLISH[key])) for key in keys)) > room
    }
    assert too_wide == {}


def test_a_label_that_is_too_long_is_found():
    assert width("Diese Ebene wieder öffnen und ändern, was sie zeigt") > INSIDE


def test_widths_are_those_of_the_font():
    if not DEJAVU.exists():
        pytest.skip("DejaVu Sans isn't installed: the kept widths can't be compared with it")
    font = ImageFont.truetype(str(DEJAVU), 2048)
    assert {code: round(font.getlength(chr(code)) * 1000 / 2048) for code in LETTERS} == LETTERS
