"""The backend that a panel uses: where it is, starting the one that is installed here, and what it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

from ..http.connection import Choice, check_choice, connector, read_choice, write_choice
from ..http.protocol import ClientError
from ..http.session import Session
from ..setup.state import Setup
from .downloads import Downloads
from .jobs import PanelJobs
from .library import Concept, Model, OpenJob, bring_concepts, bring_models, open_jobs
from .starting import Starter
from .status import chosen
from .stream import BackendChanged, ConceptRenamed, ModelsMade, ResultsMade
from .vocabulary import Vocabulary


class Identity(NamedTuple):
    """``store``: of its list of jobs; ``owner``: who one is there. Empty = it doesn't say."""

    store: str = ""
    owner: str = ""

    def differs(self, other: Identity) -> bool:
        """Whether both say what they are, and not the same."""
        return any(one and two and one != two for one, two in zip(self, other))

    def learning(self, other: Identity) -> Identity:
        """What ``other`` says, and of the rest what was known before."""
        return Identity(other.store or self.store, other.owner or self.owner)


class Backend:
    """``changed`` is called whenever something here has become another, ``refuse`` with why something can't
    be. ``models`` and ``concepts`` are those that it had when it was asked last."""

    def __init__(
        self,
        folder: Path,
        jobs: PanelJobs,
        changed: Callable[[], None],
        refuse: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.choice = read_choice(folder)
        self.session = Session(connector(folder, self.choice), jobs)
        self.starter = Starter(folder, clock)
        self.setup = Setup(folder, changed, self._set_up)
        self.vocabulary = Vocabulary(folder)
        self.concepts: Tuple[Concept, ...] = ()
        self.models: Tuple[Model, ...] = ()
        self._folder, self._jobs = folder, jobs
        self._changed, self._refuse = changed, refuse
        self.downloads = Downloads(self.session, jobs.name, changed, self._model_came, clock)
        self._rejoined = False
        self._revisions: Mapping[str, str] = {}  # of what it has, as it last said
        self._identity = Identity()
        jobs.attach(self.session)

    # Where it is.

    def start(self) -> None:
        """Start the one that is installed here, and go on when it answers."""
        self._jobs.outcome = None
        self.starter.begin(self.session, self._refuse)
        self._changed()

    def look(self) -> None:
        """At the one that is starting, or is set up, and at what it downloads."""
        self.setup.look()
        ready = self.session.state.connection == "ready"
        if ready:
            self.downloads.look(self.session.state.system.get("downloads", ()))
        if not ready and self.starter.look():
            self._changed()
        if self.starter.active:
            reason = self.starter.watch(ready)
            if reason:
                self._refuse(reason)
            self._changed()

    def _set_up(self) -> None:
        """It is installed here from now on."""
        self.starter.look()
        if not self.choice.address:
            self.start()

    def connect_to(self, choice: Choice) -> str:
        """Use another one from now on. Returns why it can't be used; empty if it can."""
        reason = check_choice(choice)
        if reason:
            return reason
        try:
            write_choice(self._folder, choice)
        except OSError as error:
            return str(error)
        if choice != self.choice:
            self._forget_backend()
        self.choice = choice
        self.session.reconnect(connector(self._folder, choice))
        return ""

    def _forget_backend(self) -> None:
        """Nothing that was known of the one before holds of another."""
        self._identity, self._revisions, self._rejoined = Identity(), {}, False
        self.concepts, self.models = (), ()
        self.downloads.forget()
        self._jobs.events.publish(BackendChanged())
        self._changed()

    def connected(self) -> None:
        """Behind the same address there may be another one: another data folder, another token."""
        system = self.session.state.system
        identity = Identity(str(system.get("store", "")), str(system.get("owner", "")))
        if self._identity.differs(identity):
            self._forget_backend()
        self._identity = self._identity.learning(identity)
        self.refresh()
        if not self._rejoined:
            self._rejoined = True
            self.session.ask(lambda client: open_jobs(client, self._jobs.name), self._rejoin)

    def _rejoin(self, jobs: Sequence[OpenJob]) -> None:
        if not self._jobs.busy:
            self._jobs.follow(jobs)

    # Models.

    def model(self, name: str) -> Optional[Model]:
        """The installed one of this name."""
        return chosen(self.models, name)

    def _model_came(self, name: str) -> None:
        self._jobs.events.publish(ModelsMade(name))

    def refresh(self) -> None:
        """Ask it anew for its models and words."""
        self.refresh_models()
        self.refresh_concepts()

    def refresh_models(self, then: Callable[[], None] = lambda: None) -> None:
        def have(found: Tuple[Model, ...]) -> None:
            self.models = found
            then()
            self._changed()

        self.session.ask(bring_models, have)

    # Learned words.

    def refresh_concepts(self) -> None:
        known = self.concepts
        self.session.ask(lambda client: bring_concepts(client, known), self._have_concepts)

    def _have_concepts(self, found: Tuple[Concept, ...]) -> None:
        """What was learned while the panel was there is at hand first; a word that has another name by now
        keeps its place."""
        before, self.concepts = self.concepts, found
        for name, new in renamed_in(before, found):
            self.vocabulary.rename(name, new)
            self._jobs.events.publish(ConceptRenamed(name, new))
        if before:
            known = {concept.version for concept in before} | {concept.name for concept in before}
            self.vocabulary.use([c.name for c in found if known.isdisjoint((c.version, c.name))])
        self._changed()

    def rename_concept(self, name: str, new: str, failed: Callable[[str], None]) -> None:
        """``failed`` gets the reason why not."""
        done = lambda _: self.refresh_concepts()  # noqa: E731
        self.session.ask(lambda client: client.rename_concept(name, new), done, text_to(failed))

    def remove_concept(self, name: str, failed: Callable[[str], None]) -> None:
        """For good. ``failed`` gets the reason why not."""

        done = lambda _: self.refresh_concepts()  # noqa: E731
        self.session.ask(lambda client: client.remove_concept(name), done, text_to(failed))

    # What changes there.

    def watch(self) -> None:
        """What somebody else has changed there is asked for anew. A first answer is no change: all is asked
        for then."""
        told = self.session.state.system.get("revisions", {})
        before, self._revisions = self._revisions, told
        changed = {name for name, text in told.items() if before.get(name, text) != text}
        if "concepts" in changed:
            self.refresh_concepts()
        if "models" in changed:
            self.refresh_models()
        if "results" in changed:
            self._jobs.events.publish(ResultsMade())


def renamed_in(before: Sequence[Concept], now: Sequence[Concept]) -> List[Tuple[str, str]]:
    """Old and new names: renaming leaves a concept's ``version`` as it is."""
    old, new = {concept.name for concept in before}, {concept.name for concept in now}
    gone = {concept.version: concept.name for concept in before if concept.name not in new}
    came = [concept for concept in now if concept.name not in old]
    return [(gone[concept.version], concept.name) for concept in came if concept.version in gone]


def text_to(failed: Callable[[str], None]) -> Callable[[ClientError], None]:
    return lambda error: failed(str(error))
