#!/usr/bin/env python3
"""Bring the catalogues of the panels' texts up to date: ``python tests/translate.py [CODE…]``.

Texts come from ``wording.ENGLISH``. Written are ``languages/palimpsest.pot``, every language's
``palimpsest.po``, in which what is new is empty and what changed in English is marked fuzzy, and the
compiled ``palimpsest.mo`` beside it. CODE begins a language that there isn't yet: ``it``, ``pt_BR``.
Said is what is left to translate; the exit code is 1 if anything is. docs/translating.md has more.
"""

from __future__ import annotations

import io
import sys
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parent.parent / "backend"))
from palimpsest_client.text.language import DOMAIN, FOLDER
from palimpsest_client.text.wording import ENGLISH, SINGULAR

WIDTH = 100
NEVER = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the same texts make the same files
HEADER = "# Texts of Palimpsest's panels in Krita and GIMP. MIT licence."


def texts() -> dict[str, str | tuple[str, str]]:
    """Key → English, or English for one and for more."""
    return {key: (SINGULAR[key], text) if key in SINGULAR else text for key, text in ENGLISH.items()}


def place_of(code: str) -> Path:
    return FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def codes() -> list[str]:
    return sorted(path.parent.parent.name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read(code: str) -> Catalog:
    with place_of(code).open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def template() -> Catalog:
    return brought_up(Catalog(domain=DOMAIN), None)


def brought_up(old: Catalog, code: str | None) -> Catalog:
    """All texts that there are now, with what is translated already."""
    made = Catalog(
        locale=code,
        domain=DOMAIN,
        header_comment=HEADER,
        project="Palimpsest",
        version="1",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        creation_date=NEVER,
        revision_date=NEVER,
        fuzzy=False,
    )
    had = {message.context: message for message in old if message.id}
    for key, text in texts().items():
        made.add(text, context=key, **kept(had.get(key), text))
    return made


def kept(old: Message | None, text: str | tuple[str, str]) -> dict:
    """Of a message as it was: its translation, fuzzy if its English is another now."""
    if old is None or isinstance(old.id, str) != isinstance(text, str):
        return {}
    if tuple_of(old.id) == tuple_of(text):
        former = old.user_comments if old.fuzzy else []  # as which the English of before is read
        return {"string": old.string, "flags": old.flags & {"fuzzy"}, "user_comments": former}
    flags = {"fuzzy"} if any(tuple_of(old.string)) else set()
    return {"string": old.string, "flags": flags, "previous_id": old.id, "user_comments": old.user_comments}


def tuple_of(value: str | tuple | list | None) -> tuple:
    return (value,) if isinstance(value, str) or value is None else tuple(value)


def left(catalog: Catalog) -> list[str]:
    """Keys of what isn't translated, or not anew since its English changed."""
    return [
        str(message.context)
        for message in catalog
        if message.id and (message.fuzzy or not all(tuple_of(message.string)))
    ]


def as_po(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=WIDTH, include_previous=True)
    return file.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main(new: list[str]) -> int:
    (FOLDER / f"{DOMAIN}.pot").write_bytes(as_po(template()))
    unfinished = 0
    for code in sorted({*codes(), *new}):
        place = place_of(code)
        place.parent.mkdir(parents=True, exist_ok=True)
        catalog = brought_up(read(code) if place.exists() else Catalog(locale=code), code)
        place.write_bytes(as_po(catalog))
        place.with_suffix(".mo").write_bytes(as_mo(catalog))
        missing = left(catalog)
        unfinished += len(missing)
        print(f"{code}: {len(texts()) - len(missing)} of {len(texts())}", *missing[:20])
    return 1 if unfinished else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
