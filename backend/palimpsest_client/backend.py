"""The backend that a panel uses: where it is, starting the one that is installed here, and what it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional, Tuple

from .connection import Choice, check_choice, connector, read_choice, write_choice
from .errands import Errands
from .library import Concept, Model, OpenJob, bring_concepts, bring_models, open_jobs
from .order import Order
from .orders import job_id
from .outcome import Outcome
from .protocol import ClientError
from .session import Session
from .setup import Setup
from .starting import Starter
from .status import chosen, is_learning
from .stream import ModelsMade
from .vocabulary import Vocabulary
from .wording import say


class Backend:
    """``changed`` is called whenever something here has become another, ``refuse`` with why something can't
    be. ``models`` and ``concepts`` are those that it had when it was asked last."""

    def __init__(
        self,
        folder: Path,
        errands: Errands,
        changed: Callable[[], None],
        refuse: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.choice = read_choice(folder)
        self.session = Session(connector(folder, self.choice), errands)
        self.starter = Starter(folder, clock)
        self.setup = Setup(folder, changed, self._set_up)
        self.vocabulary = Vocabulary(folder)
        self.concepts: Tuple[Concept, ...] = ()
        self.models: Tuple[Model, ...] = ()
        self._folder, self._errands = folder, errands
        self._changed, self._refuse = changed, refuse
        self._downloading = ""
        self.fetched = ""  # what came of the last download, until something else is asked for
        self._rejoined = False
        self._learning = False  # a word is being learned there, as it last said
        errands.serve(self.session)

    # Where it is.

    def start(self) -> None:
        """Start the one that is installed here, and go on when it answers."""
        self._errands.outcome = None
        self.starter.begin(self.session, self._refuse)
        self._changed()

    def look(self) -> None:
        """At the one that is starting, or is set up."""
        self.setup.look()
        ready = self.session.state.connection == "ready"
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
        self.choice = choice
        self._rejoined = False
        self.session.reconnect(connector(self._folder, choice))
        return ""

    def connected(self) -> None:
        self.refresh()
        if not self._rejoined:
            self._rejoined = True
            self.session.ask(lambda client: open_jobs(client, self._errands.name), self._rejoin)

    def _rejoin(self, jobs: Sequence[OpenJob]) -> None:
        if not self._errands.busy:
            self._errands.follow(jobs)

    # Models.

    def model(self, name: str) -> Optional[Model]:
        """The installed one of this name."""
        return chosen(self.models, name)

    @property
    def downloading(self) -> str:
        """The name of the model that is being fetched."""
        return self._downloading if self._errands.busy else ""

    def download(self, model: str, then: Callable[[], None]) -> None:
        """Fetch one of the catalogue."""

        def came(_: Any, __: Any) -> None:
            self._errands.events.tell(ModelsMade())
            self._errands.end(Outcome("done", say("downloaded", model=model)))
            then()

        self._downloading = model
        id = job_id(self._errands.name)
        self._errands.run(Order("pull", {"model": model}, fetch=None, id=id), came)

    def watch_download(self) -> None:
        """However it ends, that is told where it was begun."""
        outcome = self._errands.outcome
        if self._errands.busy:
            self.fetched = ""
        elif self._downloading:
            self._downloading, self.fetched = "", "" if outcome is None else outcome.text

    def refresh(self) -> None:
        """Ask it anew for its models and words."""
        self.session.ask(bring_models, self._have_models)
        self.refresh_concepts()

    def _have_models(self, found: Tuple[Model, ...]) -> None:
        self.models = found
        self._changed()

    # Learned words.

    def refresh_concepts(self) -> None:
        known = self.concepts
        self.session.ask(lambda client: bring_concepts(client, known), self._have_concepts)

    def _have_concepts(self, found: Tuple[Concept, ...]) -> None:
        """What was learned while the panel was there is at hand first."""
        known = {concept.name for concept in self.concepts}
        if known:
            self.vocabulary.use([concept.name for concept in found if concept.name not in known])
        self.concepts = found
        self._changed()

    def rename_concept(
        self, name: str, new: str, then: Callable[[], None], failed: Callable[[str], None]
    ) -> None:
        """``failed`` gets the reason why not."""

        def done(_: Any) -> None:
            self.vocabulary.rename(name, new)
            then()
            self.refresh_concepts()

        self.session.ask(lambda client: client.rename_concept(name, new), done, said_to(failed))

    def remove_concept(self, name: str, failed: Callable[[str], None]) -> None:
        """For good. ``failed`` gets the reason why not."""

        def done(_: Any) -> None:
            self.refresh_concepts()

        self.session.ask(lambda client: client.remove_concept(name), done, said_to(failed))

    def watch_learning(self) -> None:
        """A word that was learned elsewhere is in the list when that has ended."""
        before, self._learning = self._learning, is_learning(self.session.state.system)
        if before and not self._learning:
            self.refresh_concepts()


def said_to(failed: Callable[[str], None]) -> Callable[[ClientError], None]:
    return lambda error: failed(str(error))
