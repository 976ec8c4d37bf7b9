"""What ``measure_calls.py`` calls inside GIMP: how long each step of the plug-in's work takes.

The plug-in has a process of its own. While one of its calls to GIMP lasts, both are held: the window, and
GIMP itself.
"""

import time

import gimp_steps
from _client.editor import slices
from _client.editor.editor import LayerResult
from _client.editor.geometry import Bounds, tiles
from _client.http.client import find_client, find_transport
from _client.http.sending import Outgoing
from _client.http.submission import Submission, upload_and_submit
from _client.panel.requests import ahead, pictures_of
from gi.repository import Gegl, Gimp
from host import GimpEditor

steps = []  # (seconds, where)


def watch():
    step = slices.Slices._step

    def timed(self, generator, failed):
        where, start = place_of(generator), time.perf_counter()
        try:
            return step(self, generator, failed)
        finally:
            steps.append((time.perf_counter() - start, f"{where} … {place_of(generator)}"))

    slices.Slices._step = timed


def place_of(generator):
    """Function and line in which a generator waits, of those that it hands on to the innermost."""
    names = []
    while generator is not None and getattr(generator, "gi_frame", None) is not None:
        names.append(f"{generator.gi_code.co_name}:{generator.gi_frame.f_lineno}")
        generator = generator.gi_yieldfrom
    return "/".join(names) or "end"


def told(start, **more):
    """Beside the longest, how many were longer than anybody should notice."""
    worst = max(steps, default=(0, ""))
    long = sorted((round(1000 * seconds) for seconds, _ in steps if seconds > 0.05), reverse=True)
    return {
        "seconds": time.perf_counter() - start,
        "gap": worst[0],
        "step": worst[0],
        "where": f"{worst[1]} {long[1:]}",
        **more,
    }


def new_filled(side, precision, path, tile, format):
    """One opaque layer, as of a photo, of a raw picture again and again, shown."""
    base = Gimp.ImageBaseType.RGB
    image = Gimp.Image.new_with_precision(side, side, base, getattr(Gimp.Precision, precision))
    kind, mode = Gimp.ImageType.RGB_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, "Photo", side, side, kind, 100.0, mode)
    with open(path, "rb") as file:
        content = file.read()
    buffer = layer.get_buffer()
    for part in tiles(Bounds(0, 0, side, side), tile):
        buffer.set(Gegl.Rectangle.new(*part), format, content)
    buffer.flush()
    image.insert_layer(layer, None, 0)
    gimp_steps.show(image.get_id())
    return image.get_id()


def select_square(image, x, y, side):
    """0 = nothing selected."""
    image = gimp_steps.image_of(image)
    if side:
        image.select_rectangle(Gimp.ChannelOps.REPLACE, x, y, side, side)
    else:
        Gimp.Selection.none(image)


def measured(start_work):
    """``start_work(done, failed)`` begins something; until it has ended."""
    steps.clear()
    ended, start = [], time.perf_counter()
    start_work(lambda *values: ended.append(values[0] if values else None), ended.append)
    while not ended:
        yield
    return ended[0], start


def measured_capture(image, within):
    editor = GimpEditor(image)
    file = Outgoing(find_transport())
    part = None if within is None else Bounds(*within)
    found, start = yield from measured(lambda *ends: editor.capture(str(image), "canvas", part, file, *ends))
    return told(start, bytes=len(found.image))


def measured_apply(image, first, second):
    """What Apply does: until the picture is read, and until a worker has taken the job."""
    client, editor, used = find_client(), GimpEditor(image), time.process_time()
    file = Outgoing(client.transport)
    found, start = yield from measured(lambda *ends: editor.capture(str(image), "canvas", None, file, *ends))
    read = time.perf_counter() - start
    request = {"operation": "replace", "source_prompt": first, "target_prompt": second}
    submission = Submission("edit", request, pictures_of(found), ahead=ahead(found))
    upload_and_submit(client, submission)
    while client.job(submission.id)["state"] == "queued":
        yield
    running, used = time.perf_counter() - start, time.process_time() - used
    client.cancel(submission.id)
    while client.job(submission.id)["state"] != "cancelled":
        yield
    return told(start, read=read, running=running, used=used)


def measured_insert(image, path, bounds, updates=None):
    with open(path, "rb") as file:
        part = Bounds(*bounds)
        result = LayerResult(file.read(), part, "edit", "{}", part, updates)
    editor = GimpEditor(image)
    layer, start = yield from measured(lambda *ends: editor.insert(str(image), result, *ends))
    return told(start, layer=layer)


def measured_select(image, path, bounds):
    with open(path, "rb") as file:
        mask = file.read()
    editor = GimpEditor(image)
    _, start = yield from measured(
        lambda *ends: editor.select(str(image), mask, Bounds(*bounds), None, *ends)
    )
    return told(start)


def measured_facts(image):
    editor, start = GimpEditor(image), time.perf_counter()
    editor.document()
    once = time.perf_counter() - start
    return {"seconds": once, "gap": once, "step": once}
