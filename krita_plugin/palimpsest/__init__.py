"""Palimpsest in Krita: a docker, and actions under Tools ▸ Scripts."""

from __future__ import annotations

from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

from ._client.text.language import speak_as
from .docker import PalimpsestDocker
from .extension import DOCKER, PalimpsestExtension
from .qt import QLocale

speak_as([QLocale().name()])  # the language that Krita was set to, or the system's
application = Krita.instance()
application.addExtension(PalimpsestExtension(application))
application.addDockWidgetFactory(
    DockWidgetFactory(DOCKER, DockWidgetFactoryBase.DockPosition.DockRight, PalimpsestDocker)
)
