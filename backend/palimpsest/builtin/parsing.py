"""From words to what they claim: recursive descent over one caption."""

from __future__ import annotations

from collections.abc import Mapping

from palimpsest.builtin.language import (
    NUMBERS,
    RELATIONS,
    STYLE_PHRASES,
    Description,
    GrammarError,
    Mention,
    nouns,
)
from palimpsest.scenes.things import COLOURS, GROUNDS, HAIRS, PEOPLE, TEXTURES


def parse(text: str) -> Description:
    """What `text` claims. Raises GrammarError that names the word where it leaves the language."""
    return _Reader(text.split()).description()


class _Reader:
    """Recursive descent over the words of one caption."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def description(self) -> Description:
        style = self.style()
        if (empty := self.bare_ground()) is not None:
            return Description((), (), style, empty)
        mentions, relations = [self.group()], []
        while (relation := self.relation()) is not None:
            relations.append(relation)
            mentions.append(self.group())
        ground = self.ground()
        if self.at < len(self.words):
            raise self.unexpected("a relation, 'on' or the end")
        return Description(tuple(mentions), tuple(relations), style, ground)

    def accept(self, *phrase: str) -> bool:
        found = self.words[self.at : self.at + len(phrase)] == list(phrase)
        self.at += len(phrase) if found else 0
        return found

    def accept_from(self, table: Mapping[str, object] | tuple[str, ...]) -> str | None:
        if self.at < len(self.words) and self.words[self.at] in table:
            self.at += 1
            return self.words[self.at - 1]
        return None

    def expect_from(self, what: str, table: Mapping[str, object] | tuple[str, ...]) -> str:
        word = self.accept_from(table)
        if word is None:
            raise self.unexpected(f"{what} ({', '.join(table)})")
        return word

    def unexpected(self, wanted: str) -> GrammarError:
        found = f"{self.words[self.at]!r} (word {self.at + 1})" if self.at < len(self.words) else "the end"
        return GrammarError(f"In {' '.join(self.words)!r}: found {found}.", f"Expected {wanted}.")

    def style(self) -> str | None:
        return next((style for style, phrase in STYLE_PHRASES.items() if self.accept(*phrase.split())), None)

    def relation(self) -> str | None:
        return next((relation for relation in RELATIONS if self.accept(*relation.split())), None)

    def bare_ground(self) -> str | None:
        """The ground of a caption that ends with it right here, things and all left out."""
        rest = self.words[self.at :]
        bare = rest[1:] if rest[:1] == ["the"] else rest
        return bare[0] if len(bare) == 1 and bare[0] in GROUNDS else None

    def ground(self) -> str | None:
        if not self.accept("on"):
            return None
        self.accept("the")
        return self.expect_from("a ground", GROUNDS)

    def group(self) -> Mention:
        number = self.accept_from(NUMBERS)
        if number is None and not any(self.accept(article) for article in ("a", "an", "the")):
            raise self.unexpected("'a', 'an', 'the' or a number")
        colour = texture = None
        while (word := self.accept_from((*COLOURS, *TEXTURES))) is not None:
            colour, texture = (word, texture) if word in COLOURS else (colour, word)
        noun, form = nouns()[self.expect_from("a noun", nouns())]
        if (form == 1) != (number is None):
            raise GrammarError(
                f"In {' '.join(self.words)!r}: {self.words[self.at - 1]!r} does not fit its number.",
                "Say 'a ball' or 'two balls'.",
            )
        hair, shirt, trousers = self.looks() if noun in (*PEOPLE, "person") else (None, None, None)
        count = 1 if number is None else NUMBERS[number]
        return Mention(noun, count, colour, texture, hair, shirt, trousers)

    def looks(self) -> tuple[str | None, str | None, str | None]:
        hair = shirt = trousers = None
        if self.accept("with"):
            hair = self.coloured("hair", HAIRS)
        if self.accept("in"):
            if self.accept("a") or self.accept("an"):
                shirt = self.coloured("shirt", COLOURS)
                if self.words[self.at : self.at + 3 : 2] == ["and", "trousers"]:
                    self.at += 1
                    trousers = self.coloured("trousers", COLOURS)
            else:
                trousers = self.coloured("trousers", COLOURS)
        return hair, shirt, trousers

    def coloured(self, noun: str, table: Mapping[str, object]) -> str:
        colour = self.expect_from(f"a colour of {noun}", table)
        self.expect_from(noun, (noun,))
        return colour
