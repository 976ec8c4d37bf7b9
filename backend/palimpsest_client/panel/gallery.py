"""The results of the open picture: which there are, and the one that is looked at before it is kept.

What is looked at lies on the canvas as a locked layer of its own (``Editor.show_result``), which no capture
reads and which goes when it is kept or discarded, when the document changes or when work begins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Optional, Tuple

from ..editor.editor import DocumentFacts, Editor, require_fit
from ..editor.geometry import Extent
from ..editor.slices import WorkError
from ..http.protocol import ClientError
from ..http.session import Session
from ..text.wording import say
from .jobs import PanelJobs
from .origins import Origin
from .outcome import PREVIEWED, Outcome
from .reason import DOCUMENT, NONE, Reason, because
from .requests import layer_result
from .results import Result, Strip, bring_results, foreign_text

GONE = ("image_not_found", "artifact_not_found", "job_not_found")  # codes of what is kept no more


class Gallery:
    """``changed`` is called whenever ``strip`` has become another, ``refuse`` with why something can't be."""

    def __init__(
        self,
        editor: Editor,
        jobs: PanelJobs,
        session: Session,
        changed: Callable[[], None],
        refuse: Callable[[str], None],
    ) -> None:
        self.strip = Strip()
        self._editor, self._jobs, self._session = editor, jobs, session
        self._changed, self._refuse = changed, refuse
        self._facts: Optional[DocumentFacts] = None
        self._turn = 0  # what was asked for before is dropped
        self._asked = False  # something was to be shown, and may lie there already or soon
        self._warned: Optional[object] = None  # the picture and the result of which it was said what they end

    @property
    def looking(self) -> bool:
        """Whether a result lies on the canvas that isn't kept, or may soon."""
        return self._asked

    # Which results there are.

    def turn_to(self, facts: Optional[DocumentFacts]) -> None:
        """The open picture, whenever something about it is another."""
        before, self._facts = self._facts, facts
        if facts is not None:
            self._jobs.origins.see(facts)
        if identity(before) == identity(facts):
            return
        if before is not None and (facts is None or before.key != facts.key):
            self._take_away(before.key)
        if facts is not None and (before is None or before.key != facts.key):
            self._editor.hide_result(facts.key)  # one that was saved with the file
        kept = tuple(result for result in self.strip.results if self.strip.everything or self._is_of(result))
        self._put(results=kept)
        self.refresh()

    def refresh(self) -> None:
        """Ask the backend anew."""
        known, facts, everything = self.strip.results, self._facts, self.strip.everything
        origins, own = self._jobs.origins, self._jobs.name + "-"

        def wanted(job: str, origin: Origin) -> bool:
            is_own = facts is not None and job.startswith(own) and origins.is_of(origin, facts)
            return everything or is_own

        def came(found: Tuple[Result, ...]) -> None:
            if identity(facts) == identity(self._facts) and everything == self.strip.everything:
                self._put(results=found)

        self._session.ask(lambda client: bring_results(client, known, wanted), came)

    def forget(self) -> None:
        """Another backend is used from now on: it has others."""
        self.discard()
        self._turn += 1
        self._put(results=())

    def show_everything(self, everything: bool) -> None:
        """Those of other pictures and programs, too."""
        if everything != self.strip.everything:
            self._put(everything=everything)
            if not everything:
                self._put(results=tuple(result for result in self.strip.results if self._is_of(result)))
            self.refresh()

    def delete(self, result: Result) -> None:
        """From the backend, with the other variations of its edit. Layers stay."""
        if self.strip.there is not None and self.strip.there.job == result.job:
            self.discard()

        def gone(_: object) -> None:
            self._put(results=tuple(one for one in self.strip.results if one.job != result.job))
            self._jobs.end(Outcome("note", say("result-deleted")))

        if self._may(because("busy") if self._jobs.busy else NONE):
            failed: Callable[[ClientError], None] = lambda error: self._refuse(str(error))  # noqa: E731
            self._session.ask(lambda client: client.forget(result.job), gone, failed)

    # Looking at one.

    def show(self, result: Result) -> None:
        """On the canvas, in place of the one that is looked at; where that ends what can be redone, only
        when it is wished a second time."""
        if self.strip.shown == result.key or not self._may(self._cannot_lay(result)) or self._facts is None:
            return
        wish, warned = (self._facts.key, result.key), self._warned
        ends = warned != wish and self._editor.ends_redo(self._facts.key)
        self._warned = wish if ends else None
        if ends:
            self._refuse(because("preview-ends-redo"))
            return
        self._turn += 1
        self._asked = True
        turn, key = self._turn, self._facts.key

        def came(image: bytes) -> None:
            if self._jobs.busy:
                failed(say("busy"))
            if turn != self._turn:
                return
            layer = layer_result(result.job, image, result.report, result.origin, None, None)
            layer = replace(layer, name=say("preview-layer", layer=layer.name))
            self._editor.show_result(key, layer, lambda: self._laid(turn, result), failed)

        def gone(error: ClientError) -> None:
            failed(say("result-gone") if error.code in GONE else str(error))

        def failed(reason: str) -> None:
            if turn == self._turn:
                self._take_away(key)
                self._refuse(reason)

        self._session.ask(lambda client: client.download(result.image), came, gone)

    def step(self, by: int) -> None:
        """The next (1) or the one before (-1); from none the newest."""
        keys = [result.key for result in self.strip.results]
        if not keys:
            return
        at = keys.index(self.strip.shown) + by if self.strip.shown in keys else 0
        if 0 <= at < len(keys):
            self.show(self.strip.results[at])

    def compare(self, original: bool) -> None:
        """Hide what is looked at as long as ``original``."""
        if self._facts is not None and self.strip.shown is not None and original != self.strip.original:
            self._editor.veil_result(self._facts.key, original)
            self._put(original=original)

    def keep(self, result: Optional[Result] = None) -> None:
        """``result``, or the one that is looked at, becomes a layer like every other, in one step.

        What another picture's edit made is kept only if it is what is looked at.
        """
        chosen = self.strip.there if result is None else result
        if chosen is None or self._facts is None:
            return
        foreign = chosen.key in self.strip.foreign and chosen.key != self.strip.shown
        if self._may(self._cannot_lay(chosen) or (because("result-foreign") if foreign else NONE)):
            self._turn += 1
            self._asked = False
            self._put(shown=None, original=False)
            self._jobs.place(self._facts, chosen)

    def discard(self) -> None:
        if self._facts is not None:
            self._take_away(self._facts.key)

    def look(self) -> None:
        """It goes by other ways, too: an undo, the editor's own list of layers, work that begins."""
        if self._facts is not None and self._warned is not None:
            self._warned = self._warned if self._editor.ends_redo(self._facts.key) else None
        if self._facts is None or self.strip.shown is None:
            return
        if not self._editor.shows_result(self._facts.key):
            self._put(shown=None, original=False)
            outcome = self._jobs.outcome
            if not self._jobs.busy and outcome is not None and outcome.code == PREVIEWED:
                self._jobs.end(None)

    # What a window offers.

    def press(self, key: str, down: bool = True) -> bool:
        """A key on the row of results: "left", "right", "return", "escape", and "o", which is held. Whether
        it means something there now."""
        calls: Dict[str, Callable[[], None]] = {
            "left": lambda: self.step(-1),
            "right": lambda: self.step(1),
            "return": self.keep,
            "escape": self.discard,
            "o": lambda: self.compare(down),
        }
        if key not in calls or (self.strip.shown is None and key in ("return", "o")):
            return False
        if key == "escape" and not self._asked:
            return False
        if down or key == "o":
            calls[key]()
        return True

    def menu(
        self, result: Result, use: Callable[[Result], None], copy: Callable[[str], object]
    ) -> List[Tuple[str, Callable[[], object]]]:
        """Of one result: what each entry says and does. ``copy``: to the clipboard."""
        delete = say("result-delete-all", n=result.of) if result.of > 1 else say("result-delete")
        return [
            (say("result-keep"), lambda: self.keep(result)),
            (say("result-use"), lambda: use(result)),
            (say("result-copy-words"), lambda: copy(result.sentences)),
            (say("result-copy-seed", seed=result.seed), lambda: copy(str(result.seed))),
            (delete, lambda: self.delete(result)),
        ]

    def _laid(self, turn: int, result: Result) -> None:
        if turn != self._turn:
            return
        self._put(shown=result.key, original=False)
        if not self._jobs.busy:
            said = say("previewed")
            if result.key in self.strip.foreign:
                said = say("label-and-sentence", label=foreign_text(result), sentence=said)
            self._jobs.end(Outcome("note", said, PREVIEWED))

    def _take_away(self, document: str) -> None:
        self._turn += 1
        asked, self._asked = self._asked, False
        if asked:
            self._editor.hide_result(document)
        if self.strip.shown is not None:
            self._put(shown=None, original=False)
            if not self._jobs.busy:
                self._jobs.end(None)

    def _cannot_lay(self, result: Result) -> Reason:
        """Why it can't lie on the open picture."""
        facts = self._facts
        if facts is None or facts.refusal:
            return because("no-document") if facts is None else Reason(facts.refusal, DOCUMENT)
        if self._jobs.busy:
            return because("busy")
        try:
            require_fit(Extent(facts.width, facts.height), result.bounds, result.origin.canvas)
        except WorkError as error:
            return Reason(str(error))
        return NONE

    def _may(self, reason: Reason) -> bool:
        if reason:
            self._refuse(reason)
        return not reason

    def _is_of(self, result: Result) -> bool:
        facts = self._facts
        return facts is not None and self._jobs.origins.is_of(result.origin, facts)

    def _put(self, **changes: object) -> None:
        strip = replace(self.strip, **changes)
        foreign = frozenset(result.key for result in strip.results if not self._is_of(result))
        strip = replace(strip, foreign=foreign)
        if strip != self.strip:
            self.strip = strip
            self._changed()


def identity(facts: Optional[DocumentFacts]) -> Optional[Tuple[str, str]]:
    return None if facts is None else (facts.key, facts.file)
