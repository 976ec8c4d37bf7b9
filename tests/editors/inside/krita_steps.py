"""What a test can call inside Krita (see ``driven.py``). Runs on Krita's own thread; Python 3.8.

Pictures come and go as files: raw pixels, one after the other, as Krita's own functions have them.
Nothing here makes Krita draw anew what it has not drawn by itself: that would mend what is to be tested.
"""

import time
from pathlib import Path

from krita import Document, InfoObject, Krita, Selection
from palimpsest._client.editor import slices
from palimpsest._client.editor.editor import LayerResult
from palimpsest._client.editor.geometry import Bounds, Extent
from palimpsest._client.http.sending import Outgoing
from palimpsest.qt import QByteArray
from palimpsest.shared_panel import shared_panel

PATIENCE = 100.0  # seconds

durations = []  # seconds, of calls into the plug-in
refreshes = []  # of whole canvases, for which Krita holds its thread


def editor():
    return shared_panel().editor


def active():
    return Krita.instance().activeDocument()


# Krita itself.


def visible_documents():
    """How many have a window; the plug-in's hidden ones have none."""
    return len(Krita.instance().views())


def some_profile(model, depth):
    return Krita.instance().profiles(model, depth)[0]


def version():
    return Krita.instance().version()


def quit_krita():
    for document in Krita.instance().documents():
        document.setModified(False)
    Krita.instance().action("file_quit").trigger()


def close_documents():
    """Those with a window; not the plug-in's hidden one."""
    while visible_documents():
        yield from close_document()


def close_document():
    """Without a selection: Krita 5.1 crashes if it is still drawing the outline of one."""
    document = active()
    if document.selection() is not None:
        yield from trigger("deselect")
    document.waitForDone()
    document.setModified(False)
    if version() >= "5.3":  # crashes if its list of layers is still being drawn, every 100 ms
        yield from iter([None] * 8)
    left = visible_documents() - 1
    document.close()
    yield from until(lambda: visible_documents() == left)
    yield  # until it has really gone: closing it twice makes Krita hang


def until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE:g} s")
        yield


def close_hidden_documents():
    """As another plug-in might, which doesn't know whose they are."""
    krita = Krita.instance()
    shown = [view.document() for view in krita.views()]
    hidden = [document for document in krita.documents() if document not in shown]
    for document in hidden:
        document.close()
    return len(hidden)


def make_file(path, width, height, model, depth, profile, tree):
    """A .kra file with the layers of ``tree``, the lowest first. Nothing of it stays open."""
    document = Krita.instance().createDocument(width, height, "picture", model, depth, profile, 72.0)
    document.setBatchmode(True)
    blank = document.topLevelNodes()[0]
    for told in tree:
        document.rootNode().addChildNode(layer_of(document, told), None)
    blank.remove()
    document.waitForDone()
    assert document.saveAs(path)
    document.setModified(False)
    document.close()


def layer_of(document, told):
    """``told``: its name, what it holds (pixels and bounds, children, a filter's name), how it is mixed."""
    if "children" in told:
        node = document.createGroupLayer(told["name"])
        for child in told["children"]:
            node.addChildNode(layer_of(document, child), None)
    elif "filter" in told:
        everything = Selection()
        everything.select(0, 0, document.width(), document.height(), 255)
        node = document.createFilterLayer(told["name"], Krita.instance().filter(told["filter"]), everything)
    else:
        node = document.createNode(told["name"], "paintlayer")
        node.setPixelData(QByteArray(Path(told["pixels"]).read_bytes()), *told["bounds"])
    node.setOpacity(told.get("opacity", 255))
    node.setBlendingMode(told.get("mode", "normal"))
    node.setVisible(told.get("visible", True))
    return node


def new_document(width, height, model, depth, profile):
    """White."""
    document = Krita.instance().createDocument(width, height, "picture", model, depth, profile, 72.0)
    document.setBatchmode(True)
    return (yield from show(document))


def open_document(path):
    document = Krita.instance().openDocument(path)
    document.setBatchmode(True)
    return (yield from show(document))


def show(document):
    Krita.instance().activeWindow().addView(document)
    yield from until(lambda: active() == document)
    document.waitForDone()
    size = [document.width(), document.height()]
    return [*size, document.colorModel(), document.colorDepth(), document.colorProfile()]


def activate_document(name):
    """Through Krita's own menu: without a window manager ``setActiveDocument`` does nothing in 5.1."""
    for _ in range(visible_documents()):
        if active().name() != name:
            yield from trigger("windows_next")
    assert active().name() == name


def name_document(name):
    active().setName(name)


def resize(width, height):
    active().resizeImage(0, 0, width, height)
    active().waitForDone()


def crop(x, y, width, height):
    active().crop(x, y, width, height)
    active().waitForDone()


def remove_lowest(name):
    node = next(node for node in active().topLevelNodes() if node.name() == name)
    node.remove()
    active().waitForDone()


def save():
    return active().save()


# Krita refuses to write a picture that it is drawing, be it for a thumbnail when all seems done.


def save_as(path):
    yield from until(lambda: active().saveAs(path))


def export(path):
    yield from until(lambda: active().exportImage(path, InfoObject()))


def pixels(path):
    """The visible pixels, raw, into a file."""
    document = active()
    document.waitForDone()
    Path(path).write_bytes(document.pixelData(0, 0, document.width(), document.height()).data())


def layers():
    """(name, type, masks) from the bottom up."""
    return [
        (node.name(), node.type(), [mask.type() for mask in node.childNodes()])
        for node in active().topLevelNodes()
        if node.type() != "selectionmask"
    ]


def set_shown(name, visible):
    node_named(name).setVisible(visible)
    active().waitForDone()


def is_shown(name):
    return node_named(name).visible()


def node_named(name):
    (node,) = [node for node in below(active().rootNode()) if node.name() == name]
    return node


def below(parent):
    for node in parent.childNodes():
        yield node
        yield from below(node)


def activate_layer(name):
    node = node_named(name)
    active().setActiveNode(node)
    yield from until(lambda: active().activeNode().name() == name)


def change_layer(name, new_name):
    """As people do it in the list of layers."""
    document, node = active(), node_named(name)
    node.setName(new_name)
    node.setOpacity(120)
    node.setBlendingMode("screen")
    node.setColorLabel(3)
    node.setLocked(True)
    node.setAlphaLocked(True)
    node.setInheritAlpha(True)
    everything = Selection()
    everything.select(0, 0, document.width(), document.height(), 255)
    invert = document.createFilterMask("inverted", Krita.instance().filter("invert"), everything)
    node.addChildNode(invert, None)
    node.addChildNode(node.childNodes()[0].duplicate(), None)
    node.setVisible(False)
    document.waitForDone()
    yield


def state_of_layer(name):
    node = node_named(name)
    return {
        "opacity": node.opacity(),
        "mode": node.blendingMode(),
        "label": node.colorLabel(),
        "locks": [node.locked(), node.alphaLocked(), node.inheritAlpha()],
        "visible": node.visible(),
        "masks": [mask.type() for mask in node.childNodes()],
        "names": [mask.name() for mask in node.childNodes()],
    }


def move_layer(name, x, y):
    """With its mask, as the tool does it."""
    layer = node_named(name)
    for node in [layer, *layer.childNodes()]:
        found = node.position()
        node.move(found.x() + x, found.y() + y)
    active().refreshProjection()
    active().waitForDone()


def paint_on_mask(name, x, y, width, height, value):
    mask = node_named(name).childNodes()[0]
    mask.setPixelData(QByteArray(bytes([value]) * (width * height)), x, y, width, height)
    active().waitForDone()


def paint_on_layer(name, x, y, width, height, value):
    size = 4  # bytes of a pixel
    values = QByteArray(bytes([value]) * (width * height * size))
    node_named(name).setPixelData(values, x, y, width, height)
    active().waitForDone()


def noted():
    return editor().noted


def edits_are(expected):
    """The layers beside the photo, by what identifies them."""
    nodes = [node for node in active().topLevelNodes() if node.type() == "paintlayer"]
    return [node.uniqueId().toString() for node in nodes if node.name() != "photo"] == expected


def add_layer(name, pixels, x, y, width, height):
    node = active().createNode(name, "paintlayer")
    node.setPixelData(QByteArray(Path(pixels).read_bytes()), x, y, width, height)
    active().rootNode().addChildNode(node, None)
    active().waitForDone()


def group_layer(name):
    """Put the topmost layer into a new group of this name."""
    document = active()
    child = document.topLevelNodes()[-1]
    group = document.createGroupLayer(name)
    document.rootNode().addChildNode(group, None)
    document.rootNode().removeChildNode(child)
    group.addChildNode(child, None)
    document.waitForDone()


def mask_of(name, path):
    """The values of a layer's transparency mask over the canvas, into a file."""
    document = active()
    mask = node_named(name).childNodes()[0]
    Path(path).write_bytes(mask.pixelData(0, 0, document.width(), document.height()).data())


def content(name, path):
    """The own pixels of the layers of this name and of their masks over the canvas, into a file."""
    document = active()
    named = [node for node in below(document.rootNode()) if node.name() == name]
    whole = (0, 0, document.width(), document.height())
    parts = [node.pixelData(*whole).data() for layer in named for node in [layer, *layer.childNodes()]]
    Path(path).write_bytes(b"".join(parts))


def count_refreshes():
    refreshes.clear()
    plain = getattr(Document.refreshProjection, "plain", Document.refreshProjection)

    def counted(document):
        refreshes.append(document)
        plain(document)

    counted.plain = plain  # pyright: ignore[reportFunctionMemberAccess]
    Document.refreshProjection = counted


def refreshed():
    """How often, since they are counted."""
    return len(refreshes)


def history():
    """What could be undone."""
    return Krita.instance().action("edit_undo").text().replace("&", "")


def at_rest():
    """Krita drops an undo that is asked for while it is at work on the picture."""
    active().waitForDone()


def undo():
    yield from step_in_history("edit_undo")


def redo():
    yield from step_in_history("edit_redo")


def step_in_history(name):
    """Done when Krita says so: drawing comes after that."""
    at_rest()
    before = steps_in_history()
    yield from trigger(name)
    yield from until(lambda: steps_in_history() != before)
    at_rest()
    yield


def steps_in_history():
    return [Krita.instance().action(name).text() for name in ("edit_undo", "edit_redo")]


def trigger(name):
    """The history's texts lag behind by a turn of the event loop."""
    Krita.instance().action(name).trigger()
    yield
    active().waitForDone()
    yield


def select(path, x, y, width, height):
    """``path``: one byte of coverage per pixel."""
    selection = Selection()
    selection.setPixelData(QByteArray(Path(path).read_bytes()), x, y, width, height)
    active().setSelection(selection)


def selection(path):
    """Its values on the canvas, into a file."""
    document = active()
    values = document.selection().pixelData(0, 0, document.width(), document.height()).data()
    Path(path).write_bytes(values)


# The plug-in's own.


def facts():
    start = time.perf_counter()
    found = editor().document()
    durations.append(time.perf_counter() - start)
    return None if found is None else vars(found)


def layer_facts():
    return [vars(layer) for layer in editor().layers(editor().document().key)]


def watch():
    """From now on every step of the plug-in's work is timed."""
    step = slices.Slices._step

    def timed(self, *work):
        start = time.perf_counter()
        try:
            return step(self, *work)
        finally:
            durations.append(time.perf_counter() - start)

    slices.Slices._step = timed


def longest():
    """Seconds, of those since the last question."""
    found = max(durations)
    durations.clear()
    return found


def capture(source, within, image, mask):
    """Into the files ``image`` and ``mask``; where it lies, or what went wrong."""
    ended = start_capture(source, within)
    yield from until(lambda: ended)
    if isinstance(ended[0], str):
        return {"failed": ended[0]}
    found = ended[0]
    Path(image).write_bytes(found.image)
    if found.selection is not None:
        Path(mask).write_bytes(found.selection)
    return {
        "bounds": found.bounds,
        "selected": found.selection is not None,
        "document": found.document,
        "source": found.source,
        "canvas": found.canvas,
    }


def content_mark(source):
    return editor().content(editor().document().key, source)


def content_captured(source):
    ended = start_capture(source, None)
    yield from until(lambda: ended)
    return ended[0].content


def start_capture(source, within):
    ended = []
    part = None if within is None else Bounds(*within)
    editor().capture(editor().document().key, source, part, Outgoing(), ended.append, ended.append)
    return ended


def insert(image, bounds, content, name, recipe, updates=None, key=None, source="canvas", canvas=None):
    """What the layer is called from now on, or what went wrong."""
    result = LayerResult(
        Path(image).read_bytes(),
        Bounds(*bounds),
        name,
        recipe,
        Bounds(*content),
        updates,
        source,
        None if canvas is None else Extent(*canvas),
    )
    ended = []
    editor().insert(
        key if key is not None else editor().document().key,
        result,
        lambda layer: ended.append({"layer": layer}),
        lambda text: ended.append({"failed": text}),
    )
    yield from until(lambda: ended)
    if active() is not None:
        active().waitForDone()
    yield
    return ended[0]


def begin_capture():
    """Started and its first steps taken, so that something is read and most is not."""
    ended = start_capture("canvas", None)
    budget, slices.BUDGET = slices.BUDGET, 0
    for _ in range(3):
        editor()._slices.turn()
    slices.BUDGET = budget
    assert not ended
    assert editor()._slices.busy
    return ended


def capture_while_painting(image, pixels):
    """Everything is painted over once the reading has begun."""
    document = active()
    ended = begin_capture()
    layer = document.topLevelNodes()[0]
    layer.setPixelData(QByteArray(Path(pixels).read_bytes()), 0, 0, document.width(), document.height())
    yield from until(lambda: ended)
    Path(image).write_bytes(ended[0].image)


def capture_while_closing(image):
    ended = begin_capture()
    yield from close_document()
    yield from until(lambda: ended)
    Path(image).write_bytes(ended[0].image)


def select_by(image, bounds):
    ended = []
    editor().select(
        editor().document().key,
        Path(image).read_bytes(),
        Bounds(*bounds),
        None,
        lambda: ended.append("selected"),
        ended.append,
    )
    yield from until(lambda: ended)
    return ended[0]


def recipe():
    found = editor().recipe(editor().document().key)
    return None if found is None else vars(found)


def remedy():
    editor().remedy(editor().document().key)
    yield
    document = active()
    return [document.name(), document.fileName(), document.colorModel(), document.colorDepth()]


# Results to be looked at.


def show_result(image, bounds, content, name, canvas=None):
    """ "shown", or what went wrong."""
    extent = None if canvas is None else Extent(*canvas)
    result = LayerResult(
        Path(image).read_bytes(), Bounds(*bounds), name, "{}", Bounds(*content), canvas=extent
    )
    ended = []
    key = editor().document().key
    editor().show_result(key, result, lambda: ended.append("shown"), ended.append)
    yield from until(lambda: ended)
    active().waitForDone()
    yield
    return ended[0]


def keep_as_it_comes(image, bounds, content, name, turns):
    """By a double-click: it is kept so many turns after it was to be shown. As ``insert``."""
    key = editor().document().key
    result = LayerResult(Path(image).read_bytes(), Bounds(*bounds), name, "{}", Bounds(*content))
    editor().show_result(key, result, lambda: None, lambda text: None)
    for _ in range(turns):
        yield
    return (yield from insert(image, bounds, content, name, "{}"))


def hide_result():
    """Until the plug-in's work is done."""
    editor().hide_result(editor().document().key)
    yield from until(lambda: not editor()._slices.busy)
    active().waitForDone()
    yield


def veil_result(veiled):
    editor().veil_result(editor().document().key, veiled)
    active().waitForDone()
    yield


def shows_result():
    return editor().shows_result(editor().document().key)


def ends_redo():
    return editor().ends_redo(editor().document().key)


def is_locked(name):
    return node_named(name).locked()


def active_layer_name():
    return active().activeNode().name()


def active_layer_is(name):
    """And nothing is left to do that would make another one active."""
    return not editor()._slices.busy and active_layer_name() == name
