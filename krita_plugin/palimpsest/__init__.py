"""Palimpsest in Krita: a docker, and actions under Tools ▸ Scripts."""

from __future__ import annotations

from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

from .docker import PalimpsestDocker
from .extension import DOCKER, PalimpsestExtension

application = Krita.instance()
application.addExtension(PalimpsestExtension(application))
application.addDockWidgetFactory(
    DockWidgetFactory(DOCKER, DockWidgetFactoryBase.DockPosition.DockRight, PalimpsestDocker)
)
