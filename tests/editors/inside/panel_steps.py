"""What a test can call inside Krita about the docker and the learn dialog (see ``driven.py``). Python 3.8."""

import gc
import hashlib
import threading
from dataclasses import asdict

from krita import Krita
from palimpsest._client.http.connection import Choice
from palimpsest._client.panel import preview_jobs
from palimpsest._client.text.wording import say
from palimpsest.dialogs import CANVASES
from palimpsest.extension import show_docker as bring_forth
from palimpsest.qt import QApplication, QPoint, QPushButton, QSizePolicy, Qt, QTextCharFormat, QToolTip
from palimpsest.shared_panel import shared_panel

try:
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import QAbstractButton, QDockWidget, QToolButton, QWidget
except ImportError:
    from PyQt6.QtTest import QTest
    from PyQt6.QtWidgets import QAbstractButton, QDockWidget, QToolButton, QWidget


SENTENCES = ("first", "second")


def dialog_of(kind):
    """The window of this kind, or None while it isn't open."""
    there = [dialog for told, dialog in shared_panel().desktop._open.items() if told.__name__ == kind]
    return there[0] if there and there[0].isVisible() else None


def open_dialog_of(kind):
    dialog = dialog_of(kind)
    assert dialog is not None
    return dialog


def open_learn_dialog():
    if dialog_of("LearnWindow") is None:
        shared_panel().windows.learn()
    return open_dialog_of("LearnWindow")


def learn_state():
    return open_learn_dialog().content.learning.state


def open_backend_dialog():
    shared_panel().windows.settings()
    return open_dialog_of("SettingsWindow")


LOOKS = 4  # of the panel at the picture: 0.9 s and more


def docker():
    return shared_panel().views[0]


def part_of(key):
    """The widget of this part of the docker; "work.apply" also says where it is."""
    return docker().view[key.rpartition(".")[2]]


def show_docker(width, height):
    """Beside the window, as narrow as Krita's right column."""
    bring_forth()
    docker().setFloating(True)
    docker().move(20, 20)
    docker().resize(width, height)
    yield


def resize_docker(width, height):
    """As it is; what is shown on the canvas stays."""
    docker().resize(width, height)
    yield


def dock(width, height):
    """In the right column of a window of this size, under the list of layers."""
    window = Krita.instance().activeWindow().qwindow()
    window.showNormal()
    window.move(0, 0)
    window.resize(width, height)
    docker().setFloating(False)
    bring_forth()
    layers = window.findChild(QDockWidget, "KisLayerBox")
    for other in Krita.instance().dockers():
        if other.objectName() not in ("palimpsest", "KisLayerBox", "ToolBox"):
            other.setVisible(False)
    yield
    window.resizeDocks([layers, docker()], [height // 5, height], Qt.Orientation.Vertical)
    yield


def theme(name):
    """As in Settings ▸ Themes."""
    (chosen,) = [a for a in Krita.instance().action("theme_menu").menu().actions() if a.text() == name]
    chosen.trigger()
    yield


def docker_size():
    return [docker().width(), docker().height()]


def panel():
    """What the panel says."""
    state = shared_panel().panel.state
    document = state.document
    return {
        "status": state.status.kind,
        "text": state.status.text,
        "offers": [offer.text for offer in state.status.offers + state.offers],
        "cannot": state.cannot_apply,
        "message": state.message,
        "outcome": "" if state.outcome is None else state.outcome.kind,
        "progress": "" if state.progress is None else state.progress.text,
        "preview": state.preview is not None,
        "fidelity": state.fidelity,
        "first": state.form.source_prompt,
        "second": state.form.operand,
        "updating": state.updating,
        "variations": state.form.settings.variations,
        "concepts": [concept.name for concept in state.concepts],
        "models": [model.name for model in state.models],
        "results": [result.name for result in state.results],
        "document": "" if document is None else document.name,
        "selection": None if document is None or document.selection is None else list(document.selection),
        "recipe": document is not None and document.has_recipe,
    }


def panel_holds(layer):
    """The layer in hand, by its name."""
    return panel()["updating"] == layer


def panel_says(text):
    return panel()["text"] == text


def panel_tells(text):
    """What came of the last job; empty = nothing that is still so."""
    return shared_panel().panel.state.outcome_text == text


def panel_ready():
    """Connected, and its lists are there."""
    told = panel()
    return told["status"] == "ready" and bool(told["models"])


def panel_sees(name, selected):
    """The document of this name, with or without a selection."""
    told = panel()
    return told["document"] == name and (told["selection"] is not None) == selected


def panel_sees_document(selected):
    """The one that is active, with or without a selection."""
    active = Krita.instance().activeDocument()
    document = shared_panel().panel.state.document
    return (
        document == shared_panel().editor.document()
        and active is not None
        and ((document.selection is not None) == selected)
    )


def panel_has_recipe():
    return panel()["recipe"]


def panel_knows(concept):
    """Asks anew until the word is there."""
    if concept not in panel()["concepts"]:
        shared_panel().panel.backend.refresh_concepts()
        return False
    return True


def connect_panel(address, token):
    """Empty = this computer's own backend."""
    return shared_panel().panel.backend.connect_to(Choice(address, token))


def reset_panel(settings):
    """As recommended but for these."""
    shared_panel().panel.draft.reset_settings()
    shared_panel().panel.draft.set(**settings)


def leave_panel():
    """Nothing of a test that failed may go on into the next."""
    if learning_is_open():
        clear_learning()
        close_learning()
    shared_panel().panel.cancel()
    shared_panel().panel.new_layer_instead()


def panel_at_rest():
    return panel()["progress"] == ""


def panel_idle():
    return panel()["progress"] == "" and panel()["outcome"] != ""


def panel_busy():
    """With a job, whether a worker has told of a step yet or not."""
    return panel()["progress"] != ""


def panel_running():
    """A worker has taken the job and told of a step."""
    return "·" in panel()["progress"]


def panel_previews():
    """A picture forms, and half of the work is done."""
    state = shared_panel().panel.state
    fraction = None if state.progress is None else state.progress.fraction
    return shared_panel().panel.jobs.preview_picture is not None and fraction is not None and fraction > 0.5


def wait_for_drafts():
    """However slow this machine is."""
    preview_jobs.SLOW_SECONDS = float("inf")


def panel_drafted():
    """What Update would make is shown, and said to be as it is set now."""
    preview = part_of("preview")
    seen = preview.isVisible() and not preview.pixmap().isNull()
    return seen and part_of("caption").text() == say("live-preview")


def draft_shown():
    """A digest of the small picture."""
    return hashlib.sha256(shared_panel().panel.state.preview).hexdigest()


def shows_another_draft(than):
    return panel_drafted() and draft_shown() != than


def strip_drawn():
    """Each place of the strip under Keep structure has its picture."""
    tiles = [part_of(f"strip-{number}") for number in range(len(shared_panel().panel.state.structures))]
    return bool(tiles) and all(made.isVisible() and not made.icon().isNull() for made in tiles)


def strip_place(number):
    """The middle of a place on the screen, scrolled into sight."""
    return (yield from middle_of(part_of(f"strip-{number}")))


def panel_shows_no_draft():
    return not part_of("preview").isVisible()


def panel_results(count):
    return len(panel()["results"]) >= count


def panel_stopped():
    return panel()["status"] == "trouble"


def write(operation, first, second):
    """Into the docker's own fields."""
    shared_panel().panel.draft.choose_operation(operation)
    part_of("first").setPlainText(first)
    if not part_of("second").isHidden():
        part_of("second").setPlainText(second)


def set_panel(settings):
    shared_panel().panel.draft.set(**settings)


def weigh(word, position):
    shared_panel().panel.draft.weigh(word, position)


def frees_on_own_thread():
    """What is in a cycle, while another thread makes more than Python makes without collecting."""
    many, freed = 10 * gc.get_threshold()[0], []

    class Knot:
        itself: object = None

        def __del__(self):
            freed.append(threading.get_ident())

    knot = Knot()
    knot.itself = knot
    del knot
    thread = threading.Thread(target=lambda: [[] for _ in range(many)])
    thread.start()
    thread.join()
    kept = [[] for _ in range(many)]
    while not freed:
        yield
    return len(kept) == many and freed == [threading.get_ident()]


def unfold(open):
    if docker().panel_view.controls.unfolded != open:
        part_of("unfold").click()


def scroll(to):
    bar = part_of("scroll").verticalScrollBar()
    bar.setValue(round(to * bar.maximum()))
    yield


def middle_of(widget, above=50):
    """On the screen, in sight, as soon as it stays there while the panel looks at the picture: what it learns
    there, and what waits for a double-click's end, moves its parts, also out of sight."""
    place, looks = QPoint(), set()
    while len(looks) < LOOKS:
        part_of("scroll").ensureWidgetVisible(widget, 50, above)
        yield
        middle = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
        if middle != place:
            place, looks = middle, set()
        looks.add(shared_panel().panel._looked_at)
    return [place.x(), place.y()]


def place_in(kind, key):
    """Of a part of an open window, on the screen; and whether it can be used. None: it isn't open."""
    dialog = dialog_of(kind)
    if dialog is None:
        return None
    widget = dialog.view[key]
    middle = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
    return [middle.x(), middle.y(), widget.isEnabled() and widget.isVisible()]


def can_be_pressed(kind, key):
    place = place_in(kind, key)
    return place is not None and place[2]


def is_open(kind):
    return dialog_of(kind) is not None


def place_stays(kind, key):
    """As soon as it is the same while the panel looks at the picture."""
    place, looks = None, set()
    while place is None or len(looks) < LOOKS:
        now = place_in(kind, key)
        if now != place:
            place, looks = now, set()
        looks.add(shared_panel().panel._looked_at)
        yield
    return place


def grab_window_of(kind, path):
    QApplication.processEvents()
    return open_dialog_of(kind).grab().save(path)


def setup_says():
    """What is told in the panel of a setup."""
    state = shared_panel().panel.state.setup
    return [state.kind, state.running, state.message]


def setup_ended():
    state = shared_panel().panel.state.setup
    return bool(state.message) and not state.running


def place_of(part):
    """Of a part of the docker ("work.apply"); and whether it can be used."""
    widget = part_of(part)
    place = yield from middle_of(widget)
    return [*place, widget.isEnabled() and widget.isVisible()]


def is_seen(part):
    """All of it, without scrolling."""
    widget = part_of(part)
    return widget.isVisible() and widget.visibleRegion().boundingRect() == widget.rect()


def control(name):
    """What a field of the panel's table is filled in with."""
    return part_of(name)


def control_facts(name):
    """least, most, step, its name and its tip for readers of the screen"""
    found = control(name)
    if hasattr(found, "minimum"):
        numbers = [found.minimum(), found.maximum(), found.singleStep()]
    else:
        numbers = [found.itemData(at) for at in range(found.count())] if hasattr(found, "itemData") else []
    return [numbers, found.accessibleName(), found.accessibleDescription()]


def control_place(name):
    """The middle of it on the screen, as far from the ends of the panel as can be."""
    return (yield from middle_of(control(name), part_of("scroll").height() // 2))


def settings_page(path):
    """Opens it, keeps a picture of it and says what its own fields are filled in with."""
    dialog = open_backend_dialog()
    QApplication.processEvents()
    assert dialog.grab().save(path)
    own = {name: dialog.view["own-" + name] for name in ("feather", "variations", "language")}
    told = [own["feather"].value(), own["variations"].value(), own["language"].currentData()]
    dialog.close()
    return told


def prefer(name, value):
    """On the settings page, by its own field."""
    dialog = open_backend_dialog()
    field = dialog.view["own-" + name]
    field.setValue(value)
    dialog.close()


def focus_words():
    docker().panel_view.words.begin()


def has_keyboard(name):
    return control(name).hasFocus()


def scrolled():
    return part_of("scroll").verticalScrollBar().value()


def has_scrolled(before):
    return scrolled() != before


def settings():
    return asdict(shared_panel().panel.form.settings)


def setting_is(name, value):
    return settings()[name] == value


def setting_is_not(name, value):
    return settings()[name] != value


def keyboard_is_in(part):
    return part_of(part) is QApplication.focusWidget()


def keyboard_is_on_canvas():
    widget = QApplication.focusWidget()
    return widget is not None and widget.metaObject().className() in CANVASES


def layers_are(names):
    nodes = Krita.instance().activeDocument().topLevelNodes()
    return [node.name() for node in nodes if node.type() != "selectionmask"] == names


def panel_drawn(width):
    """As wide as this, and laid out for it."""
    yield
    return docker().width() == width and docker().widget().width() <= width


LETTERS = 3  # of a text that ends in dots: fewer say nothing


def may_end_in_dots(widget):
    return widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Maximum and hasattr(widget, "fitting")


def shortest_of(text):
    """As little of it as must be seen; what is drawn always fits, whatever is left of it."""
    return text if len(text) <= LETTERS else text[:LETTERS] + "…"


def cut_off():
    """Buttons and fields that reach beyond the panel, and buttons whose text doesn't fit into them: all,
    or as much as must be seen of one that may end in dots."""
    found = []
    for widget in docker().widget().findChildren(QWidget):
        if not widget.isVisible() or widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
            continue
        right = widget.mapTo(docker(), widget.rect().topRight()).x()
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if may_end_in_dots(widget):
            text = shortest_of(text)
        if isinstance(widget, QToolButton) and not widget.icon().isNull():
            text = "" if widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly else text
        if right >= docker().width() or widget.fontMetrics().horizontalAdvance(text) > widget.width():
            found.append(widget.accessibleName() or text or type(widget).__name__)
    return found


def cuts_off(names):
    return cut_off() == names


def squeeze(part, most):
    """It is no wider than this."""
    part_of(part).setMinimumWidth(min(most, 40))
    part_of(part).setMaximumWidth(most)


def press(part):
    part_of(part).click()


def action(name):
    """Of the menu Tools ▸ Scripts."""
    Krita.instance().action("palimpsest_" + name).trigger()


def select_word(word):
    shared_panel().panel.select_word(word)


def show_everything(everything):
    shared_panel().panel.gallery.show_everything(everything)


def look_at(number):
    """Through the docker's own picture of it; until it lies on the canvas."""
    result = shared_panel().panel.state.results[number]
    part_of("result-{}-{}".format(*result.key)).click()
    while shared_panel().panel.state.strip.shown != result.key:
        yield


def looks_at(number):
    """And Krita has nothing left to do for it."""
    state = shared_panel().panel.state
    lies = bool(state.results) and state.strip.shown == state.results[number].key
    return lies and not shared_panel().editor._slices.busy


def sees_original(original):
    return shared_panel().panel.state.strip.original == original


def nothing_shown():
    return shared_panel().panel.state.strip.shown is None and not shared_panel().editor._slices.busy


def tile_place(number):
    """Where a result's picture is on the screen."""
    return (yield from middle_of(part_of("results").widgets[number]))


def tile_in_sight(number):
    """Where a result's picture is on the screen, if all of it is seen."""
    tile = part_of("results").widgets[number]
    at = tile.mapToGlobal(QPoint(0, 0))
    return [at.x(), at.y()] if tile.visibleRegion().boundingRect() == tile.rect() else None


def take(offer):
    """Press the button of this text."""
    state = shared_panel().panel.state
    (key,) = [found.key for found in state.status.offers + state.offers if found.text == offer]
    shared_panel().windows.take(key)


def grab(path):
    QApplication.processEvents()
    return docker().grab().save(path)


def grab_window(path):
    QApplication.processEvents()
    return Krita.instance().activeWindow().qwindow().grab().save(path)


def learn(name, noun, files):
    """Open the dialog and fill it."""
    dialog = open_learn_dialog()
    dialog.content.learning.set(name=name, noun=noun)
    dialog.content.learning.pictures.add_files(files)


def learn_from(what):
    """ "layers" or "selection" of the open picture."""
    getattr(open_learn_dialog().content.learning.pictures, "add_" + what)()


def learning():
    dialog = open_learn_dialog()
    state = learn_state()
    return {
        "pictures": [example.name for example in state.examples],
        "problems": [example.problem for example in state.examples],
        "cannot": state.cannot_learn,
        "message": state.message,
        "found": state.found,
        "bright": [example.found is not None for example in state.examples],
        "note": state.note,
        "name": state.name,
        "learned": state.learned,
        "button": state.learn_text,
        "sentence": state.sentence,
        "drawn": hashlib.sha256(state.drawn or b"").hexdigest(),
        "buttons": [list(places(made, dialog)) for made in (dialog.view["learn"], dialog.view["stop"])],
        "working": state.progress is not None,
    }


def places(made, window):
    """From the left and the bottom of its window."""
    place = made.mapTo(window, QPoint(0, 0))
    return place.x(), window.height() - place.y()


def learning_has(pictures):
    return len(learning()["pictures"]) == pictures


def learning_runs():
    state = learn_state()
    return state.progress is not None and "·" in state.progress.text


def learning_at(step):
    """A learning has come so far."""
    job = shared_panel().panel.session.state.job
    return learning_runs() and job.phase == "learning" and job.index >= step


def learning_shows(learned):
    """The word is there, and drawn in its sentence."""
    state = learn_state()
    return state.learned == learned and state.drawn is not None and state.progress is None


def type_learning(part, text, key):
    """What a keyboard does in a part of the dialog, or in the dialog itself; ``key``: Return, Escape."""
    dialog = open_learn_dialog()
    widget = dialog.view[part] if part else dialog
    if text:
        widget.clear()
        QTest.keyClicks(widget, text)
    if key:
        QTest.keyClick(widget, getattr(Qt.Key, "Key_" + key))


def learning_is_open():
    return dialog_of("LearnWindow") is not None


def learning_looks():
    return learn_state().preview is not None


def learning_ended():
    return not learning()["working"] and learning()["message"] != ""


def press_learn():
    open_learn_dialog().view["learn"].click()


def choose_detail():
    buttons = open_learn_dialog().view["thorough"].findChildren(QAbstractButton)
    next(button for button in buttons if button.text() == "with detail").click()


def stop_learning():
    open_learn_dialog().content.learning.stop()


def clear_learning():
    open_learn_dialog().content.learning.clear()


def answer_odd(number):
    """The texts of the buttons beside a picture; the first is pressed."""
    made = open_learn_dialog().view["pictures"].widgets[number].findChildren(QPushButton)
    made[0].click()
    return [button.text() for button in made]


def grab_learning(path):
    QApplication.processEvents()
    return open_learn_dialog().grab().save(path)


def close_learning():
    open_learn_dialog().close()


def grab_settings(path):
    return grab_and_close(open_backend_dialog(), path)


def grab_concepts(path):
    shared_panel().windows.concepts()
    return grab_and_close(dialog_of("ConceptsWindow"), path)


def grab_models(path):
    shared_panel().windows.models()
    return grab_and_close(dialog_of("ModelsWindow"), path)


def grab_and_close(dialog, path):
    QApplication.processEvents()
    saved = dialog.grab().save(path)
    dialog.close()
    return saved


def action_text(name):
    """Of the menu Tools ▸ Scripts."""
    return Krita.instance().action("palimpsest_" + name).text().replace("&", "")


# Writing.


def window_of_docker():
    return int(docker().window().winId())


def completions(field):
    """What is offered under the first (0) or second (1) field, and which of it is chosen; None: nothing."""
    shown = docker().view.drawer(SENTENCES[field]).completing
    if not shown.isVisible():
        return None
    return {"texts": [shown.item(row).text() for row in range(shown.count())], "chosen": shown.currentRow()}


def completions_are(field, texts):
    found = completions(field)
    return (found["texts"] if found else []) == texts


def chosen_is(field, row):
    found = completions(field)
    return found is not None and found["chosen"] == row


def written():
    return [part_of(sentence).toPlainText() for sentence in SENTENCES]


def waved(field):
    """The words under which a wave is drawn."""
    return underlined(field, QTextCharFormat.UnderlineStyle.WaveUnderline)


def dotted(field):
    """The words under which dots are drawn."""
    return underlined(field, QTextCharFormat.UnderlineStyle.DotLine)


def underlined(field, style):
    sentence = part_of(SENTENCES[field])
    return [s.cursor.selectedText() for s in sentence.extraSelections() if s.format.underlineStyle() == style]


def place_of_letter(field, at):
    """On the screen."""
    sentence = part_of(SENTENCES[field])
    cursor = sentence.textCursor()
    cursor.setPosition(at)
    place = sentence.viewport().mapToGlobal(sentence.cursorRect(cursor).center())
    return [place.x(), place.y()]


def tip():
    return QToolTip.text() if QToolTip.isVisible() else ""


def leave_out_learning(number):
    open_learn_dialog().content.learning.leave_out(number)
