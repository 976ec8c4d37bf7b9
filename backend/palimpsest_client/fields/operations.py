"""What can be done to a picture: what is to be known of each operation without its mathematics.

Contract, tasks, shell, panels and GIMP's procedures read this table; the recipe of each is in
``palimpsest/core/editing/recipes.py``, its texts are in ``wording.py``. How one is added: CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from ..text.sentences import changes, changes_text, in_style, with_thing, without_thing
from ..text.wording import say

REPLACE, INSERT, RESTYLE, REMOVE, REWEIGHT = "replace", "insert", "restyle", "remove", "reweight"

WHOLE, PHRASE, WEIGHTS = "whole", "phrase", "weights"
"""What is asked for under the first sentence: the second one, a few words that it is made from, or how much
each word counts."""
FREE, BETTER, NEEDED = "free", "better", "needed"
"""Whether something must be selected: not at all, in the panels alone, or everywhere."""
NOISE, PHOTO = "noise", "photo"


class NamedByChange:
    """How a layer is called: after the words that changed, or where none did, ``otherwise`` (a key)."""

    def __init__(self, otherwise: str) -> None:
        self._otherwise = otherwise

    def __call__(self, request: Mapping[str, Any]) -> str:
        said = changes_text(changes(request["source_prompt"], request["target_prompt"]))
        return said or say(self._otherwise)


def _style(request: Mapping[str, Any]) -> str:
    return say("layer-restyle", style=request["target_prompt"].split(" of ")[0])


def _weighted(request: Mapping[str, Any]) -> str:
    parts = [say("weighted", word=word, n=f"{of:g}") for word, of in request["weights"].items()]
    return say("layer-reweight", words=", ".join(parts))


class Operation(NamedTuple):
    """Keys are those of ``wording.py``, where the name itself, ``tip-name``, ``second-name``,
    ``example-name``, ``menu-procedure`` and ``does-procedure`` are found as well."""

    name: str  # in requests and in the shell
    asks: str
    target: Callable[[str, str], str]  # the second sentence, from the first and what is filled in below it
    layer: Callable[[Mapping[str, Any]], str]  # the name of the layer that a request makes
    missing: str = ""  # key: what is said while that is empty; "" = it may be, as may the first sentence
    argument: str = ""  # of GIMP's procedure: what is filled in
    about: str = ""  # key: what that is
    procedure: str = ""  # GIMP's, where it isn't called as the operation is
    called: str = ""  # in the shell besides: as the panels call it
    selection: str = FREE
    begins: str = ""  # what a selection begins from where nothing is laid in; "" = the photo, untold
    clears: bool = False  # what is selected goes, and its fringe and shadow: the selection is grown
    windows: Optional[Tuple[float, float]] = None  # recommended ends of cross- and self-attention's, if any

    @property
    def rewords(self) -> bool:
        """Two different sentences are its sense."""
        return bool(self.missing)

    @property
    def wordless(self) -> bool:
        """It can be done without a word said."""
        return not self.missing and self.asks != WEIGHTS


OPERATIONS: Dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            REPLACE,
            WHOLE,
            target=lambda first, second: second.strip(),
            layer=NamedByChange(REPLACE),
            missing="say-what-it-should-show",
            argument="should-show",
            about="about-should-show",
            begins=PHOTO,
            clears=True,
            windows=(0.8, 0.4),
        ),
        Operation(
            INSERT,
            PHRASE,
            target=with_thing,
            layer=NamedByChange(INSERT),
            missing="say-what-to-insert",
            argument="thing",
            about="about-inserted",
            selection=BETTER,
            begins=NOISE,
        ),
        Operation(
            RESTYLE,
            PHRASE,
            target=in_style,
            layer=_style,
            missing="say-the-style",
            argument="style",
            about="about-style",
            windows=(1.0, 0.6),
        ),
        Operation(
            REMOVE,
            PHRASE,
            target=without_thing,
            layer=NamedByChange("layer-removed"),
            argument="thing",
            about="about-removed",
            selection=NEEDED,
            clears=True,
        ),
        Operation(
            REWEIGHT,
            WEIGHTS,
            target=lambda first, second: first.strip(),
            layer=_weighted,
            procedure="emphasise-word",
            called="emphasise",
            windows=(0.8, 0.4),
        ),
    )
}


def operations_that(fits: Callable[[Operation], Any]) -> Tuple[str, ...]:
    """The names of the operations that are so."""
    return tuple(operation.name for operation in OPERATIONS.values() if fits(operation))
