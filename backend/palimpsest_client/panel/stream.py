"""One stream of events: what happens is told to everybody who listens, in the order in which they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Optional, Union

from ..editor.editor import DocumentFacts, LayerResult
from ..fields.controls import Form
from ..http.job_view import JobView
from .live_layer import LiveLayer


@dataclass(frozen=True)
class Changed:
    """Something is to be shown anew."""


@dataclass(frozen=True)
class Connected:
    """A backend was found, at the start or after it had gone."""


@dataclass(frozen=True)
class ResultsMade:
    """There is a result that the list of results doesn't have yet."""


@dataclass(frozen=True)
class ConceptsMade:
    """There is a concept that the list of concepts doesn't have yet."""


@dataclass(frozen=True)
class ConceptRenamed:
    """By whomever."""

    name: str
    new: str


@dataclass(frozen=True)
class ModelsMade:
    """There is a model that the list of models doesn't have yet."""

    name: str


@dataclass(frozen=True)
class BackendChanged:
    """Another backend is used from now on, or another list of jobs: what was known of it holds no more."""


@dataclass(frozen=True)
class JobEnded:
    """A job that was followed finished, failed or was cancelled; what is shown says so already."""

    view: JobView


@dataclass(frozen=True)
class LayerPlaced:
    """A layer is in its document: a new one, or one that renews what was in hand."""

    facts: DocumentFacts  # when it was asked for
    id: str  # what LayerRecipe.layer will be
    layer: LayerResult
    renews: Optional[LiveLayer]
    form: Form  # what was applied
    fidelity: str  # how well its photo is remembered


@dataclass(frozen=True)
class ResultKept:
    """A result of before is a layer in a document."""

    facts: DocumentFacts  # when it was asked for
    id: str  # what LayerRecipe.layer will be
    layer: LayerResult


@dataclass(frozen=True)
class PhotoRemembered:
    """The photo was inverted, for its own sake or for an edit."""

    facts: DocumentFacts  # when it was asked for
    form: Form
    content: str  # Capture.content
    job: str  # its id
    fidelity: str  # how well it can be reproduced, in words


Event = Union[
    Changed,
    Connected,
    BackendChanged,
    ResultsMade,
    ConceptsMade,
    ConceptRenamed,
    ModelsMade,
    JobEnded,
    LayerPlaced,
    ResultKept,
    PhotoRemembered,
]
Listener = Callable[[Event], None]


class Stream:
    """``subscribe`` gives what ends it. A listener may subscribe or leave while it is told something."""

    def __init__(self) -> None:
        self._listeners: List[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen until what is returned is called; calling that again does nothing."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def publish(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(event)
