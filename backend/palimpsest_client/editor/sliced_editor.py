"""An editor that works in slices: what takes long is steps, taken at the turns of its own timer."""

from __future__ import annotations

from typing import Any, Callable

from .editor import Capture, Editor, Failed, LayerResult
from .geometry import Bounds, Extent
from .picture_file import PictureFile
from .slices import Slices, Steps


class SlicedEditor(Editor):
    """What it does at once is the host's, and so are the steps of what takes long; none of them waits."""

    def __init__(self) -> None:
        self._slices = Slices()
        self._wish = 0  # what was last to be looked at, or not any more

    # What a host says: NotImplementedError stands for that.

    def wake(self) -> None:
        """See to it that ``turn`` is called again and again, until it says that nothing is left."""
        raise NotImplementedError

    def capture_steps(
        self, document: str, source: str, crop: Bounds | None, file: PictureFile
    ) -> Steps[Capture]:
        raise NotImplementedError

    def insert_steps(self, document: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        """``done`` gets the layer when it is there, whatever is left to do."""
        raise NotImplementedError

    def show_steps(self, document: str, result: LayerResult, turn: int) -> Steps[bool]:
        """Whether it lies there: not if ``turn`` isn't the last wish any more."""
        raise NotImplementedError

    def select_steps(self, document: str, mask: bytes, bounds: Bounds, canvas: Extent | None) -> Steps[None]:
        raise NotImplementedError

    # What the panel asks for.

    def capture(
        self,
        document: str,
        source: str,
        crop: Bounds | None,
        file: PictureFile,
        done: Callable[[Capture], None],
        failed: Failed,
    ) -> None:
        self.begin(then(self.capture_steps(document, source, crop, file), done), failed)

    def insert(self, document: str, result: LayerResult, done: Callable[[str], None], failed: Failed) -> None:
        self.begin(self.insert_steps(document, result, done), failed)

    def show_result(
        self, document: str, result: LayerResult, done: Callable[[], None], failed: Failed
    ) -> None:
        lies = self.show_steps(document, result, self.begin_turn())
        self.begin(then(lies, lambda there: done() if there else None), failed)

    def select(
        self,
        document: str,
        mask: bytes,
        bounds: Bounds,
        canvas: Extent | None,
        done: Callable[[], None],
        failed: Failed,
    ) -> None:
        self.begin(then(self.select_steps(document, mask, bounds, canvas), lambda _: done()), failed)

    def begin_turn(self) -> int:
        """Of what is to be shown, or not any more: what was begun before isn't laid down."""
        self._wish += 1
        return self._wish

    def start(self, steps: Steps[None]) -> None:
        """Nobody waits for their end."""
        self.begin(steps, lambda _: None)

    def begin(self, steps: Steps[None], failed: Failed) -> None:
        self._slices.add(steps, failed)
        self.wake()

    def turn(self) -> bool:
        """Go on for a moment; whether anything is left."""
        self._slices.turn()
        return self._slices.busy


def then(steps: Steps[Any], done: Callable[[Any], object]) -> Steps[None]:
    """``done`` gets what they come to."""
    done((yield from steps))
