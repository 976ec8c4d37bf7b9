"""What people write by habit that means something elsewhere and nothing here: a notice, and what to write.

Weights in brackets, BREAK, prompt editing and LoRA files are of other tools' prompt languages; here a
sentence is read as it stands. Only what is written just as in those languages is noticed: much that looks
like it is what a picture shows (C++, [EXIT], 10 Ω, a scale of 1:100). Used by the panels, the shell and the
tasks, so that all say the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Callable, Dict, List, Match, Optional, Tuple

from ..limits import WEIGHT
from .sentences import CONCEPT, Word, isolated, plain, rightwards, words
from .wording import say

_NAME = r"[\w-]+"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_UNFINISHED = frozenset(  # what no phrase ends with
    "a an the of on in at to or and with by for from into is are it its this that as next near "
    "says saying reads reading".split()
)
_LATIN = ("LATIN", "FULLWIDTH LATIN", "MODIFIER LETTER", "FEMININE", "MASCULINE", "MICRO")
_FOREIGN_WORD, _FOREIGN_SHARE = 2, 0.25  # letters at a stretch, or of all letters
_NEAR = 200  # characters in which the word beside another is looked for
_LIKENESS = 0.8  # of a word to the name that it may be meant for, 0 to 1
_OTHER_BRACKETS = re.compile(r"[\[({](?P<word>[\w-]+)[\])}]")
_HALF_WRITTEN = re.compile(r"(?<![\w<])<(?![^<>]*>)(?:(?P<word>[^\W\d_][\w-]*)|\s*\Z)")
_LONGEST = 60  # characters of a place that a notice repeats


@dataclass(frozen=True)
class Notice:
    """``text`` says what is meant and what to write; ``place`` is where it stands in the sentence."""

    text: str
    place: Word


Said = Callable[[Match[str]], Optional[Dict[str, str]]]


def _plainly(found: Match[str]) -> Optional[Dict[str, str]]:
    return {}


def _weighed(found: Match[str]) -> Optional[Dict[str, str]]:
    """(word:1.4), and word::2; not (10:30), nor (a scale of 1:100). The number is one that can be given."""
    word, number = found.group("word").strip(), float(found.group("n"))
    if not _has_letter(word) or word[-1].isdigit():
        return None
    least, most = WEIGHT
    taken = str(most if number > most else least)
    return {"word": word, "n": found.group("n") if least <= number <= most else taken}


def _emphasis(factor: str) -> Said:
    """``factor``: about what the signs mean elsewhere."""
    return lambda found: {"word": found.group("word").strip(), "n": factor} if _has_letter(found[0]) else None


def _small(factor: str, least: int = 1) -> Said:
    """The same for small letters only, ``least`` or more: not [EXIT], {1850}, C++ nor b++."""

    def said(found: Match[str]) -> Optional[Dict[str, str]]:
        word = found.group("word").strip()
        known = word.islower() and len(word) >= least and not any(sign in ":;=<>|/" for sign in word)
        return {"word": word, "n": factor} if known else None

    return said


def _has_letter(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def _joining(found: Match[str]) -> Optional[Dict[str, str]]:
    """A word in capitals that stands between two phrases: not AND gate, nor SALT AND PEPPER."""
    text, (start, stop) = found.string, found.span()
    before, after = words(text[max(0, start - _NEAR) : start]), words(text[stop : stop + _NEAR])
    if not before or not after or before[-1].text.lower() in _UNFINISHED:
        return None
    return None if before[-1].text.isupper() or after[0].text.isupper() else {}


def _named(found: Match[str]) -> Optional[Dict[str, str]]:
    return {"name": found.group("word").lower()}


def _editing(found: Match[str]) -> Optional[Dict[str, str]]:
    """[from:to:when], [to:when] and [this|that]; not [10:30]."""
    inner = found.group("word")
    timed = re.fullmatch(rf"[^:]*:(?:[^:]*:)?\s*{_NUMBER}\s*", inner) is not None
    return {} if _has_letter(inner) and (timed or "|" in inner) else None


def _spaced(found: Match[str]) -> Optional[Dict[str, str]]:
    """<my toy>; not what stands between the signs of a <3 b> c."""
    inner = found.group("word").lower().split()
    known = inner and inner[0][0].isalpha() and len(found.group("word").split(" ")) > 1
    return {"name": "-".join(inner)} if known else None


HABITS: Tuple[Tuple[str, str, Said], ...] = (
    # the notice's key, the pattern, what the notice says of it (None: it is something else); first come first
    ("habit-file", r"<(?:lora|lyco|locon|hypernet)\s*:[^<>]*>", _plainly),
    ("habit-embedding", rf"\bembedding:(?P<word>{_NAME})", _named),
    ("habit-weight", rf"\((?P<word>[^():]+):(?P<n>{_NUMBER})\s*\)", _weighed),
    ("habit-editing", r"[\[{](?P<word>[^][{}]*)[]}]", _editing),
    ("habit-weight", rf"(?<![\w-])(?P<word>{_NAME})::(?P<n>{_NUMBER})", _weighed),
    ("habit-weight", r"(?<!\()\({2,}(?P<word>[^()]+)\){2,}", _emphasis("1.2")),
    ("habit-weight", r"(?<!\[)\[+(?P<word>[^][]+)\]+", _small("0.9")),
    ("habit-weight", r"(?<!\{)\{+(?P<word>[^{}]+)\}+", _small("1.1")),
    ("habit-weight", rf"(?<![\w-])(?P<word>{_NAME})\+\+(?![\w+-])", _small("1.2", least=2)),
    ("habit-weight", r"(?<![\w-])(?P<word>\w+(?:-\w+)*)--(?![\w-])", _small("0.8", least=2)),
    ("habit-break", r"\bBREAK\b", _joining),
    ("habit-and", r"\bAND\b", _joining),
    ("habit-option", r"(?<!\S)--[a-z]+(?:\s+[\d.:]+)?", _plainly),
    ("habit-space", r"<(?P<word>[^<>:]*)>", _spaced),
)
_PATTERNS = tuple((key, re.compile(pattern), said) for key, pattern, said in HABITS)


def notices(
    sentence: str,
    concepts: Collection[str] = (),
    known: Collection[str] = (),
    finished: Optional[int] = None,
) -> List[Notice]:
    """In the order of the sentence. ``concepts``: names of the learned words; ``known``: all words that the
    model knows, where they are few; empty = more than can be told. ``finished``: how many characters aren't
    being written still, None = all; no word after them is called unknown or taken for another."""
    found = _half_written(sentence[:finished], concepts) + _in_other_brackets(sentence, concepts)
    for key, pattern, said in _PATTERNS:
        for match in pattern.finditer(sentence):
            values = said(match)
            if values is not None:
                found += _unless_covered(found, key, sentence, match.span(), values)
    for word in bare_names(sentence, concepts):
        found += _unless_covered(
            found, "habit-name", sentence, (word.start, word.stop), {"name": plain(word.text)}
        )
    for word, name in near_names(sentence[:finished], concepts, known):
        found += _unless_covered(found, "habit-near", sentence, (word.start, word.stop), {"name": name})
    found += [one for one in _foreign(sentence) if not _covered(found, one.place)]
    unknown = unknown_words(sentence[:finished], known)
    found += _unknown([word for word in unknown if not _covered(found, word)])
    return sorted(found, key=lambda notice: notice.place.start)


def texts(sentences: Collection[str], concepts: Collection[str], known: Collection[str]) -> List[str]:
    """What is to be said of several sentences, each text once."""
    found = (notice.text for sentence in sentences for notice in notices(sentence, concepts, known))
    return list(dict.fromkeys(found))


def places(found: Collection[Notice]) -> Tuple[Word, ...]:
    return tuple(notice.place for notice in found)


def notice_at(found: Collection[Notice], position: int) -> str:
    """What is said of the word there; empty where there is nothing to be said."""
    return next((one.text for one in found if one.place.start <= position <= one.place.stop), "")


def half_written(sentence: str) -> List[str]:
    """Names of concepts whose bracket was opened and isn't closed; empty ones, too. Not: a <3 b, x<y."""
    return [match.group("word") or "" for match in _HALF_WRITTEN.finditer(sentence)]


def _half_written(sentence: str, concepts: Collection[str]) -> List[Notice]:
    found = []
    for match in _HALF_WRITTEN.finditer(sentence):
        place = Word(match.group().strip(), match.start(), match.start() + len(match.group().strip()))
        near = _meant(plain(match.group("word") or ""), sorted(concepts))
        if near:
            found.append(_notice("habit-near", sentence, (place.start, place.stop), {"name": near}))
        else:
            found += _unknown([place])
    return found


def _meant(begun: str, names: List[str]) -> str:
    """The name that begins so, or is the likeliest."""
    longer = [name for name in names if begun and name.startswith(begun)]
    return (longer or get_close_matches(begun, names, 1, _LIKENESS) or [""])[0]


def bare_names(sentence: str, concepts: Collection[str]) -> List[Word]:
    """Words that are a concept's name without its brackets; where it also stands with them it is known."""
    told = words(sentence)
    bracketed = {word.text[1:-1] for word in told if CONCEPT.fullmatch(word.text)}
    names = frozenset(concepts) - bracketed
    return [word for word in told if not CONCEPT.match(word.text) and plain(word.text) in names]


def near_names(
    sentence: str, concepts: Collection[str], known: Collection[str] = ()
) -> List[Tuple[Word, str]]:
    """Words that are a concept's name but for a letter, or for how its parts are joined; with that name.

    Ordinary words are none: a word is asked about only where it is itself made of parts, as names are. A
    concept that the sentence names is not asked for.
    """
    told = [word for word in words(sentence) if plain(word.text) not in known]
    named = {plain(word.text) for word in told if CONCEPT.match(word.text)}
    names = sorted(name for name in concepts if name not in named)
    together = {_together(name): name for name in names if _together(name) != name}
    found = []
    for word in told + _pairs(sentence, told):
        near = together.get(_together(word.text), "")
        if not near and _together(word.text) != plain(word.text) and " " not in word.text:
            near = (get_close_matches(plain(word.text), names, 1, _LIKENESS) or [""])[0]
        if near and near != plain(word.text) and not CONCEPT.match(word.text):
            found.append((word, near))
    return found


def _pairs(sentence: str, told: List[Word]) -> List[Word]:
    """Two words with nothing but a blank between them, as one."""
    both = [told[i : i + 2] for i in range(len(told) - 1)]
    pairs = [Word(sentence[a.start : b.stop], a.start, b.stop) for a, b in both]
    return [pair for pair in pairs if re.fullmatch(r"[\w-]+ [\w-]+", pair.text)]


def _together(name: str) -> str:
    """A name without what joins its parts: my-toy, my_toy and my toy as mytoy."""
    return re.sub(r"[-_ ]", "", plain(name))


def _in_other_brackets(sentence: str, concepts: Collection[str]) -> List[Notice]:
    """[my-toy], (my-toy) and {my-toy}: brackets that a concept's name was given by mistake."""
    told = ((match, plain(match.group("word"))) for match in _OTHER_BRACKETS.finditer(sentence))
    named = [(match, name) for match, name in told if name in concepts]
    return [_notice("habit-name", sentence, match.span(), {"name": name}) for match, name in named]


def unknown_words(sentence: str, known: Collection[str]) -> List[Word]:
    """Words that mean nothing to a model which says what it knows; a learned one is its own affair."""
    told = words(sentence) if known else []
    return [word for word in told if not CONCEPT.match(word.text) and word.text.lower() not in known]


def _foreign(sentence: str) -> List[Notice]:
    """What isn't written in Latin letters: the text encoders of all models here were trained on English."""
    at = [i for i, letter in enumerate(sentence) if letter.isalpha() and not _latin(letter)]
    words_of_it = any(stop - start + 1 >= _FOREIGN_WORD for start, stop in _runs(at))
    if not words_of_it and len(at) <= _FOREIGN_SHARE * sum(map(str.isalpha, sentence)):
        return []  # a sign, as in 10 Ω
    return [_notice("habit-language", sentence, (at[0], at[-1] + 1), {})]


def _runs(numbers: List[int]) -> List[Tuple[int, int]]:
    """The first and last of each run of neighbours."""
    runs: List[Tuple[int, int]] = []
    for number in numbers:
        follows = bool(runs) and runs[-1][1] == number - 1
        runs[-1:] = [(runs[-1][0], number)] if follows else [*runs[-1:], (number, number)]
    return runs


def _latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_LATIN)


def _unknown(found: List[Word]) -> List[Notice]:
    names = ", ".join(dict.fromkeys(isolated(word.text) for word in found))
    return [Notice(rightwards(say("unknown-words", words=names)), word) for word in found]


def _unless_covered(
    found: List[Notice], key: str, sentence: str, span: Tuple[int, int], values: Mapping[str, str]
) -> List[Notice]:
    made = _notice(key, sentence, span, values)
    return [] if _covered(found, made.place) else [made]


def _covered(found: List[Notice], place: Word) -> bool:
    return any(other.place.start < place.stop and place.start < other.place.stop for other in found)


def _notice(key: str, sentence: str, span: Tuple[int, int], values: Mapping[str, str]) -> Notice:
    text = sentence[span[0] : span[1]]
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return Notice(rightwards(say(key, found=isolated(shown), **values)), Word(text, *span))
