"""The settings page without a widget: with what new pictures begin, the language, what is kept here.

Its fields are described like the panel's: a window makes them in the same way, with this in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .control import ADVANCED, CHOICE, Control
from .controls import Drawn
from .json_file import read_json, write_json
from .language import names, read_language, write_language
from .settings import CONTROLS, Settings, settings_from_json
from .wording import say

DEFAULTS = "defaults.json"
LANGUAGE = Control(CHOICE, ADVANCED, "language")
BEGINNING = ("feather", "variations")
FIELDS = (LANGUAGE, *(CONTROLS[name] for name in BEGINNING))


class Preferences:
    """``settings``: with what a new picture begins. ``trouble``: why the last change can't be kept."""

    def __init__(
        self, folder: Path, begun: Callable[[Settings], None], forgotten: Callable[[], None]
    ) -> None:
        self.folder = folder
        self.settings = read_defaults(folder / DEFAULTS)
        self.trouble = ""
        self._begun, self._forgotten = begun, forgotten

    def change(self, name: str, value: Any) -> None:
        """One of ``FIELDS``. A language is spoken from the editor's next start."""
        try:
            if name == LANGUAGE.name:
                write_language(self.folder, value)
            else:
                self.settings = replace(self.settings, **{name: value})
                write_defaults(self.folder / DEFAULTS, self.settings)
                self._begun(self.settings)
            self.trouble = ""
        except OSError as error:
            self.trouble = say("preferences-not-kept", place=self.folder, reason=str(error))

    def drawn(self, control: Control) -> Drawn:
        if control is LANGUAGE:
            spoken = read_language(self.folder)
            return Drawn(spoken, spoken, "", "", choices=(("", say("as-the-editor")), *names().items()))
        value = getattr(self.settings, control.name)
        return Drawn(value, value, control.default, control.text(value))

    def forget(self) -> None:
        """Sentences of files, and which concepts were used last. What is open stays as it is."""
        try:
            self._forgotten()
            self.trouble = ""
        except OSError as error:
            self.trouble = say("not-forgotten", reason=str(error))


def read_defaults(place: Path) -> Settings:
    """As recommended where nothing, or nothing that can be read, is kept."""
    told = settings_from_json(read_json(place))
    return Settings(**{name: getattr(told, name) for name in BEGINNING})


def write_defaults(place: Path, settings: Settings) -> None:
    write_json(place, {name: getattr(settings, name) for name in BEGINNING})
