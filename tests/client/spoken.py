"""A language of a few texts, for tests of what must not depend on one."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations


class Spoken(NullTranslations):
    """``texts``: key of ``wording.ENGLISH`` → what is said instead; the rest is English."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def pgettext(self, context: str, message: str) -> str:
        return self._texts.get(context, message)
