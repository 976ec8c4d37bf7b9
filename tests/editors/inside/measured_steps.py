"""What ``measure_calls.py`` calls inside Krita: how long the plug-in keeps Krita's own thread. Python 3.8.

A timer beats every 5 ms; the longest gap between two beats is the longest that Krita's thread was held, by
whomever, and beside it stands how much of a processor this thread used at most in one: other programs' work
isn't in that. ``where``: the longest steps of the plug-in's own work, milliseconds of this thread.
"""

import time
from pathlib import Path

from krita import Krita, Selection
from palimpsest._client.editor import slices
from palimpsest._client.editor.editor import LayerResult
from palimpsest._client.editor.geometry import Bounds, tiles
from palimpsest._client.http.client import find_transport
from palimpsest._client.http.sending import Outgoing
from palimpsest.qt import QByteArray, Qt, QTimer
from palimpsest.shared_panel import shared_panel

from .steps import active, editor, until

BEAT = 5  # ms
CALM = 1.0  # seconds without a gap, before anything is measured
SMALL = 0.02  # seconds: a gap that nobody sees

beats = []  # (seconds, of them this thread's) between beats
steps = []  # (seconds, of them this thread's, where) of the plug-in's work
timer = QTimer()


def beat():
    """Start to watch."""
    last = [time.perf_counter(), time.thread_time()]

    def beaten():
        now = [time.perf_counter(), time.thread_time()]
        beats.append((now[0] - last[0], now[1] - last[1]))
        last[:] = now

    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beaten)
    timer.start(BEAT)
    step = slices.Slices._step

    def timed(self, generator, failed):
        where, start, own = place_of(generator), time.perf_counter(), time.thread_time()
        try:
            return step(self, generator, failed)
        finally:
            seconds, own = time.perf_counter() - start, time.thread_time() - own
            steps.append((seconds, own, f"{where} … {place_of(generator)}"))

    slices.Slices._step = timed


def place_of(generator):
    """Function and line in which a generator waits, of those that it hands on to the innermost."""
    names = []
    while generator is not None and getattr(generator, "gi_frame", None) is not None:
        names.append(f"{generator.gi_code.co_name}:{generator.gi_frame.f_lineno}")
        generator = generator.gi_yieldfrom
    return "/".join(names) or "end"


def calm():
    """Until Krita has nothing more to do."""
    quiet = time.perf_counter()
    while time.perf_counter() - quiet < CALM:
        beats.clear()
        yield
        if max(beats, default=(0, 0))[0] > SMALL:
            quiet = time.perf_counter()
    beats.clear()
    steps.clear()


def told(start):
    longest = sorted(steps, key=lambda step: -step[1])[:3]
    return {
        "seconds": time.perf_counter() - start,
        "gap": max(beats, default=(0, 0))[0],
        "own": max((own for _, own in beats), default=0),
        "step": max(steps, default=(0, 0, ""))[0],
        "where": ", ".join(f"{1000 * own:.0f} {where}" for _, own, where in longest),
        "steps": len(steps),
    }


def fill(tile, side):
    """The active layer, with a raw picture of ``side`` again and again."""
    document = active()
    values = QByteArray(Path(tile).read_bytes())
    layer = document.topLevelNodes()[0]
    for part in tiles(Bounds(0, 0, document.width(), document.height()), side):
        layer.setPixelData(values, part.x, part.y, side, side)
        yield
    document.refreshProjection()
    document.waitForDone()


def select_square(x, y, side):
    """0 = nothing selected."""
    selection = Selection()
    if side:
        selection.select(x, y, side, side, 255)
        active().setSelection(selection)
    elif active().selection() is not None:
        Krita.instance().action("deselect").trigger()
    yield


def measured_capture(within):
    yield from calm()
    ended, start = [], time.perf_counter()
    part, file = None if within is None else Bounds(*within), Outgoing(find_transport())
    editor().capture(editor().document().key, "canvas", part, file, ended.append, ended.append)
    yield from until(lambda: ended)
    return {**told(start), "bytes": len(ended[0].image)}


def measured_insert(path, bounds, updates=None):
    image, part = Path(path).read_bytes(), Bounds(*bounds)
    yield from calm()
    ended, start = [], time.perf_counter()
    result = LayerResult(image, part, "edit", "{}", part, updates)
    editor().insert(editor().document().key, result, ended.append, ended.append)
    yield from until(lambda: ended)
    done = time.perf_counter()
    yield from calm_after()
    return {**told(start), "seconds": done - start, "layer": ended[0]}


def calm_after():
    """Some turns more: what Krita does with what it was given."""
    end = time.perf_counter() + CALM
    while time.perf_counter() < end:
        yield


def measured_select(path, bounds):
    mask, part = Path(path).read_bytes(), Bounds(*bounds)
    yield from calm()
    ended, start = [], time.perf_counter()
    editor().select(editor().document().key, mask, part, None, lambda: ended.append(1), ended.append)
    yield from until(lambda: ended)
    done = time.perf_counter()
    yield from calm_after()
    return {**told(start), "seconds": done - start}


def measured_facts():
    """As often as the panel asks, by the panel itself."""
    yield from calm()
    start = time.perf_counter()
    editor().document()
    once = time.perf_counter() - start
    yield from calm_after()
    return {**told(start), "step": once}


def measured_apply():
    """From Apply to the job's start: when the panel has read the picture, when all is sent, and when a worker
    has taken the job."""
    yield from calm()
    panel, start, used, at = shared_panel().panel, time.perf_counter(), time.process_time(), {}
    sent = panel.session.submit

    def submit(order):
        at["read"] = time.perf_counter() - start
        sent(order)

    def running():
        job = panel.session.state.job
        return job is not None and (job.state != "queued" or job.ended) and "read" in at

    panel.session.submit = submit
    try:
        panel.apply()
        yield from until(lambda: running() or panel.state.outcome is not None)
        at["running"], at["used"] = time.perf_counter() - start, time.process_time() - used
        yield from until(lambda: panel.state.progress is None or len(seen_fractions(panel)) > 0)
        at["working"] = time.perf_counter() - start
    finally:
        del panel.session.submit
    outcome = panel.state.outcome
    found = {**told(start), **at, "outcome": "" if outcome is None else outcome.text}
    panel.cancel()
    yield from until(lambda: panel.state.progress is None)
    return found


def seen_fractions(panel):
    progress = panel.state.progress
    return [progress.fraction] if progress is not None and progress.fraction else []
