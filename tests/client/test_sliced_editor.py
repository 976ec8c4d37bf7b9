"""An editor whose long work is taken in slices."""

from __future__ import annotations

from palimpsest_client.editor.editor import Capture, LayerResult
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.sliced_editor import SlicedEditor
from palimpsest_client.editor.slices import WAITING, WORKED, WorkError
from palimpsest_client.http.sending import Outgoing

RESULT = LayerResult(b"", Bounds(0, 0, 4, 4), "edit", "{}", Bounds(0, 0, 4, 4))

CAPTURE = Capture("d1", b"", None, Bounds(0, 0, 4, 4), "canvas", Extent(4, 4), "")


class Host(SlicedEditor):
    def __init__(self) -> None:
        super().__init__()
        self.woken = 0
        self.left_to_do = True
        self.asked: tuple | None = None

    def wake(self) -> None:
        self.woken += 1

    def capture_steps(self, document, source, crop, file):
        yield WORKED
        if document == "closed":
            raise WorkError("closed")
        self.asked = document, source, crop, file
        return CAPTURE

    def insert_steps(self, document, result, done):
        yield WORKED
        done("layer-1")
        while self.left_to_do:
            yield WAITING

    def show_steps(self, document, result, turn):
        yield WAITING
        return turn == self._wish

    def select_steps(self, document, mask, bounds, canvas):
        yield WORKED


def worked(host: Host) -> None:
    while host.turn():
        pass


def test_nothing_is_done_before_the_editor_has_time_for_it():
    host, told, file = Host(), [], Outgoing()
    host.capture("d1", "canvas", None, file, told.append, told.append)
    host.capture("closed", "canvas", None, file, told.append, told.append)
    assert (told, host.woken) == ([], 2)
    worked(host)
    assert host.asked == ("d1", "canvas", None, file)
    assert told == [CAPTURE, "closed"]


def test_a_layer_is_told_when_it_is_there_and_the_rest_goes_on():
    host, told = Host(), []
    host.insert("d1", RESULT, told.append, told.append)
    assert host.turn()
    assert told == ["layer-1"]
    host.left_to_do = False
    assert not host.turn()


def test_of_results_that_are_shown_only_the_last_one_wished_for_is_told():
    host, told = Host(), []
    for name in ("first", "second"):
        host.show_result("d1", RESULT, lambda name=name: told.append(name), told.append)
    worked(host)
    assert told == ["second"]


def test_a_selection_that_is_set_is_told():
    host, told = Host(), []
    host.select("d1", b"", RESULT.bounds, None, lambda: told.append("selected"), told.append)
    worked(host)
    assert told == ["selected"]
