"""Long work in slices: fair, within its time, and no failure goes unsaid."""

from __future__ import annotations

import io
import itertools
import threading

import pytest
from PIL import Image

from palimpsest_client.editor import png, slices
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.packing import QUEUED, pack
from palimpsest_client.editor.slices import WAITING, WORKED, Slices, Steps, WorkError, finish, on_thread
from palimpsest_client.gimp.packing import pack_picture, pack_selection
from palimpsest_client.gimp.pasting import Kind
from palimpsest_client.http import sending
from palimpsest_client.http.sending import Outgoing
from palimpsest_client.http.transport import Transport


def counting(seen: list[str], name: str, steps: int) -> Steps[None]:
    for _ in range(steps):
        seen.append(name)
        yield WORKED


def no_failure(text: str) -> None:
    raise AssertionError(text)


def run(work: Slices, turns: int = 1000) -> None:
    for _ in range(turns):
        if not work.busy:
            return
        work.turn()
    raise AssertionError("still busy")


def test_all_work_goes_on_in_turn_until_it_has_ended():
    seen: list[str] = []
    work = Slices()
    work.add(counting(seen, "a", 3), no_failure)
    work.add(counting(seen, "b", 2), no_failure)
    assert seen == [], "nothing runs before the first turn"
    run(work)
    assert seen == ["a", "b", "a", "b", "a"]


def test_a_turn_that_comes_within_a_step_does_nothing():
    """An editor's call may run its event loop, and with it the timer."""
    seen: list[str] = []
    work = Slices()

    def reentered() -> Steps[None]:
        work.turn()
        seen.append("a")
        yield WORKED

    work.add(reentered(), no_failure)
    work.add(counting(seen, "b", 2), no_failure)
    run(work)
    assert seen == ["a", "b", "b"]


def test_a_turn_ends_when_its_time_is_up():
    ticks = itertools.count(0, slices.BUDGET / 3)
    seen: list[str] = []
    work = Slices(lambda: next(ticks))
    work.add(counting(seen, "a", 100), no_failure)
    work.turn()
    assert 1 <= len(seen) <= 4


def test_a_turn_ends_when_everything_waits():
    def waiting() -> Steps[None]:
        while True:
            yield WAITING

    work = Slices(lambda: 0.0)  # time stands still: only waiting can end the turn
    work.add(waiting(), no_failure)
    work.turn()
    assert work.busy


@pytest.mark.parametrize(
    ("error", "said"),
    [(WorkError("The picture was closed."), "The picture was closed."), (KeyError("x"), "KeyError: 'x'")],
)
def test_a_failure_is_said_and_the_rest_goes_on(error: Exception, said: str):
    def failing() -> Steps[None]:
        yield WORKED
        raise error

    told: list[str] = []
    seen: list[str] = []
    work = Slices()
    work.add(failing(), told.append)
    work.add(counting(seen, "b", 5), no_failure)
    run(work)
    assert len(told) == 1
    assert said in told[0]
    assert seen == ["b"] * 5


def test_what_runs_elsewhere_comes_back_with_its_result():
    found: list[object] = []

    def whole() -> Steps[None]:
        found.append((yield from on_thread(lambda: threading.current_thread().name)))

    work = Slices()
    work.add(whole(), no_failure)
    run(work, turns=10_000_000)
    assert found == ["palimpsest-pixels"]


def test_what_fails_elsewhere_fails_here():
    def fail() -> None:
        raise WorkError("The picture is damaged.")

    told: list[str] = []
    work = Slices()
    work.add(on_thread(fail), told.append)
    run(work, turns=10_000_000)
    assert told == ["The picture is damaged."]


def test_a_picture_is_packed_while_it_is_read():
    layout, part = png.Layout(Extent(30, 50), 1), Bounds(7, 9, 30, 50)
    pixels = bytes(range(50)) * 30
    read: list[Bounds] = []
    found: list[bytes] = []

    def band(bounds: Bounds) -> bytes:
        read.append(bounds)
        return pixels[(bounds.y - 9) * 30 :][: bounds.extent.pixels]

    def whole() -> Steps[None]:
        found.append((yield from pack(layout, part, 60, band, Outgoing())))

    work = Slices()
    work.add(whole(), no_failure)
    run(work, turns=10_000_000)
    assert found == [png.encode(pixels, layout)]
    assert len(read) == 25 > QUEUED, "two rows at a time, and more of them than may wait"


def test_a_picture_that_cannot_be_read_is_told_and_leaves_no_thread():
    def band(bounds: Bounds) -> bytes:
        raise WorkError("The picture was closed.")

    told: list[str] = []
    work = Slices()
    work.add(pack(png.Layout(Extent(3, 5), 1), Bounds(0, 0, 3, 5), 3, band, Outgoing()), told.append)
    run(work)
    assert told == ["The picture was closed."]
    for thread in threading.enumerate():
        if thread.name == "palimpsest-pixels":
            thread.join(60)
            assert not thread.is_alive()


def test_what_may_not_be_seen_half_done_is_done_in_one_go():
    def steps() -> Steps[int]:
        yield WORKED
        return 1 + (yield from on_thread(lambda: 2))

    assert finish(steps()) == 3


def decoded(content: bytes, mode: str) -> bytes:
    picture = Image.open(io.BytesIO(content))
    assert picture.mode == mode
    return picture.tobytes()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://elsewhere"])
def test_a_picture_is_packed_with_its_mask(address: str, monkeypatch):
    """Whether it is sent while it is read, to nobody there, or not."""
    monkeypatch.setattr(sending, "is_here", lambda address: address == "http://127.0.0.1:9")
    transport = Transport(address, "token")
    part, kind = Bounds(1, 2, 2, 4), Kind(False, 8)
    pixels = lambda band: bytes([9, 9, 9, 200]) * band.extent.pixels  # noqa: E731
    mask = lambda band: bytes([255, 0]) * band.height  # noqa: E731
    packed = finish(pack_picture(part, 3, kind, Outgoing(transport), pixels))
    assert decoded(packed, "RGBA") == bytes([9, 9, 9, 200]) * 8
    packed = finish(pack_picture(part, 3, kind, Outgoing(transport), pixels, mask))
    assert decoded(packed, "RGBA") == bytes([9, 9, 9, 200, 9, 9, 9, 0]) * 4


def test_a_selection_is_packed_and_one_of_nothing_is_refused():
    part = Bounds(0, 0, 3, 4)
    last = lambda band: bytes(2) + b"\x07" if band.bottom == 4 else bytes(3)  # noqa: E731
    assert decoded(finish(pack_selection(part, 3, last)), "L") == bytes(11) + b"\x07"
    with pytest.raises(WorkError, match="touch"):
        finish(pack_selection(part, 3, lambda band: bytes(3)))
