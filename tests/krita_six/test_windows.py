"""Several windows, menus, and where the keyboard goes; in PyQt6, as Krita 6 has it."""

from __future__ import annotations

import pytest

from client.desk import SHOWS
from client.scripted import concept
from krita_six import six
from krita_six.six import dialog_of


def windows_shown(room, deed) -> list[str]:
    """The kinds of widgets that come up as windows of their own meanwhile."""
    qt, found = six.part("qt"), []

    class Watch(qt.QObject):
        def eventFilter(self, watched, event) -> bool:  # noqa: N802
            if event.type() == qt.QEvent.Type.Show and isinstance(watched, qt.QWidget) and watched.isWindow():
                found.append(type(watched).__name__)
            return False

    watch = Watch()
    room.application.installEventFilter(watch)
    deed()
    room.application.processEvents()
    room.application.removeEventFilter(watch)
    return found


def test_no_part_of_the_panel_is_ever_a_window(closed_room):
    room = closed_room
    assert windows_shown(room, lambda: six.part("qt").QWidget().show()) == ["QWidget"]
    assert windows_shown(room, room.open) == ["PalimpsestDocker"]
    room.panel.draft.write_source_prompt(SHOWS)
    assert windows_shown(room, lambda: room.panel.draft.emphasise("cat")) == []
    assert windows_shown(room, lambda: room.panel.draft.write_source_prompt(SHOWS + " and a ball")) == []
    assert room.docker.view["weight-ball"].isVisible()


@pytest.fixture
def second(room):
    """The docker of another window of Krita, which is the active one; both are seen."""
    from PyQt6.QtWidgets import QMainWindow

    window, docker = QMainWindow(), room.krita.factories[0].made()
    window.addDockWidget(six.part("qt").Qt.DockWidgetArea.RightDockWidgetArea, docker)
    window.show()
    room.krita.window.qwindow = lambda: window
    yield docker
    if not six.part("qt").isdeleted(window):
        window.close()
        window.deleteLater()


@pytest.mark.parametrize("floating", [False, True])
def test_with_two_windows_a_concept_is_written_once(room, second, floating):
    second.setFloating(floating)
    room.backend.the_concepts = [concept("toy")]
    room.panel.backend.refresh_concepts()
    room.panel.draft.write_source_prompt(SHOWS)
    room.until(lambda s: len(s.concepts) == 1)
    room.panel.draft.write_operand("a photo of on grass")
    six.part("shared_panel").shared_panel().windows.concepts()
    dialog = dialog_of("ConceptsWindow")
    dialog.view["use"].click()
    dialog.close()
    assert room.panel.form.operand == "a photo of on grass <toy>"
    assert second.focusWidget() is second.view["second"]
    second.hide()
    dialog.content.use()
    assert room.panel.form.operand.count("<toy>") == 2, "into the one that is seen"


def test_a_docker_goes_with_its_window_and_with_nothing_else(room, second, monkeypatch):
    shared, both = room.shared, [room.docker, second]
    assert shared.views == both

    def broken(state):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(second, "show_state", broken)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        room.panel.draft.write_source_prompt(SHOWS)
    assert shared.views == both
    monkeypatch.undo()
    from PyQt6.sip import delete

    delete(second.parentWidget())
    room.panel.draft.write_source_prompt("a photo of a dog on grass")
    assert shared.views == [room.docker]
    assert room.docker.view["first"].toPlainText() == "a photo of a dog on grass"


def test_while_a_photo_is_described_the_keyboard_waits_in_the_sentence(room):
    describe = room.docker.view["describe"]
    describe.setFocus()
    describe.click()
    assert not describe.isEnabled()
    assert room.docker.focusWidget() is room.docker.view["first"]


def menus(widget) -> list:
    return widget.findChildren(six.part("qt").QMenu)


def test_a_menu_that_was_closed_is_gone(room):
    room.panel.draft.write_source_prompt(SHOWS)
    words = room.docker.view["words"]
    for keys in (["Escape"], ["Down", "Down", "Return"]):
        words.linkActivated.emit("cat")
        (menu,) = menus(words)
        for key in keys:
            six.press(menu, key)
        room.application.processEvents()
        assert menus(words) == []
    assert room.panel.form.operation == "reweight", "Emphasise was chosen"


@pytest.mark.parametrize("name", ["feather", "variations", "language", "live"])
def test_return_in_a_field_of_the_settings_leaves_them_open(room, name):
    six.part("shared_panel").shared_panel().windows.settings()
    dialog = dialog_of("SettingsWindow")
    field = dialog.view[f"own-{name}"]
    field.setFocus()
    six.press(field, "Return")
    assert dialog.isVisible()
    address = dialog.view["address"]
    dialog.view["where"].findChildren(six.part("qt").QRadioButton)[1].click()
    address.setText("nonsense")
    six.press(address, "Return")
    assert "For instance http:" in dialog.view["message"].text(), "Return connects"
    dialog.close()


def test_return_in_a_number_of_the_settings_takes_it(room):
    six.part("shared_panel").shared_panel().windows.settings()
    dialog = dialog_of("SettingsWindow")
    number = dialog.view["own-variations"]
    number.lineEdit().selectAll()
    six.type_in(number, "3")
    six.press(number, "Return")
    assert room.panel.preferences.settings.variations == 3
    dialog.close()


def test_the_window_in_which_the_backend_is_set_up_is_drawn(room):
    setup = room.panel.backend.setup
    setup._become(kind="absent", builds=("cpu", "cuda"), place="/data/backend", version="0.1.0")
    six.part("shared_panel").shared_panel().windows.setup()
    dialog = dialog_of("SetupWindow")
    assert dialog.view["setup-begin"].text() == "Set up"
    assert "/data/backend" in dialog.view["setup-costs"].text()
    dialog.view["setup-build"].findChildren(six.part("qt").QRadioButton)[1].click()
    assert setup.state.build == "cuda"
    assert not dialog.view["setup-bar"].isVisible()
    setup._become(running=True, can_cancel=True, text="Fetching PyTorch", fraction=0.5)
    room.application.processEvents()
    assert dialog.view["setup-bar"].isVisible()
    assert not dialog.view["setup-begin"].isEnabled()
    setup._become(kind="whole", running=False, can_cancel=False, text="")
    assert dialog.view["setup-remove"].isVisibleTo(dialog)
    dialog.close()
