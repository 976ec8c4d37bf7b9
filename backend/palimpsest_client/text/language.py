"""Which language is spoken: the editor's own, or one that was chosen.

Each language is a gettext catalogue, ``languages/<code>/LC_MESSAGES/palimpsest.mo``; English needs none.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Dict, List, Optional

from ..folders import config_folder
from ..json_file import write_json
from .wording import ENGLISH, speak

DOMAIN = "palimpsest"
FOLDER = Path(__file__).parent.parent / "languages"
CHOICE = "language.json"
ENGLISH_CODE = "en"
OTHER_SCRIPT = re.compile(r"zh_(?:TW|HK|MO|Hant)")
"""Whoever reads Chinese in traditional characters isn't given simplified ones unasked."""


def speak_as(editor: Sequence[str], folder: Optional[Path] = None) -> str:
    """Speak the chosen language, else the first of the ``editor``'s that there is, else English.

    Returns its code. ``editor``: as "de_DE.UTF-8" or "pt-BR"; each may be a list, "de:fr", as in LANGUAGE.
    """
    chosen = read_language(config_folder() if folder is None else folder)
    code = next(filter(None, map(nearest, [chosen, *":".join(editor).split(":")])), ENGLISH_CODE)
    speak(catalogue(code))
    return code


def catalogue(code: str) -> gettext.NullTranslations:
    """The translations of an available language. A file that is missing or damaged raises OSError."""
    if code == ENGLISH_CODE:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, str(FOLDER), [code])


def available() -> List[str]:
    """Codes of the languages that there are, English first."""
    found = FOLDER.glob("*/LC_MESSAGES/" + DOMAIN + ".mo")
    return [ENGLISH_CODE, *sorted(path.parent.parent.name for path in found)]


def names() -> Dict[str, str]:
    """Of the languages that there are, each in its own: to choose from."""
    key = "language-name"
    return {code: catalogue(code).pgettext(key, ENGLISH[key]) for code in available()}


def nearest(wanted: str) -> str:
    """The available language for a locale's name; empty if there is none. pt finds pt_BR, de_AT finds de."""
    name = re.split(r"[.@]", wanted.strip())[0].replace("-", "_")
    language = name.split("_")[0]
    there = available()
    for code in (name, language):
        if code in there and not OTHER_SCRIPT.match(name):
            return code
    kin = [code for code in there if code.split("_")[0] == language and not OTHER_SCRIPT.match(name)]
    return kin[0] if kin else ""


def read_language(folder: Path) -> str:
    """The language that was chosen; empty = as the editor's."""
    try:
        told = json.loads((folder / CHOICE).read_text(encoding="utf-8"))
        return str(told["language"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def write_language(folder: Path, code: str) -> None:
    """Keep it for the editor's next start. Raises OSError."""
    write_json(folder / CHOICE, {"language": code})
