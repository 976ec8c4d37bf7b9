"""Krita 6 as far as the docker meets it: PyQt6, and a ``krita`` module that refuses PyQt5.

The plug-in is loaded under another name than in Krita, because the backend is called ``palimpsest`` too.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import palimpsest_client

PLUGIN = Path(__file__).resolve().parent.parent.parent / "krita_plugin" / "palimpsest"
NAME = "palimpsest_in_krita"
REFUSAL = "This version of Krita is not compatible with PyQt5!"
WIDTH = 260  # px of Krita's right column


class Notifier:
    """Keeps what is connected to it."""

    def __init__(self) -> None:
        self.closing: list[Any] = []
        self.applicationClosing = types.SimpleNamespace(connect=self.closing.append)

    def setActive(self, active: bool) -> None:  # noqa: N802
        assert active


class Action:
    def __init__(self, text: str) -> None:
        self.text = text
        self.calls: list[Any] = []
        self.triggered = types.SimpleNamespace(connect=self.calls.append)

    def trigger(self) -> None:
        for call in self.calls:
            call(False)


class Window:
    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}

    def createAction(self, name: str, text: str, menu: str) -> Action:  # noqa: N802
        assert menu == "tools/scripts"
        self.actions[name] = Action(text)
        return self.actions[name]

    def qwindow(self) -> None:
        return None


class Krita:
    """The application."""

    one: Krita | None = None

    def __init__(self) -> None:
        self.extensions: list[Any] = []
        self.factories: list[Any] = []
        self.shown: list[Any] = []  # dockers
        self.settings: dict[tuple[str, str], str] = {}
        self.window = Window()
        self._notifier = Notifier()

    @classmethod
    def instance(cls) -> Krita:
        if cls.one is None:
            cls.one = cls()
        return cls.one

    def addExtension(self, extension: Any) -> None:  # noqa: N802
        self.extensions.append(extension)

    def addDockWidgetFactory(self, factory: Any) -> None:  # noqa: N802
        self.factories.append(factory)

    def notifier(self) -> Notifier:
        return self._notifier

    def activeWindow(self) -> Window:  # noqa: N802
        return self.window

    def dockers(self) -> list[Any]:
        return self.shown

    def readSetting(self, group: str, name: str, default: str) -> str:  # noqa: N802
        return self.settings.get((group, name), default)

    def writeSetting(self, group: str, name: str, value: str) -> None:  # noqa: N802
        self.settings[group, name] = value


@contextlib.contextmanager
def pyqt5_refused() -> Iterator[None]:
    """As Krita 6 does it: by an import hook."""
    real = builtins.__import__

    def guarded(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] == "PyQt5":
            raise ModuleNotFoundError(REFUSAL, name=name)
        return real(name, *rest, **named)

    builtins.__import__ = guarded
    try:
        yield
    finally:
        builtins.__import__ = real


def krita_module() -> types.ModuleType:
    widgets, core = importlib.import_module("PyQt6.QtWidgets"), importlib.import_module("PyQt6.QtCore")

    class Extension(core.QObject):
        def __init__(self, parent: Any = None) -> None:
            super().__init__()

    class DockWidgetFactory:
        def __init__(self, name: str, position: Any, made: Any) -> None:
            self.name, self.position, self.made = name, position, made

    module = types.ModuleType("krita")
    positions = types.SimpleNamespace(DockRight=1)
    for name, value in {
        "Krita": Krita,
        "Extension": Extension,
        "DockWidget": widgets.QDockWidget,
        "DockWidgetFactory": DockWidgetFactory,
        "DockWidgetFactoryBase": types.SimpleNamespace(DockPosition=positions),
        "Document": object,
        "Node": object,
        "Selection": object,
    }.items():
        setattr(module, name, value)
    return module


def load() -> types.ModuleType:
    """The plug-in, registered with a new Krita, over the client that the other tests use too."""
    Krita.one = None
    sys.modules["krita"] = krita_module()
    for name in [name for name in sys.modules if name.startswith(NAME)]:
        del sys.modules[name]
    sys.modules[f"{NAME}._client"] = palimpsest_client
    for found in pkgutil.walk_packages(palimpsest_client.__path__, "palimpsest_client."):
        inside = found.name.partition(".")[2]
        sys.modules[f"{NAME}._client.{inside}"] = importlib.import_module(found.name)
    spec = importlib.util.spec_from_file_location(
        NAME, PLUGIN / "__init__.py", submodule_search_locations=[str(PLUGIN)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    with pyqt5_refused():
        spec.loader.exec_module(module)
    return module


def part(name: str) -> types.ModuleType:
    """A module of the plug-in that was loaded."""
    return sys.modules[f"{NAME}.{name}"]


def application() -> Any:
    """The one QApplication of this process; without a screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    widgets = importlib.import_module("PyQt6.QtWidgets")
    return widgets.QApplication.instance() or widgets.QApplication([])


def type_in(widget: Any, text: str) -> None:
    keyboard().keyClicks(widget, text)


def press(widget: Any, key: str) -> None:
    """``key``: as Qt calls it, without its prefix."""
    keyboard().keyClick(widget, getattr(part("qt").Qt.Key, f"Key_{key}"))


def keyboard() -> Any:
    return importlib.import_module("PyQt6.QtTest").QTest


def dialog_of(kind: str) -> Any:
    """The window of this kind that is open."""
    there = part("shared_panel").shared_panel().desktop._open.items()
    return next(dialog for told, dialog in there if told.__name__ == kind and dialog.isVisible())
